"""Several segments' postings of a field as those of one: one stretch of the alphabet after another.

Merging takes several times the memory of what is merged. So each part is read, and what comes of them is written, a few
chunks at a time.
"""

import bisect
import itertools
import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np

from pyf_pipeline.embedded.arrays import AnyArray, Int32Array, IntArray, offsets_of, spread
from pyf_pipeline.embedded.inverted import (
    Chunk,
    Dictionary,
    PostingsWriter,
    TermPostings,
    lengthened,
    read_chunk,
    read_dictionary,
    read_places,
    stable_order,
)


def merge_postings(
    connection: sqlite3.Connection, new: int, field: str, segments: Sequence[int], renumbered: Sequence[IntArray]
) -> None:
    """Writes a field's postings of a new segment; `renumbered[k][d]` is document d of segment k in it, -1 if dead."""
    held = [(read_dictionary(connection, s, field), s, new) for s, new in zip(segments, renumbered, strict=True)]
    parts = [_Part(connection, s, field, found) for found, s, _ in held if found is not None]
    targets = [target.astype(np.int32) for found, _, target in held if found is not None]
    in_order = _one_after_another(targets)
    writer = PostingsWriter(connection, new, field)
    for stretch in _stretches(parts):
        writer.add(_merged(stretch, targets, in_order=in_order))
    writer.finish()


class _Part:
    """A field's postings in one segment, read as they are asked for, from the first term to the last."""

    def __init__(self, connection: sqlite3.Connection, segment: int, field: str, dictionary: Dictionary) -> None:
        self.terms = dictionary.terms
        self.chunk_of = dictionary.chunk
        self._place = (connection, segment, field)
        self._last: tuple[int, Chunk, AnyArray] | None = None

    def cut(self, low: int, high: int) -> TermPostings:
        """The postings of some terms."""
        pieces = [self._of_chunk(c, low, high) for c in dict.fromkeys(self.chunk_of[low:high].tolist())]
        return TermPostings(
            terms=self.terms[low:high],
            starts=offsets_of(_joined([np.diff(p.starts) for p in pieces])),
            documents=_joined([p.documents for p in pieces]),
            occurrence_starts=offsets_of(_joined([np.diff(p.occurrence_starts) for p in pieces])),
            occurrences=_joined([p.occurrences for p in pieces]),
        )

    def _of_chunk(self, number: int, low: int, high: int) -> TermPostings:
        """What a chunk holds of some terms."""
        chunk, places = self._read(number)
        first, last = max(low, chunk.first) - chunk.first, min(high - chunk.first, len(chunk.starts) - 1)
        starts = chunk.starts[first : last + 1].astype(np.int64)
        bounds = chunk.occurrence_starts[starts[0] : starts[-1] + 1].astype(np.int64)
        return TermPostings(
            terms=[],
            starts=starts - starts[0],
            documents=chunk.documents[starts[0] : starts[-1]],
            occurrence_starts=bounds - bounds[0],
            occurrences=lengthened(places[bounds[0] : bounds[-1]]),
        )

    def _read(self, number: int) -> tuple[Chunk, AnyArray]:
        # One stretch may end and the next begin in one chunk.
        if self._last is None or self._last[0] != number:
            self._last = (number, read_chunk(*self._place, number), read_places(*self._place, number))
        return self._last[1], self._last[2]


def _joined(arrays: list[AnyArray]) -> AnyArray:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.uint32)


def _stretches(parts: list[_Part]) -> Iterator[list[TermPostings]]:
    """The parts cut at the same terms, which are those with which the chunks of the largest one begin."""
    largest = max(parts, key=lambda p: int(p.chunk_of[-1]) if len(p.chunk_of) else -1)
    heads = np.flatnonzero(np.diff(largest.chunk_of)) + 1
    terms = [largest.terms[head] for head in heads]
    places = [[0, *(bisect.bisect_left(p.terms, t) for t in terms), len(p.terms)] for p in parts]
    for n in range(len(terms) + 1):
        yield [p.cut(at[n], at[n + 1]) for p, at in zip(parts, places, strict=True)]


def _merged(parts: list[TermPostings], targets: list[Int32Array], *, in_order: bool) -> TermPostings:
    terms = sorted({t for p in parts for t in p.terms})
    number = {t: i for i, t in enumerate(terms)}
    own = [np.fromiter(map(number.__getitem__, p.terms), dtype=np.int32, count=len(p.terms)) for p in parts]
    term_of = np.concatenate([np.repeat(o, np.diff(p.starts)) for o, p in zip(own, parts, strict=True)])
    documents = np.concatenate([new[p.documents] for p, new in zip(parts, targets, strict=True)])
    alive = np.flatnonzero(documents >= 0)
    if not in_order:
        alive = alive[stable_order(documents[alive])]
    alive = alive[stable_order(term_of[alive])]
    used, starts = np.unique(term_of[alive], return_index=True)
    documents = documents[alive].astype(np.uint32)
    lengths = np.concatenate([np.diff(p.occurrence_starts) for p in parts])[alive]
    bases = np.cumsum([0, *(int(p.occurrence_starts[-1]) for p in parts)])
    sources = np.concatenate([p.occurrence_starts[:-1] + b for p, b in zip(parts, bases, strict=False)])[alive]
    occurrences = np.concatenate([p.occurrences for p in parts])
    return TermPostings(
        terms=[terms[i] for i in used],
        starts=np.append(starts, len(alive)).astype(np.int64),
        documents=documents,
        occurrence_starts=offsets_of(lengths),
        occurrences=occurrences[spread(sources, lengths)],
    )


def _one_after_another(targets: list[Int32Array]) -> bool:
    """Whether each part's documents all come before the next one's, so that its postings do too."""
    bounds = [(int(alive.min()), int(alive.max())) for new in targets if len(alive := new[new >= 0])]
    return all(a[1] < b[0] for a, b in itertools.pairwise(bounds))
