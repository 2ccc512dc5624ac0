"""What a match in one field is worth, for many documents at once.

The score packs, from the most significant byte down: tokens in the best window, tokens in the field, 255 less the cost
of typos and prefixes, 100 less the distance, whether the match is verbatim, and how far to the front it is.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyf_pipeline.embedded.arrays import AnyArray, BoolArray, IntArray, spread
from pyf_pipeline.embedded.segments import LAST
from pyf_pipeline.embedded.sliding import TokenRuns, best_windows
from pyf_pipeline.embedded.view import Postings
from pyf_pipeline.embedded.windows import WINDOW, Match, TokenPlaces, best_window

PLACE = 0xFFFF
ELEMENT = 0x7FFF


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts beside words, typos and distance."""

    exact_match: bool = True
    token_position: bool = False


@dataclass(frozen=True, slots=True)
class FieldTokens:
    """The tokens of a query in one field, over a list of documents.

    Attributes:
        postings: Per token.
        at: Per token and document its index into the token's postings, -1 where it is not there.
    """

    postings: list[Postings]
    at: npt.NDArray[np.int64]

    @classmethod
    def locate(cls, postings: list[Postings], documents: IntArray) -> "FieldTokens":
        """Looks the documents up in the postings."""
        at = np.full((len(postings), len(documents)), -1, dtype=np.int64)
        for row, found in zip(at, postings, strict=True):
            if not len(found.documents):
                continue
            index = np.minimum(np.searchsorted(found.documents, documents), len(found.documents) - 1)
            hit = found.documents[index] == documents
            row[hit] = index[hit]
        return cls(postings, at)

    def present(self) -> IntArray:
        """How many tokens each document has in the field."""
        counts: IntArray = np.count_nonzero(self.at >= 0, axis=0)
        return counts


def field_scores(tokens: FieldTokens, cost: int, *, is_array: bool, verbatim: bool, rules: Rules) -> IntArray:
    """The score of each document in a field; 0 where none of the tokens is there.

    Args:
        tokens: Where they are.
        cost: Of typos and prefixes together.
        is_array: Whether the field holds a list of texts.
        verbatim: Whether a text that is nothing but the query's only token is to be marked so.
        rules: What else counts.
    """
    present = tokens.present()
    scores = np.zeros(present.shape, dtype=np.int64)
    single = present == 1
    if single.any():
        scores[single] = _single(tokens, single, cost, is_array=is_array, verbatim=verbatim, rules=rules)
    several = np.flatnonzero(present > 1)
    if not len(several):
        return scores
    if len(tokens.postings) == 2 and not is_array and not rules.token_position:
        scores[several] = _pair(tokens, several, cost, rules)
        return scores
    if not is_array and not rules.token_position:
        scores[several] = _together(tokens, several, cost, rules)
        return scores
    for i in several:
        scores[i] = _windowed(tokens, int(i), cost, is_array=is_array, rules=rules)
    return scores


def packed(words: int, unique: int, cost: int, *, distance: int = 0, exact: int = 0, offset: int = 0) -> int:
    """The parts of a score in one number."""
    return words << 40 | unique << 32 | (255 - cost) << 24 | (100 - (distance & 255)) << 16 | exact << 8 | offset


def _single(
    tokens: FieldTokens, single: BoolArray, cost: int, *, is_array: bool, verbatim: bool, rules: Rules
) -> IntArray:
    scores = np.full(int(single.sum()), packed(1, 1, cost), dtype=np.int64)
    if not verbatim and not rules.token_position:
        return scores
    for postings, at in zip(tokens.postings, tokens.at[:, single], strict=True):
        here = np.flatnonzero(at >= 0)
        if not len(here):
            continue
        if verbatim and rules.exact_match:
            scores[here] |= _verbatim(postings, at[here], is_array=is_array).astype(np.int64) << 8
        if rules.token_position:
            ends = (postings.occurrences[postings.starts[at[here] + 1] - 1] & PLACE).astype(np.int64)
            scores[here] |= 255 - np.minimum(ends + 1, 255)
    return scores


def _verbatim(postings: Postings, at: IntArray, *, is_array: bool) -> BoolArray:
    """Whether the token is the whole of a text."""
    lone = (postings.occurrences & PLACE == 0) & (postings.occurrences & LAST != 0)
    starts, lengths = postings.starts[at], postings.starts[at + 1] - postings.starts[at]
    if not is_array:
        single: BoolArray = lone[starts] & (lengths == 1)
        return single
    per_document = np.add.reduceat(lone[spread(starts, lengths)].astype(np.int64), np.cumsum(lengths) - lengths)
    any_text: BoolArray = per_document > 0
    return any_text


def _pair(tokens: FieldTokens, several: IntArray, cost: int, rules: Rules) -> IntArray:
    """Two tokens in one text: the smallest distance between them, for all documents at once."""
    keys, lengths, ends = [], [], []
    for postings, at in zip(tokens.postings, tokens.at[:, several], strict=True):
        starts = postings.starts[at]
        counts = postings.starts[at + 1] - starts
        found = postings.occurrences[spread(starts, counts)]
        keys.append((np.repeat(np.arange(len(several)), counts) << 20) | (found & PLACE).astype(np.int64))
        lengths.append(counts)
        ends.append(found[np.cumsum(counts) - 1])
    nearest = _nearest(keys[0], keys[1])
    distance = np.minimum.reduceat(nearest, np.cumsum(lengths[0]) - lengths[0])
    close = distance <= WINDOW
    exact = np.zeros(len(several), dtype=bool)
    if rules.exact_match:
        exact = (
            (distance == 1) & (lengths[0] == 1) & (lengths[1] == 1) & (_ends_at_one(ends[0]) | _ends_at_one(ends[1]))
        )
    apart = np.where(close, distance, 0)
    words = np.where(close, 2, 1)
    return (words << 40) | (2 << 32) | ((255 - cost) << 24) | ((100 - apart) << 16) | (exact.astype(np.int64) << 8)


def _together(tokens: FieldTokens, several: IntArray, cost: int, rules: Rules) -> IntArray:
    """Any number of tokens in one text, for all documents at once."""
    runs = []
    for postings, at in zip(tokens.postings, tokens.at[:, several], strict=True):
        there = at >= 0
        starts, ends = np.zeros(len(several), dtype=np.int64), np.zeros(len(several), dtype=np.int64)
        starts[there], ends[there] = postings.starts[at[there]], postings.starts[at[there] + 1]
        runs.append(TokenRuns(postings.occurrences, starts, ends))
    found = best_windows(runs)
    unique = tokens.present()[several]
    exact = found.exact.astype(np.int64) if rules.exact_match else 0
    return (found.words << 40) | (unique << 32) | ((255 - cost) << 24) | ((100 - found.distance) << 16) | (exact << 8)


def _ends_at_one(occurrences: AnyArray) -> BoolArray:
    ends: BoolArray = (occurrences & PLACE == 1) & (occurrences & LAST != 0)
    return ends


def _nearest(keys: IntArray, others: IntArray) -> IntArray:
    """How far each key is from the nearest of the others (both sorted)."""
    after = np.searchsorted(others, keys)
    right = others[np.minimum(after, len(others) - 1)]
    left = others[np.maximum(after - 1, 0)]
    nearest: IntArray = np.minimum(np.abs(right - keys), np.abs(keys - left))
    return nearest


def places_by_element(postings: list[AnyArray]) -> dict[int, list[TokenPlaces]]:
    """Per text of a list (0 for a field that is no list) where each token of it is."""
    texts: dict[int, list[TokenPlaces]] = {}
    for occurrences in postings:
        by_element: dict[int, list[int]] = {}
        for occurrence in occurrences.tolist():
            by_element.setdefault((occurrence >> 16) & ELEMENT, []).append(occurrence)
        for element, found in by_element.items():
            places = TokenPlaces([o & PLACE for o in found], is_last=any(o & LAST for o in found))
            texts.setdefault(element, []).append(places)
    return texts


def _windowed(tokens: FieldTokens, document: int, cost: int, *, is_array: bool, rules: Rules) -> int:
    there = [
        p.occurrences[p.starts[i] : p.starts[i + 1]]
        for p, i in zip(tokens.postings, tokens.at[:, document].tolist(), strict=True)
        if i >= 0
    ]
    matches = [best_window(t) for t in places_by_element(there).values()]
    return max(_match_score(m, m.words if is_array else len(there), cost, rules) for m in matches)


def _match_score(match: Match, unique: int, cost: int, rules: Rules) -> int:
    exact = int(match.exact and rules.exact_match)
    offset = 255 - match.furthest if rules.token_position else 0
    return packed(match.words, unique, cost, distance=match.distance, exact=exact, offset=offset)
