"""A collection as a search sees it: all live documents numbered from 0, with their columns and postings.

A view belongs to one version of the collection. What it has read of a segment is kept with the segment and passed on to
the next view; what depends on all documents is computed when first asked for.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from pyf_pipeline.embedded import columns, inverted, segments
from pyf_pipeline.embedded.analysis import Analyser, analyser_of
from pyf_pipeline.embedded.arrays import AnyArray, Int32Array, IntArray
from pyf_pipeline.embedded.labelled import FEW_LABELS, LabelWords
from pyf_pipeline.embedded.lexicon import Entry, Lexicon
from pyf_pipeline.embedded.nearby import Vocabulary
from pyf_pipeline.embedded.postings import NO_POSTINGS, Piece, Postings, Runs, postings_of
from pyf_pipeline.embedded.recent import Recent
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.standing import Standing, standings

CHUNK_CACHE_BYTES = 48 * 1024 * 1024
POSTINGS_CACHE_BYTES = 32 * 1024 * 1024
VIEWS_KEPT = 8

_T = TypeVar("_T")


class ChunkCache:
    """The postings last read, shared by all collections of a process: documents, and apart from them the places."""

    def __init__(self) -> None:
        self._chunks: Recent[tuple[int, str, int], inverted.Chunk] = Recent(CHUNK_CACHE_BYTES // 2)
        self._places: Recent[tuple[int, str, int], AnyArray] = Recent(CHUNK_CACHE_BYTES // 2)

    def chunk(self, connection: sqlite3.Connection, segment: int, name: str, chunk: int) -> inverted.Chunk:
        """A chunk, from memory or from the file."""
        key = (segment, name, chunk)
        return self._chunks.get(key, lambda: inverted.read_chunk(connection, *key))

    def places(self, connection: sqlite3.Connection, segment: int, name: str, chunk: int) -> AnyArray:
        """The places of a chunk, from memory or from the file."""
        key = (segment, name, chunk)
        return self._places.get(key, lambda: inverted.read_places(connection, *key))


@dataclass(slots=True)
class SegmentCache:
    """What has been read of one segment."""

    row: segments.SegmentRow
    numbers: dict[str, columns.Numbers | None] = field(default_factory=dict)
    labels: dict[str, columns.Labels | None] = field(default_factory=dict)

    def number_column(self, connection: sqlite3.Connection, name: str) -> columns.Numbers | None:
        """The numbers of a part such as `numbers:name`."""
        if name not in self.numbers:
            block = segments.read_part(connection, self.row.id, name)
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
        self._has_dead = [bool(s.row.dead.any()) for s in held]
        self._any_dead = any(self._has_dead)
        self._memo: dict[tuple[str, str], Any] = {}
        self._making = threading.RLock()
        self._postings: Recent[tuple[str, bytes], Postings] = Recent(POSTINGS_CACHE_BYTES)

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

    def memo(self, kind: str, name: str, make: Callable[[], _T]) -> _T:
        """What `make` gives, computed once for this view, however many threads ask at once."""
        key = (kind, name)
        if key not in self._memo:
            with self._making:
                if key not in self._memo:
                    self._memo[key] = make()
        found: _T = self._memo[key]
        return found

    def numbers(self, connection: sqlite3.Connection, fld: Field) -> columns.Numbers:
        """A field's numbers."""

        def make() -> columns.Numbers:
            parts = [s.number_column(connection, f"numbers:{fld.name}") for s in self._segments]
            return columns.gather_numbers(
                list(zip(parts, self._placements, strict=True)), self.size, columns.number_type(fld)
            )

        return self.memo("numbers", fld.name, make)

    def text_lengths(self, connection: sqlite3.Connection, name: str) -> Int32Array:
        """How many words each document's text in a field has; 0 where there are none or, from format 1, unknown."""

        def make() -> Int32Array:
            parts = [s.number_column(connection, f"lengths:{name}") for s in self._segments]
            found = columns.gather_numbers(list(zip(parts, self._placements, strict=True)), self.size, np.int32)
            lengths = np.zeros(self.size, dtype=np.int32)
            lengths[found.counts() > 0] = found.values
            return lengths

        return self.memo("lengths", name, make)

    def facet_labels(self, connection: sqlite3.Connection, fld: Field) -> columns.Labels:
        """The texts by which a string field is counted."""
        return self.memo("facet", fld.name, lambda: self._labels(connection, f"facet:{fld.name}"))

    def standings(self, connection: sqlite3.Connection, name: str) -> dict[str, Standing]:
        """When the values of a field came and when their counts last changed."""
        return self.memo("standings", name, lambda: standings(connection, self.collection, name))

    def label_words(self, connection: sqlite3.Connection, fld: Field) -> LabelWords | None:
        """The values by which a string field is counted by their words; None where it is not, or they are many."""

        def make() -> LabelWords | None:
            labels = self.facet_labels(connection, fld)
            few = len(labels.names) <= FEW_LABELS
            return LabelWords(labels, self.analyser(connection, fld.name).words) if few else None

        return self.memo("label words", fld.name, make) if fld.facet else None

    def sort_ranks(self, connection: sqlite3.Connection, fld: Field) -> IntArray:
        """The rank of each document's text among all, from 1; 0 where it has none."""

        def make() -> IntArray:
            labels = self._labels(connection, f"sort:{fld.name}")
            # In the order of their characters, which is the one of their bytes.
            numbers = {name: number for number, name in enumerate(sorted(labels.names), 1)}
            rank = np.fromiter(map(numbers.__getitem__, labels.names), dtype=np.int64, count=len(labels.names))
            ranks = np.zeros(self.size, dtype=np.int64)
            ranks[labels.counts() > 0] = rank[labels.codes]
            return ranks

        return self.memo("sort", fld.name, make)

    def _labels(self, connection: sqlite3.Connection, name: str) -> columns.Labels:
        parts = [s.label_column(connection, name) for s in self._segments]
        return columns.gather_labels(list(zip(parts, self._placements, strict=True)), self.size)

    def analyser(self, connection: sqlite3.Connection, name: str) -> Analyser:
        """What takes a field's texts apart, or with "" for a name what belongs to no field."""
        fld = self.schema.by_name[name] if name else None
        return self.memo("analyser", name, lambda: analyser_of(connection, self.schema, fld))

    def lexicon(self, connection: sqlite3.Connection, name: str) -> Lexicon:
        """A field's terms."""

        def make() -> Lexicon:
            return Lexicon([inverted.read_dictionary(connection, s.row.id, name) for s in self._segments])

        return self.memo("lexicon", name, make)

    def vocabulary(self, connection: sqlite3.Connection, name: str) -> Vocabulary:
        """The same terms, to find words near a word in."""
        return self.lexicon(connection, name).vocabulary

    def document_count(self, connection: sqlite3.Connection, name: str, term: bytes) -> int:
        """In how many documents a field has a term."""
        lexicon = self.lexicon(connection, name)
        number = lexicon.find(term)
        if number is None:
            return 0
        if self._any_dead and any(self._has_dead[entry.segment] for entry in lexicon.entries(number)):
            return len(self.postings(connection, name, term))
        return lexicon.documents(number)

    def postings(self, connection: sqlite3.Connection, name: str, term: bytes) -> Postings:
        """Where a term is in a field."""
        return self._postings.get((name, term), lambda: self._read_postings(connection, name, term))

    def runs(self, connection: sqlite3.Connection, name: str, postings: Postings, documents: IntArray) -> Runs:
        """The occurrences of a field's term in each of some documents."""

        def source(piece: Piece) -> tuple[inverted.Chunk, AnyArray]:
            place = (piece.segment, name, piece.chunk)
            return self._chunks.chunk(connection, *place), self._chunks.places(connection, *place)

        return postings.runs(source, documents)

    def _read_postings(self, connection: sqlite3.Connection, name: str, term: bytes) -> Postings:
        lexicon = self.lexicon(connection, name)
        number = lexicon.find(term)
        if number is None:
            return NO_POSTINGS
        return postings_of([self._piece(connection, name, entry) for entry in lexicon.entries(number)])

    def _piece(self, connection: sqlite3.Connection, name: str, entry: Entry) -> tuple[Piece, IntArray, AnyArray]:
        segment = self._segments[entry.segment].row.id
        chunk = self._chunks.chunk(connection, segment, name, entry.chunk)
        low, high = (int(n) for n in chunk.starts[entry.number - chunk.first :][:2])
        documents = self._placements[entry.segment].target[chunk.documents[low:high]]
        bounds = chunk.occurrence_starts[low : high + 1]
        lengths = bounds[1:] - bounds[:-1]
        if not self._has_dead[entry.segment]:
            return Piece(segment, entry.chunk, low, None, high - low), documents, lengths
        alive = np.flatnonzero(documents >= 0)
        return Piece(segment, entry.chunk, low, alive, len(alive)), documents[alive], lengths[alive]


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
    return SegmentCache(row, known.numbers, known.labels)
