"""Windows for many documents at once, against the window of one document at a time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.inverted import LAST
from pyf_pipeline.embedded.sliding import TokenRuns, best_windows
from pyf_pipeline.embedded.windows import TokenPlaces, best_window

TEXTS = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=40), min_size=1, max_size=4)


def runs_of(texts: list[list[int]], word: int) -> TokenRuns:
    occurrences, at, end = [], [], []
    for text in texts:
        at.append(len(occurrences))
        occurrences += [i | (LAST if i == len(text) - 1 else 0) for i, each in enumerate(text) if each == word]
        end.append(len(occurrences))
    return TokenRuns(np.array(occurrences, dtype=np.uint32), np.array(at), np.array(end))


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS, asked=st.lists(st.integers(0, 6), min_size=1, max_size=14))
def test_all_documents_at_once_and_one_by_one_are_the_same(texts: list[list[int]], asked: list[int]) -> None:
    by_word = {word: runs_of(texts, word) for word in set(asked)}
    found = best_windows([by_word[word] for word in asked], repeated=len(set(asked)) < len(asked), places=True)
    for i, text in enumerate(texts):
        there = [
            TokenPlaces([p for p, w in enumerate(text) if w == word], is_last=text[-1] == word)
            for word in asked
            if word in text
        ]
        if there:
            one = best_window(there)
            every = (found.words, found.distance, found.exact, found.furthest)
            assert [each[i] for each in every] == [one.words, one.distance, one.exact, one.furthest]
