"""The best window of a query's words in a text, as `windows.best_window` finds it, for many documents at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyf_pipeline.embedded.arrays import AnyArray, BoolArray, IntArray
from pyf_pipeline.embedded.segments import LAST
from pyf_pipeline.embedded.windows import WINDOW

PLACE = 0xFFFF
FAR = 1 << 20
"""Further than any place in a text."""

_Table = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenRuns:
    """One token in documents: its occurrences `at:end` in each; `at == end` where it is not there."""

    occurrences: AnyArray
    at: IntArray
    end: IntArray


@dataclass(frozen=True, slots=True)
class Windows:
    """Per document how many tokens its best window has, how far apart they are, and whether there is nothing else."""

    words: IntArray
    distance: IntArray
    exact: BoolArray


def best_windows(tokens: list[TokenRuns]) -> Windows:
    """The best window of each document; at most the first ten tokens count."""
    considered = tokens[:WINDOW]
    at = np.stack([t.at for t in considered], axis=1)
    end = np.stack([t.end for t in considered], axis=1)
    words, distance = _slide(considered, at.copy(), end)
    return Windows(words, distance, _exact(tokens, distance))


def _slide(tokens: list[TokenRuns], at: _Table, end: _Table) -> tuple[IntArray, IntArray]:
    """Lets the window's hindmost token go on to its next place, in all documents together, until one token is left."""
    count = np.count_nonzero(at < end, axis=1)
    words = np.ones(len(at), dtype=np.int64)
    best = np.full(len(at), FAR, dtype=np.int64)
    places = np.stack([_places(t, at[:, i], end[:, i]) for i, t in enumerate(tokens)], axis=1)
    going = np.flatnonzero(count > 1)
    while len(going):
        window = places[going]
        lowest = window.min(axis=1)
        inside = window - lowest[:, None] <= WINDOW
        number = np.count_nonzero(inside, axis=1)
        spread = np.where(inside, window, 0).max(axis=1) - lowest
        better = (number > words[going]) | ((number == words[going]) & (spread < best[going]))
        words[going[better]], best[going[better]] = number[better], spread[better]
        size = np.count_nonzero(window < FAR, axis=1)
        done = (words[going] == count[going]) & (best[going] == size - 1)
        going, hindmost = going[~done], window[~done].argmin(axis=1)
        at[going, hindmost] += 1
        for i, token in enumerate(tokens):
            moved = going[hindmost == i]
            places[moved, i] = _places(token, at[moved, i], end[moved, i])
        going = going[np.count_nonzero(places[going] < FAR, axis=1) > 1]
    return words, np.where(best == FAR, 0, best)


def _places(token: TokenRuns, at: IntArray, end: IntArray) -> IntArray:
    """The places of these occurrences in their texts; `FAR` where there are no more."""
    found = np.full(len(at), FAR, dtype=np.int64)
    there = at < end
    found[there] = token.occurrences[at[there]] & PLACE
    return found


def _exact(tokens: list[TokenRuns], distance: IntArray) -> BoolArray:
    """Whether a text is made of the tokens alone: judged as Typesense does, by how many and which is last."""
    count = np.zeros(len(distance), dtype=np.int64)
    total = np.zeros(len(distance), dtype=np.int64)
    last = np.full(len(distance), -1, dtype=np.int64)
    for token in tokens:
        there = token.at < token.end
        count += there
        total += token.end - token.at
        final = token.occurrences[token.end[there] - 1]
        is_last = (final & LAST) != 0
        last[np.flatnonzero(there)[is_last]] = final[is_last] & PLACE
    tight = (distance == count - 1) & (total == count)
    exact: BoolArray = (last == count - 1) & (tight | (distance < count - 1))
    return exact
