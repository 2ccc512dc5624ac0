"""What PyPI is asked for, how often and how fast."""

import multiprocessing
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pyf_pipeline.catalog.classifiers import expand
from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.ingest import Ingester, Memory, Order
from pyf_pipeline.pypi.pace import Pace
from pyf_pipeline.pypi.xmlrpc import RefusedError, browse
from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.world import Fault, World
from pyf_pipeline_tests.world.server import Servers

PLONE = "Framework :: Plone"
DJANGO = "Framework :: Django"
MakeIngester = Callable[..., Ingester]


def order(**more: Any) -> Order:
    return Order(**{"classifiers": (PLONE,), "known_classifiers": (PLONE, DJANGO), **more})


def test_the_requests_of_a_first_a_second_and_an_unchanged_run(
    world: World, servers: Servers, make_ingester: MakeIngester
) -> None:
    members = world.pypi.ever_members(PLONE)
    first = make_ingester().ingest(order())
    assert len(servers.log.requests) <= len(members) + len(expand(PLONE)) + 5
    servers.log.reset()
    second = make_ingester().ingest(order(mode="full", previous=frozenset(first.names)))
    assert len(servers.log.requests) <= len(members) + 5
    servers.log.reset()
    make_ingester().ingest(order(previous=frozenset(second.names)))
    assert len(servers.log.requests) <= 5
    assert servers.log.count(status=301) == 0
    assert set(first.names) == set(second.names) == members


def test_nothing_is_asked_for_twice_and_everything_under_one_user_agent(
    servers: Servers, make_ingester: MakeIngester
) -> None:
    make_ingester().ingest(order())
    paths = [request.path for request in servers.log.requests if request.route != "xmlrpc"]
    assert len(paths) == len(set(paths))
    assert set(servers.log.user_agents) == {"tests"}
    assert servers.log.peak_connections <= 8


def test_downloads_start_with_the_first_answer(world: World, servers: Servers, make_ingester: MakeIngester) -> None:
    world.faults.add(Fault(kind="delay", delay=0.05, route="xmlrpc"))
    make_ingester().ingest(order())
    routes = [request.route for request in servers.log.requests]
    calls = [place for place, route in enumerate(routes) if route == "xmlrpc"]
    assert len(calls) == len(expand(PLONE))
    assert routes.index("project") < calls[2]
    assert routes[calls[0] : calls[-1]].count("project") > 0.8 * routes.count("project")


def test_a_limit_downloads_no_more_than_that(servers: Servers, make_ingester: MakeIngester) -> None:
    result = make_ingester().ingest(order(limit=3))
    assert len(result.names) == servers.log.count("project") == 3


def _discover(url: str, store_url: str, classifiers: list[str], count: int) -> None:
    store = Store.open(store_url)
    http = Http(url, concurrency=2, user_agent="tests")
    pace = Pace(url, store.ledgers)
    for classifier in classifiers[:count]:
        browse(http, classifier, pace)


def test_no_call_is_over_the_limit_though_processes_share_it(tmp_path: Path, world: World, servers: Servers) -> None:
    """PyPI's own limits, counted as strictly as its source does: the last call of a window is refused."""
    world.pypi.xmlrpc_limit(per_second=4, per_minute=60, strict=True)
    store_url = f"sqlite:///{tmp_path / 'shared.sqlite3'}"
    store = Store.open(store_url)
    # Somebody has called before, so that PyPI's policy is known.
    browse(Http(servers.pypi_url, concurrency=1, user_agent="tests"), PLONE, Pace(servers.pypi_url, store.ledgers))
    context = multiprocessing.get_context("spawn")
    classifiers = list(expand(DJANGO))
    processes = [
        context.Process(target=_discover, args=(servers.pypi_url, store_url, classifiers, 5)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert servers.log.over_limit == 0
    times = sorted(request.time for request in servers.log.requests)
    assert len(times) == 11
    assert all(later - first > 0.9 for first, later in zip(times, times[3:], strict=False))


class Clock:
    """A clock that the run and the stand-in share: waiting takes no time."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def monotonic(self) -> float:
        return _monotonic() + self.offset

    def sleep(self, seconds: float) -> None:
        self.offset += seconds


_monotonic = time.monotonic


def test_pypis_real_limit_is_kept_over_several_runs(
    world: World, servers: Servers, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """49 calls by two profiles in a row, at 2 a second and 30 a minute, strictly counted."""
    clock = Clock()
    monkeypatch.setattr("pyf_pipeline_tests.world.ratelimit.time.monotonic", clock.monotonic)
    monkeypatch.setattr("pyf_pipeline.pypi.gathering.Gathering.pause", lambda _self, seconds: clock.sleep(seconds))
    world.pypi.xmlrpc_limit(per_second=2, per_minute=30, strict=True)
    for classifier in (PLONE, DJANGO):
        http = Http(servers.pypi_url, concurrency=8, user_agent="tests")
        memory = Memory(store.documents, store.releases, store.knowledge, store.snapshots, store.ledgers)
        result = Ingester(http, memory, concurrency=8, now=clock.now).ingest(order(classifiers=(classifier,)))
        assert result.discovery == "xmlrpc"
        assert set(result.names) == world.pypi.ever_members(classifier)
        http.close()
    assert servers.log.count("xmlrpc") == len(expand(PLONE)) + len(expand(DJANGO))
    assert servers.log.over_limit == 0


def test_a_fault_that_names_a_pause_is_obeyed(world: World, servers: Servers) -> None:
    clock = Clock()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.sleep(seconds)
        if sum(slept) > 20:
            world.pypi.xmlrpc_limit(per_second=1_000, per_minute=None)

    world.pypi.xmlrpc_limit(per_second=None, per_minute=2, strict=True)
    http = Http(servers.pypi_url, concurrency=1, user_agent="tests")
    # Another client behind the same address has used it up.
    for _ in range(2):
        world.pypi.limiter.hit("127.0.0.1")
    assert browse(http, PLONE, Pace("here", now=clock.now, sleep=sleep)) <= world.pypi.ever_members(PLONE)
    assert servers.log.over_limit == 1
    assert sum(slept) > 20


def test_a_limit_that_never_gives_way_is_a_refusal(world: World, servers: Servers) -> None:
    clock = Clock()
    world.pypi.xmlrpc_limit(per_second=1, per_minute=1, strict=True)
    http = Http(servers.pypi_url, concurrency=1, user_agent="tests")
    with pytest.raises(RefusedError, match="limit"):
        browse(http, PLONE, Pace("here", now=clock.now, sleep=clock.sleep))


@pytest.mark.parametrize("date", [False, True])
def test_a_pause_that_is_asked_for_is_made_by_the_whole_process(
    world: World, servers: Servers, make_ingester: MakeIngester, date: bool
) -> None:
    fault = Fault(kind="status", status=429, route="project", times=1, retry_after=2, retry_after_date=date)
    world.faults.add(fault)
    ingester = make_ingester()
    result = ingester.ingest(order())
    assert set(result.names) == world.pypi.ever_members(PLONE)
    times = [request.time for request in servers.log.requests if request.route == "project"]
    assert max(later - first for first, later in pairwise(times)) > 0.7
    assert ingester.http.throttle.slowed == 1


def test_429_without_a_pause_slows_down_and_loses_nothing(
    world: World, servers: Servers, make_ingester: MakeIngester
) -> None:
    world.faults.add(Fault(kind="status", status=429, route="project", share=0.3))
    ingester = make_ingester(retries=8)
    result = ingester.ingest(order())
    assert result.failures == {}
    assert set(result.names) == world.pypi.ever_members(PLONE)
    assert ingester.http.throttle.slowed > 0
