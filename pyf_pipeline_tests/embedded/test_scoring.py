"""Scores: the fast way for two words agrees with the window that is slid along a text."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.scoring import FieldTokens, Rules, field_scores, packed
from pyf_pipeline.embedded.segments import LAST
from pyf_pipeline.embedded.view import Postings
from pyf_pipeline.embedded.windows import TokenPlaces, best_window


def postings_of(texts: list[list[str]], word: str) -> Postings:
    documents, starts, occurrences = [], [0], []
    for document, text in enumerate(texts):
        places = [i | (LAST if i == len(text) - 1 else 0) for i, w in enumerate(text) if w == word]
        if places:
            documents.append(document)
            occurrences += places
            starts.append(len(occurrences))
    return Postings(np.array(documents, dtype=np.int64), np.array(starts), np.array(occurrences, dtype=np.uint32))


TEXTS = st.lists(st.lists(st.sampled_from(["a", "b", "x"]), min_size=1, max_size=30), min_size=1, max_size=8)


@settings(max_examples=200, deadline=None)
@given(texts=TEXTS, cost=st.integers(0, 6))
def test_two_words_are_scored_alike_one_by_one_and_together(texts: list[list[str]], cost: int) -> None:
    both = np.array([i for i, t in enumerate(texts) if {"a", "b"} <= set(t)], dtype=np.int64)
    located = FieldTokens.locate([postings_of(texts, "a"), postings_of(texts, "b")], both)
    scores = field_scores(located, cost, is_array=False, verbatim=False, rules=Rules())
    for document, score in zip(both.tolist(), scores.tolist(), strict=True):
        text = texts[document]
        match = best_window(
            [TokenPlaces([i for i, w in enumerate(text) if w == x], is_last=text[-1] == x) for x in ("a", "b")]
        )
        assert score == packed(match.words, 2, cost, distance=match.distance, exact=int(match.exact))


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.lists(st.sampled_from("abcdx"), min_size=1, max_size=40), min_size=1, max_size=8))
def test_many_words_are_scored_alike_one_by_one_and_together(texts: list[list[str]]) -> None:
    documents = np.array([i for i, t in enumerate(texts) if len({*t} & {*"abcd"}) > 1], dtype=np.int64)
    located = FieldTokens.locate([postings_of(texts, w) for w in "abcd"], documents)
    scores = field_scores(located, 0, is_array=False, verbatim=False, rules=Rules())
    for document, score in zip(documents.tolist(), scores.tolist(), strict=True):
        text = texts[document]
        there = [w for w in "abcd" if w in text]
        match = best_window(
            [TokenPlaces([i for i, w in enumerate(text) if w == x], is_last=text[-1] == x) for x in there]
        )
        assert score == packed(match.words, len(there), 0, distance=match.distance, exact=int(match.exact)), text


def test_a_text_that_is_the_query_is_exact() -> None:
    assert best_window([TokenPlaces([0], is_last=False), TokenPlaces([1], is_last=True)]).exact
    assert not best_window([TokenPlaces([0], is_last=False), TokenPlaces([1], is_last=False)]).exact
    assert not best_window([TokenPlaces([0, 2], is_last=False), TokenPlaces([1, 3], is_last=True)]).exact


def test_words_further_apart_than_the_window_do_not_count_together() -> None:
    far = best_window([TokenPlaces([0], is_last=False), TokenPlaces([11], is_last=False)])
    assert (far.words, far.distance) == (1, 0)
    near = best_window([TokenPlaces([0, 30], is_last=False), TokenPlaces([11, 32], is_last=False)])
    assert (near.words, near.distance) == (2, 2)


def test_a_word_alone_in_its_text_is_verbatim() -> None:
    texts = [["a"], ["a", "b"], ["a", "a"], ["x"]]
    located = FieldTokens.locate([postings_of(texts, "a")], np.arange(4))
    scores = field_scores(located, 0, is_array=False, verbatim=True, rules=Rules())
    assert scores.tolist() == [packed(1, 1, 0, exact=1), packed(1, 1, 0), packed(1, 1, 0), 0]
