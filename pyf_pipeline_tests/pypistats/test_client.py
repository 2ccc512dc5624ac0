from collections.abc import Callable

import pytest
import requests

from pyf_pipeline.catalog.model import Downloads
from pyf_pipeline.pypistats.client import TRIES
from pyf_pipeline.pypistats.errors import OutOfTimeError, RefusedError, UnusableAnswerError
from pyf_pipeline_tests.pypistats.support import START, Answer, client_of, figures, well

LONG = START + 3600


def after(failures: int, trouble: Answer) -> Callable[[str], Answer]:
    """A pypistats that is troubled a few times, and then well."""
    left = [failures]

    def handler(name: str) -> Answer:
        left[0] -= 1
        return trouble if left[0] >= 0 else well(name)

    return handler


def test_figures_of_a_project_and_of_one_that_is_unknown() -> None:
    client, asked, _, _ = client_of(lambda name: well(name) if name == "a" else (404, b"404", {"Retry-After": "50"}))
    assert client.recent("a", LONG) == Downloads(1, 7, 30, int(START))
    assert client.recent("b", LONG) is None
    assert (asked.asked, asked.agents, client.calls) == (["a", "b"], {"tests"}, 2)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ((500, b"500", {}), "HTTP 500"),
        ((503, b"503 TEMPORARILY DISABLED", {}), "HTTP 503"),
        ((200, b"<html>Maintenance</html>", {}), "the answer is not usable: body: Invalid JSON"),
        ((200, figures("other"), {}), "the answer is about another project"),
        (requests.ConnectTimeout("https://secret@stats.example"), "timed out"),
        (requests.ConnectionError("https://secret@stats.example"), "no connection"),
        (requests.exceptions.ChunkedEncodingError("x"), "the answer was cut off"),
        (requests.TooManyRedirects("x"), "TooManyRedirects"),
    ],
)
def test_what_may_pass_is_tried_again_and_told_when_it_does_not(trouble: Answer, said: str) -> None:
    client, _, _, clock = client_of(after(TRIES - 1, trouble))
    assert client.recent("a", LONG) is not None
    assert clock.slept == [1, 2]
    assert dict(client.problems) == {said: TRIES - 1}
    client, asked, turns, _ = client_of(lambda _: trouble)
    with pytest.raises(UnusableAnswerError) as caught:
        client.recent("a", LONG)
    assert str(caught.value) == said
    assert (len(asked.asked), turns.held) == (TRIES, [])


@pytest.mark.parametrize("status", [400, 401, 403, 410])
def test_what_asking_again_does_not_change_is_not_asked_again(status: int) -> None:
    client, asked, _, _ = client_of(lambda _: (status, b"no", {}))
    with pytest.raises(UnusableAnswerError, match=f"HTTP {status}"):
        client.recent("a", LONG)
    assert asked.asked == ["a"]


@pytest.mark.parametrize(
    ("status", "headers", "held"),
    [
        (429, {"Retry-After": "17"}, 17),
        (429, {}, 60),
        (429, {"Retry-After": "soon"}, 60),
        (429, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0),
        (503, {"Retry-After": "9"}, 9),
        (500, {"Retry-After": "9"}, 0),
    ],
)
def test_a_pause_that_it_asks_for_is_kept_by_everybody(status: int, headers: dict[str, str], held: float) -> None:
    client, asked, turns, clock = client_of(after(1, (status, b"", headers)))
    assert client.recent("a", LONG) is not None
    assert turns.held == ([held] if held else [])
    assert clock.time - START >= held
    assert len(asked.asked) == 2


def test_refusals_that_do_not_end_are_told() -> None:
    client, asked, _, clock = client_of(lambda _: (429, b"", {"Retry-After": "20"}))
    with pytest.raises(RefusedError, match="wants fewer calls"):
        client.recent("a", LONG)
    assert len(asked.asked) == TRIES
    assert clock.time - START >= 20 * (TRIES - 1)


def test_a_long_pause_is_not_waited_for() -> None:
    client, asked, turns, clock = client_of(lambda _: (429, b"", {"Retry-After": "3600"}))
    with pytest.raises(RefusedError):
        client.recent("a", LONG)
    assert (asked.asked, turns.held, clock.slept) == (["a"], [3600], [])


def test_who_has_no_time_left_does_not_ask() -> None:
    client, asked, turns, _ = client_of(well)
    turns.hold(100)
    with pytest.raises(OutOfTimeError):
        client.recent("a", START + 99)
    assert asked.asked == []
    assert client.recent("a", START + 101) is not None
