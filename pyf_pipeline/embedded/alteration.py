"""Changing a collection that holds documents: fields added and dropped, metadata set."""

import sqlite3
from typing import Any

from pyf_pipeline.embedded import building, segments, standing
from pyf_pipeline.embedded.catalogue import Collection, get_collection, list_collections, save_schema
from pyf_pipeline.embedded.dictionaries import check_dictionaries
from pyf_pipeline.embedded.documents import check_added_fields, field_values
from pyf_pipeline.embedded.errors import bad_request
from pyf_pipeline.embedded.jsontext import dumps
from pyf_pipeline.embedded.schema import Field, Schema, parse_field


def alter_collection(connection: sqlite3.Connection, name: str, raw: Any) -> dict[str, Any]:
    """Adds and drops fields and sets metadata; gives the answer to the request."""
    collection = get_collection(connection, name)
    if not isinstance(raw, dict) or not raw:
        raise bad_request("Alter payload is empty.")
    unknown = set(raw) - {"fields", "metadata"}
    if unknown:
        raise bad_request("Only `fields` and `metadata` can be updated at the moment.")
    answer: dict[str, Any] = {}
    if "metadata" in raw:
        answer["metadata"] = _set_metadata(connection, collection, raw["metadata"])
    if "fields" in raw:
        answer["fields"] = _alter_fields(connection, collection, raw["fields"])
    return answer


def _set_metadata(connection: sqlite3.Connection, collection: Collection, metadata: Any) -> Any:
    if not isinstance(metadata, dict):
        raise bad_request("The `metadata` value should be an object.")
    connection.execute("UPDATE collections SET metadata = ? WHERE id = ?", (dumps(metadata), collection.id))
    return metadata


def _alter_fields(connection: sqlite3.Connection, collection: Collection, raw: Any) -> list[dict[str, Any]]:
    if not isinstance(raw, list) or not raw or not all(isinstance(f, dict) for f in raw):
        raise bad_request(
            "The `fields` value should be an array of objects containing the field `name` and other properties."
        )
    fields = {f.name: f for f in collection.schema.fields}
    added: list[Field] = []
    shown = []
    for each in raw:
        name = each.get("name")
        if not isinstance(name, str):
            raise bad_request("The schema fields must contain a `name`.")
        if each.get("drop") is True:
            _drop_field(fields, collection.schema, name)
            shown.append({"drop": True, "embed": None, "name": name})
            continue
        field = parse_field(each, nested_enabled=collection.schema.enable_nested_fields)
        if name in fields:
            raise bad_request(
                f"Field `{name}` is already part of the schema: To change this field, drop it first before adding it "
                "back to the schema."
            )
        fields[name] = field
        added.append(field)
        shown.append(_altered(field))
    schema = collection.schema.with_fields(tuple(fields.values()))
    for name in collection.schema.searchable.keys() - schema.searchable.keys() | {f.name for f in added}:
        standing.forget(connection, collection.id, name)
    check_dictionaries(connection, added)
    _index_added(connection, collection, schema, added)
    save_schema(connection, collection.id, schema)
    return shown


def _drop_field(fields: dict[str, Field], schema: Schema, name: str) -> None:
    if name not in fields:
        raise bad_request(f"Field `{name}` is not part of collection schema.")
    if name == schema.default_sorting_field:
        raise bad_request(f"Cannot drop the default sorting field `{name}`.")
    for each in [f for f in fields if f == name or (fields[name].is_object and f.startswith(name + "."))]:
        del fields[each]


def _altered(field: Field) -> dict[str, Any]:
    """A field as the answer to an alteration shows it: with every option that Typesense has."""
    return {
        **field.to_json(), "async_reference": False, "embed": None, "hnsw_params": {"M": 16, "ef_construction": 200},
        "nested": field.nested, "nested_array": 0, "num_dim": 0, "range_index": field.range_index, "reference": "",
        "symbols_to_index": list(field.symbols_to_index), "token_separators": list(field.token_separators),
        "vec_dist": "cosine",
    }  # fmt: skip


def _index_added(connection: sqlite3.Connection, collection: Collection, schema: Schema, added: list[Field]) -> None:
    """Indexes the stored documents' values of new fields, segment by segment."""
    concrete = [f for f in added if not f.is_pattern and not f.is_object]
    check_added_fields(connection, collection, schema, concrete)
    _index(connection, collection, schema, concrete)
    _note(connection, collection, [f for f in standing.facet_fields(schema) if f in concrete])


def _note(connection: sqlite3.Connection, collection: Collection, counted: list[Field]) -> None:
    """Notes the values of new facets in the order in which a batch of all documents would bring them."""
    found: dict[int, dict[str, Any]] = {}
    for row in segments.read_segments(connection, collection.id) if counted else []:
        for field in counted:
            for seq, value in zip(row.seqs.tolist(), field_values(connection, collection.id, row, field), strict=True):
                if value is not None:
                    found.setdefault(seq, {})[field.name] = value
    standing.Changes(connection, collection.id, collection.version, counted).note({}, dict(sorted(found.items())))


def _index(connection: sqlite3.Connection, collection: Collection, schema: Schema, concrete: list[Field]) -> None:
    for row in segments.read_segments(connection, collection.id):
        names = {n for f in concrete for n in (f"{part}:{f.name}" for part in segments.PARTS)}
        connection.executemany("DELETE FROM parts WHERE segment_id = ? AND name = ?", [(row.id, n) for n in names])
        for field in concrete:
            if field.index:
                values = field_values(connection, collection.id, row, field)
                building.write_field(connection, (row.id, row.seqs), schema, field, values)
        segments.renumber_segment(connection, row.id)


def stemmed_by(connection: sqlite3.Connection, dictionary: str) -> list[tuple[Collection, list[Field]]]:
    """The collections with fields that are stemmed by a dictionary, and these fields."""
    found = []
    for collection in list_collections(connection):
        fields = [f for f in collection.schema.fields if f.stem_dictionary == dictionary]
        if fields:
            found.append((collection, fields))
    return found


def index_again(connection: sqlite3.Connection, dictionary: str) -> None:
    """Indexes by a changed dictionary what it was indexed by, so that it is found by the roots that searches have."""
    for collection, fields in stemmed_by(connection, dictionary):
        if unkept := [f.name for f in fields if not f.store]:
            raise bad_request(
                f"Stemming dictionary `{dictionary}` cannot be changed: field `{unkept[0]}` of "
                f"`{collection.schema.name}` is not stored, so that it cannot be indexed again."
            )
        _index(connection, collection, collection.schema, [f for f in fields if not f.is_pattern and not f.is_object])
        save_schema(connection, collection.id, collection.schema)
