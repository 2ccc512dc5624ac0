import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from pyf_pipeline.definitions import defs
from pyf_pipeline.defs import sensors
from pyf_pipeline.defs.alerts import AlertResource, digest
from pyf_pipeline.defs.partitions import PROFILES
from pyf_pipeline.defs.resources import build_resources
from pyf_pipeline.defs.schedules import build_schedules
from pyf_pipeline.defs.sensors import PROJECTS_TAG
from pyf_pipeline.settings import Settings, load_settings
from pyf_pipeline.store.outputs import Outputs, StoredRows
from pyf_pipeline_tests.defs.conftest import Pipeline
from pyf_pipeline_tests.world import Fault, World


def tick(pipeline: Pipeline, name: str, cursor: str | None = None) -> Any:
    """One evaluation of a sensor."""
    context = dg.build_sensor_context(
        instance=pipeline.instance,
        cursor=cursor,
        definitions=defs,
        resources=build_resources(pipeline.settings),
    )
    with context:
        return defs.resolve_sensor_def(name).evaluate_tick(context)


def test_the_first_look_reconciles_and_the_next_one_finds_nothing_new(published: Pipeline) -> None:
    first = tick(published, "pypi_release_sensor")
    assert {request.partition_key for request in first.run_requests or []} == set(PROFILES)
    assert set(json.loads(first.cursor or "")) >= {"updates", "packages"}
    second = tick(published, "pypi_release_sensor", first.cursor)
    assert second.run_requests == []
    assert second.skip_message is not None
    assert "0 new releases" in second.skip_message


def test_a_release_updates_the_profiles_that_it_touches(published: Pipeline, world: World) -> None:
    cursor = tick(published, "pypi_release_sensor").cursor
    only_plone = min(world.pypi.members("Framework :: Plone") - world.pypi.ever_members("Framework :: Django"))
    world.pypi.release(only_plone, "77.0", summary="seventy-seven")
    world.pypi.create("nothing-of-ours", classifiers=["Topic :: Utilities"])
    data = tick(published, "pypi_release_sensor", cursor)
    (request,) = data.run_requests or []
    assert request.partition_key == "plone"
    assert request.run_config["ops"]["raw_pypi_metadata"]["config"]["projects"] == [only_plone]
    assert request.tags[PROJECTS_TAG] == only_plone
    published.run("plone", config={"raw_pypi_metadata": {"projects": [only_plone]}})
    assert published.documents("plone")[only_plone]["summary"] == "seventy-seven"
    again = tick(published, "pypi_release_sensor", cursor)
    assert [r.run_key for r in again.run_requests or []] == [request.run_key]


def test_a_project_that_leaves_a_profile_is_noticed(published: Pipeline, world: World) -> None:
    cursor = tick(published, "pypi_release_sensor").cursor
    leaving = min(world.pypi.members("Framework :: Flask") - world.pypi.ever_members("Framework :: Plone"))
    world.pypi.reclassify(leaving, ["Topic :: Utilities"])
    data = tick(published, "pypi_release_sensor", cursor)
    assert "flask" in {request.partition_key for request in data.run_requests or []}


def test_members_are_read_again_when_they_have_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs, plone = Outputs(str(tmp_path)), PROFILES["plone"]
    assert sensors._members(outputs, plone) == frozenset()
    read: list[StoredRows] = []
    table = StoredRows.table
    monkeypatch.setattr(StoredRows, "table", lambda rows, columns: read.append(rows) or table(rows, columns))
    for members in ({"a"}, {"a", "b"}):
        outputs.write("filtered_packages", "plone", pa.table({"project": sorted(members)}))
        for _ in range(3):
            assert sensors._members(outputs, plone) == members
    assert len(read) == 2


def test_more_releases_than_the_feed_holds_are_reconciled(published: Pipeline, world: World) -> None:
    cursor = tick(published, "pypi_release_sensor").cursor
    for number in range(130):
        world.pypi.create(f"flood-{number}", classifiers=["Topic :: Utilities"])
    data = tick(published, "pypi_release_sensor", cursor)
    requests = data.run_requests or []
    assert {request.partition_key for request in requests} == set(PROFILES)
    assert all(request.run_key.startswith("reconcile:") for request in requests if request.run_key)


def test_pypi_away_is_a_reason_to_skip_and_not_an_error(published: Pipeline, world: World) -> None:
    cursor = tick(published, "pypi_release_sensor").cursor
    world.faults.add(Fault(kind="status", status=503, route="rss"))
    data = tick(published, "pypi_release_sensor", cursor)
    assert data.run_requests == []
    assert data.skip_message is not None
    assert "PyPI's feeds cannot be had" in data.skip_message
    assert data.cursor in {None, cursor}


def test_profiles_that_were_never_published_are_left_to_their_own_sensor(pipeline: Pipeline) -> None:
    assert tick(pipeline, "pypi_release_sensor").run_requests == []
    wanted = tick(pipeline, "profile_sensor").run_requests or []
    assert {request.partition_key for request in wanted} == set(PROFILES)
    pipeline.run("flask")
    left = tick(pipeline, "profile_sensor").run_requests or []
    assert {request.partition_key for request in left} == set(PROFILES) - {"flask"}


SCHEDULES = ["daily_reconcile", "weekly_github_refresh", "daily_download_refresh", "monthly_full_refresh"]


def tick_of(name: str, settings: Settings) -> ScheduleExecutionData:
    """One evaluation of a schedule."""
    (schedule,) = (schedule for schedule in build_schedules(settings) if schedule.name == name)
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 5, 1, 4, 17, tzinfo=UTC), repository_def=defs.get_repository_def()
    )
    return schedule.evaluate_tick(context)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_requests_each_scheduled_profile_once_a_tick(name: str) -> None:
    settings = load_settings({"PYPISTATS_URL": "https://stats.example"})
    requests = tick_of(name, settings).run_requests or []
    assert [request.partition_key for request in requests] == [p.key for p in PROFILES.values() if p.scheduled]
    assert len({request.run_key for request in requests}) == len(requests)
    assert all("2026-05-01T04:17" in (request.run_key or "") for request in requests)


def test_nobody_is_asked_for_downloads_without_an_address() -> None:
    data = tick_of("daily_download_refresh", load_settings({}))
    assert (data.run_requests, data.skip_message) == ([], "PYPISTATS_URL is not set")


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[bytes]]]:
    """An address that takes posts, and what was posted there."""
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/secret-path", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_failed_run_is_told_in_a_few_lines(pipeline: Pipeline, webhook: tuple[str, list[bytes]]) -> None:
    result = pipeline.run("flask", ["filtered_packages"], fails=True)
    run = pipeline.instance.get_run_by_id(result.run_id)
    (failure,) = (event for event in result.all_events if event.is_run_failure)
    assert run is not None
    context = dg.build_run_status_sensor_context(
        "run_failure_sensor", failure, pipeline.instance, run, partition_key="flask"
    )
    text = digest(context.for_run_failure())
    assert "failed for flask" in text
    assert "filtered_packages: " in text
    assert "dagster asset materialize --select raw_pypi_metadata" in text
    address, taken = webhook
    assert AlertResource(webhook=address).post(text) == ""
    assert json.loads(taken[0]) == {"text": text}


def test_a_webhook_that_is_away_is_named_without_its_address() -> None:
    problem = AlertResource(webhook="http://127.0.0.1:9/secret-path").post("text")
    assert problem
    assert "secret-path" not in problem
    assert AlertResource().post("text") == ""
