"""pypistats as a client that knows only its documentation meets it."""

import time
from collections.abc import Callable

import pytest
import requests

from pyf_pipeline_tests.world import Servers, World

Get = Callable[..., requests.Response]


@pytest.fixture
def name(world: World) -> str:
    """A project that pypistats knows."""
    return next(name for name in world.pypi.names() if world.pypistats.truth(name))


@pytest.fixture
def get(servers: Servers) -> Get:
    def ask(name: str, **params: str) -> requests.Response:
        return requests.get(f"{servers.pypistats_url}/api/packages/{name}/recent", params=params, timeout=10)

    return ask


def test_the_figures_of_a_project(world: World, servers: Servers, get: Get, name: str) -> None:
    counts = world.pypistats.truth(name)
    answer = get(name.upper().replace("-", "."))
    assert counts is not None
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {
        "data": {"last_day": counts.last_day, "last_week": counts.last_week, "last_month": counts.last_month},
        "package": name,
        "type": "recent_downloads",
    }
    assert get(name, period="week").json()["data"] == {"last_week": counts.last_week}
    assert servers.log.count("downloads", name=name) == 2
    assert counts == World(world.size, world.seed).pypistats.truth(name)


def test_what_is_not_there_is_404(world: World, servers: Servers, get: Get, name: str) -> None:
    world.pypistats.limit(per_second=None, per_minute=None)
    world.pypistats.set("brand-new", 1, 2, 3)
    assert get("brand-new").json()["data"]["last_month"] == 3
    world.pypistats.forget(name)
    assert [get("no-such-project").status_code, get("brand-new", period="year").status_code] == [404, 404]
    assert (get(name).status_code, get(name).text) == (404, "404")
    assert requests.get(f"{servers.pypistats_url}/api/nothing", timeout=10).status_code == 404


def test_most_projects_are_known_and_few_are_not(world: World) -> None:
    known = [name for name in world.pypi.names() if world.pypistats.truth(name)]
    assert 0.9 < len(known) / len(world.pypi) < 1


def test_the_limit_is_told_on_every_answer_and_refuses_what_is_over_it(world: World, get: Get, name: str) -> None:
    world.pypistats.limit(per_second=None, per_minute=3)
    answers = [get(name) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"3"}
    assert 58 <= int(answers[-1].headers["retry-after"]) <= 61
    assert 58 <= int(answers[-1].headers["x-ratelimit-reset"]) - time.time() <= 62
    world.pypistats.limit(per_second=None, per_minute=None)
    assert (get(name).status_code, "retry-after" in get(name).headers) == (200, False)
