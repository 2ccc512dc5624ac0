"""Scores: for many documents at once as for one, and never more than was said they are at most."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.arrays import offsets_of
from pyf_pipeline.embedded.inverted import LAST
from pyf_pipeline.embedded.postings import Runs
from pyf_pipeline.embedded.scoring import (
    Asked,
    Rules,
    field_scores,
    highest_scores,
    is_alone,
    places_by_element,
    with_cost,
)
from pyf_pipeline.embedded.windows import TokenPlaces, best_window

Document = list[list[str]]
"""The texts of a field, each as its words."""

TEXT = st.lists(st.sampled_from("abcdx"), min_size=1, max_size=30)
LISTS = st.lists(st.lists(TEXT, min_size=1, max_size=3), min_size=1, max_size=6)
WORDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=6)
RULES = st.builds(Rules, exact_match=st.booleans(), token_position=st.booleans())


def runs_of(documents: list[Document], word: str) -> Runs:
    found = [
        [
            place | element << 16 | (LAST if place == len(text) - 1 else 0)
            for element, text in enumerate(texts)
            for place, each in enumerate(text)
            if each == word
        ]
        for texts in documents
    ]
    flat = [occurrence for each in found for occurrence in each]
    return Runs(offsets_of(np.array(list(map(len, found)))), np.array(flat, dtype=np.uint32))


def asked(**given: object) -> Asked:
    defaults = {"is_array": False, "verbatim": False, "repeated": False, "rules": Rules()}
    return Asked(**{**defaults, **given})  # type: ignore[arg-type] # the tests say what is of which type


def packed(words: int, unique: int, *, distance: int = 0, exact: bool = False, offset: int = 0) -> int:
    return words << 40 | unique << 32 | (100 - distance) << 16 | exact << 8 | offset


def of_one(occurrences: list[list[int]], wanted: Asked) -> int:
    """The score of a document with several tokens, text by text."""
    scores = []
    for places in places_by_element(occurrences).values():
        match = best_window(places)
        unique = match.words if wanted.is_array else len(occurrences)
        offset = 255 - match.furthest if wanted.rules.token_position else 0
        exact = match.exact and wanted.rules.exact_match
        scores.append(packed(match.words, unique, distance=match.distance, exact=exact, offset=offset))
    return max(scores)


@settings(max_examples=200, deadline=None)
@given(documents=LISTS, words=WORDS, is_array=st.booleans(), rules=RULES)
def test_all_documents_at_once_and_one_by_one_are_the_same(
    documents: list[Document], words: list[str], is_array: bool, rules: Rules
) -> None:
    if not is_array:
        documents = [texts[:1] for texts in documents]
    wanted = asked(is_array=is_array, repeated=len(set(words)) < len(words), rules=rules)
    runs = [runs_of(documents, word) for word in words]
    scores = field_scores(runs, wanted)
    for i, score in enumerate(scores.tolist()):
        there = [r.values[r.starts[i] : r.starts[i + 1]].tolist() for r in runs if r.present[i]]
        if len(there) > 1:
            assert score == of_one(there, wanted)
        assert (score > 0) == bool(there)


@settings(max_examples=200, deadline=None)
@given(documents=LISTS, words=WORDS, is_array=st.booleans(), verbatim=st.booleans(), rules=RULES)
def test_no_score_is_higher_than_said_before_the_places_were_looked_at(
    documents: list[Document], words: list[str], is_array: bool, verbatim: bool, rules: Rules
) -> None:
    if not is_array:
        documents = [texts[:1] for texts in documents]
    wanted = asked(is_array=is_array, verbatim=verbatim, repeated=len(set(words)) < len(words), rules=rules)
    runs = [runs_of(documents, word) for word in words]
    present = np.count_nonzero([r.present for r in runs], axis=0)
    lengths = np.array([len(texts[0]) for texts in documents])
    highest = highest_scores(present, is_array | (lengths == present), wanted, len(words))
    scores = field_scores(runs, wanted)
    assert (scores <= highest).all()
    assert ((scores == 0) == (highest == 0)).all()


def test_a_cost_lowers_a_score_below_that_of_words_and_above_that_of_distance() -> None:
    near, far = packed(2, 2, distance=1), packed(2, 2, distance=9)
    costs = with_cost(np.array([near, far, near, packed(1, 2), 0]), np.array([0, 0, 2, 0, 0])).tolist()
    assert sorted(costs, reverse=True) == costs
    assert costs[-1] == 0


def test_a_text_that_is_the_query_is_exact() -> None:
    assert best_window([TokenPlaces([0], is_last=False), TokenPlaces([1], is_last=True)]).exact
    assert not best_window([TokenPlaces([0], is_last=False), TokenPlaces([1], is_last=False)]).exact
    assert not best_window([TokenPlaces([0, 2], is_last=False), TokenPlaces([1, 3], is_last=True)]).exact


def test_a_word_asked_for_twice_is_nearer_than_side_by_side() -> None:
    twice = best_window([TokenPlaces([1, 4], is_last=False), TokenPlaces([1, 4], is_last=False)])
    assert (twice.words, twice.distance, twice.exact) == (2, 0, False)


def test_words_further_apart_than_the_window_do_not_count_together() -> None:
    far = best_window([TokenPlaces([0], is_last=False), TokenPlaces([11], is_last=False)])
    assert (far.words, far.distance) == (1, 0)
    near = best_window([TokenPlaces([0, 30], is_last=False), TokenPlaces([11, 32], is_last=False)])
    assert (near.words, near.distance) == (2, 2)


@pytest.mark.parametrize(
    ("is_array", "exact"), [(False, [True, False, False, False]), (True, [True, False, False, True])]
)
def test_a_word_alone_in_its_text_is_verbatim(is_array: bool, exact: list[bool]) -> None:
    documents = [[["a"]], [["a", "b"]], [["a", "a"]], [["b", "a"], ["a"]]]
    if not is_array:
        documents[3] = documents[3][:1]
    runs = runs_of(documents, "a")
    assert is_alone(runs, is_array=is_array).tolist() == exact
    scores = field_scores([runs], asked(is_array=is_array, verbatim=True))
    assert scores.tolist() == [packed(1, 1, exact=e) for e in exact]
