"""A collection as a search sees it: all live documents numbered from 0, with their columns and postings.

A view belongs to one version of the collection. What it has read of a segment is kept with the segment and passed on to
the next view; what depends on all documents is computed when first asked for.
"""

import bisect
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from pyf_pipeline.embedded import columns, segments
from pyf_pipeline.embedded.analysis import Analyser, analyser_of
from pyf_pipeline.embedded.arrays import AnyArray, IntArray, offsets_of, spread
from pyf_pipeline.embedded.nearby import Vocabulary
from pyf_pipeline.embedded.schema import Field, Schema

CHUNK_CACHE_BYTES = 48 * 1024 * 1024
POSTINGS_CACHE_BYTES = 32 * 1024 * 1024
VIEWS_KEPT = 8

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Postings:
    """Where a term is: documents ascending, for document i the occurrences `starts[i]:starts[i + 1]`."""

    documents: IntArray
    starts: IntArray
    occurrences: AnyArray

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return int(self.documents.nbytes + self.starts.nbytes + self.occurrences.nbytes)

    def of(self, document: int) -> AnyArray:
        """The occurrences in one document; empty where the term is not in it."""
        i = int(np.searchsorted(self.documents, document))
        if i == len(self.documents) or self.documents[i] != document:
            return self.occurrences[:0]
        return self.occurrences[self.starts[i] : self.starts[i + 1]]


NO_POSTINGS = Postings(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.uint32))


class ChunkCache:
    """The postings last read, up to a number of bytes, shared by all collections of a process."""

    def __init__(self, limit: int = CHUNK_CACHE_BYTES) -> None:
        self._limit = limit
        self._held: OrderedDict[tuple[int, str, int], segments.Chunk] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, connection: sqlite3.Connection, segment: int, name: str, chunk: int) -> segments.Chunk:
        """A chunk, from memory or from the file."""
        key = (segment, name, chunk)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        found = segments.read_chunk(connection, segment, name, chunk)
        with self._lock:
            if key not in self._held:
                self._held[key] = found
                self._bytes += found.nbytes
            while self._bytes > self._limit and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                self._bytes -= dropped.nbytes
        return found


@dataclass(slots=True)
class SegmentCache:
    """What has been read of one segment."""

    row: segments.SegmentRow
    dictionaries: dict[str, segments.Dictionary | None] = field(default_factory=dict)
    numbers: dict[str, columns.Numbers | None] = field(default_factory=dict)
    labels: dict[str, columns.Labels | None] = field(default_factory=dict)

    def dictionary(self, connection: sqlite3.Connection, name: str) -> segments.Dictionary | None:
        """The terms of a field."""
        if name not in self.dictionaries:
            self.dictionaries[name] = segments.read_dictionary(connection, self.row.id, name)
        return self.dictionaries[name]

    def number_column(self, connection: sqlite3.Connection, name: str) -> columns.Numbers | None:
        """The numbers of a field."""
        if name not in self.numbers:
            block = segments.read_part(connection, self.row.id, f"numbers:{name}")
            self.numbers[name] = columns.unpack_numbers(block) if block else None
        return self.numbers[name]

    def label_column(self, connection: sqlite3.Connection, name: str) -> columns.Labels | None:
        """The texts of a part such as `facet:name`."""
        if name not in self.labels:
            block = segments.read_part(connection, self.row.id, name)
            self.labels[name] = columns.unpack_labels(block) if block else None
        return self.labels[name]


class View:
    """The live documents of one version of a collection.

    Attributes:
        schema: By which they are indexed.
        collection: The collection's number.
        seqs: The sequence number of each document, ascending.
    """

    def __init__(self, schema: Schema, collection: int, held: list[SegmentCache], chunks: ChunkCache) -> None:
        self.schema = schema
        self.collection = collection
        self._segments = held
        self._chunks = chunks
        alive = [s.row.seqs[~s.row.dead] for s in held]
        self.seqs: IntArray = np.sort(np.concatenate(alive)) if alive else np.zeros(0, dtype=np.int64)
        self._placements = [self._placement(s.row) for s in held]
        self._memo: dict[tuple[str, str], Any] = {}
        self._postings: OrderedDict[tuple[str, bytes], Postings] = OrderedDict()
        self._postings_bytes = 0
        self._lock = threading.Lock()

    def _placement(self, row: segments.SegmentRow) -> columns.Placement:
        target = np.searchsorted(self.seqs, row.seqs)
        target[row.dead] = -1
        return columns.Placement(target, len(self.seqs))

    @property
    def size(self) -> int:
        """How many documents there are."""
        return len(self.seqs)

    @property
    def segment_caches(self) -> dict[int, SegmentCache]:
        """What has been read of each segment, by its number."""
        return {s.row.id: s for s in self._segments}

    def _once(self, kind: str, name: str, make: Callable[[], _T]) -> _T:
        key = (kind, name)
        if key not in self._memo:
            self._memo[key] = make()
        found: _T = self._memo[key]
        return found

    def memo(self, kind: str, name: str, make: Callable[[], _T]) -> _T:
        """What `make` gives, computed once for this view."""
        return self._once(kind, name, make)

    def numbers(self, connection: sqlite3.Connection, fld: Field) -> columns.Numbers:
        """A field's numbers."""

        def make() -> columns.Numbers:
            parts = [s.number_column(connection, fld.name) for s in self._segments]
            return columns.gather_numbers(
                list(zip(parts, self._placements, strict=True)), self.size, columns.number_type(fld)
            )

        return self._once("numbers", fld.name, make)

    def facet_labels(self, connection: sqlite3.Connection, fld: Field) -> columns.Labels:
        """The texts by which a string field is counted."""
        return self._once("facet", fld.name, lambda: self._labels(connection, f"facet:{fld.name}"))

    def sort_ranks(self, connection: sqlite3.Connection, fld: Field) -> IntArray:
        """The rank of each document's text among all, from 1; 0 where it has none."""

        def make() -> IntArray:
            labels = self._labels(connection, f"sort:{fld.name}")
            order = sorted(range(len(labels.names)), key=lambda i: labels.names[i].encode())
            rank = np.zeros(len(labels.names), dtype=np.int64)
            rank[order] = np.arange(1, len(order) + 1)
            ranks = np.zeros(self.size, dtype=np.int64)
            ranks[labels.counts() > 0] = rank[labels.codes]
            return ranks

        return self._once("sort", fld.name, make)

    def _labels(self, connection: sqlite3.Connection, name: str) -> columns.Labels:
        parts = [s.label_column(connection, name) for s in self._segments]
        return columns.gather_labels(list(zip(parts, self._placements, strict=True)), self.size)

    def analyser(self, connection: sqlite3.Connection, name: str) -> Analyser:
        """What takes a field's texts apart, or with "" for a name what belongs to no field."""
        fld = self.schema.by_name[name] if name else None
        return self._once("analyser", name, lambda: analyser_of(connection, self.schema, fld))

    def terms(self, connection: sqlite3.Connection, name: str) -> list[bytes]:
        """A field's terms, sorted; some may be of dead documents only."""

        def make() -> list[bytes]:
            found = [d.terms for s in self._segments if (d := s.dictionary(connection, name)) is not None]
            if len(found) == 1:
                return found[0]
            return sorted(set().union(*found))

        return self._once("terms", name, make)

    def vocabulary(self, connection: sqlite3.Connection, name: str) -> Vocabulary:
        """The same terms, to find words near a word in."""
        return self._once("vocabulary", name, lambda: Vocabulary(self.terms(connection, name)))

    def postings(self, connection: sqlite3.Connection, name: str, term: bytes) -> Postings:
        """Where a term is in a field."""
        key = (name, term)
        with self._lock:
            if key in self._postings:
                self._postings.move_to_end(key)
                return self._postings[key]
        found = self._read_postings(connection, name, term)
        with self._lock:
            if key not in self._postings:
                self._postings[key] = found
                self._postings_bytes += found.nbytes
            while self._postings_bytes > POSTINGS_CACHE_BYTES and len(self._postings) > 1:
                _, dropped = self._postings.popitem(last=False)
                self._postings_bytes -= dropped.nbytes
        return found

    def _read_postings(self, connection: sqlite3.Connection, name: str, term: bytes) -> Postings:
        documents, lengths, occurrences = [], [], []
        for held, placement in zip(self._segments, self._placements, strict=True):
            part = self._segment_postings(connection, held, name, term)
            if part is None:
                continue
            target = placement.target[part[0]]
            alive = target >= 0
            counts = np.diff(part[1])
            documents.append(target[alive])
            lengths.append(counts[alive])
            occurrences.append(part[2] if alive.all() else part[2][np.repeat(alive, counts)])
        if not documents:
            return NO_POSTINGS
        return _ordered(np.concatenate(documents), np.concatenate(lengths), np.concatenate(occurrences))

    def _segment_postings(
        self, connection: sqlite3.Connection, held: SegmentCache, name: str, term: bytes
    ) -> tuple[AnyArray, IntArray, AnyArray] | None:
        dictionary = held.dictionary(connection, name)
        if dictionary is None:
            return None
        i = bisect.bisect_left(dictionary.terms, term)
        if i == len(dictionary.terms) or dictionary.terms[i] != term:
            return None
        chunk = self._chunks.get(connection, held.row.id, name, int(dictionary.chunk[i]))
        low, high = int(chunk.starts[i - chunk.first]), int(chunk.starts[i - chunk.first + 1])
        bounds = chunk.occurrence_starts[low : high + 1].astype(np.int64)
        return chunk.documents[low:high], bounds - bounds[0], chunk.occurrences[bounds[0] : bounds[-1]]


def _ordered(documents: IntArray, lengths: IntArray, occurrences: AnyArray) -> Postings:
    starts = offsets_of(lengths)
    if len(documents) > 1 and (np.diff(documents) < 0).any():
        order = np.argsort(documents, kind="stable")
        occurrences = occurrences[spread(starts[:-1][order], lengths[order])]
        documents, starts = documents[order], offsets_of(lengths[order])
    return Postings(documents, starts, occurrences)


class Views:
    """The current view of each collection, kept while its version stands."""

    def __init__(self) -> None:
        self._held: OrderedDict[int, tuple[int, View]] = OrderedDict()
        self._chunks = ChunkCache()
        self._lock = threading.Lock()

    def get(self, connection: sqlite3.Connection, collection: int, version: int, schema: Schema) -> View:
        """The view of a collection's version; `connection` is in a transaction that sees that version."""
        with self._lock:
            held = self._held.get(collection)
        if held is not None and held[0] == version:
            return held[1]
        known = held[1].segment_caches if held is not None else {}
        rows = segments.read_segments(connection, collection)
        view = View(schema, collection, [_renewed(r, known.get(r.id)) for r in rows], self._chunks)
        with self._lock:
            current = self._held.get(collection)
            if current is None or current[0] < version:
                self._held[collection] = (version, view)
                self._held.move_to_end(collection)
            while len(self._held) > VIEWS_KEPT:
                self._held.popitem(last=False)
        return view

    def forget(self, collection: int) -> None:
        """Drops the view of a collection that is gone."""
        with self._lock:
            self._held.pop(collection, None)


def _renewed(row: segments.SegmentRow, known: SegmentCache | None) -> SegmentCache:
    if known is None:
        return SegmentCache(row)
    return SegmentCache(row, known.dictionaries, known.numbers, known.labels)
