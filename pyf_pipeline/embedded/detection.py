"""Fields that a document brings along: types found out for `auto`, `.*` and `string*`, and what objects hold."""

from dataclasses import replace
from typing import Any

from pyf_pipeline.embedded.flatten import leaves
from pyf_pipeline.embedded.ordering import text_bucket_order
from pyf_pipeline.embedded.patterns import matches
from pyf_pipeline.embedded.schema import Field, Schema, sorts_by_default


def detect_fields(schema: Schema, document: dict[str, Any]) -> Schema:
    """The schema with the fields added that the document brings; the same object where it brings none."""
    new: dict[str, Field] = {}
    if schema.patterns:
        for name in sorted(document):
            field = _by_pattern(schema, name, document[name])
            if field is not None:
                new[name] = field
    if schema.enable_nested_fields:
        found: dict[str, Field] = {}
        for parent in [*schema.fields, *new.values()]:
            _add_leaves(schema, parent, document, found)
        new |= {name: found[name] for name in text_bucket_order(list(found))}
    return schema.with_fields((*schema.fields, *new.values())) if new else schema


def _by_pattern(schema: Schema, name: str, value: Any) -> Field | None:
    known = schema.by_name.get(name)
    if name == "id" or value is None or not _can_be_a_field(name) or (known is not None and not known.is_pattern):
        return None
    pattern = known or next((p for p in schema.patterns if "*" in p.name and matches(p.name, name)), None)
    if pattern is None:
        return None
    kind = _type_of(value, pattern.type, nested=schema.enable_nested_fields)
    if kind is None:
        return None
    return replace(pattern, name=name, type=kind, optional=True, sort=pattern.sort or sorts_by_default(kind))


def _can_be_a_field(name: str) -> bool:
    """Whether a name is not itself a pattern, and not empty."""
    return bool(name) and "*" not in name


def _type_of(value: Any, wanted: str, *, nested: bool) -> str | None:
    if isinstance(value, list):
        inner = _scalar_type(value[0], nested=nested) if value else None
        if inner is None:
            return None
        return "string[]" if wanted == "string*" and inner != "object" else f"{inner}[]"
    inner = _scalar_type(value, nested=nested)
    if wanted == "string*" and inner is not None and inner != "object":
        return "string"
    return inner if wanted in {"auto", "string*"} else wanted


def _scalar_type(value: Any, *, nested: bool) -> str | None:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) and nested else None


def _add_leaves(schema: Schema, parent: Field, document: dict[str, Any], new: dict[str, Field]) -> None:
    """Adds what an indexed object field holds as fields of their own."""
    if not parent.is_object or not parent.index or parent.name not in document:
        return
    for path, value, in_list in leaves(document[parent.name], parent.name):
        if path in schema.by_name or path in new or path == parent.name or not _can_be_a_field(path):
            continue
        kind = _leaf_type(value, in_list=in_list)
        if kind is not None:
            new[path] = replace(
                parent, name=path, type=kind, optional=True, nested=True, sort=parent.sort or sorts_by_default(kind)
            )


def _leaf_type(value: Any, *, in_list: bool) -> str | None:
    many = isinstance(value, list)
    inner = _scalar_type(value[0] if many and value else None if many else value, nested=False)
    if inner is None:
        return None
    return f"{inner}[]" if many or in_list else inner
