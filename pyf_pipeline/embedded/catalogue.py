"""Collections and aliases: their rows, and from a name in a request to the collection that it means."""

import sqlite3
import time
from dataclasses import dataclass, replace
from typing import Any

from pyf_pipeline.embedded import segments, standing
from pyf_pipeline.embedded.dictionaries import check_dictionaries
from pyf_pipeline.embedded.errors import ApiError, bad_request, not_found
from pyf_pipeline.embedded.jsontext import dumps, loads
from pyf_pipeline.embedded.ordering import text_table_order
from pyf_pipeline.embedded.schema import Schema, parse_name, parse_schema

_COLUMNS = "id, created_at, definition, metadata, next_seq, num_documents, version"


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection's row."""

    id: int
    created_at: int
    schema: Schema
    metadata: dict[str, Any] | None
    next_seq: int
    num_documents: int
    version: int

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        shown = {**self.schema.to_json(), "created_at": self.created_at, "num_documents": self.num_documents}
        if self.metadata is not None:
            shown["metadata"] = self.metadata
        return shown


def _collection(row: tuple[Any, ...]) -> Collection:
    number, created_at, definition, metadata, next_seq, documents, version = row
    schema = Schema.stored(loads(definition))
    return Collection(number, created_at, schema, loads(metadata) if metadata else None, next_seq, documents, version)


def find_collection(connection: sqlite3.Connection, name: str) -> Collection | None:
    """The collection of a name or, where there is none, the one that an alias of that name points at."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM collections WHERE name = ?", (name,)).fetchone()  # noqa: S608 - constant
    if row is None:
        query = f"SELECT {_COLUMNS} FROM collections WHERE name = (SELECT collection_name FROM aliases WHERE name = ?)"  # noqa: S608 - constant
        row = connection.execute(query, (name,)).fetchone()
    return _collection(row) if row else None


def get_collection(connection: sqlite3.Connection, name: str) -> Collection:
    """The same; raises 404 where there is none."""
    found = find_collection(connection, name)
    if found is None:
        raise not_found("Collection not found")
    return found


def list_collections(connection: sqlite3.Connection) -> list[Collection]:
    """All collections, the newest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM collections ORDER BY id DESC").fetchall()  # noqa: S608 - constant
    return [_collection(r) for r in rows]


def create_collection(connection: sqlite3.Connection, raw: Any, *, source: str = "") -> Collection:
    """Makes a collection as the body of the request says, or with the fields of another one; raises `ApiError`."""
    if source:
        schema = replace(get_collection(connection, source).schema, name=parse_name(raw), by_name={})
    else:
        schema = parse_schema(raw)
    check_dictionaries(connection, schema.fields)
    metadata = raw.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise bad_request("The `metadata` value should be an object.")
    if connection.execute("SELECT 1 FROM collections WHERE name = ?", (schema.name,)).fetchone():
        raise ApiError(409, f"A collection with name `{schema.name}` already exists.")
    connection.execute(
        "INSERT INTO collections (name, created_at, definition, metadata) VALUES (?, ?, ?, ?)",
        (schema.name, int(time.time()), dumps(schema.to_json()), None if metadata is None else dumps(metadata)),
    )
    return get_collection(connection, schema.name)


def delete_collection(connection: sqlite3.Connection, name: str) -> Collection:
    """Removes a collection with all that is in it."""
    found = find_collection(connection, name)
    if found is None:
        raise not_found(f"No collection with name `{name}` found.")
    segments.drop_segments(connection, [r.id for r in segments.read_segments(connection, found.id)])
    standing.forget(connection, found.id)
    connection.execute("DELETE FROM documents WHERE collection_id = ?", (found.id,))
    connection.execute("DELETE FROM collections WHERE id = ?", (found.id,))
    return found


def save_schema(connection: sqlite3.Connection, collection: int, schema: Schema) -> None:
    """Stores a changed definition."""
    connection.execute(
        "UPDATE collections SET definition = ?, version = version + 1 WHERE id = ?",
        (dumps(schema.to_json()), collection),
    )


def set_alias(connection: sqlite3.Connection, name: str, raw: Any) -> dict[str, str]:
    """Points an alias at a collection, which need not exist; not at the cost of a collection of its own name."""
    if not isinstance(raw, dict) or "collection_name" not in raw:
        raise bad_request("Parameter `collection_name` is required.")
    target = raw["collection_name"]
    if not isinstance(target, str):
        raise bad_request("Parameter `collection_name` must be a string.")
    if connection.execute("SELECT 1 FROM collections WHERE name = ?", (name,)).fetchone():
        raise ApiError(500, f"Name `{name}` conflicts with an existing collection name.")
    connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (name, target))
    return {"collection_name": target, "name": name}


def get_alias(connection: sqlite3.Connection, name: str) -> dict[str, str]:
    """An alias; raises 404."""
    row = connection.execute("SELECT collection_name FROM aliases WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise not_found("Collection not found")
    return {"collection_name": row[0], "name": name}


def list_aliases(connection: sqlite3.Connection) -> list[dict[str, str]]:
    """All aliases, in the order in which Typesense lists them."""
    targets = dict(connection.execute("SELECT name, collection_name FROM aliases ORDER BY rowid").fetchall())
    return [{"collection_name": targets[name], "name": name} for name in text_table_order(list(targets))]


def delete_alias(connection: sqlite3.Connection, name: str) -> dict[str, str]:
    """Removes an alias and gives it back; raises 404."""
    found = get_alias(connection, name)
    connection.execute("DELETE FROM aliases WHERE name = ?", (name,))
    return found
