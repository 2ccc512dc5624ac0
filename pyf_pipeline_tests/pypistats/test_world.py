"""Against the stand-in, over HTTP, with the store and the pace that runs share."""

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from pyf_pipeline.pypi.pace import Pace
from pyf_pipeline.pypistats.client import PyPIStatsClient
from pyf_pipeline.pypistats.collecting import Collected, collect
from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.world import Fault, Servers, World

BETWEEN = 0.1


@pytest.fixture
def world() -> World:
    world = World(size=40, seed=3)
    world.pypistats.limit(per_second=None, per_minute=None)
    return world


@pytest.fixture
def servers(world: World) -> Iterator[Servers]:
    with world.serve() as servers:
        yield servers


def run(servers: Servers, url: str, names: list[str], *, between: float = 0.001) -> Collected:
    """What a process of its own does: it shares nothing with others but the store."""
    store = Store.open(url)
    pace = Pace(servers.pypistats_url, store.ledgers, windows=((2, between),))
    client = PyPIStatsClient(servers.pypistats_url, pace, user_agent="tests", sleep=lambda _: None)
    try:
        return collect(names, client, store.downloads, max_age=3600, seconds=60)
    finally:
        client.close()
        store.close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite3'}"


def test_the_figures_are_those_that_pypistats_has(world: World, servers: Servers, url: str) -> None:
    names = world.pypi.names()
    world.pypistats.forget(names[0])
    found = run(servers, url, names)
    truth = {name: counts for name in names if (counts := world.pypistats.truth(name))}
    assert {name: (f.last_day, f.last_week, f.last_month) for name, f in found.figures.items()} == {
        name: (counts.last_day, counts.last_week, counts.last_month) for name, counts in truth.items()
    }
    assert set(found.unknown) == set(names) - truth.keys()
    assert names[0] in found.unknown
    assert run(servers, url, names).cached == len(names) == servers.log.count("downloads")
    assert servers.log.user_agents.keys() == {"tests"}


def test_processes_share_one_pace_and_what_each_has_learned(world: World, servers: Servers, url: str) -> None:
    names = world.pypi.names()[:12]
    Store.open(url).close()
    halves = [threading.Thread(target=run, args=(servers, url, half), kwargs={"between": BETWEEN})
              for half in (names[:6], names[6:])]  # fmt: skip
    for half in halves:
        half.start()
    for half in halves:
        half.join(60)
    times = sorted(request.time for request in servers.log.requests)
    assert len(times) == 12
    # A call counts from its answer on, and the log notes it a little before that.
    assert all(later - earlier >= BETWEEN * 0.9 for earlier, later in pairwise(times))
    assert run(servers, url, names).cached == 12


def test_trouble_on_the_way_is_got_over(world: World, servers: Servers, url: str) -> None:
    world.faults.add(Fault("status", status=500, match="^[a-e]", per_name=2))
    world.faults.add(Fault("reset", match="^[f-k]", per_name=1))
    world.faults.add(Fault("truncate", match="^[l-p]", per_name=1))
    world.faults.add(Fault("html", match="^[q-z]", per_name=1))
    found = run(servers, url, world.pypi.names())
    assert (found.pending, found.failed) == ((), {})
    assert servers.log.summary()["faults"].keys() == {"status", "reset", "truncate", "html"}


def test_a_limit_that_others_have_used_up_ends_the_run(world: World, servers: Servers, url: str) -> None:
    world.faults.add(Fault("status", status=429, retry_after=900, match=f"^{world.pypi.names()[9]}$"))
    found = run(servers, url, world.pypi.names())
    assert (found.asked, len(found.pending)) == (9, 31)
    assert "pypistats refuses" in found.stopped
    assert servers.log.count("downloads", status=429) == 1
