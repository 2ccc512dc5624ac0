"""Making segments: from a batch of documents, and from several smaller segments."""

import sqlite3
from collections.abc import Callable
from typing import Any

import numpy as np

from pyf_pipeline.embedded import columns, inverted, segments
from pyf_pipeline.embedded.analysis import Analyser, analyser_of
from pyf_pipeline.embedded.arrays import AnyArray, IntArray, offsets_of
from pyf_pipeline.embedded.inverted import narrowed
from pyf_pipeline.embedded.merging import merge_postings
from pyf_pipeline.embedded.schema import Field, Schema

MERGE_AT = 8
"""How many segments of about one size are kept before they become one."""

LARGEST_MERGED = 40_000
"""How many documents a merged segment has at most: others wait for as long as merging takes."""


def build_segment(
    connection: sqlite3.Connection, collection: int, schema: Schema, batch: dict[int, dict[str, Any]]
) -> None:
    """Indexes documents.

    Args:
        connection: In a write transaction.
        collection: Whose documents they are.
        schema: By which they are indexed.
        batch: The flat values of each document by its sequence number.
    """
    if not batch:
        return
    seqs = np.array(sorted(batch), dtype=np.int64)
    segment = segments.add_segment(connection, collection, seqs)
    documents = [batch[int(s)] for s in seqs]
    for field in schema.searchable.values():
        if field.index and not field.is_object:
            write_field(connection, (segment, seqs), schema, field, [d.get(field.name) for d in documents])


def write_field(
    connection: sqlite3.Connection, target: tuple[int, IntArray], schema: Schema, field: Field, values: list[Any]
) -> None:
    """Indexes one field of a segment (its number and its documents' sequence numbers); None: an absent value."""
    segment, seqs = target
    if all(v is None for v in values):
        return
    if not field.is_string:
        column = columns.build_numbers(field, values)
        _write(connection, segment, f"numbers:{field.name}", columns.pack_numbers(column))
        return
    postings, lengths = postings_of(analyser_of(connection, schema, field), field, values)
    inverted.write_postings(connection, segment, field.name, postings)
    if not field.is_array:
        _write(connection, segment, f"lengths:{field.name}", columns.pack_numbers(lengths))
    if field.facet:
        labels = columns.build_labels([columns.facet_texts(v, field) for v in values], seqs.tolist())
        _write(connection, segment, f"facet:{field.name}", columns.pack_labels(labels))
    if field.sort and not field.is_array:
        keys = columns.build_labels([columns.sort_texts(v) for v in values], seqs.tolist())
        _write(connection, segment, f"sort:{field.name}", columns.pack_labels(keys))


def _write(connection: sqlite3.Connection, segment: int, name: str, data: bytes) -> None:
    connection.execute("INSERT INTO parts VALUES (?, ?, 0, ?)", (segment, name, data))


def postings_of(analyser: Analyser, field: Field, values: list[Any]) -> tuple[inverted.TermPostings, columns.Numbers]:
    """The words of a field's values, one value (None where absent) for each document, and where they are.

    Returns:
        The postings, and document by document how many words its texts have.
    """
    tokens: list[str] = []
    lengths: list[int] = []
    owners: list[int] = []
    elements: list[int] = []
    words = analyser.words if analyser.stem else analyser.tokenizer.uncut
    for document, value in enumerate(values):
        for element, text in enumerate(_texts(value, field)):
            found = words(text)
            if found:
                tokens += found
                lengths.append(len(found))
                owners.append(document)
                elements.append(min(element, inverted.ELEMENT))
    counts = np.array(lengths, dtype=np.int64)
    starts = offsets_of(counts)
    places = np.arange(len(tokens), dtype=np.int64) - np.repeat(starts[:-1], counts)
    shifted = np.repeat(np.array(elements, dtype=np.int64) << 16, counts)
    occurrences: AnyArray = np.minimum(places, inverted.PLACE) | shifted
    occurrences[starts[1:] - 1] |= inverted.LAST
    documents = np.repeat(np.array(owners, dtype=np.int64), counts)
    texts = np.bincount(np.array(owners, dtype=np.int64), minlength=len(values))
    return inverted.term_postings(tokens, documents, occurrences), columns.Numbers(offsets_of(texts), narrowed(counts))


def _texts(value: Any, field: Field) -> list[str]:
    if value is None:
        return []
    return value if field.is_array else [value]


def merge_if_due(connection: sqlite3.Connection, collection: int) -> None:
    """Merges segments of about one size where there are many of them, or where most of one is dead."""
    while True:
        rows = segments.read_segments(connection, collection)
        due = _due(rows)
        if not due:
            return
        merge_segments(connection, collection, due)


def _due(rows: list[segments.SegmentRow]) -> list[segments.SegmentRow]:
    """What is to be merged: enough segments of about one size that fit into one, or one that is mostly dead."""
    by_tier: dict[int, list[segments.SegmentRow]] = {}
    for row in rows:
        by_tier.setdefault(_alive(row).bit_length() // 3, []).append(row)
    for tier in sorted(by_tier):
        fitting, total = [], 0
        for row in by_tier[tier]:
            if total + _alive(row) <= LARGEST_MERGED:
                fitting.append(row)
                total += _alive(row)
        if len(by_tier[tier]) >= MERGE_AT and len(fitting) > 1:
            return fitting
    return next(([r] for r in rows if len(r.seqs) > 64 and r.dead.sum() * 2 > len(r.seqs)), [])


def _alive(row: segments.SegmentRow) -> int:
    return len(row.seqs) - int(row.dead.sum())


def merge_segments(connection: sqlite3.Connection, collection: int, rows: list[segments.SegmentRow]) -> None:
    """Makes one segment of several, without their dead documents."""
    seqs = np.sort(np.concatenate([r.seqs[~r.dead] for r in rows]))
    placements = [_placement(r, seqs) for r in rows]
    new = segments.add_segment(connection, collection, seqs)
    names = {name for r in rows for name in segments.part_names(connection, r.id)}
    for name in sorted(names):
        kind, _, field = name.partition(":")
        if kind in _MERGERS:
            _MERGERS[kind](connection, new, field, rows, placements)
    segments.drop_segments(connection, [r.id for r in rows])


def _placement(row: segments.SegmentRow, seqs: IntArray) -> columns.Placement:
    target = np.searchsorted(seqs, row.seqs)
    target[row.dead] = -1
    return columns.Placement(target, len(seqs))


_Rows = list[segments.SegmentRow]
_Merger = Callable[[sqlite3.Connection, int, str, _Rows, list[columns.Placement]], None]


def _merge_postings(
    connection: sqlite3.Connection, new: int, field: str, rows: _Rows, placements: list[columns.Placement]
) -> None:
    merge_postings(connection, new, field, [r.id for r in rows], [p.target for p in placements])


def _number_merger(kind: str) -> _Merger:
    def merge(
        connection: sqlite3.Connection, new: int, field: str, rows: _Rows, placements: list[columns.Placement]
    ) -> None:
        blocks = [segments.read_part(connection, r.id, f"{kind}:{field}") for r in rows]
        parts = [columns.unpack_numbers(b) if b else None for b in blocks]
        widest = np.result_type(*(p.values.dtype for p in parts if p))
        merged = columns.gather_numbers(list(zip(parts, placements, strict=True)), placements[0].total, widest)
        _write(connection, new, f"{kind}:{field}", columns.pack_numbers(merged))

    return merge


def _label_merger(kind: str) -> _Merger:
    def merge(
        connection: sqlite3.Connection, new: int, field: str, rows: _Rows, placements: list[columns.Placement]
    ) -> None:
        blocks = [segments.read_part(connection, r.id, f"{kind}:{field}") for r in rows]
        parts = [columns.unpack_labels(b) if b else None for b in blocks]
        merged = columns.gather_labels(list(zip(parts, placements, strict=True)), placements[0].total)
        _write(connection, new, f"{kind}:{field}", columns.pack_labels(merged))

    return merge


_MERGERS: dict[str, _Merger] = {
    "terms": _merge_postings, "numbers": _number_merger("numbers"), "lengths": _number_merger("lengths"),
    "facet": _label_merger("facet"), "sort": _label_merger("sort"),
}  # fmt: skip
