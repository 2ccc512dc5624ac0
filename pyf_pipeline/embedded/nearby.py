"""Which beginnings of words are near a word: by prefix and by typos, over a sorted list of terms.

Terms that begin alike stand side by side in a sorted list, so that a beginning is a range of it. All beginnings of one
length are looked at together: for each its distances to every beginning of the word that was asked for (optimal
string alignment: a letter more, less, other, or two exchanged), from those of the beginnings that are one letter
shorter. What is near enough is taken, what cannot become so is let go, the rest goes on by one letter.

How far a beginning may be off and still go on is what was observed of Typesense, which lets go of some that a plain
distance would keep, and keeps some that it would let go.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyf_pipeline.embedded.arrays import BoolArray, IntArray, spread

Letters = npt.NDArray[np.uint8]
Distances = npt.NDArray[np.int16]

WIDTH = 24
"""How many letters of each term are kept at hand; for longer words the terms are taken apart anew."""

FURTHER = 5
"""So many letters beyond the word that was asked for may matter."""


class Vocabulary:
    """Sorted terms, and what is kept beside them for looking them up."""

    def __init__(self, terms: list[bytes]) -> None:
        self.terms = terms
        self._letters = _letters_of(terms, WIDTH)

    def near_ranges(self, word: bytes, cost: int, *, prefix: bool) -> list[tuple[int, int]]:
        """The ranges of terms at a distance of exactly `cost` from a word, the last in the list first.

        Args:
            word: What was asked for.
            cost: How many typos.
            prefix: Whether a term may go on after the word.
        """
        width = len(word) + FURTHER
        letters = self._letters if width <= WIDTH else _letters_of(self.terms, width)
        return _near_ranges(letters, word, cost, prefix=prefix)


def _letters_of(terms: list[bytes], width: int) -> Letters:
    """The first letters of terms, a row each, zeros after the end."""
    return np.array(terms, dtype=f"S{width}").view(np.uint8).reshape(len(terms), width)


@dataclass(frozen=True, slots=True)
class _Beginnings:
    """Beginnings of one length: ranges of the terms, the last two letters, distances up to either."""

    low: IntArray
    high: IntArray
    letter: Letters
    before: Letters
    row: Distances
    older: Distances

    def only(self, which: BoolArray) -> "_Beginnings":
        return _Beginnings(
            self.low[which], self.high[which], self.letter[which], self.before[which], self.row[which],
            self.older[which],
        )  # fmt: skip


def _near_ranges(letters: Letters, word: bytes, cost: int, *, prefix: bool) -> list[tuple[int, int]]:
    if not len(letters) or (not prefix and not word):
        return []
    asked = np.frombuffer(word if prefix else word + b"\0", dtype=np.uint8)
    found: list[tuple[int, int]] = []
    now = _start(len(letters), len(asked))
    for index in range(letters.shape[1]):
        now = _longer(now, letters, asked, index, prefix=prefix)
        taken = _is_near(now, asked, index, cost, prefix=prefix)
        found += zip(now.low[taken].tolist(), now.high[taken].tolist(), strict=True)
        now = now.only(_goes_on(now, asked, index, cost) & ~taken)
        if not len(now.low):
            break
    return sorted(found, reverse=True)


def _start(terms: int, length: int) -> _Beginnings:
    row = np.arange(length + 1, dtype=np.int16)[None, :]
    none = np.zeros(1, dtype=np.uint8)
    return _Beginnings(np.zeros(1, np.int64), np.full(1, terms, dtype=np.int64), none, none, row, row)


def _longer(now: _Beginnings, letters: Letters, asked: Letters, index: int, *, prefix: bool) -> _Beginnings:
    """The beginnings that are one letter longer."""
    sizes = now.high - now.low
    terms = spread(now.low, sizes)
    parents = np.repeat(np.arange(len(sizes)), sizes)
    last = letters[terms, index]
    first = np.ones(len(terms), dtype=bool)
    first[1:] = (last[1:] != last[:-1]) | (parents[1:] != parents[:-1])
    heads = np.flatnonzero(first)
    parent, letter = parents[heads], last[heads]
    counts = np.diff(np.append(heads, len(terms)))
    low = terms[heads]
    older, old = now.older[parent], now.row[parent]
    before = now.letter[parent]
    row = _distances(asked, index, letter, before, (older, old))
    if prefix and not letter.all():
        ends = letter == 0
        row[ends] = old[ends]
        old = np.where(ends[:, None], older, old)
    return _Beginnings(low, low + counts, letter, before, row, old)


def _distances(
    asked: Letters, index: int, letter: Letters, before: Letters, rows: tuple[Distances, Distances]
) -> Distances:
    older, old = rows
    row = np.empty_like(old)
    row[:, 0] = old[:, 0] + 1
    for column in range(1, len(asked) + 1):
        wanted = asked[column - 1]
        best = old[:, column - 1] + (letter != wanted)
        np.minimum(best, old[:, column] + 1, out=best)
        np.minimum(best, row[:, column - 1] + 1, out=best)
        if index > 1 and column > 1:
            exchanged = (letter == asked[column - 2]) & (before == wanted)
            best = np.where(exchanged, np.minimum(best, older[:, column - 2] + 1), best)
        row[:, column] = best
    return row


def _is_near(now: _Beginnings, asked: Letters, index: int, cost: int, *, prefix: bool) -> BoolArray:
    length = len(asked)
    ends = now.letter == 0
    near: BoolArray = ends & (now.row[:, length] == cost)
    if prefix and index + 1 >= length:
        near |= ~ends & (now.row[:, length] == cost)
    return near


def _goes_on(now: _Beginnings, asked: Letters, index: int, cost: int) -> BoolArray:
    """Whether a beginning may still become near: it is so far, or the letters about this place say that it may."""
    length, letter = len(asked), now.letter
    off = now.row[:, min(index + 1, length)]
    hopeful = np.zeros(len(letter), dtype=bool)
    moved = np.zeros(len(letter), dtype=bool)
    if index + 1 < length:
        hopeful |= letter == asked[index + 1]
    if 0 < index <= length:
        hopeful |= letter == asked[index - 1]
    if index + 2 < length:
        moved |= (now.before == asked[index + 1]) & (letter == asked[index + 2])
    if 1 < index < length + 2:
        moved |= letter == asked[index - 2]
    recovers = (hopeful & ((off == 2) | (off == 3))) | (moved & ((off == 3) | (off == 4)))
    goes_on: BoolArray = (letter != 0) & ((off <= cost) | recovers)
    return goes_on
