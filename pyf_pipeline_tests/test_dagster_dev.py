"""A real `dagster dev`, with webserver, daemon and code server, on the stand-in world, left alone as an operator would.

It is one test in several acts: they are the life of one instance, and each goes on from the one before.
"""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typesense.exceptions import ObjectNotFound

from pyf_pipeline.search.client import connect_embedded
from pyf_pipeline.settings import NO_SERVER_KEY
from pyf_pipeline_tests.processes import Processes, clean_environment, free_port, stop
from pyf_pipeline_tests.world import Fault, World

ROOT = Path(__file__).parents[1]
CLASSIFIERS = {"plone": "Framework :: Plone", "django": "Framework :: Django", "flask": "Framework :: Flask"}
POLL_SECONDS = 10
PATIENCE_SECONDS = 120.0
CRONS = ("PYF_DAILY_CRON", "PYF_WEEKLY_CRON", "PYF_MONTHLY_CRON", "PYF_HEALTH_CRON", "PYF_DOWNLOADS_CRON")
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

REPOSITORY = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
START_SENSOR = """
mutation ($selector: SensorSelector!) {
  startSensor(sensorSelector: $selector) { __typename ... on Sensor { sensorState { status } } }
}"""
START_SCHEDULE = """
mutation ($selector: ScheduleSelector!) {
  startSchedule(scheduleSelector: $selector) {
    __typename ... on ScheduleStateResult { scheduleState { status } }
  }
}"""
TICKS = """
query ($selector: SensorSelector!) {
  sensorOrError(sensorSelector: $selector) {
    ... on Sensor { sensorState { ticks(limit: 50) { timestamp endTimestamp status runKeys error { message } } } }
  }
}"""
RUNS = """
{ runsOrError(limit: 100) { ... on Runs { results {
    runId jobName status parentRunId startTime endTime tags { key value }
} } } }"""
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
MESSAGES = """
query ($run: ID!) {
  logsForRun(runId: $run) { ... on EventConnection { events { ... on MessageEvent { message } } } }
}"""
PROCESS = re.compile(r"Executing steps in process \(pid: (\d+)\)")
DAEMONS = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"


@dataclass
class Run:
    """A run as the webserver tells it."""

    id: str
    job: str
    status: str
    parent: str
    start: float
    end: float
    tags: dict[str, str]

    @property
    def profile(self) -> str:
        return self.tags.get("dagster/partition", "")


@dataclass
class Dev:
    """The running `dagster dev`, and what it works on."""

    processes: Processes
    checkout: Path
    env: dict[str, str]
    world: World
    port: int

    def start(self) -> None:
        command = ["dev", "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = self.processes.start("dev", [*DAGSTER, *command], env=self.env, cwd=self.checkout)
        self.processes.wait_for("a healthy daemon", self.is_healthy, PATIENCE_SECONDS)

    def is_healthy(self) -> bool:
        try:
            daemons = self.ask(DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        except httpx.TransportError:
            return False
        return bool(daemons) and all(daemon["healthy"] for daemon in daemons if daemon["required"])

    def kill(self) -> None:
        """End all processes at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the webserver's GraphQL answers."""
        url = f"http://127.0.0.1:{self.port}/graphql"
        content = httpx.post(url, json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in content, json.dumps(content["errors"], indent=2)
        return dict(content["data"])

    def selector(self, **more: str) -> dict[str, str]:
        (node,) = self.ask(REPOSITORY)["repositoriesOrError"]["nodes"]
        return {"repositoryName": node["name"], "repositoryLocationName": node["location"]["name"], **more}

    def runs(self) -> list[Run]:
        return [
            Run(
                run["runId"],
                run["jobName"],
                run["status"],
                run["parentRunId"] or "",
                run["startTime"] or 0.0,
                run["endTime"] or 0.0,
                {tag["key"]: tag["value"] for tag in run["tags"]},
            )
            for run in self.ask(RUNS)["runsOrError"]["results"]
        ]

    def run(self, run_id: str) -> Run:
        return next(run for run in self.runs() if run.id == run_id)

    def launch(self, job: str, profile: str, **config: Any) -> str:
        """Launch a job for a profile, as the launchpad does; gives the run's id."""
        params = {
            "selector": self.selector(jobName=job),
            "runConfigData": {"ops": {asset: {"config": values} for asset, values in config.items()}},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": profile}]},
        }
        answer = self.ask(LAUNCH, params=params)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def process_of(self, run_id: str) -> int:
        """The number of the process that a run is in."""
        events = self.ask(MESSAGES, run=run_id)["logsForRun"]["events"]
        return int(next(found[1] for event in events if (found := PROCESS.search(event["message"]))))

    def ticks(self, sensor: str) -> list[dict[str, Any]]:
        """The sensor's ticks that have ended, the oldest first."""
        state = self.ask(TICKS, selector=self.selector(sensorName=sensor))["sensorOrError"]["sensorState"]
        return [tick for tick in reversed(state["ticks"]) if tick["endTimestamp"]]

    def documents(self, profile: str) -> dict[str, dict[str, Any]]:
        """What the profile's name serves, by id."""
        server = connect_embedded(self.checkout / ".pyf" / "search.sqlite3", NO_SERVER_KEY)
        try:
            lines = server.client.collections[profile].documents.export({"exclude_fields": "description"})
        except ObjectNotFound:
            return {}
        finally:
            server.close()
        return {document["id"]: document for document in map(json.loads, lines.splitlines())}

    def wait_for(self, what: str, ask: Any) -> Any:
        return self.processes.wait_for(what, ask, PATIENCE_SECONDS)

    def has_ended(self, run_id: str) -> str:
        """How a run ended; "" while it has not."""
        status = self.run(run_id).status
        return status if status in ENDED else ""

    def is_idle(self) -> bool:
        return all(run.status in ENDED for run in self.runs())


DAGSTER = [str(Path(sys.executable).parent / "dagster")]


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    folder = tmp_path
    checkout = folder / "checkout"
    checkout.mkdir()
    (folder / "home").mkdir()
    for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, checkout / name)
    world = World(size=60, seed=3)
    world.pypi.xmlrpc_limit(per_second=1_000, per_minute=60_000)
    with world.serve() as servers, Processes(folder) as processes:
        env = {
            **clean_environment(folder / "home"),
            "DAGSTER_HOME": str(checkout),
            "PYPI_URL": servers.pypi_url,
            "PYPI_CONCURRENCY": "2",
            "GITHUB_API_URL": servers.github_url,
            "GITHUB_TOKEN": world.github.token,
            "PYF_POLL_SECONDS": str(POLL_SECONDS),
            # Schedules are switched on, and none of them is to come in between.
            **dict.fromkeys(CRONS, f"{datetime.now(UTC) + timedelta(hours=12):%M %H} * * *"),
        }
        dev = Dev(processes, checkout, env, world, free_port())
        dev.start()
        yield dev
        stop(dev.process)


def sensors_give_every_profile_its_first_collection(dev: Dev) -> None:
    for sensor in ("profile_sensor", "pypi_release_sensor", "run_failure_sensor"):
        answer = dev.ask(START_SENSOR, selector=dev.selector(sensorName=sensor))["startSensor"]
        assert answer["sensorState"]["status"] == "RUNNING", answer
    for schedule in ("daily_reconcile", "weekly_github_refresh", "monthly_full_refresh", "daily_health_report"):
        answer = dev.ask(START_SCHEDULE, selector=dev.selector(scheduleName=schedule))["startSchedule"]
        assert answer["scheduleState"]["status"] == "RUNNING", answer
    dev.wait_for("three collections", lambda: all(dev.documents(profile) for profile in CLASSIFIERS) and dev.is_idle())
    for profile, classifier in CLASSIFIERS.items():
        assert dev.documents(profile).keys() == dev.world.pypi.members(classifier), profile
    first = [run for run in dev.runs() if run.job == "full_refresh"]
    assert sorted((run.profile, run.status) for run in first) == [(key, "SUCCESS") for key in sorted(CLASSIFIERS)]


def a_release_is_searchable_within_two_ticks(dev: Dev) -> None:
    dev.wait_for("a look that was not the first", lambda: len(dev.ticks("pypi_release_sensor")) > 1 and dev.is_idle())
    name = min(dev.world.pypi.members("Framework :: Plone") - dev.world.pypi.ever_members("Framework :: Django"))
    before = len(dev.runs())
    released = time.time()
    dev.world.pypi.release(name, "9999.0", summary="a release that people wait for")
    dev.wait_for("the release in search", lambda: dev.documents("plone")[name]["version"] == "9999.0")
    # The first one may have begun before the release; whether it has seen it, nobody knows.
    ticks = [tick for tick in dev.ticks("pypi_release_sensor") if tick["endTimestamp"] >= released]
    asking = next(number for number, tick in enumerate(ticks, 1) if tick["runKeys"])
    assert asking <= 2
    assert [tick["error"] for tick in ticks] == [None] * len(ticks)
    dev.wait_for("the run's end", dev.is_idle)
    (run,) = dev.runs()[: len(dev.runs()) - before]
    assert (run.job, run.profile, run.status) == ("incremental_update", "plone", "SUCCESS")
    assert run.tags["pyf_pipeline/projects"] == name


def a_backfill_of_all_profiles_from_the_command_line(dev: Dev) -> None:
    command = ["job", "backfill", "--job", "incremental_update", "--all=all", "--noprompt"]
    launched = subprocess.run(
        [*DAGSTER, *command], cwd=dev.checkout, env=dev.env, capture_output=True, text=True, timeout=100, check=False
    )
    assert launched.returncode == 0, launched.stderr

    def its_runs() -> list[Run]:
        return [run for run in dev.runs() if "dagster/backfill" in run.tags]

    dev.wait_for("three runs", lambda: len(its_runs()) == len(CLASSIFIERS))
    dev.wait_for("their end", dev.is_idle)
    ended = its_runs()
    assert sorted((run.profile, run.status) for run in ended) == [(key, "SUCCESS") for key in sorted(CLASSIFIERS)]


def runs_of_a_profile_follow_each_other_whatever_started_them(dev: Dev) -> None:
    dev.world.faults.add(Fault(kind="delay", route="simple", delay=1.0))
    queued = [dev.launch("incremental_update", "flask") for _ in range(2)]
    command = ["asset", "materialize", "-m", "pyf_pipeline.definitions"]
    materialized = subprocess.run(
        [*DAGSTER, *command, "--select", "raw_pypi_metadata", "--partition", "flask"],
        cwd=dev.checkout,
        env=dev.env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert materialized.returncode == 0, materialized.stderr
    dev.wait_for("all of them", dev.is_idle)
    dev.world.faults.clear()
    runs = [run for run in dev.runs() if run.id in queued or run.job == "__ASSET_JOB"]
    assert [run.status for run in runs] == ["SUCCESS"] * 3
    spans = sorted(work_of(dev, run) for run in runs)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans)), spans


def work_of(dev: Dev, run: Run) -> tuple[float, float]:
    """From when to when a run was at work on its profile; before that it may have waited for its turn."""
    query = "query ($run: ID!) { runOrError(runId: $run) { ... on Run { stepStats { startTime endTime } } } }"
    steps = dev.ask(query, run=run.id)["runOrError"]["stepStats"]
    return min(step["startTime"] for step in steps), max(step["endTime"] for step in steps)


def start_a_slow_run(dev: Dev, profile: str) -> str:
    """A full refresh that is in the middle of its downloads."""
    dev.world.log.reset()
    dev.world.faults.add(Fault(kind="delay", route="project", delay=0.7))
    run_id = dev.launch("full_refresh", profile, raw_pypi_metadata={"mode": "FULL"})
    dev.wait_for("some downloads", lambda: dev.world.log.count("project") >= 4)
    return run_id


def follow_to_success(dev: Dev, run_id: str) -> list[Run]:
    """The run that took the place of a killed one, and those before it, once it has succeeded."""

    def successor() -> list[Run]:
        family = [run for run in dev.runs() if run.tags.get("dagster/root_run_id", run.id) == run_id]
        return family if any(run.status == "SUCCESS" for run in family) else []

    family: list[Run] = dev.wait_for("a run in place of the killed one", successor)
    return family


def a_run_whose_process_was_killed_is_gone_on_with(dev: Dev) -> None:
    run_id = start_a_slow_run(dev, "django")
    os.kill(dev.process_of(run_id), signal.SIGKILL)
    assert dev.wait_for("the end of the killed run", lambda: dev.has_ended(run_id)) == "FAILURE"
    dev.world.faults.clear()
    again, killed = follow_to_success(dev, run_id)
    assert (killed.id, again.parent, again.profile) == (run_id, run_id, "django")
    assert dev.documents("django").keys() == dev.world.pypi.members(CLASSIFIERS["django"])


def after_a_power_cut_everything_goes_on_by_itself(dev: Dev) -> None:
    run_id = start_a_slow_run(dev, "plone")
    dev.kill()
    served = dev.documents("plone")
    assert served.keys() == dev.world.pypi.members(CLASSIFIERS["plone"]), "searches are answered all the while"
    dev.world.faults.clear()
    name = min(served)
    dev.world.pypi.release(name, "10000.0", summary="released in the dark")
    dev.start()
    family = follow_to_success(dev, run_id)
    assert dev.run(run_id).status == "FAILURE"
    assert len(family) == 2
    dev.wait_for("what was released in the dark", lambda: dev.documents("plone")[name]["version"] == "10000.0")
    dev.wait_for("rest", dev.is_idle)
    assert dev.documents("plone").keys() == dev.world.pypi.members(CLASSIFIERS["plone"])


ACTS: list[Callable[[Dev], None]] = [
    sensors_give_every_profile_its_first_collection,
    a_release_is_searchable_within_two_ticks,
    a_backfill_of_all_profiles_from_the_command_line,
    runs_of_a_profile_follow_each_other_whatever_started_them,
    a_run_whose_process_was_killed_is_gone_on_with,
    after_a_power_cut_everything_goes_on_by_itself,
]


@pytest.mark.long
def test_an_instance_that_is_left_alone(dev: Dev) -> None:
    for act in ACTS:
        started = time.monotonic()
        act(dev)
        print(f"{act.__name__}: {time.monotonic() - started:.0f} s")
