import threading
from collections import Counter

import pytest

from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.pypi.http import Http, PassingError, PyPIError, StaleAnswerError
from pyf_pipeline.pypi.work import Done, Work


@pytest.fixture
def http() -> Http:
    return Http("http://pypi.example", concurrency=4, user_agent="tests", retries=2)


def gather(work: Work[int, int]) -> dict[int, Done[int, int]]:
    done = [one for batch in work.results() for one in batch]
    assert len(done) == work.total
    return {one.key: one for one in done}


def test_everything_that_is_added_comes_back_once_also_while_it_is_worked_on(http: Http) -> None:
    work: Work[int, int] = Work(http, lambda key: key * 2, concurrency=4)
    first = threading.Event()

    def fill() -> None:
        work.add(range(100))
        assert first.wait(10)
        work.add(range(100, 300))
        work.close()

    thread = threading.Thread(target=fill)
    thread.start()
    results: dict[int, int | None] = {}
    for batch in work.results():
        # Results come although more is to be added.
        results.update((one.key, one.result) for one in batch)
        first.set()
    thread.join()
    assert results == {key: key * 2 for key in range(300)}
    assert work.total == 300


def test_nothing_to_do_ends_at_once(http: Http) -> None:
    work: Work[int, int] = Work(http, lambda key: key, concurrency=2)
    work.close()
    assert gather(work) == {}


def test_trouble_is_tried_again_within_the_budget_of_each(http: Http) -> None:
    tries: Counter[int] = Counter()

    def ask(key: int) -> int:
        tries[key] += 1
        if key == 1 and tries[key] <= 2:
            raise PassingError("one: passing")
        if key == 2:
            raise PassingError("two: HTTP 500")
        if key == 3:
            raise PyPIError("three: HTTP 403")
        return key

    work: Work[int, int] = Work(http, ask, concurrency=4)
    work.add(range(5))
    work.close()
    done = gather(work)
    assert tries == {0: 1, 1: 3, 2: 3, 3: 1, 4: 1}
    assert done[1].result == 1
    assert str(done[2].error) == "two: HTTP 500, 3 times in a row"
    assert str(done[3].error) == "three: HTTP 403"
    assert http.traffic.retries == 4


def test_a_stale_answer_waits_without_taking_a_place(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyf_pipeline.pypi.work.STALE_SECONDS", (0.1, 0.1))
    order: list[int] = []

    def ask(key: int) -> int:
        order.append(key)
        if key == 0:
            raise StaleAnswerError("old", ProjectDocument("a", 1, {}, (), 0))
        return key

    work: Work[int, int] = Work(http, ask, concurrency=1)
    work.add(range(20))
    work.close()
    done = gather(work)
    assert order == [*range(20), 0, 0]
    assert isinstance(done[0].error, StaleAnswerError)
    assert done[0].error.document.serial == 1


def test_a_mistake_of_ours_is_not_taken_for_trouble(http: Http) -> None:
    def ask(key: int) -> int:
        raise KeyError(key)

    work: Work[int, int] = Work(http, ask, concurrency=1)
    work.add([1])
    with pytest.raises(KeyError):
        gather(work)
