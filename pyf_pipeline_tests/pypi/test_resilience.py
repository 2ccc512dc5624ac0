"""What happens when things go wrong: nothing is lost, and nothing is made up."""

import multiprocessing
import os
import signal
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.index import IndexShrunkError
from pyf_pipeline.pypi.ingest import Ingester, Memory, Order, TooManyFailuresError
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


def test_one_request_in_ten_failing_in_mixed_ways_loses_nothing(world: World, make_ingester: MakeIngester) -> None:
    kinds: list[dict[str, Any]] = [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "retry_after": 0.05},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 429, "retry_after": 1, "retry_after_date": True},
        {"kind": "reset"},
        {"kind": "truncate"},
        {"kind": "html"},
        {"kind": "not_object"},
        {"kind": "info_null"},
        {"kind": "stale"},
    ]
    for kind in kinds:
        world.faults.add(Fault(share=0.011, **kind))
    ingester = make_ingester(retries=6)
    result = ingester.ingest(order())
    assert set(result.names) == world.pypi.ever_members(PLONE)
    assert (result.failures, result.stale) == ({}, [])
    assert ingester.http.traffic.retries > 0


def test_a_stale_answer_is_asked_for_again_later(world: World, make_ingester: MakeIngester, store: Store) -> None:
    first = make_ingester().ingest(order())
    name = min(world.pypi.members(PLONE))
    world.pypi.release(name, "99.0")
    world.faults.add(Fault(kind="stale", route="project", match=name, times=1))
    second = make_ingester().ingest(order(previous=frozenset(first.names)))
    assert (second.stale, second.downloaded) == ([], 1)
    assert store.documents.serials([name]) == {name: world.pypi.project(name).serial}


def test_an_answer_that_stays_stale_is_left_to_the_next_run_and_never_taken_for_current(
    world: World, make_ingester: MakeIngester, store: Store
) -> None:
    first = make_ingester().ingest(order())
    name = min(world.pypi.members(PLONE))
    before = store.documents.serials([name])
    world.pypi.release(name, "99.0", summary="what is new")
    world.faults.add(Fault(kind="stale", route="project", match=name))
    second = make_ingester().ingest(order(previous=frozenset(first.names)))
    assert second.stale == [name]
    assert second.failures == {}
    assert second.names == first.names
    assert store.documents.serials([name]) == before
    world.faults.clear()
    third = make_ingester().ingest(order(previous=frozenset(second.names)))
    assert (third.stale, third.downloaded) == ([], 1)
    assert next(iter(store.documents.read([name]))).info["summary"] == "what is new"


def test_a_project_that_is_indexed_and_404_is_dropped_and_comes_back(world: World, make_ingester: MakeIngester) -> None:
    first = make_ingester().ingest(order())
    name = min(world.pypi.members(PLONE))
    world.pypi.quarantine(name, listed=True)
    second = make_ingester().ingest(order(previous=frozenset(first.names)))
    assert second.removed == [name]
    assert any(name in warning for warning in second.warnings)
    third = make_ingester().ingest(order(previous=frozenset(second.names)))
    assert name not in third.names
    world.pypi.unquarantine(name)
    assert name in make_ingester().ingest(order(previous=frozenset(third.names))).names


def test_a_single_project_that_moved_and_cannot_be_had_does_not_fail_the_run(
    world: World, make_ingester: MakeIngester
) -> None:
    first = make_ingester().ingest(order())
    name = min(world.pypi.members(PLONE))
    world.pypi.release(name, "99.0")
    world.faults.add(Fault(kind="reset", route="project", match=name))
    second = make_ingester(retries=1).ingest(order(previous=frozenset(first.names)))
    assert second.names == first.names
    assert "connection failed, 2 times in a row" in second.failures[name]


def test_a_release_that_is_listed_and_404_is_asked_for_once(
    world: World, servers: Servers, make_ingester: MakeIngester
) -> None:
    name = min(world.pypi.members(PLONE))
    version = world.pypi.releases(world.pypi.project(name))[0].version
    world.faults.add(Fault(kind="status", status=404, route="release", match=name, times=1))
    asked = order(classifiers=(), packages=(name,), every_release=True)
    first = make_ingester().ingest(asked)
    assert first.failures == {}
    assert any(f"{name} " in warning for warning in first.warnings)
    servers.log.reset()
    make_ingester().ingest(asked)
    assert servers.log.count("release") == 0
    # Once the project has moved it is worth another look.
    world.pypi.yank(name, version)
    servers.log.reset()
    assert make_ingester().ingest(asked).releases == servers.log.count("release") == 1


def test_an_index_that_lost_half_of_pypi_removes_nothing(world: World, make_ingester: MakeIngester) -> None:
    make_ingester().ingest(order())
    for name in world.pypi.names()[::2]:
        world.pypi.remove(name)
    with pytest.raises(IndexShrunkError, match="nothing is removed"):
        make_ingester().ingest(order())
    assert make_ingester().ingest(order(allow_shrink=True)).names


def test_a_pypi_that_is_down_is_not_asked_to_the_end(
    world: World, servers: Servers, make_ingester: MakeIngester
) -> None:
    world.faults.add(Fault(kind="status", status=500, route="project"))
    with pytest.raises(TooManyFailuresError):
        make_ingester(retries=0, how="index").ingest(order())
    assert servers.log.count("project") < len(world.pypi.names())


def _ingest(url: str, store_url: str, classifier: str, how: str = "auto") -> None:
    store = Store.open(store_url)
    http = Http(url, concurrency=4, user_agent="tests")
    memory = Memory(store.documents, store.releases, store.knowledge, store.snapshots, store.ledgers)
    Ingester(http, memory, concurrency=4, how=how).ingest(order(classifiers=(classifier,)))  # type: ignore[arg-type]


def _start(*arguments: str) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=_ingest, args=arguments)
    process.start()
    return process


@pytest.mark.parametrize("how", ["xmlrpc", "index"])
def test_a_killed_run_is_gone_on_with(
    tmp_path: Path, world: World, servers: Servers, make_ingester: MakeIngester, how: str
) -> None:
    world.latency = 0.02
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    process = _start(servers.pypi_url, url, PLONE, how)
    store = Store.open(url)
    # The documents of half of the members have arrived, or as many projects are classified.
    while store.knowledge.count() < 25:
        assert process.is_alive()
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(60)
    kept = store.knowledge.count()
    world.latency = 0
    servers.log.reset()
    result = make_ingester(how=how).ingest(order())
    expected = world.pypi.ever_members(PLONE) if how == "xmlrpc" else world.pypi.members(PLONE)
    assert set(result.names) == expected
    everything = len(expected) if how == "xmlrpc" else len(world.pypi.names())
    # Of what the store had, only what was between the two of its transactions may be asked for again.
    assert servers.log.count("project") <= everything - kept + 8


def test_two_profiles_at_once_share_the_store(tmp_path: Path, world: World, servers: Servers) -> None:
    world.latency = 0.005
    url = f"sqlite:///{tmp_path / 'both.sqlite3'}"
    processes = [_start(servers.pypi_url, url, classifier) for classifier in (PLONE, DJANGO)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    store = Store.open(url)
    members = world.pypi.ever_members(PLONE) | world.pypi.ever_members(DJANGO)
    assert store.documents.serials(members) == {name: world.pypi.project(name).serial for name in members}
    assert servers.log.over_limit == 0


def _envelope(content: str) -> bytes:
    return f"<?xml version='1.0'?><methodResponse>{content}</methodResponse>".encode()


BOMB = b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><methodResponse><params>&b;</params></methodResponse>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        BOMB,
        _envelope("<params></params>"),
        _envelope("<params><param><value><int>5</int></value></param></params>"),
        _envelope("<params><param><value><array><data><value>a</value></data></array></value></param></params>"),
        xmlrpc.client.dumps(([[1, 2]],), methodresponse=True).encode(),
        xmlrpc.client.dumps(xmlrpc.client.Fault(-32500, "RuntimeError: no longer supported")).encode(),
    ],
)
def test_nonsense_from_xml_rpc_is_a_refusal(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, store: Store, body: bytes
) -> None:
    monkeypatch.setattr("pyf_pipeline_tests.world.pypi_http.xmlrpc.respond", lambda _pypi, _body: body)
    http = Http(servers.pypi_url, concurrency=1, user_agent="tests", retries=1)
    with pytest.raises(RefusedError, match="XML-RPC"):
        browse(http, PLONE, Pace(servers.pypi_url, store.ledgers))
    http.close()
