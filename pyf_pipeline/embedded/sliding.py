"""The best window of a query's words in a text, as `windows.best_window` finds it, for many documents at once."""

from dataclasses import dataclass

import numpy as np

from pyf_pipeline.embedded.arrays import AnyArray, BoolArray, IntArray, spread
from pyf_pipeline.embedded.segments import LAST
from pyf_pipeline.embedded.windows import WINDOW

PLACE = 0xFFFF
FAR = 1 << 20
"""Further than any place in a text."""

_PLACE_BITS, _TOKEN_BITS, _WORTH_BITS = 20, 4, 4
_TOKEN_MASK = (1 << _TOKEN_BITS) - 1
_NEVER = 1 << 58
"""Further than any place in any text, and not so far that a difference of two overflows."""


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
    words, distance = _best(tokens[:WINDOW])
    return Windows(words, distance, _exact(tokens, distance))


def _best(tokens: list[TokenRuns]) -> tuple[IntArray, IntArray]:
    """Every occurrence begins a window: of those of a document the one with the most tokens, then the narrowest."""
    documents = len(tokens[0].at)
    words, distance = np.ones(documents, dtype=np.int64), np.zeros(documents, dtype=np.int64)
    events = np.concatenate([_events(t, i) for i, t in enumerate(tokens)])
    if not len(events):
        return words, distance
    events.sort()
    places, owners = events >> _TOKEN_BITS, events & _TOKEN_MASK
    number = np.zeros(len(events), dtype=np.int16)
    widest = np.zeros(len(events), dtype=np.int16)
    live = np.zeros(len(events), dtype=np.int16)
    last = places | (FAR - 1)
    for token in range(len(tokens)):
        following = _following(np.where(owners == token, places, _NEVER))
        gap = following - places
        inside = gap <= WINDOW
        number += inside
        live += following <= last
        np.maximum(widest, gap.astype(np.int16), out=widest, where=inside)
    worth = (number.astype(np.int64) << _WORTH_BITS) | (WINDOW - widest)
    owner_documents = places >> _PLACE_BITS
    starts = np.flatnonzero(np.diff(owner_documents, prepend=-1))
    if len({id(t.occurrences) for t in tokens}) < len(tokens):
        worth[_too_late(number, widest, live, starts)] = 0
    best = np.maximum.reduceat(worth, starts)
    which = owner_documents[starts]
    words[which] = best >> _WORTH_BITS
    distance[which] = np.where(best >> _WORTH_BITS > 1, WINDOW - (best & (1 << _WORTH_BITS) - 1), 0)
    return words, distance


def _events(token: TokenRuns, number: int) -> IntArray:
    """A token's occurrences, each as one number: document, place, token."""
    counts = token.end - token.at
    places = token.occurrences[spread(token.at, counts)] & PLACE
    documents = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    return (((documents << _PLACE_BITS) | places) << _TOKEN_BITS) | number


def _following(places: IntArray) -> IntArray:
    """For each event the least of those from it on."""
    return np.minimum.accumulate(places[::-1])[::-1]


def _too_late(number: AnyArray, widest: AnyArray, live: AnyArray, starts: IntArray) -> BoolArray:
    """The windows after the first one that cannot be better, which Typesense does not look at any more.

    It matters only where a word was asked for twice, as such words share their places.
    """
    lengths = np.diff(np.append(starts, len(number)))
    tokens = np.repeat(np.maximum.reduceat(live, starts), lengths)
    # The least so far in each document: taking more off in each than there is between any two starts it anew.
    fresh = np.repeat(np.arange(len(starts), dtype=np.int64), lengths) * (4 * WINDOW)
    least = np.minimum.accumulate(np.where(number == tokens, widest, 2 * WINDOW) - fresh) + fresh
    perfect = least == live - 1
    seen = np.cumsum(perfect)
    before = np.repeat(seen[starts] - perfect[starts], lengths)
    late: BoolArray = seen - perfect - before > 0
    return late


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
