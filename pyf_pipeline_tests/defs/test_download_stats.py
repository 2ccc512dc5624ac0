from typing import Any

import pytest

from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.defs.conftest import Pipeline, checks, metadata
from pyf_pipeline_tests.world import Fault, Servers, World

FETCH = ["raw_pypi_metadata", "filtered_packages"]
REFRESH = ["download_stats", "typesense_collection"]
ALONE = ["download_stats"]
FIELDS = ("download_last_day", "download_last_week", "download_last_month")


@pytest.fixture(scope="module")
def world() -> World:
    world = World(size=60, seed=5)
    world.pypi.xmlrpc_limit(per_second=1_000, per_minute=60_000)
    world.pypistats.limit(per_second=None, per_minute=None)
    return world


@pytest.fixture
def fetched(pipeline: Pipeline) -> Pipeline:
    """Flask was fetched, and nobody was asked for its downloads."""
    pipeline.run("flask", FETCH)
    return pipeline


def with_downloads(documents: dict[str, dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(document[field] for field in FIELDS)
        for name, document in documents.items()
        if "download_updated" in document
    }


def test_documents_have_the_downloads_that_pypistats_tells(fetched: Pipeline, world: World) -> None:
    fetched.run("flask", ["typesense_collection"])
    before = fetched.documents("flask")
    assert with_downloads(before) == {}
    gone = min(before)
    world.pypistats.forget(gone)
    result = fetched.run("flask", REFRESH)
    truth = {name: world.pypistats.truth(name) for name in before}
    assert with_downloads(fetched.documents("flask")) == {
        name: (counts.last_day, counts.last_week, counts.last_month) for name, counts in truth.items() if counts
    }
    shown = metadata(result, "download_stats")
    assert (shown["asked"], shown["calls"], shown["cached"], shown["pending"], shown["failed"]) == (
        *(len(before), len(before)), 0, 0, 0,
    )  # fmt: skip
    assert gone in shown["unknown_packages"]
    assert shown["packages"] == len(before) - shown["unknown"] == shown["dagster/row_count"]
    assert metadata(result, "typesense_collection")["changed"] == shown["packages"]
    most = max((counts.last_month, name) for name, counts in truth.items() if counts)
    assert shown["most_downloaded"].splitlines()[2].startswith(f"| {most[1]} | ")
    assert all(checks(result).values())


def test_other_jobs_keep_the_downloads_and_ask_nobody(fetched: Pipeline, servers: Servers) -> None:
    fetched.run("flask", REFRESH)
    known = with_downloads(fetched.documents("flask"))
    assert known
    servers.log.reset()
    fetched.run(
        "flask", ["filtered_packages", "typesense_collection"], config={"typesense_collection": {"rebuild": True}}
    )
    assert with_downloads(fetched.documents("flask")) == known
    again = fetched.run("flask", REFRESH)
    assert metadata(again, "download_stats")["asked"] == servers.log.count("downloads") == 0
    assert metadata(again, "typesense_collection")["sent_bytes"] == 0


def test_what_one_profile_has_asked_for_another_one_knows(pipeline: Pipeline, world: World) -> None:
    both = min(world.pypi.members("Framework :: Plone"))
    world.pypi.reclassify(both, ["Framework :: Plone", "Framework :: Flask"])
    for profile in ("plone", "flask"):
        result = pipeline.run(profile, [*FETCH, "download_stats"])
    shown = metadata(result, "download_stats")
    assert (shown["cached"], shown["asked"]) == (1, metadata(result, "filtered_packages")["packages"] - 1)


def test_without_an_address_there_are_none_and_nothing_fails(fetched: Pipeline, servers: Servers) -> None:
    fetched.run("flask", ALONE)
    fetched.settings = fetched.settings.model_copy(update={"pypistats_url": None})
    servers.log.reset()
    result = fetched.run("flask", REFRESH)
    assert "PYPISTATS_URL is not set" in metadata(result, "download_stats")["status"]
    assert metadata(result, "download_stats")["dagster/row_count"] == 0
    assert all(checks(result).values())
    assert servers.log.count("downloads") == 0
    assert with_downloads(fetched.documents("flask")) == {}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("status", status=429, retry_after=3600, route="downloads"), "pypistats refuses"),
        (Fault("status", status=503, route="downloads"), "no usable answer for 3 projects in a row"),
    ],
)
def test_a_pypistats_in_trouble_keeps_nothing_from_being_published(
    fetched: Pipeline, world: World, monkeypatch: pytest.MonkeyPatch, fault: Fault, told: str
) -> None:
    monkeypatch.setattr("pyf_pipeline.pypistats.client.BACKOFF_SECONDS", 0.001)
    fetched.run("flask", REFRESH)
    known = with_downloads(fetched.documents("flask"))
    world.faults.add(fault)
    name, summary = min(known), f"Changed while pypistats was away, {fault.status}"
    world.pypi.release(name, f"{fault.status}.0", summary=summary)
    fetched.run("flask", FETCH)
    result = fetched.run("flask", REFRESH, config={"download_stats": {"refresh": True}})
    shown = metadata(result, "download_stats")
    assert told in shown["warnings"]
    assert shown["pending"] > 0
    assert shown["asked"] == 0
    assert checks(result)["no_pending_downloads"] is False
    assert checks(result)["collection_is_complete"]
    assert fetched.documents("flask")[name]["summary"] == summary
    assert with_downloads(fetched.documents("flask")) == known
    overview = metadata(fetched.run(None, ["partition_health"]), "partition_health")["overview"]
    assert f"| {shown['pending']} without current downloads |" in overview


def test_a_run_asks_no_longer_than_it_may_and_the_next_goes_on(fetched: Pipeline, servers: Servers) -> None:
    fetched.settings = fetched.settings.model_copy(update={"pypistats_per_minute": 120.0})
    servers.log.reset()
    first = metadata(fetched.run("flask", ALONE, config={"download_stats": {"minutes": 0.02}}), "download_stats")
    assert 0 < first["asked"] < first["asked"] + first["pending"]
    assert "the 0.02 minutes that a run may ask are over" in first["status"]
    fetched.settings = fetched.settings.model_copy(update={"pypistats_per_minute": 6_000.0})
    second = metadata(fetched.run("flask", ALONE), "download_stats")
    assert (second["cached"], second["asked"]) == (first["asked"], first["pending"])
    names = [request.name for request in servers.log.requests if request.route == "downloads"]
    assert len(names) == len(set(names))


def test_an_answer_that_cannot_be_used_is_listed_with_its_reason(
    fetched: Pipeline, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyf_pipeline.pypistats.client.BACKOFF_SECONDS", 0.001)
    name = min(world.pypi.members("Framework :: Flask"))
    world.faults.add(Fault("html", route="downloads", match=f"^{name}$"))
    result = fetched.run("flask", REFRESH)
    shown = metadata(result, "download_stats")
    assert shown["failed"] == 1
    assert f"| {name} | the answer is not usable: body: Invalid JSON |" in shown["failures"]
    assert checks(result)["pypistats_answers"] is False
    assert "download_updated" not in fetched.documents("flask")[name]
    store = Store.open(fetched.settings.store_url)
    assert store.downloads.get_many([name])[name].answered_at == 0
    store.close()
