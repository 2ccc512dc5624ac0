"""When the values of a facet came and when their counts last changed, which decides between equally frequent ones.

Typesense keeps the values of a field by how many documents have them. One whose count changes goes behind all that are
as frequent, and a search for everything looks at so many from the front only. A write first takes away what its
documents had, then adds what they have; both only where a field's value has changed.
"""

import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyf_pipeline.embedded.columns import facet_texts
from pyf_pipeline.embedded.ordering import bucket_order
from pyf_pipeline.embedded.schema import Field, Schema

Documents = Mapping[int, Mapping[str, Any]]
"""The flat values of documents by their sequence numbers."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A value's place: greater numbers came, or changed, later."""

    came: int
    changed: int


def facet_fields(schema: Schema) -> list[Field]:
    """The fields whose values are counted."""
    return [f for f in schema.searchable.values() if f.facet and f.index and not f.is_object]


class Changes:
    """Notes what one write changes.

    Args:
        connection: In the transaction that writes.
        collection: The collection's number.
        version: Its version, which is greater at the next write.
        fields: Whose values are noted.
    """

    def __init__(self, connection: sqlite3.Connection, collection: int, version: int, fields: list[Field]) -> None:
        self.fields = fields
        self._connection = connection
        self._collection = collection
        self._number = itertools.count(version << 32)

    def note(self, before: Documents, after: Documents) -> None:
        """Notes what documents had that are written or deleted, as far as they were there, and what they have."""
        for field in self.fields:
            values = _changed(field, before, after)
            self._connection.executemany(
                "INSERT INTO standings (collection_id, field, value, changed) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (collection_id, field, value) DO UPDATE SET changed = excluded.changed",
                ((self._collection, field.name, value, next(self._number)) for value in values),
            )


def _changed(field: Field, before: Documents, after: Documents) -> Iterator[str]:
    """The values whose counts change, in the order of their last changes."""
    nothing: Mapping[str, Any] = {}
    name = field.name
    moved = [s for s in {**before, **after} if before.get(s, nothing).get(name) != after.get(s, nothing).get(name)]
    added = {s: facet_texts(after[s].get(name), field) for s in moved if s in after}
    order = bucket_order([s for s in moved if added.get(s)])
    last = dict.fromkeys(text for seq in order for text in added[seq])
    had = [dict.fromkeys(facet_texts(before[seq].get(name), field)) for seq in moved if seq in before]
    gone = [text for texts in had for text in texts]
    yield from reversed(dict.fromkeys(text for text in reversed(gone) if text not in last))
    yield from last


def forget(connection: sqlite3.Connection, collection: int, field: str | None = None) -> None:
    """Drops what is known of a field, or of a whole collection, that is gone."""
    if field is None:
        connection.execute("DELETE FROM standings WHERE collection_id = ?", (collection,))
    else:
        connection.execute("DELETE FROM standings WHERE collection_id = ? AND field = ?", (collection, field))


def standings(connection: sqlite3.Connection, collection: int, field: str) -> dict[str, Standing]:
    """What is known of a field's values; nothing of those that an earlier version of this program wrote."""
    query = "SELECT value, id, changed FROM standings WHERE collection_id = ? AND field = ?"
    return {value: Standing(came, changed) for value, came, changed in connection.execute(query, (collection, field))}
