"""Where a term is in a field, over all documents of a view: the documents at once, the places where they matter.

Of a word that nearly all documents have, the places are many times as much as the documents, and a search looks at
those of its best hits alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pyf_pipeline.embedded.arrays import AnyArray, BoolArray, IntArray, common, distinct, in_all, offsets_of, spread
from pyf_pipeline.embedded.inverted import LAST, PLACE, Chunk, lengthened

KEPT = 50_000
"""Of a term with so many occurrences at most the places are kept once they were read."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a term's postings that one segment has: those of its chunk from `first` on.

    Attributes:
        segment: The segment's number.
        chunk: The chunk's.
        first: The first posting of the term in the chunk.
        alive: Of the postings from there on those of living documents; None for all.
        size: How many postings count.
    """

    segment: int
    chunk: int
    first: int
    alive: IntArray | None
    size: int

    def rows(self, which: IntArray) -> IntArray:
        """Where in the chunk some of the postings are."""
        return self.first + (which if self.alive is None else self.alive[which])


Source = Callable[[Piece], tuple[Chunk, AnyArray]]
"""Gives the chunk of a piece, and its places."""


def nowhere(piece: Piece) -> tuple[Chunk, AnyArray]:
    """The source of postings whose places are in memory, which is not asked."""
    raise RuntimeError(f"{piece} is in no file")


@dataclass(frozen=True, slots=True)
class Runs:
    """The occurrences of a term in each of several documents: of document i `values[starts[i]:starts[i + 1]]`."""

    starts: IntArray
    values: AnyArray

    @property
    def lengths(self) -> IntArray:
        """How often the term is in each document."""
        return np.diff(self.starts)

    @property
    def present(self) -> BoolArray:
        """In which of the documents the term is."""
        there: BoolArray = self.starts[1:] > self.starts[:-1]
        return there

    def of(self, which: IntArray) -> "Runs":
        """The same for some of the documents."""
        lengths = self.starts[which + 1] - self.starts[which]
        return Runs(offsets_of(lengths), self.values[spread(self.starts[which], lengths)])


@dataclass(slots=True)
class Postings:
    """Which documents have a term.

    Attributes:
        documents: Ascending.
        lengths: How often each has it.
        pieces: Where the places are, segment by segment.
        order: Where the documents stand in the pieces put one after another; None where they stand as here.
        held: The places in all documents, where they are in memory.
    """

    documents: IntArray
    lengths: AnyArray
    pieces: tuple[Piece, ...] = ()
    order: IntArray | None = None
    held: Runs | None = None
    _occurrences: int = field(init=False)

    def __post_init__(self) -> None:
        """Counts the occurrences."""
        self._occurrences = int(self.lengths.sum())

    def __len__(self) -> int:
        """In how many documents the term is."""
        return len(self.documents)

    @property
    def nbytes(self) -> int:
        """How much memory it takes, with the places where those are kept once they were read."""
        arrays = [self.documents, self.lengths, self.order, *(p.alive for p in self.pieces)]
        places = 4 * self._occurrences + 8 * len(self.documents) if self._occurrences <= KEPT else 0
        return sum(a.nbytes for a in arrays if a is not None) + places

    def find(self, documents: IntArray) -> tuple[IntArray, BoolArray]:
        """Where documents stand in these, and which of them do."""
        if not len(self.documents):
            return np.zeros(len(documents), dtype=np.int64), np.zeros(len(documents), dtype=bool)
        at = self.documents.searchsorted(documents)
        at[at == len(self.documents)] = 0
        return at, self.documents[at] == documents

    def runs(self, source: Source, documents: IntArray) -> Runs:
        """The occurrences in each of some documents; none in those that have none."""
        at, there = self.find(documents)
        if self.held is None:
            if self._occurrences > KEPT:
                return self._read(source, at, there)
            every = np.arange(len(self.documents))
            self.held = self._read(source, every, np.ones(len(every), dtype=bool))
        if not len(self.documents):
            return Runs(np.zeros(len(documents) + 1, dtype=np.int64), self.held.values)
        begins = self.held.starts[at]
        lengths = np.where(there, self.held.starts[at + 1] - begins, 0)
        return Runs(offsets_of(lengths), self.held.values[spread(begins, lengths)])

    def _read(self, source: Source, at: IntArray, there: BoolArray) -> Runs:
        """The occurrences of those that are there, at a place in these each, from where they are stored."""
        at = at[there]
        lengths = np.zeros(len(there), dtype=np.int64)
        lengths[there] = self.lengths[at]
        starts = offsets_of(lengths)
        if len(at) == len(self.documents) and self.order is None and (at[1:] > at[:-1]).all():
            return Runs(starts, self._every(source))
        values = np.empty(int(starts[-1]), dtype=np.uint32)
        stored = at if self.order is None else self.order[at]
        bounds = offsets_of(np.array([p.size for p in self.pieces], dtype=np.int64))
        owners = bounds.searchsorted(stored, side="right") - 1
        targets = starts[:-1][there]
        for number in np.bincount(owners, minlength=len(self.pieces)).nonzero()[0]:
            mine = (owners == number).nonzero()[0]
            chunk, places = source(self.pieces[number])
            rows = self.pieces[number].rows(stored[mine] - bounds[number])
            values[spread(targets[mine], self.lengths[at[mine]])] = _places(chunk, places, rows)
        return Runs(starts, values)

    def _every(self, source: Source) -> AnyArray:
        """All occurrences as they are stored."""
        found = [np.zeros(0, dtype=np.uint32)]
        for piece in self.pieces:
            chunk, places = source(piece)
            if piece.alive is None:
                low, high = chunk.occurrence_starts[piece.first], chunk.occurrence_starts[piece.first + piece.size]
                found.append(lengthened(places[low:high]))
            else:
                found.append(_places(chunk, places, piece.rows(np.arange(piece.size))))
        return np.concatenate(found)


def _places(chunk: Chunk, places: AnyArray, rows: IntArray) -> AnyArray:
    """The places of some postings of a chunk."""
    begins = chunk.occurrence_starts[rows].astype(np.int64)
    return lengthened(places[spread(begins, chunk.occurrence_starts[rows + 1] - begins)])


NO_POSTINGS = Postings(np.zeros(0, np.int64), np.zeros(0, np.int64))


def joined(runs: Sequence[Runs]) -> Runs:
    """The runs of documents one after another."""
    if len(runs) == 1:
        return runs[0]
    return Runs(offsets_of(np.concatenate([r.lengths for r in runs])), np.concatenate([r.values for r in runs]))


def postings_of(parts: list[tuple[Piece, IntArray, AnyArray]]) -> Postings:
    """The postings of all segments together: of each its piece, its documents, and how often they have the term."""
    parts = [p for p in parts if p[0].size]
    if not parts:
        return NO_POSTINGS
    documents = np.concatenate([d for _, d, _ in parts])
    lengths = np.concatenate([n for _, _, n in parts])
    pieces = tuple(p for p, _, _ in parts)
    if (documents[1:] > documents[:-1]).all():
        return Postings(documents, lengths, pieces)
    order = np.argsort(documents, kind="stable")
    return Postings(documents[order], lengths[order], pieces, order)


def phrase_documents(source: Callable[[Postings, IntArray], Runs], terms: list[Postings]) -> IntArray:
    """The documents in which terms follow each other in one text; `source` gives their occurrences."""
    documents = in_all([t.documents for t in terms])
    if len(terms) == 1:
        return documents
    keys: IntArray | None = None
    for place, term in enumerate(terms):
        # All of a term is read sooner than the most of it.
        some = documents if len(documents) * 2 < len(term) else term.documents
        found = source(term, some)
        # Where the phrase would begin, in which text of which document. Words beyond the last place share it.
        begins = (some << 31).repeat(found.lengths) + (found.values & ~np.uint32(LAST)) - place
        begins = begins[(found.values & PLACE) >= place]
        begins = begins[np.diff(begins, prepend=-1) > 0]
        keys = begins if keys is None else common(keys, begins)
    return distinct(keys >> 31) if keys is not None else documents
