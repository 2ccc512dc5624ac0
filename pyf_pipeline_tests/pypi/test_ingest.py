from collections.abc import Callable

import pytest

from pyf_pipeline.catalog.classifiers import expand
from pyf_pipeline.pypi.feeds import FeedReader
from pyf_pipeline.pypi.http import PyPIError
from pyf_pipeline.pypi.index import fetch_index
from pyf_pipeline.pypi.ingest import Ingested, Ingester, Order, TooManyFailuresError
from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.world import Fault, World
from pyf_pipeline_tests.world.server import Servers

PLONE = "Framework :: Plone"
MakeIngester = Callable[..., Ingester]


def order(**more: object) -> Order:
    return Order(**{"classifiers": (PLONE,), "known_classifiers": (PLONE,), **more})  # type: ignore[arg-type]


def following(before: Ingested, **more: object) -> Order:
    return order(previous=frozenset(before.names), **more)


def test_a_fresh_profile_gets_everything_that_ever_carried_its_classifiers(
    world: World, servers: Servers, make_ingester: MakeIngester, store: Store
) -> None:
    result = make_ingester().ingest(order())
    assert set(result.names) == world.pypi.ever_members(PLONE)
    assert set(result.names) >= world.pypi.members(PLONE)
    assert (result.downloaded, result.reused, result.failures) == (len(result.names), 0, {})
    assert result.discovery == "xmlrpc"
    assert result.serial == world.pypi.serial
    assert store.documents.serials(result.names).keys() == set(result.names)
    assert servers.log.count("project") == len(result.names)
    assert len(servers.log.requests) <= len(result.names) + len(expand(PLONE)) + 5
    assert servers.log.count("redirect") == 0


def test_nothing_changed_costs_one_request(servers: Servers, make_ingester: MakeIngester) -> None:
    first = make_ingester().ingest(order())
    servers.log.reset()
    second = make_ingester().ingest(following(first))
    assert second.names == first.names
    assert (second.downloaded, second.reused, second.removed) == (0, len(first.names), [])
    assert second.discovery == "remembered"
    assert len(servers.log.requests) == 1


def test_exactly_what_moved_is_downloaded(world: World, servers: Servers, make_ingester: MakeIngester) -> None:
    first = make_ingester().ingest(order())
    members = sorted(world.pypi.members(PLONE))
    released, reclassified, removed, quarantined, yanked = members[:5]
    world.pypi.release(released, "99.0", summary="something new")
    world.pypi.reclassify(reclassified, ["Framework :: Flask"])
    world.pypi.remove(removed)
    world.pypi.quarantine(quarantined)
    world.pypi.create("brand-new-addon", classifiers=["Framework :: Plone :: 6.0"])
    servers.log.reset()
    second = make_ingester().ingest(following(first))
    assert "brand-new-addon" in second.names
    assert second.removed == sorted([removed, quarantined])
    assert second.failures == {}
    assert second.downloaded == 3
    assert servers.log.count("project") == 4
    assert servers.log.count("xmlrpc") == 0
    assert yanked in second.names


def test_a_full_run_downloads_everything_anew_and_asks_nothing_twice(
    servers: Servers, make_ingester: MakeIngester
) -> None:
    first = make_ingester().ingest(order())
    servers.log.reset()
    second = make_ingester().ingest(following(first, mode="full"))
    assert second.names == first.names
    assert second.downloaded == len(first.names)
    assert len(servers.log.requests) <= len(first.names) + 5
    assert servers.log.count("xmlrpc") == 0


@pytest.mark.parametrize("part", [{}, {"projects": ("newcomer",)}])
def test_a_project_that_the_index_does_not_have_yet_is_not_left_out(
    world: World, make_ingester: MakeIngester, monkeypatch: pytest.MonkeyPatch, part: dict[str, object]
) -> None:
    first = make_ingester().ingest(order())
    ingester = make_ingester()
    behind = fetch_index(ingester.http, ingester.memory.snapshots)
    world.pypi.create("newcomer", classifiers=["Framework :: Plone :: 6.1"])
    reader = FeedReader(ingester.http, ingester.memory.documents, ingester.memory.knowledge, [PLONE])
    assert "newcomer" in {release.project for release in reader.look(None).new}
    monkeypatch.setattr("pyf_pipeline.pypi.ingest.fetch_index", lambda *_args, **_options: behind)
    second = make_ingester().ingest(following(first, **part))
    assert set(second.names) == {*first.names, "newcomer"}
    world.pypi.remove("newcomer")
    third = make_ingester().ingest(following(second))
    assert third.names == first.names


def test_a_second_profile_uses_what_the_first_has_stored(
    world: World, servers: Servers, make_ingester: MakeIngester
) -> None:
    both = (PLONE, "Framework :: Django")
    make_ingester().ingest(order(known_classifiers=both))
    shared = world.pypi.ever_members(PLONE) & world.pypi.ever_members("Framework :: Django")
    assert shared
    servers.log.reset()
    django = make_ingester().ingest(order(classifiers=("Framework :: Django",), known_classifiers=both))
    assert django.reused == len(shared)
    assert servers.log.count("project") == len(django.names) - len(shared)


@pytest.mark.parametrize("part", [{"limit": 3}, {"name_contains": "collective"}, {"projects": ("will-be-set",)}])
def test_a_run_over_a_part_removes_nothing(world: World, make_ingester: MakeIngester, part: dict[str, object]) -> None:
    first = make_ingester().ingest(order())
    members = sorted(world.pypi.members(PLONE))
    if "projects" in part:
        part = {"projects": (members[1],)}
    world.pypi.remove(members[0])
    world.pypi.release(members[1], "99.0")
    second = make_ingester().ingest(following(first, **part))
    assert set(second.names) == set(first.names)
    assert second.removed == []
    assert second.chosen < second.candidates


def test_names_alone_need_neither_the_index_nor_xml_rpc(
    world: World, servers: Servers, make_ingester: MakeIngester
) -> None:
    world.faults.add(Fault(kind="status", status=503, route="simple"))
    world.faults.add(Fault(kind="status", status=503, route="xmlrpc"))
    wanted = sorted(world.pypi.members(PLONE))[:3]
    result = make_ingester().ingest(order(classifiers=(), packages=(*wanted, "no-such-project-anywhere")))
    assert result.names == wanted
    assert result.failures == {}
    assert any("no-such-project-anywhere" in warning for warning in result.warnings)
    assert {request.route for request in servers.log.requests} == {"project"}


def test_a_package_that_pypi_does_not_know_is_reported_and_not_fatal(make_ingester: MakeIngester) -> None:
    result = make_ingester().ingest(order(packages=("no-such-project-anywhere",)))
    assert result.names
    assert any("no-such-project-anywhere" in warning for warning in result.warnings)


def test_excluded_projects_stay_out(world: World, servers: Servers, make_ingester: MakeIngester) -> None:
    excluded = min(world.pypi.members(PLONE))
    result = make_ingester().ingest(order(excludes=(excluded,)))
    assert excluded not in result.names
    assert servers.log.count("project") == len(result.names)


def test_where_xml_rpc_refuses_the_index_finds_the_same_members(
    world: World, servers: Servers, make_ingester: MakeIngester
) -> None:
    world.faults.add(Fault(kind="html", route="xmlrpc"))
    result = make_ingester(retries=1).ingest(order())
    assert set(result.names) == world.pypi.members(PLONE)
    assert result.discovery == "index"
    assert any("XML-RPC" in warning for warning in result.warnings)
    servers.log.reset()
    again = make_ingester(how="index").ingest(following(result))
    assert again.names == result.names
    assert servers.log.count("project") == 0


def test_xml_rpc_alone_fails_clearly_where_it_refuses(world: World, make_ingester: MakeIngester) -> None:
    world.faults.add(Fault(kind="status", status=503, route="xmlrpc"))
    with pytest.raises(PyPIError, match="XML-RPC"):
        make_ingester(retries=1, how="xmlrpc").ingest(order())


def test_passing_trouble_loses_nothing(world: World, make_ingester: MakeIngester) -> None:
    for kind in ("status", "reset", "truncate", "html"):
        world.faults.add(Fault(kind=kind, status=503, route="project", share=0.08))
    result = make_ingester(retries=6).ingest(order())
    assert set(result.names) == world.pypi.ever_members(PLONE)
    assert result.failures == {}


def test_a_project_that_cannot_be_had_keeps_its_row_and_is_named(world: World, make_ingester: MakeIngester) -> None:
    first = make_ingester().ingest(order())
    broken = min(world.pypi.members(PLONE))
    world.pypi.release(broken, "99.0")
    world.pypi.release(max(world.pypi.members(PLONE)), "99.0")
    world.faults.add(Fault(kind="status", status=500, route="project", match=broken))
    second = make_ingester(retries=1).ingest(following(first))
    assert second.names == first.names
    assert list(second.failures) == [broken]
    assert "HTTP 500" in second.failures[broken]


def test_progress_says_what_was_reused_and_what_failed(world: World, make_ingester: MakeIngester) -> None:
    names = sorted(world.pypi.members(PLONE))[:6]
    make_ingester().ingest(order(projects=tuple(names[:3])))
    world.faults.add(Fault(kind="status", status=500, route="project", match=names[5]))
    notes: list[str] = []
    ingester = make_ingester(retries=1, progress=lambda _stage, _done, _total, note="": notes.append(note))
    ingester.ingest(order(projects=tuple(names)))
    assert notes[-1] == "3 reused, 1 failed"


def test_too_many_failures_fail_the_run_and_keep_what_arrived(
    world: World, servers: Servers, make_ingester: MakeIngester
) -> None:
    world.faults.add(Fault(kind="status", status=500, route="project", share=0.5))
    with pytest.raises(TooManyFailuresError, match=r"\d+ of \d+ projects could not be downloaded"):
        make_ingester(retries=0).ingest(order())
    world.faults.clear()
    servers.log.reset()
    result = make_ingester().ingest(order())
    assert set(result.names) == world.pypi.ever_members(PLONE)
    assert 0 < servers.log.count("project") < len(result.names)


def test_every_release_is_fetched_once_for_good(
    world: World, servers: Servers, make_ingester: MakeIngester, store: Store
) -> None:
    result = make_ingester().ingest(order(every_release=True, limit=4))
    assert result.releases == servers.log.count("release") > 4
    for document in store.documents.read(result.names):
        with_files = {release.version for release in document.releases if release.upload_timestamp}
        assert store.releases.versions(document.name, document.serial) == with_files
    servers.log.reset()
    make_ingester().ingest(order(every_release=True, limit=4, previous=frozenset(result.names)))
    assert servers.log.count("release") == 0
