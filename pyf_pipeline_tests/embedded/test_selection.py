"""The best documents: the same as by sorting all of them, and with no more scores found out than need be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded import selection
from pyf_pipeline.embedded.arrays import IntArray
from pyf_pipeline.embedded.selection import Ranking

KEYS = st.integers(-3, 3)
DOCUMENTS = st.integers(1, 400)


class Pending:
    """Scores of which only the highest values they may have are known, as arrays by document."""

    def __init__(self, highest: IntArray, actual: IntArray) -> None:
        self.scores = highest.copy()
        self._actual = actual
        self._open = np.ones(len(highest), dtype=bool)

    def unsettled(self, documents: IntArray) -> IntArray:
        return documents[self._open[documents]]

    def settle(self, documents: IntArray) -> None:
        self.scores[documents] = self._actual[documents]
        self._open[documents] = False

    @property
    def settled(self) -> int:
        return int(np.count_nonzero(~self._open))


def sorted_by(keys: list[IntArray], documents: IntArray) -> list[int]:
    return sorted(documents.tolist(), key=lambda d: [*(k[d] for k in keys), d], reverse=True)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), size=DOCUMENTS, count=st.integers(0, 40))
def test_the_best_are_those_that_sorting_puts_first(data: st.DataObject, size: int, count: int) -> None:
    rnd = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    keys = [rnd.integers(-2, 3, size) for _ in range(data.draw(st.integers(0, 3)))]
    documents = np.flatnonzero(rnd.random(size) < 0.7)
    assert Ranking(keys).best(documents, count).tolist() == sorted_by(keys, documents)[:count]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), size=DOCUMENTS, count=st.integers(1, 40), place=st.integers(0, 2))
def test_the_same_where_scores_are_found_out_on_the_way(data: st.DataObject, size: int, count: int, place: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(selection, "AHEAD", data.draw(st.sampled_from([1, 5, 100])))
        check_scores_found_out(data, size, count, place)


def check_scores_found_out(data: st.DataObject, size: int, count: int, place: int) -> None:
    rnd = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    actual = rnd.integers(0, 4, size)
    pending = Pending(actual + rnd.integers(0, 3, size), actual)
    others = [rnd.integers(-1, 2, size) for _ in range(2)]
    documents = np.flatnonzero(rnd.random(size) < 0.7)
    found = Ranking([*others[:place], pending.scores, *others[place:]], pending).best(documents, count)
    assert found.tolist() == sorted_by([*others[:place], actual, *others[place:]], documents)[:count]
    assert not len(pending.unsettled(found))


def test_where_the_best_reach_what_they_may_the_others_are_left_alone() -> None:
    actual = np.full(100_000, 7)
    pending = Pending(actual, actual)
    Ranking([pending.scores], pending).best(np.arange(100_000), 10)
    assert pending.settled < 1000
