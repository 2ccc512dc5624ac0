import base64
import functools
import re
import time
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from pyf_pipeline.defs.assets import partition_health as module
from pyf_pipeline.defs.partitions import PROFILES
from pyf_pipeline.search.client import connect
from pyf_pipeline.search.transport import Patience
from pyf_pipeline_tests.defs.conftest import Pipeline, checks, metadata
from pyf_pipeline_tests.processes import free_port
from pyf_pipeline_tests.world import World

PNG = b"\x89PNG\r\n\x1a\n"


def report(pipeline: Pipeline) -> tuple[dict[str, dict[str, str]], dict[str, Any], dg.ExecuteInProcessResult]:
    """The overview's rows by profile, all that was said, and the run."""
    result = pipeline.run(None, ["partition_health"])
    said = metadata(result, "partition_health")
    header, _, *rows = [line.strip("| ").split(" | ") for line in said["overview"].splitlines()]
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}, said, result


def test_before_anything_has_run_it_says_so(pipeline: Pipeline) -> None:
    rows, said, result = report(pipeline)
    assert set(rows) == set(PROFILES)
    assert rows["plone"]["last published"] == "never"
    assert rows["plone"]["documents served"] == "none"
    assert said["packages"] == 0
    assert checks(result) == {"scheduled_profiles_are_fresh": False, "collections_are_served": True}


def test_the_overview_tells_what_the_last_runs_have_left(pipeline: Pipeline, world: World) -> None:
    run = pipeline.run("plone")
    pipeline.run("flask", ["filtered_packages"], fails=True)
    rows, said, result = report(pipeline)
    plone = rows["plone"]
    packages, github, published = (
        metadata(run, asset) for asset in ("filtered_packages", "github_enrichment", "typesense_collection")
    )
    assert int(plone["packages"]) == packages["packages"] == said["packages"]
    assert plone["with GitHub figures"].startswith(f"{github['enriched']} (")
    assert int(plone["documents served"]) == published["documents"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", plone["last published"])
    latest = max(
        (package for package in world.pypi.members("Framework :: Plone")),
        key=lambda name: pipeline.documents("plone").get(name, {}).get("upload_timestamp", 0),
    )
    assert world.pypi.project(latest) is not None
    assert latest in plone["last release"].lower().replace("_", "-").replace(".", "-")
    assert (plone["failed runs in 7 days"], rows["flask"]["failed runs in 7 days"]) == ("0", "1")
    assert checks(result)["collections_are_served"]
    (evaluation,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "scheduled_profiles_are_fresh"]
    assert "plone" not in (evaluation.description or "")
    assert "flask: it was never published" in (evaluation.description or "")


def test_the_pictures_are_pictures(published: Pipeline) -> None:
    _, said, _ = report(published)
    for profile in PROFILES:
        match = re.fullmatch(r"!\[(.+)\]\(data:image/png;base64,(.+)\)", said[f"pictures of {profile}"])
        assert match is not None
        assert profile in match[1]
        image = base64.b64decode(match[2], validate=True)
        assert image.startswith(PNG)
        assert len(image) < 60_000, "each report is kept"


def test_what_is_late_is_told(published: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks(report(published)[2])["scheduled_profiles_are_fresh"]
    tomorrow = time.time() + module.LATE_AFTER.total_seconds() + 60
    monkeypatch.setattr(module.time, "time", lambda: tomorrow)
    rows, _, result = report(published)
    assert rows["django"]["last published"].endswith("(late)")
    assert not checks(result)["scheduled_profiles_are_fresh"]


def test_a_collection_that_somebody_has_emptied_is_noticed(pipeline: Pipeline) -> None:
    pipeline.run("flask")
    with pipeline.search() as server:
        server.client.collections["flask"].documents.delete({"filter_by": "name:!=nothing"})
    rows, _, result = report(pipeline)
    assert rows["flask"]["documents served"] == "0"
    assert not checks(result)["collections_are_served"]


def test_a_search_server_that_is_away_is_part_of_the_report(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.run("flask")
    impatient = functools.partial(connect, patience=Patience(away=0))
    monkeypatch.setattr("pyf_pipeline.defs.resources.connect", impatient)
    monkeypatch.setenv("TYPESENSE_API_KEY", "key")
    away = {"typesense_host": "127.0.0.1", "typesense_port": free_port(), "typesense_api_key": SecretStr("key")}
    pipeline.settings = pipeline.settings.model_copy(update=away)
    rows, _, result = report(pipeline)
    assert "does not answer" in rows["flask"]["documents served"]
    assert not checks(result)["collections_are_served"]
