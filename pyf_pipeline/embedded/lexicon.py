"""All terms of a field over the segments of a view: to find one, to count its documents, to look for words near one."""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pyf_pipeline.embedded.arrays import IntArray, offsets_of
from pyf_pipeline.embedded.inverted import Dictionary, narrowed
from pyf_pipeline.embedded.nearby import Vocabulary


@dataclass(frozen=True, slots=True)
class Entry:
    """A term in one segment: the segment's place in the view, the term's number there, the chunk of its postings."""

    segment: int
    number: int
    chunk: int


class Lexicon:
    """The terms of a field, sorted. Some may be of dead documents only.

    Attributes:
        terms: Each once, whichever segments have it.
        vocabulary: The same, to find words near a word in.
    """

    def __init__(self, parts: Sequence[Dictionary | None]) -> None:
        held = [(place, part) for place, part in enumerate(parts) if part is not None]
        self.terms, numbers = _together([part.terms for _, part in held])
        self.vocabulary = Vocabulary(self.terms)
        order = np.argsort(numbers, kind="stable")
        sizes = [len(part.terms) for _, part in held]
        self._starts = np.searchsorted(numbers[order], np.arange(len(self.terms) + 1))
        self._segment = narrowed(np.repeat(np.array([p for p, _ in held], dtype=np.int64), sizes)[order])
        self._number = narrowed(_joined([np.arange(n) for n in sizes])[order])
        self._chunk = narrowed(_joined([part.chunk for _, part in held])[order])
        counts = _joined([part.documents for _, part in held])[order]
        self._documents = np.diff(offsets_of(counts)[self._starts])

    def find(self, term: bytes) -> int | None:
        """The number of a term; None where no segment has it."""
        i = bisect.bisect_left(self.terms, term)
        return i if i < len(self.terms) and self.terms[i] == term else None

    def documents(self, number: int) -> int:
        """In how many documents a term is, dead ones among them."""
        return int(self._documents[number])

    def entries(self, number: int) -> Iterator[Entry]:
        """Where a term is, segment by segment."""
        some = slice(int(self._starts[number]), int(self._starts[number + 1]))
        columns = (self._segment[some].tolist(), self._number[some].tolist(), self._chunk[some].tolist())
        return (Entry(*each) for each in zip(*columns, strict=True))


def _together(lists: list[list[bytes]]) -> tuple[list[bytes], IntArray]:
    """All terms, and for each of those given its number among them."""
    if len(lists) < 2:
        terms = lists[0] if lists else []
        return terms, np.arange(len(terms), dtype=np.int64)
    terms = sorted(set().union(*lists))
    number = {term: i for i, term in enumerate(terms)}
    return terms, _joined([np.fromiter(map(number.__getitem__, each), np.int64, len(each)) for each in lists])


def _joined(arrays: list[IntArray]) -> IntArray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *arrays]).astype(np.int64)
