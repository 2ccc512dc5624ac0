"""Documents: reading, writing, importing, exporting.

Writes happen in batches. A batch is one transaction: all of its documents are stored and searchable when it commits,
and none if it does not.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from pyf_pipeline.embedded import building, segments, standing
from pyf_pipeline.embedded.catalogue import Collection, save_schema
from pyf_pipeline.embedded.detection import detect_fields
from pyf_pipeline.embedded.errors import ApiError, bad_request, not_found
from pyf_pipeline.embedded.flatten import flat_values, value_at
from pyf_pipeline.embedded.jsontext import MAX_DEPTH, TOO_DEEP, dumps, is_too_deep, loads, parse_error
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.validation import Checker, missing

ACTIONS = ("create", "upsert", "update", "emplace")
MAX_ID_BYTES = 1000

DELETED_TOGETHER = 1000
"""How many documents that are to be deleted are held in memory at a time."""


@dataclass(slots=True)
class _Pending:
    """A document to be stored: where, and as what."""

    seq: int
    document: dict[str, Any]


@dataclass(slots=True)
class Batch:
    """Writes documents of one collection in one transaction; `finish` stores them.

    Attributes:
        connection: In a write transaction.
        collection: The collection's row as of this transaction.
        schema: Its schema, with the fields that documents have brought along since.
    """

    connection: sqlite3.Connection
    collection: Collection
    dirty_values: str = "coerce_or_reject"
    schema: Schema = field(init=False)
    _next_seq: int = field(init=False)
    _known: dict[str, int] = field(default_factory=dict)
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _replaced: set[int] = field(default_factory=set)
    _added: int = 0

    def __post_init__(self) -> None:
        """Starts from the collection as it is."""
        self.schema = self.collection.schema
        self._next_seq = self.collection.next_seq

    def look_up(self, ids: Iterable[str]) -> None:
        """Finds out which of these documents exist; to be called before `write`."""
        wanted = [i for i in dict.fromkeys(ids) if i not in self._known]
        for low in range(0, len(wanted), 500):
            some = wanted[low : low + 500]
            query = f"SELECT id, seq FROM documents WHERE collection_id = ? AND id IN ({','.join('?' * len(some))})"  # noqa: S608 - only marks
            self._known.update(self.connection.execute(query, (self.collection.id, *some)))

    def write(self, document: Any, action: str) -> dict[str, Any]:
        """Takes a document in and gives it as it will be stored; raises `ApiError` and leaves it out otherwise."""
        if not isinstance(document, dict):
            raise bad_request("Bad JSON: not a properly formed document.")
        document = dict(document)
        name = self._identify(document, action)
        existing = self._pending[name].seq if name in self._pending else self._known.get(name)
        if existing is not None and action == "create":
            raise ApiError(409, f"A document with id {name} already exists.")
        if existing is None and action == "update":
            raise not_found(f"Could not find a document with id: {name}")
        if existing is not None and action in {"update", "emplace"}:
            stored = self._checked_update(name, existing, document)
        else:
            stored = self._checked_whole(document, whole=action != "emplace")
        self._take_in(name, existing, stored)
        return stored

    def _identify(self, document: dict[str, Any], action: str) -> str:
        if "id" not in document:
            if action == "update":
                raise bad_request("For update, the `id` key must be provided.")
            document["id"] = str(self._next_seq)
        name = document["id"]
        if not isinstance(name, str):
            raise bad_request("Document's `id` field should be a string.")
        if not name:
            raise bad_request("The `id` should not be empty.")
        if len(name.encode()) > MAX_ID_BYTES:
            raise bad_request(f"The `id` should not be longer than {MAX_ID_BYTES} bytes.")
        return name

    def _checked_whole(self, document: dict[str, Any], *, whole: bool) -> dict[str, Any]:
        schema = detect_fields(self.schema, document)
        Checker(schema, self.dirty_values).check(document, partial=False, whole=whole)
        self.schema = schema
        return _without_nulls(document, schema)

    def _checked_update(self, name: str, seq: int, changes: dict[str, Any]) -> dict[str, Any]:
        schema = detect_fields(self.schema, changes)
        Checker(schema, self.dirty_values).check(changes, partial=True)
        held = self._pending.get(name)
        old = held.document if held else loads(_body(self.connection, self.collection.id, seq))
        merged = merge_patch(old, changes)
        for each in schema.searchable.values():
            if not each.optional and not each.is_object and value_at(merged, each.name) is None:
                raise missing(each)
        self.schema = schema
        return _without_nulls(merged, schema)

    def _take_in(self, name: str, existing: int | None, stored: dict[str, Any]) -> None:
        if existing is None:
            self._pending[name] = _Pending(self._next_seq, stored)
            self._next_seq += 1
            self._added += 1
            return
        if name not in self._pending:
            self._replaced.add(existing)
        self._pending[name] = _Pending(existing, stored)

    def finish(self) -> None:
        """Stores and indexes what was taken in."""
        if not self._pending:
            return
        collection = self.collection.id
        if self.schema is not self.collection.schema:
            save_schema(self.connection, collection, self.schema)
        replaced = sorted(self._replaced)
        before = flat_documents(self.connection, self.collection, replaced)
        dropped = {f.name for f in self.schema.fields if not f.store}
        self.connection.executemany(
            "INSERT INTO documents (collection_id, seq, id, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (collection_id, seq) DO UPDATE SET body = excluded.body",
            ((collection, p.seq, name, _stored_form(p.document, dropped)) for name, p in self._pending.items()),
        )
        segments.mark_dead(self.connection, collection, np.array(replaced, dtype=np.int64))
        values = {p.seq: flat_values(p.document, self.schema) for p in self._pending.values()}
        building.build_segment(self.connection, collection, self.schema, values)
        fields = standing.facet_fields(self.schema)
        standing.Changes(self.connection, collection, self.collection.version, fields).note(before, values)
        building.merge_if_due(self.connection, collection)
        self.connection.execute(
            "UPDATE collections SET next_seq = ?, num_documents = num_documents + ?, version = version + 1"
            " WHERE id = ?",
            (self._next_seq, self._added, collection),
        )


def flat_documents(
    connection: sqlite3.Connection, collection: Collection, seqs: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """The flat values of stored documents, by their sequence numbers; of none where no field is counted by them."""
    if not standing.facet_fields(collection.schema):
        return {}
    found = (flat_values(d, collection.schema) for d in bodies(connection, collection.id, seqs))
    return dict(zip(seqs, found, strict=True))


def _stored_form(document: dict[str, Any], dropped: set[str]) -> str:
    return dumps({k: v for k, v in document.items() if k not in dropped} if dropped else document)


def _without_nulls(document: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The document without the nulls that stand for absent values of its optional fields."""
    if None not in document.values():
        return document
    return {k: v for k, v in document.items() if v is not None or k not in schema.by_name}


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: objects are merged, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How documents are imported and what the answer says of each."""

    action: str = "create"
    dirty_values: str = "coerce_or_reject"
    return_id: bool = False
    return_doc: bool = False


def import_lines(
    connection: sqlite3.Connection, collection: Collection, lines: list[bytes], options: ImportOptions
) -> list[str]:
    """Imports one batch of JSON lines; gives one JSON line of answer for each."""
    batch = Batch(connection, collection, options.dirty_values)
    parsed = [_parsed(line) for line in lines]
    batch.look_up(i for d in parsed if isinstance(d, dict) and isinstance(i := d.get("id"), str))
    answers = [_import_one(batch, line, d, options) for line, d in zip(lines, parsed, strict=True)]
    batch.finish()
    return answers


class _Unparsable(str):
    """Why a line is no JSON."""

    __slots__ = ()


def _parsed(line: bytes) -> Any:
    try:
        return loads(line)
    except orjson.JSONDecodeError:
        return _Unparsable(parse_error(line.decode(errors="replace")))


def _import_one(batch: Batch, line: bytes, document: Any, options: ImportOptions) -> str:
    try:
        if isinstance(document, _Unparsable):
            raise bad_request(f"Bad JSON: {document}")
        if line.count(b"{") + line.count(b"[") > MAX_DEPTH and is_too_deep(document):
            raise bad_request(TOO_DEEP)
        stored = batch.write(document, options.action)
    except ApiError as error:
        answer = {"code": error.status, "error": error.message, "success": False}
        if options.return_doc:
            answer["document"] = line.decode(errors="replace")
        if options.return_id and isinstance(document, dict) and isinstance(document.get("id"), str):
            answer["id"] = document["id"]
        return dumps(answer)
    if not options.return_doc and not options.return_id:
        return '{"success":true}'
    answer = {"success": True}
    if options.return_doc:
        answer["document"] = stored
    if options.return_id:
        answer["id"] = stored["id"]
    return dumps(answer)


def write_one(
    connection: sqlite3.Connection, collection: Collection, document: Any, action: str, dirty_values: str
) -> dict[str, Any]:
    """Writes a single document and gives it as stored; raises `ApiError`."""
    batch = Batch(connection, collection, dirty_values)
    if isinstance(document, dict) and isinstance(document.get("id"), str):
        batch.look_up([document["id"]])
    stored = batch.write(document, action)
    batch.finish()
    return stored


def update_many(
    connection: sqlite3.Connection, collection: Collection, seqs: Iterable[int], changes: Any, dirty_values: str
) -> int:
    """Applies one change to many documents; gives how many."""
    if not isinstance(changes, dict):
        raise bad_request("Bad JSON: not a properly formed document.")
    batch = Batch(connection, collection, dirty_values)
    names = [name for name, _ in stored_bodies(connection, collection.id, seqs)]
    batch.look_up(names)
    for name in names:
        batch.write({**changes, "id": name}, "update")
    batch.finish()
    return len(names)


def delete_many(connection: sqlite3.Connection, collection: Collection, seqs: list[int]) -> int:
    """Removes documents by their sequence numbers; gives how many there were."""
    if not seqs:
        return 0
    fields = standing.facet_fields(collection.schema)
    changes = standing.Changes(connection, collection.id, collection.version, fields)
    for low in range(0, len(seqs), DELETED_TOGETHER):
        changes.note(flat_documents(connection, collection, seqs[low : low + DELETED_TOGETHER]), {})
    cursor = connection.executemany(
        "DELETE FROM documents WHERE collection_id = ? AND seq = ?", [(collection.id, s) for s in seqs]
    )
    segments.mark_dead(connection, collection.id, np.array(sorted(seqs), dtype=np.int64))
    building.merge_if_due(connection, collection.id)
    connection.execute(
        "UPDATE collections SET num_documents = num_documents - ?, version = version + 1 WHERE id = ?",
        (cursor.rowcount, collection.id),
    )
    return cursor.rowcount


def get_document(connection: sqlite3.Connection, collection: Collection, name: str) -> tuple[int, dict[str, Any]]:
    """A document and its sequence number; raises 404."""
    row = connection.execute(
        "SELECT seq, body FROM documents WHERE collection_id = ? AND id = ?", (collection.id, name)
    ).fetchone()
    if row is None:
        raise not_found(f"Could not find a document with id: {name}")
    return row[0], loads(row[1])


def _body(connection: sqlite3.Connection, collection: int, seq: int) -> str:
    (body,) = connection.execute(
        "SELECT body FROM documents WHERE collection_id = ? AND seq = ?", (collection, seq)
    ).fetchone()
    return str(body)


def bodies(connection: sqlite3.Connection, collection: int, seqs: Iterable[int]) -> list[dict[str, Any]]:
    """Documents by their sequence numbers, in that order."""
    return [loads(_body(connection, collection, int(s))) for s in seqs]


def stored_bodies(connection: sqlite3.Connection, collection: int, seqs: Iterable[int]) -> Iterator[tuple[str, str]]:
    """(id, JSON text) of documents by their sequence numbers; those that are gone are left out."""
    for seq in seqs:
        row = connection.execute(
            "SELECT id, body FROM documents WHERE collection_id = ? AND seq = ?", (collection, int(seq))
        ).fetchone()
        if row is not None:
            yield row


def field_values(connection: sqlite3.Connection, collection: int, row: segments.SegmentRow, fld: Field) -> list[Any]:
    """A field's values in the stored documents of a segment; None for the dead."""
    found = [
        None if dead else value_at(loads(_body(connection, collection, int(seq))), fld.name)
        for seq, dead in zip(row.seqs, row.dead, strict=True)
    ]
    return [v if v is not None and fld.holds(v) else None for v in found]


def check_added_fields(
    connection: sqlite3.Connection, collection: Collection, schema: Schema, added: list[Field]
) -> None:
    """Raises 400 where a stored document does not fit a new field."""
    if not added:
        return
    checker = Checker(schema.with_fields(tuple(added)), "reject")
    query = "SELECT body FROM documents WHERE collection_id = ? ORDER BY seq"
    for (body,) in connection.execute(query, (collection.id,)):
        document = loads(body)
        for each in added:
            if not each.optional and value_at(document, each.name) is None:
                raise bad_request(
                    f"Field `{each.name}` has been declared in the schema, but is not found in the documents already "
                    "present in the collection. If you still want to add this field, set it as `optional: true`."
                )
        try:
            checker.check(document, partial=True)
        except ApiError as error:
            raise bad_request(
                "Schema change is incompatible with the type of documents already stored in this collection. "
                f"Existing data for field `{each.name}` cannot be coerced into the declared type."
            ) from error
