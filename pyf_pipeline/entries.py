"""Files of entries that people write by hand, read strictly, with mistakes explained."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError


class EntryError(ValueError):
    """Something in a file cannot be used; the text names the file, the entry and the field, and what to do."""


class _UniqueKeys(yaml.SafeLoader):
    """A loader that refuses a key given twice, which YAML forbids and PyYAML silently overwrites."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[str] = set()
        for key_node, _ in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in keys:
                raise EntryError(
                    f"{self.name}, line {key_node.start_mark.line + 1}: {key!r} is defined twice; remove or rename one"
                )
            keys.add(key)
        return super().construct_mapping(node, deep)


def read_entries(file: Path, top: str) -> list[tuple[str, Any]]:
    """The entries of a YAML file that holds one mapping, `top:`, from keys to entries; in its order.

    Raises:
        EntryError: The file cannot be read, or is something else.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            content = yaml.load(stream, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader with one more check
    except (OSError, UnicodeDecodeError) as error:
        raise EntryError(f"{file}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise EntryError(f"{file}: is not YAML: {' '.join(str(error).split())}") from None
    entries = content.get(top) if isinstance(content, dict) else None
    if not isinstance(entries, dict) or set(content) != {top}:
        raise EntryError(f"{file}: should hold one mapping `{top}:` from keys to {top}")
    return [(str(key), fields) for key, fields in entries.items()]


def explain(error: ValidationError, model: type[BaseModel], what: str) -> str:
    """What is wrong with an entry's fields, each with what would be right.

    Args:
        error: What pydantic found.
        model: What the entry should be.
        what: What people call it, such as "a profile".
    """
    return "; ".join(_explained(problem, model.model_fields, what) for problem in error.errors(include_url=False))


def _explained(problem: Any, known: Iterable[str], what: str) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, list(known), n=1)
        message = f"is not a field of {what}" + (f"; did you mean {near[0]!r}?" if near else "")
    return f"field {field!r}: {message}" if field else message
