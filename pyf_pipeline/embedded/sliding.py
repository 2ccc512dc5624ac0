"""The best window of a query's words in a text, as `windows` says what it is, for many texts at once."""

from dataclasses import dataclass

import numpy as np

from pyf_pipeline.embedded.arrays import AnyArray, BoolArray, Int32Array, IntArray, spread
from pyf_pipeline.embedded.inverted import LAST, PLACE
from pyf_pipeline.embedded.windows import WINDOW

TOGETHER = 1_000
"""So many texts are looked at at once: what they take then stays in the processor's cache."""

FEW = 8
"""Where one in so many windows goes on, the others are left alone."""

_PLACE_BITS, _RANK_BITS, _WORTH_BITS = 17, 4, 4
"""Places take a bit more than they need, so that the end of a text is far from the beginning of the next."""

_PLACES = (1 << _PLACE_BITS) - 1
_BITS_SET = np.array([number.bit_count() for number in range(1 << WINDOW)], dtype=np.int16)


@dataclass(frozen=True, slots=True)
class TokenRuns:
    """One token in texts: its occurrences `at:end` in each; `at == end` where it is not there."""

    occurrences: AnyArray
    at: IntArray
    end: IntArray


@dataclass(frozen=True, slots=True)
class Windows:
    """Per text the best window.

    Attributes:
        words: How many tokens are in it.
        distance: How far they are apart.
        exact: Whether the text is made of the tokens alone.
        furthest: The place of the last token in it, at most 255; 0 where there is one token only.
    """

    words: IntArray
    distance: IntArray
    exact: BoolArray
    furthest: IntArray


def best_windows(tokens: list[TokenRuns], *, repeated: bool, places: bool = False) -> Windows:
    """The best window of each text; of the tokens in a text the first ten count.

    Args:
        tokens: Where each is.
        repeated: Whether a word is among them twice.
        places: Whether `furthest` is wanted; it is 0 otherwise.
    """
    texts = len(tokens[0].at)
    words, distance = np.ones(texts, dtype=np.int64), np.zeros(texts, dtype=np.int64)
    furthest = np.zeros(texts, dtype=np.int64)
    for low in range(0, texts, TOGETHER):
        some = slice(low, low + TOGETHER)
        held = [TokenRuns(t.occurrences, t.at[some], t.end[some]) for t in tokens]
        words[some], distance[some], furthest[some] = _best(held, repeated=repeated, places=places)
    return Windows(words, distance, _exact(tokens, distance), furthest)


def _best(tokens: list[TokenRuns], *, repeated: bool, places: bool) -> tuple[IntArray, IntArray, IntArray]:
    """Every occurrence begins a window: of those of a text the one with the most tokens, then the narrowest."""
    texts = len(tokens[0].at)
    words, distance = np.ones(texts, dtype=np.int64), np.zeros(texts, dtype=np.int64)
    furthest = np.zeros(texts, dtype=np.int64)
    at, rank, count = _events(tokens)
    if not len(at):
        return words, distance, furthest
    number, width = _from_each(at, rank)
    worth = (number << _WORTH_BITS) | (WINDOW - width)
    text_of = at >> _PLACE_BITS
    starts = np.diff(text_of, prepend=-1).nonzero()[0]
    if repeated:
        worth[_later(number, width, np.minimum(count, WINDOW)[text_of], starts)] = 0
    best = np.maximum.reduceat(worth, starts)
    which = text_of[starts]
    words[which] = best >> _WORTH_BITS
    distance[which] = WINDOW - (best & (1 << _WORTH_BITS) - 1)
    if places:
        is_best = (worth == np.repeat(best, np.diff(np.append(starts, len(worth))))).nonzero()[0]
        first = is_best[is_best.searchsorted(starts)]
        furthest[which] = np.where(count[which] > 1, _furthest(at, rank, first), 0)
    return words, distance, furthest


def _events(tokens: list[TokenRuns]) -> tuple[Int32Array, Int32Array, IntArray]:
    """All occurrences that count, in the order of texts and places.

    Returns:
        Of each occurrence text and place as one number, the token's place among those of the text, and of each text
        how many tokens it has.
    """
    count = np.zeros(len(tokens[0].at), dtype=np.int64)
    keys = []
    for token in tokens:
        counting = ((token.at < token.end) & (count < WINDOW)).nonzero()[0]
        low, lengths = token.at[counting], token.end[counting] - token.at[counting]
        head = ((counting << _PLACE_BITS << _RANK_BITS) | count[counting]).astype(np.int32)
        placed = (token.occurrences[spread(low, lengths)] & PLACE).astype(np.int32)
        keys.append(head.repeat(lengths) | placed << _RANK_BITS)
        count += token.at < token.end
    events = np.concatenate(keys)
    events.sort()
    if (events >> _RANK_BITS & _PLACES == PLACE).any():
        # All words of a text beyond what places can tell are at the last of them.
        events = events[np.diff(events, prepend=-1) != 0]
    return events >> _RANK_BITS, events & (1 << _RANK_BITS) - 1, count


def _from_each(at: Int32Array, rank: Int32Array) -> tuple[AnyArray, AnyArray]:
    """How many tokens the window from each occurrence on has, and how wide it is, by looking at one more at a time."""
    bits = np.left_shift(1, rank).astype(np.int16)
    held = bits.copy()
    width = np.zeros(len(at), dtype=np.int16)
    step, reached = 0, len(at)
    # All at once while many windows reach as far, and those alone that do when they are few.
    while reached * FEW > len(at):
        step += 1
        gap = at[step:] - at[:-step]
        inside = gap <= WINDOW
        reached = int(np.count_nonzero(inside))
        new = bits[step:] & ~held[:-step] & -inside.astype(np.int16)
        held[:-step] |= new
        np.maximum(width[:-step], gap.astype(np.int16) * (new != 0), out=width[:-step])
    reaching = inside.nonzero()[0] if step else np.arange(0)
    while len(reaching):
        step += 1
        reaching = reaching[: reaching.searchsorted(len(at) - step)]
        gap = at[reaching + step] - at[reaching]
        close = (gap <= WINDOW).nonzero()[0]
        reaching = reaching[close]
        new = bits[reaching + step] & ~held[reaching]
        held[reaching] |= new
        width[reaching] = np.where(new, gap[close], width[reaching])
    return _BITS_SET[held], width


def _later(number: AnyArray, width: AnyArray, tokens: IntArray, starts: IntArray) -> BoolArray:
    """The windows after the one with which the best is all tokens side by side: those are not looked at any more.

    It matters only where a word was asked for twice, as such words share their places.
    """
    lengths = np.diff(np.append(starts, len(number)))
    # The least width so far in each text: taking more off in each than there is between any two starts it anew.
    fresh = np.arange(len(starts), dtype=np.int64).repeat(lengths) * (4 * WINDOW)
    least = np.minimum.accumulate(np.where(number == tokens, width, 2 * WINDOW) - fresh) + fresh
    perfect = least == tokens - 1
    seen: IntArray = perfect.cumsum()
    before = (seen[starts] - perfect[starts]).repeat(lengths)
    later: BoolArray = seen - perfect - before > 0
    return later


def _furthest(at: Int32Array, rank: Int32Array, first: IntArray) -> IntArray:
    """For windows that begin with some occurrences the place of the last token that follows, at most 255."""
    found = np.zeros(len(first), dtype=np.int64)
    start = at[first]
    for number in range(WINDOW):
        own = (rank == number).nonzero()[0]
        if not len(own):
            continue
        following = np.minimum(own.searchsorted(first), len(own) - 1)
        place = at[own[following]]
        same = (own[following] >= first) & (place >> _PLACE_BITS == start >> _PLACE_BITS)
        found = np.maximum(found, np.where(same, np.minimum(place & _PLACES, 255), 0))
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
