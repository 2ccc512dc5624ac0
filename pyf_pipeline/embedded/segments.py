"""The index of a batch of documents: immutable, written once, merged with others when there are many.

A segment holds, per field, an inverted index (`inverted`) and columns of numbers, facet values and sort keys
(`columns`). Documents are numbered within it from 0 in the order of `seqs`. What is deleted or replaced later is only
marked as dead beside it.
"""

import sqlite3
from dataclasses import dataclass

import numpy as np

from pyf_pipeline.embedded.arrays import BoolArray, IntArray

PARTS = ("terms", "postings", "places", "lengths", "numbers", "facet", "sort")
"""What there may be of a field, each under the name `part:field`."""


def read_part(connection: sqlite3.Connection, segment: int, name: str, chunk: int = 0) -> bytes | None:
    """A part's bytes, or None where there is no such part."""
    row = connection.execute(
        "SELECT data FROM parts WHERE segment_id = ? AND name = ? AND chunk = ?", (segment, name, chunk)
    ).fetchone()
    return row[0] if row else None


def part_names(connection: sqlite3.Connection, segment: int) -> list[str]:
    """The names of a segment's parts."""
    rows = connection.execute("SELECT DISTINCT name FROM parts WHERE segment_id = ?", (segment,))
    return [name for (name,) in rows]


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment as its table row says: the sequence numbers of its documents and which of them are dead."""

    id: int
    seqs: IntArray
    dead: BoolArray


def read_segments(connection: sqlite3.Connection, collection: int) -> list[SegmentRow]:
    """A collection's segments, oldest first."""
    rows = connection.execute(
        "SELECT id, size, seqs, dead FROM segments WHERE collection_id = ? ORDER BY id", (collection,)
    )
    return [
        SegmentRow(
            i, np.frombuffer(seqs, np.int64), np.unpackbits(np.frombuffer(dead, np.uint8), count=size).astype(bool)
        )
        for i, size, seqs, dead in rows
    ]


def add_segment(connection: sqlite3.Connection, collection: int, seqs: IntArray) -> int:
    """Enters a new segment with these documents, all alive; gives its number."""
    dead = np.packbits(np.zeros(len(seqs), dtype=bool)).tobytes()
    cursor = connection.execute(
        "INSERT INTO segments (collection_id, size, seqs, dead) VALUES (?, ?, ?, ?)",
        (collection, len(seqs), seqs.astype(np.int64).tobytes(), dead),
    )
    if cursor.lastrowid is None:
        raise RuntimeError("SQLite gave no number to a new segment")
    return cursor.lastrowid


def renumber_segment(connection: sqlite3.Connection, segment: int) -> None:
    """Gives a segment whose parts have changed a new number, so that nobody takes it for what he has read before."""
    row = "collection_id, size, seqs, dead"
    cursor = connection.execute(f"INSERT INTO segments ({row}) SELECT {row} FROM segments WHERE id = ?", (segment,))  # noqa: S608 - constant
    connection.execute("UPDATE parts SET segment_id = ? WHERE segment_id = ?", (cursor.lastrowid, segment))
    connection.execute("DELETE FROM segments WHERE id = ?", (segment,))


def mark_dead(connection: sqlite3.Connection, collection: int, seqs: IntArray) -> None:
    """Marks these documents as dead wherever they are alive; segments with nothing left are dropped."""
    if not len(seqs):
        return
    for row in read_segments(connection, collection):
        hit = np.isin(row.seqs, seqs) & ~row.dead
        if not hit.any():
            continue
        dead = row.dead | hit
        if dead.all():
            drop_segments(connection, [row.id])
        else:
            connection.execute("UPDATE segments SET dead = ? WHERE id = ?", (np.packbits(dead).tobytes(), row.id))


def drop_segments(connection: sqlite3.Connection, segments: list[int]) -> None:
    """Removes segments with all their parts."""
    connection.executemany("DELETE FROM parts WHERE segment_id = ?", [(s,) for s in segments])
    connection.executemany("DELETE FROM segments WHERE id = ?", [(s,) for s in segments])
