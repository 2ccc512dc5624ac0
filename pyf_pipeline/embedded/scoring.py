"""What a match in one field is worth, for many documents at once.

The score packs, from the most significant byte down: tokens in the best window, tokens in the field, 255 less the cost
of typos and prefixes, 100 less the distance, whether the match is verbatim, and how far to the front it is.
"""

from dataclasses import dataclass

import numpy as np

from pyf_pipeline.embedded.arrays import AnyArray, BoolArray, IntArray, distinct
from pyf_pipeline.embedded.inverted import ELEMENT, LAST, PLACE
from pyf_pipeline.embedded.postings import Runs
from pyf_pipeline.embedded.sliding import TokenRuns, best_windows
from pyf_pipeline.embedded.windows import WINDOW, TokenPlaces

MOST = 255

Numbers = IntArray | int


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts beside words, typos and distance."""

    exact_match: bool = True
    token_position: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a field.

    Attributes:
        is_array: Whether the field holds a list of texts.
        verbatim: Whether a text that is nothing but the query's only token is to be marked so.
        repeated: Whether a word was asked for twice.
        rules: What else counts.
    """

    is_array: bool
    verbatim: bool
    repeated: bool
    rules: Rules

    @property
    def simple(self) -> int:
        """How many tokens a document may have in the field for its score not to depend on their places."""
        return 0 if self.verbatim or self.rules.token_position else 1


def field_scores(tokens: list[Runs], asked: Asked) -> IntArray:
    """The score of each document in a field, but for the cost of the tokens; 0 where none of them is there."""
    present = np.count_nonzero([t.present for t in tokens], axis=0)
    scores = np.zeros(present.shape, dtype=np.int64)
    single, several = (present == 1).nonzero()[0], (present > 1).nonzero()[0]
    if len(single):
        scores[single] = _single([t.of(single) for t in tokens], asked)
    if len(several):
        some = tokens if len(several) == len(present) else [t.of(several) for t in tokens]
        scores[several] = _in_lists(some, asked) if asked.is_array else _in_texts(some, present[several], asked)
    return scores


def highest_scores(present: AnyArray, may_be_exact: BoolArray, asked: Asked, tokens: int) -> IntArray:
    """What `field_scores` gives at most, known without the places.

    Args:
        present: How many tokens each document has in the field.
        may_be_exact: Whether it may be made of them alone.
        asked: The same as there.
        tokens: How many there are at most.
    """
    counts = np.arange(tokens + 1, dtype=np.int64)
    words = np.minimum(counts, WINDOW)
    nearest = np.zeros_like(counts) if asked.repeated else np.maximum(words - 1, 0)
    highest = _packed(words, counts, distance=nearest, offset=MOST if asked.rules.token_position else 0)
    highest[0] = 0
    scores = highest[present]
    if asked.rules.exact_match:
        counting = present > (0 if asked.verbatim else 1)
        scores |= (counting & may_be_exact).astype(np.int64) << 8
    return scores


def with_cost(scores: IntArray, cost: Numbers) -> IntArray:
    """Scores with the cost of typos and prefixes taken into account, which is that of all tokens together."""
    return np.where(scores > 0, scores | (255 - np.asarray(cost, dtype=np.int64)) << 24, 0)


def _packed(words: Numbers, unique: Numbers, *, distance: Numbers = 0, offset: Numbers = 0) -> IntArray:
    """The parts of a score in one number."""
    packed = np.asarray(words, dtype=np.int64) << 40 | np.minimum(np.asarray(unique, dtype=np.int64), MOST) << 32
    return packed | (100 - np.asarray(distance, dtype=np.int64)) << 16 | offset


ALONE = int(_packed(1, 1))
"""The score of a single token."""


def _single(tokens: list[Runs], asked: Asked) -> IntArray:
    """The scores of documents that have one of the tokens."""
    scores = np.full(len(tokens[0].starts) - 1, ALONE, dtype=np.int64)
    for token in tokens:
        here = token.present.nonzero()[0]
        if asked.verbatim and asked.rules.exact_match:
            scores[here] |= is_alone(token.of(here), is_array=asked.is_array).astype(np.int64) << 8
        if asked.rules.token_position:
            ends = (token.values[token.starts[here + 1] - 1] & PLACE).astype(np.int64)
            scores[here] |= MOST - np.minimum(ends + 1, MOST)
    return scores


def is_alone(token: Runs, *, is_array: bool) -> BoolArray:
    """Whether a token, in documents that have it, is the whole of a text."""
    alone: BoolArray = (token.values & PLACE == 0) & (token.values & LAST != 0)
    if not len(alone):
        return alone
    if not is_array:
        once: BoolArray = alone[token.starts[:-1]] & (token.lengths == 1)
        return once
    some: BoolArray = np.logical_or.reduceat(alone, token.starts[:-1])
    return some


def _in_texts(tokens: list[Runs], unique: IntArray, asked: Asked) -> IntArray:
    """The scores of documents that have several of the tokens in a text."""
    texts = [TokenRuns(t.values, t.starts[:-1], t.starts[1:]) for t in tokens]
    return _windowed(texts, unique, asked)


def _in_lists(tokens: list[Runs], asked: Asked) -> IntArray:
    """The same where they have several texts: the best of them counts, and of its tokens those that are near."""
    keys = [_text_keys(t) for t in tokens]
    texts = distinct(np.concatenate(keys))
    found = [
        TokenRuns(t.values, np.searchsorted(key, texts), np.searchsorted(key, texts, side="right"))
        for t, key in zip(tokens, keys, strict=True)
    ]
    scores = _windowed(found, None, asked)
    owners = texts // (ELEMENT + 1)
    best: IntArray = np.maximum.reduceat(scores, np.flatnonzero(np.diff(owners, prepend=-1)))
    return best


def _text_keys(token: Runs) -> IntArray:
    """In which text of which document each occurrence is."""
    owners = np.repeat(np.arange(len(token.starts) - 1, dtype=np.int64), token.lengths)
    return owners * (ELEMENT + 1) + (token.values >> 16 & ELEMENT)


def _windowed(texts: list[TokenRuns], unique: IntArray | None, asked: Asked) -> IntArray:
    found = best_windows(texts, repeated=asked.repeated, places=asked.rules.token_position)
    counted = found.words if unique is None else unique
    offset = MOST - found.furthest if asked.rules.token_position else 0
    scores = _packed(found.words, counted, distance=found.distance, offset=offset)
    return scores | found.exact.astype(np.int64) << 8 if asked.rules.exact_match else scores


def places_by_element(tokens: list[list[int]]) -> dict[int, list[TokenPlaces]]:
    """Per text of a list (0 for a field that is no list) where each token of it is, given each one's occurrences."""
    texts: dict[int, list[TokenPlaces]] = {}
    for occurrences in tokens:
        by_element: dict[int, list[int]] = {}
        for occurrence in occurrences:
            by_element.setdefault((occurrence >> 16) & ELEMENT, []).append(occurrence)
        for element, found in by_element.items():
            places = TokenPlaces([o & PLACE for o in found], is_last=any(o & LAST for o in found))
            texts.setdefault(element, []).append(places)
    return texts
