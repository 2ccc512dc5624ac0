"""Which beginnings of words are near a word: by prefix and by typos, over sorted lists of terms.

Terms that begin alike stand side by side in a sorted list, so that a beginning is a range of it. All beginnings of one
length are looked at together, those of several lists too: for each its distances to every beginning of the word that
was asked for (optimal string alignment: a letter more, less, other, or two exchanged), from those of the beginnings
that are one letter shorter. What is near enough is taken, what cannot become so is let go, the rest goes on by one
letter.

How far a beginning may be off and still go on is what was observed of Typesense, which lets go of some that a plain
distance would keep, and keeps some that it would let go.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyf_pipeline.embedded.arrays import BoolArray, Int32Array, IntArray, spread

Letters = npt.NDArray[np.uint8]
Distances = npt.NDArray[np.int16]
Range = tuple[int, int]

WIDTH = 24
"""How many letters of each term are looked at to begin with; for longer words the terms are taken apart anew."""

STRANGER = 255
"""A letter that no word has."""

FURTHER = 5
"""So many letters beyond the word that was asked for may matter."""


@dataclass(frozen=True, slots=True)
class _Level:
    """All beginnings of one length in a list of terms, in its order.

    Attributes:
        low: Where its terms begin in the list.
        high: Where they end.
        letter: The last letter; 0 where the term ended one letter before.
        children: Beginning i goes on as those from `children[i]` up to `children[i + 1]` of the next level.
    """

    low: Int32Array
    high: Int32Array
    letter: Letters
    children: Int32Array


class Vocabulary:
    """Sorted terms, and what is kept beside them for looking them up."""

    def __init__(self, terms: list[bytes]) -> None:
        self.terms = terms
        self._levels: list[_Level] = []

    def with_prefix(self, prefix: bytes) -> Range:
        """The range of terms that begin so."""
        low = bisect.bisect_left(self.terms, prefix)
        return low, bisect.bisect_left(self.terms, prefix + b"\xff", low)

    def levels(self, count: int) -> list[_Level]:
        """The beginnings of one letter, of two, and so on; fewer than asked for where no term is as long."""
        width = max(WIDTH, count)
        if self.terms and (not self._levels or (len(self._levels) < count and len(self._levels[-1].low))):
            self._levels = _levels_of(self.terms, width)
        return self._levels[:count]


def _levels_of(terms: list[bytes], width: int) -> list[_Level]:
    letters = np.array(terms, dtype=f"S{width}").view(np.uint8).reshape(len(terms), width)
    first = np.zeros(len(terms), dtype=bool)
    first[0] = True
    going_on = np.ones(len(terms), dtype=bool)
    found: list[tuple[Int32Array, Int32Array, Letters]] = []
    for place in range(width):
        column = np.ascontiguousarray(letters[:, place])
        first[1:] |= column[1:] != column[:-1]
        heads = np.flatnonzero(first)
        ends = np.append(heads[1:], len(terms))
        used = going_on[heads]
        low = heads[used].astype(np.int32)
        found.append((low, ends[used].astype(np.int32), column[low]))
        going_on = column != 0
        if not len(low):
            break
    nothing = np.zeros(0, dtype=np.int32)
    following = [low for low, _, _ in found[1:]] + [nothing]
    return [
        _Level(low, high, letter, np.append(np.searchsorted(after, low), len(after)).astype(np.int32))
        for (low, high, letter), after in zip(found, following, strict=True)
    ]


def near_ranges(vocabularies: Sequence[Vocabulary], word: bytes, cost: int, *, prefix: bool) -> list[list[Range]]:
    """Per list the ranges of terms at a distance of exactly `cost` from a word, the last in the list first.

    Args:
        vocabularies: The lists.
        word: What was asked for.
        cost: How many typos.
        prefix: Whether a term may go on after the word.
    """
    if not word:
        return [[] for _ in vocabularies]
    if cost == 0:
        return [_same(v, word, prefix=prefix) for v in vocabularies]
    asked = np.frombuffer(word if prefix else word + b"\0", dtype=np.uint8)
    found: list[list[Range]] = [[] for _ in vocabularies]
    now = _start(len(vocabularies), len(asked))
    levels = [v.levels(len(word) + FURTHER) for v in vocabularies]
    for index in range(max(map(len, levels), default=0)):
        strangers = _strangers_matter(now, asked, index, cost)
        now = _longer(now, levels, asked, index, strangers, prefix=prefix)
        taken = _is_near(now, asked, index, cost, prefix=prefix)
        for number, which in enumerate(now.apart(taken)):
            if len(which):
                level = levels[number][index]
                found[number] += zip(level.low[which].tolist(), level.high[which].tolist(), strict=True)
        now = now.only(_goes_on(now, asked, index, cost) & ~taken)
        if not len(now.letter):
            break
    return [sorted(each, reverse=True) for each in found]


def _same(vocabulary: Vocabulary, word: bytes, *, prefix: bool) -> list[Range]:
    low, high = vocabulary.with_prefix(word)
    if prefix:
        return [(low, high)] if low < high else []
    return [(low, low + 1)] if low < high and vocabulary.terms[low] == word else []


@dataclass(frozen=True, slots=True)
class _Beginnings:
    """Beginnings of one length, those of the first list first.

    Attributes:
        nodes: Per list which of its beginnings of this length they are.
        letter: The last letter of each.
        before: The one before it.
        row: Per beginning of the word that was asked for the distances.
        older: The same as it was one letter before.
    """

    nodes: list[IntArray]
    letter: Letters
    before: Letters
    row: Distances
    older: Distances

    def apart(self, which: BoolArray) -> list[IntArray]:
        """Those meant, list by list."""
        found, low = [], 0
        for nodes in self.nodes:
            found.append(nodes[which[low : low + len(nodes)]])
            low += len(nodes)
        return found

    def only(self, which: BoolArray) -> "_Beginnings":
        return _Beginnings(
            self.apart(which), self.letter[which], self.before[which], self.row[:, which], self.older[:, which]
        )


def _start(lists: int, length: int) -> _Beginnings:
    row = np.repeat(np.arange(length + 1, dtype=np.int16)[:, None], lists, axis=1)
    none = np.zeros(lists, dtype=np.uint8)
    return _Beginnings([np.zeros(1, dtype=np.int64)] * lists, none, none, row, row)


def _strangers_matter(now: _Beginnings, asked: Letters, index: int, cost: int) -> BoolArray:
    """Where to go on with letters that the word has not: they make all the same distance, mostly too much."""
    letter = np.full_like(now.letter, STRANGER)
    row = _distances(asked, index, letter, now.letter, (now.older, now.row))
    matter: BoolArray = (row[min(index + 1, len(asked))] <= cost) | (row[-1] == cost)
    return matter


def _longer(
    now: _Beginnings, levels: list[list[_Level]], asked: Letters, index: int, strangers: BoolArray, *, prefix: bool
) -> _Beginnings:
    """The beginnings that are one letter longer; by letters that the word has not only where told."""
    own = np.zeros(256, dtype=bool)
    own[asked] = own[0] = True
    nodes, parents, letters = [], [], []
    base = 0
    for held, some in zip(levels, now.nodes, strict=True):
        low, high = _children(held, some, index)
        after = spread(low, high - low)
        letter = held[index].letter[after] if index < len(held) else np.zeros(0, dtype=np.uint8)
        parent = np.arange(base, base + len(some)).repeat(high - low)
        kept = (own[letter] | strangers[parent]).nonzero()[0]
        nodes.append(after[kept])
        parents.append(parent[kept])
        letters.append(letter[kept])
        base += len(some)
    parent, letter = np.concatenate(parents), np.concatenate(letters)
    older, old = now.older[:, parent], now.row[:, parent]
    before = now.letter[parent]
    row = _distances(asked, index, letter, before, (older, old))
    if prefix and not letter.all():
        ends = letter == 0
        row[:, ends] = old[:, ends]
        old[:, ends] = older[:, ends]
    return _Beginnings(nodes, letter, before, row, old)


def _children(levels: list[_Level], nodes: IntArray, index: int) -> tuple[IntArray, IntArray]:
    """Where in the next level each beginning goes on; at the start all do."""
    if index >= len(levels):
        return np.zeros_like(nodes), np.zeros_like(nodes)
    if index == 0:
        return np.zeros_like(nodes), np.full_like(nodes, len(levels[0].low))
    children = levels[index - 1].children
    return children[nodes].astype(np.int64), children[nodes + 1].astype(np.int64)


def _distances(
    asked: Letters, index: int, letter: Letters, before: Letters, rows: tuple[Distances, Distances]
) -> Distances:
    older, old = rows
    row = np.empty_like(old)
    row[0] = old[0] + 1
    changed = letter[None, :] != asked[:, None]
    np.minimum(old[:-1] + changed, old[1:] + 1, out=row[1:])
    if index > 1 and len(asked) > 1:
        exchanged = ~changed[:-1] & (before[None, :] == asked[1:, None])
        np.minimum(row[2:], older[:-2] + 1, out=row[2:], where=exchanged)
    # A letter of the word left out: each distance is at most one more than that of the beginning before it.
    steps = np.arange(len(row), dtype=np.int16)[:, None]
    row -= steps
    np.minimum.accumulate(row, axis=0, out=row)
    row += steps
    return row


def _is_near(now: _Beginnings, asked: Letters, index: int, cost: int, *, prefix: bool) -> BoolArray:
    near: BoolArray = now.row[-1] == cost
    if not prefix or index + 1 < len(asked):
        near &= now.letter == 0
    return near


def _goes_on(now: _Beginnings, asked: Letters, index: int, cost: int) -> BoolArray:
    """Whether a beginning may still become near: it is so far, or the letters about this place say that it may."""
    length, letter = len(asked), now.letter
    off = now.row[min(index + 1, length)]
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
