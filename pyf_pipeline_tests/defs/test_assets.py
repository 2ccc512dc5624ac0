import dagster as dg
import pytest

from pyf_pipeline.catalog.shrinking import SHRINK_ALLOWED
from pyf_pipeline.defs.partitions import PROFILES
from pyf_pipeline.store.outputs import Outputs
from pyf_pipeline_tests.defs.conftest import EVERYTHING, Pipeline, checks, error_of, metadata
from pyf_pipeline_tests.world import Fault, World

CLASSIFIERS = {key: profile.classifiers[0] for key, profile in PROFILES.items()}
FULL = {"raw_pypi_metadata": {"mode": "FULL"}, "typesense_collection": {"rebuild": True}}


@pytest.mark.parametrize("profile", ["plone", "django", "flask"])
def test_a_profile_becomes_a_collection_of_exactly_its_members(pipeline: Pipeline, world: World, profile: str) -> None:
    result = pipeline.run(profile)
    members = world.pypi.members(CLASSIFIERS[profile])
    documents = pipeline.documents(profile)
    rejected = metadata(result, "filtered_packages")["rejected"]
    assert len(documents) == len(members) - rejected
    assert documents.keys() <= members
    for name, document in documents.items():
        latest = world.pypi.document(world.pypi.project(name))
        assert latest is not None
        assert document["version"] == latest["info"]["version"]
        assert document["last_serial"] == latest["last_serial"]


def test_github_figures_are_those_of_the_right_repository(pipeline: Pipeline, world: World) -> None:
    result = pipeline.run("plone")
    enriched = {name: document for name, document in pipeline.documents("plone").items() if "github_stars" in document}
    assert len(enriched) == metadata(result, "github_enrichment")["enriched"] > 20
    for name, document in enriched.items():
        owner, _, repository = document["github_url"].removeprefix("https://github.com/").partition("/")
        figures = world.github.truth(owner, repository)
        assert figures is not None, name
        assert (
            document["github_stars"],
            document["github_watchers"],
            document["github_open_issues"],
            document["github_updated"],
            document["github_archived"],
        ) == (figures.stars, figures.watchers, figures.open_issues, figures.updated, figures.archived)


def test_a_run_reports_what_it_did(pipeline: Pipeline) -> None:
    result = pipeline.run("plone")
    raw, filtered, github, collection = (metadata(result, asset) for asset in EVERYTHING)
    assert raw["candidates"] == raw["downloaded"] == raw["dagster/row_count"] == filtered["candidates"]
    assert filtered["packages"] == filtered["dagster/row_count"] == collection["documents"] == collection["added"]
    assert (
        github["enriched"] + github["no_link"] + github["not_a_repository"] + github["not_found"]
        == filtered["packages"]
    )
    assert raw["requests"] > raw["candidates"]
    assert raw["received_bytes"] > 10_000
    assert "| Framework :: Plone | " in filtered["top_classifiers"]
    assert "| repository | stars |" in github["most_starred"]
    assert len(github["problems"]["no_link"]) == github["no_link"] > 0
    assert f"(no_link): {github['no_link']}" in github["problem_report"]
    assert collection["alias"] == "plone"
    assert all(checks(result).values())


def test_a_second_run_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.run("plone")
    second = pipeline.run("plone")
    raw, _, github, collection = (metadata(second, asset) for asset in EVERYTHING)
    assert (raw["downloaded"], raw["reused"]) == (0, raw["candidates"])
    assert (github["asked"], github["calls"]) == (0, 0)
    assert (collection["added"], collection["changed"], collection["removed"], collection["sent_bytes"]) == (0, 0, 0, 0)
    assert not collection["rebuilt"]


def test_each_asset_can_be_materialised_alone(pipeline: Pipeline) -> None:
    pipeline.run("flask")
    before = pipeline.documents("flask")
    for asset in EVERYTHING:
        pipeline.run("flask", [asset])
    assert pipeline.documents("flask") == before


def test_a_collection_can_be_published_before_github_was_asked(pipeline: Pipeline) -> None:
    pipeline.run("flask", ["raw_pypi_metadata", "filtered_packages", "typesense_collection"])
    documents = pipeline.documents("flask")
    assert documents
    assert not any("github_stars" in document for document in documents.values())


def test_an_input_that_was_never_written_says_what_to_materialise(pipeline: Pipeline) -> None:
    error = error_of(pipeline.run("flask", ["filtered_packages"], fails=True))
    assert "dagster asset materialize --select raw_pypi_metadata --partition flask" in error


def test_a_run_over_a_part_adds_and_never_removes(pipeline: Pipeline, world: World) -> None:
    pipeline.run("flask", config={"raw_pypi_metadata": {"limit": 5}})
    few = pipeline.documents("flask")
    assert 0 < len(few) <= 5
    pipeline.run("flask")
    everything = pipeline.documents("flask")
    assert len(everything) > len(few)
    pipeline.run(
        "flask", config={"raw_pypi_metadata": {"limit": 2, "mode": "FULL"}, "typesense_collection": {"rebuild": True}}
    )
    assert pipeline.documents("flask") == everything


def test_a_full_refresh_serves_a_new_version(pipeline: Pipeline) -> None:
    pipeline.run("flask")
    before = pipeline.documents("flask")
    collection = metadata(pipeline.run("flask", config=FULL), "typesense_collection")
    assert collection["rebuilt"]
    assert collection["collection"] == "flask-2"
    assert pipeline.documents("flask") == before


def test_a_result_that_shrank_stops_before_anything_is_published(pipeline: Pipeline, world: World) -> None:
    everything = dict(CLASSIFIERS)
    pipeline.run("plone")
    before = pipeline.documents("plone")
    gone = sorted(world.pypi.members(everything["plone"]))[: SHRINK_ALLOWED + 10]
    hidden = {name: world.pypi.project(name) for name in gone}
    assert len(hidden) > 0.2 * len(before)
    for name in gone:
        world.pypi.quarantine(name)
    try:
        failed = pipeline.run("plone", fails=True)
        assert "allow_shrink" in error_of(failed)
        assert pipeline.documents("plone") == before
        pipeline.run("plone", config={"filtered_packages": {"allow_shrink": True}})
        assert pipeline.documents("plone").keys() == before.keys() - set(gone)
    finally:
        for name in gone:
            world.pypi.unquarantine(name)


def test_too_many_failures_stop_the_run_and_leave_what_is_served(pipeline: Pipeline, world: World) -> None:
    pipeline.run("flask")
    before = pipeline.documents("flask")
    world.faults.add(Fault(kind="status", status=404, route="simple"))
    error = error_of(pipeline.run("flask", fails=True))
    assert "HTTP 404" in error
    assert pipeline.documents("flask") == before


def test_a_collection_that_turns_out_incomplete_fails_the_run(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.run("flask")
    monkeypatch.setattr(
        "pyf_pipeline.search.publish.verify", lambda *_, **__: ["flask-1 holds 1 document instead of 2"]
    )
    result = pipeline.run("flask", fails=True)
    assert checks(result)["collection_is_complete"] is False
    assert "collection_is_complete" in error_of(result)
    assert metadata(result, "typesense_collection")["documents"] > 0, "what was done is told all the same"


def test_github_being_down_does_not_keep_pypi_from_search(
    pipeline: Pipeline, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyf_pipeline.github.client.BACKOFF_SECONDS", 0.001)
    world.faults.add(Fault(kind="status", status=503, route="graphql"))
    result = pipeline.run("flask")
    assert metadata(result, "github_enrichment")["pending"] > 0
    assert checks(result)["no_pending_repositories"] is False
    assert pipeline.documents("flask")


def test_a_bad_token_is_one_clear_error(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "wrong-token-value")
    error = error_of(pipeline.run("flask", fails=True))
    assert "GITHUB_TOKEN" in error
    assert "wrong-token-value" not in error


def test_no_secret_is_in_anything_that_dagster_stores(pipeline: Pipeline, world: World) -> None:
    result = pipeline.run("flask")
    records = pipeline.instance.all_logs(result.run_id)
    run = pipeline.instance.get_run_by_id(result.run_id)
    assert run is not None
    stored = "".join(dg.serialize_value(record) for record in records) + dg.serialize_value(run)
    assert "GITHUB_TOKEN" not in str(run.run_config)
    assert len(records) > 20
    assert world.github.token not in stored


def test_outputs_are_whole_partitions_in_parquet(pipeline: Pipeline, world: World) -> None:
    pipeline.run("plone")
    outputs = Outputs(pipeline.settings.storage_url)
    raw = outputs.rows("raw_pypi_metadata", "plone").table()
    assert raw["name"].to_pylist() == sorted(world.pypi.ever_members(CLASSIFIERS["plone"]))
    packages = outputs.rows("filtered_packages", "plone").table().to_pandas()
    assert packages["project"].is_unique
    assert (packages["version"].str.len() > 0).all()
    repositories = outputs.rows("github_enrichment", "plone").table().to_pandas()
    assert set(repositories["project"]) <= set(packages["project"])
    assert repositories["stars"].dtype == "int64"
