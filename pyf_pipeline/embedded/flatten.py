"""Nested objects as flat fields: `{"a": {"b": 1}}` is indexed as `a.b`, a list of objects as a list of values."""

from typing import Any

from pyf_pipeline.embedded.schema import Schema

_MISSING = object()


def value_at(document: dict[str, Any], path: str) -> Any:
    """The value of a dotted path, gathered into a list where the way leads through lists; None where there is none."""
    if path in document:
        return document[path]
    if "." not in path:
        return None
    found = _walk(document, path.split("."))
    return None if found is _MISSING else found


def _walk(value: Any, parts: list[str]) -> Any:
    if not parts:
        return value
    if isinstance(value, list):
        gathered: list[Any] = []
        for item in value:
            inner = _walk(item, parts)
            if inner is not _MISSING:
                gathered.extend(inner) if isinstance(inner, list) else gathered.append(inner)
        return gathered or _MISSING
    if isinstance(value, dict) and parts[0] in value:
        return _walk(value[parts[0]], parts[1:])
    return _MISSING


def flat_values(document: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The document's values by the names of the schema's fields.

    Left out is what is absent, and what is of another type: such values can only have come before their field had one.
    """
    values = {}
    for name, field in schema.searchable.items():
        value = value_at(document, name) if field.nested else document.get(name)
        if value is not None and not field.is_object and field.holds(value):
            values[name] = value
    return values


def leaves(value: Any, path: str) -> list[tuple[str, Any, bool]]:
    """Every primitive below a value: (dotted path, first value seen, whether a list is on the way)."""
    found: dict[str, tuple[Any, bool]] = {}
    _collect(value, path, in_list=False, found=found)
    return [(p, v, many) for p, (v, many) in found.items()]


def _collect(value: Any, path: str, *, in_list: bool, found: dict[str, tuple[Any, bool]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, f"{path}.{key}", in_list=in_list, found=found)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            _collect(item, path, in_list=True, found=found)
    elif value is not None:
        found.setdefault(path, (value, in_list))
