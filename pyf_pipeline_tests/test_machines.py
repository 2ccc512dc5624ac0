"""Two machines that share PostgreSQL, object storage and a search server, and nothing else."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import orjson
import pytest
import yaml
from click.testing import CliRunner
from dagster._cli.job import job_launch_command
from dagster._core.execution.stats import StepEventStatus
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from pyf_pipeline.search.client import connect
from pyf_pipeline.settings import Settings
from pyf_pipeline_tests import objectstore, postgres
from pyf_pipeline_tests.defs.conftest import Pipeline
from pyf_pipeline_tests.fleet import MACHINE_TAG, PROCESS_TAG, Machine
from pyf_pipeline_tests.objectstore import ObjectStore
from pyf_pipeline_tests.postgres import PostgreSQL
from pyf_pipeline_tests.processes import Processes, clean_environment, free_port
from pyf_pipeline_tests.world import Fault, Servers, World

ROOT = Path(__file__).parents[1]
PROFILES = {"django", "flask"}
ASSETS = ["raw_pypi_metadata", "filtered_packages", "github_enrichment", "typesense_collection"]
START_SECONDS = 90.0
RUN_SECONDS = 120.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(postgres.binaries() is None, reason="PostgreSQL's server is not installed"),
]


@dataclass
class Shared:
    """What the machines have in common."""

    database: PostgreSQL
    objects: ObjectStore
    bucket: str
    search: str
    key: str
    world: Servers
    token: str

    @property
    def env(self) -> dict[str, str]:
        """The settings that name it, as the compose file names them; no folder is among them."""
        return {
            **self.objects.environment,
            "PGHOST": self.database.host,
            "PGPORT": str(self.database.port),
            "PGUSER": self.database.user,
            "PGPASSWORD": self.database.password,
            "DAGSTER_DATABASE": "dagster",
            "PYF_STORE_URL": f"postgresql://{self.database.user}@{self.database.host}:{self.database.port}/pyf",
            "PYF_STORAGE_URL": f"s3://{self.bucket}/outputs",
            "TYPESENSE_HOST": "127.0.0.1",
            "TYPESENSE_PORT": self.search.rpartition(":")[2],
            "TYPESENSE_API_KEY": self.key,
            "PYPI_URL": self.world.pypi_url,
            "GITHUB_API_URL": self.world.github_url,
            "GITHUB_TOKEN": self.token,
            # XML-RPC is paced, for all machines together.
            "PYPI_DISCOVERY": "index",
        }

    @property
    def secrets(self) -> list[str]:
        """What no log may hold."""
        return [self.database.password, self.objects.secret, self.key, self.token]

    def documents(self, name: str) -> dict[str, Any]:
        """The documents of a collection, by id."""
        server = connect([self.search], self.key, 60)
        lines = server.client.collections[name].documents.export().splitlines()
        server.close()
        return {document["id"]: document for document in map(orjson.loads, lines)}


@dataclass
class Site:
    """The machine with the daemon and the code server, and the two on which runs are."""

    shared: Shared
    processes: Processes
    office: Machine
    workers: list[Machine]
    instance: dg.DagsterInstance
    world: World

    def runs(self) -> list[dg.DagsterRun]:
        """All runs, the first one first."""
        return [record.dagster_run for record in reversed(self.instance.get_run_records())]

    def worker(self, run: dg.DagsterRun) -> Machine:
        """The machine that a run was sent to."""
        return next(worker for worker in self.workers if worker.folder.name == run.tags[MACHINE_TAG])

    def begun(self, run: dg.DagsterRun) -> set[str]:
        """The steps that a run has begun."""
        return {step.step_key for step in self.instance.get_run_step_stats(run.run_id) if step.start_time}

    def ended_well(self, run: dg.DagsterRun) -> set[str]:
        """The steps that a run has brought to a good end."""
        stats = self.instance.get_run_step_stats(run.run_id)
        return {step.step_key for step in stats if step.status is StepEventStatus.SUCCESS}

    def stop(self) -> None:
        """End the runs that have not ended."""
        for run in self.runs():
            with suppress(KeyError, ProcessLookupError):
                os.killpg(int(run.tags[PROCESS_TAG]), signal.SIGKILL)


def _dagster_yaml(workers: list[Path], bucket: str) -> str:
    """The instance of the deployment, with runs on other machines, logs in the bucket, and impatient."""
    config = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text())
    config["run_launcher"] = {
        "module": "pyf_pipeline_tests.fleet",
        "class": "FleetLauncher",
        "config": {"machines": [str(worker) for worker in workers]},
    }
    config["compute_logs"] = {
        "module": "dagster_aws.s3.compute_log_manager",
        "class": "S3ComputeLogManager",
        "config": {"bucket": bucket, "prefix": "logs", "local_dir": {"env": "DAGSTER_STATE"}},
    }
    config["run_coordinator"] = {
        "module": "dagster.core.run_coordinator",
        "class": "QueuedRunCoordinator",
        "config": {"dequeue_interval_seconds": 1},
    }
    config["run_monitoring"] |= {"poll_interval_seconds": 1, "free_slots_after_run_end_seconds": 1}
    config["run_retries"] |= {"max_retries": 2}
    return yaml.safe_dump(config)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    world = World(size=60, seed=3)
    world.pypi.xmlrpc_limit(per_second=None, per_minute=None)
    with ExitStack() as stack:
        database = stack.enter_context(postgres.serving())
        for name in ("dagster", "pyf"):
            database.run("postgres", f"CREATE DATABASE {name}")
        objects = stack.enter_context(objectstore.serving())
        servers = stack.enter_context(world.serve())
        search, code = free_port(), free_port()
        address = f"http://127.0.0.1:{search}"
        shared = Shared(database, objects, objects.bucket(), address, "search-key", servers, world.github.token)
        python = str(Path(sys.executable).parent)
        common = clean_environment(tmp_path) | {"DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "1"}
        common["PATH"] = f"{python}:{common['PATH']}"
        folders = [tmp_path / "worker-a", tmp_path / "worker-b"]
        files = {
            "dagster.yaml": _dagster_yaml(folders, shared.bucket),
            "workspace.yaml": (ROOT / "deploy" / "workspace.yaml").read_text(),
        }
        where = {"CODE_SERVER_HOST": "127.0.0.1", "CODE_SERVER_PORT": str(code)}
        office = Machine.make(tmp_path / "office", common | shared.env | where, files)
        workers = [Machine.make(folder, common | shared.env, files) for folder in folders]
        # The test is at work in the office, too; not where it was started, where there may be a file of settings.
        monkeypatch.chdir(office.home)
        for name, value in office.env.items():
            monkeypatch.setenv(name, value)
        # The first to open the instance makes its tables.
        instance = stack.enter_context(dg.DagsterInstance.get())
        processes = stack.enter_context(Processes(tmp_path))
        own = {**clean_environment(tmp_path), "PYF_HOME": str(tmp_path / "search"), "TYPESENSE_API_KEY": shared.key}
        serve = [f"{python}/pyfsearch", "serve", "--host", "127.0.0.1", "--port", str(search)]
        processes.start("search", serve, env=own, cwd=tmp_path)
        dagster = [sys.executable, "-m", "dagster"]
        grpc = [*dagster, "api", "grpc", "--module-name", "pyf_pipeline.definitions", "--host", "127.0.0.1"]
        processes.start("code-server", [*grpc, "--port", str(code)], env=office.env, cwd=office.home)
        processes.wait_for("the code server", lambda: _listens(code) and _listens(search), START_SECONDS)
        daemon = [sys.executable, "-m", "dagster._daemon", "run", "--workspace", "workspace.yaml"]
        processes.start("daemon", daemon, env=office.env, cwd=office.home)
        site = Site(shared, processes, office, workers, instance, world)
        # Ended runs have left their tags, and unended ones their processes.
        stack.callback(site.stop)
        yield site


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _launch(site: Site) -> None:
    """Queue a run for each profile, as `dagster job launch` does."""
    for profile in sorted(PROFILES):
        arguments = ["--workspace", "workspace.yaml", "--job", "incremental_update"]
        tags = json.dumps({"dagster/partition": profile})
        outcome = CliRunner().invoke(job_launch_command, [*arguments, "--tags", tags])
        assert outcome.exit_code == 0, outcome.output


def test_what_one_machine_has_begun_another_ends(site: Site, tmp_path: Path) -> None:
    processes = site.processes
    # Whoever asks GitHub first waits for its answer longer than it will live.
    site.world.faults.add(Fault(kind="delay", route="graphql", delay=600))
    _launch(site)

    def asking_github() -> dg.DagsterRun | None:
        slots = site.instance.event_log_storage.get_concurrency_info("github").claimed_slots
        run = site.instance.get_run_by_id(slots[0].run_id) if slots else None
        return run if run and "github_enrichment" in site.begun(run) else None

    lost = processes.wait_for("a run that asks GitHub", asking_github, RUN_SECONDS)
    assert site.ended_well(lost) == {"raw_pypi_metadata", "filtered_packages"}
    site.worker(lost).lose(int(lost.tags[PROCESS_TAG]))
    site.world.faults.clear()

    def all_ended() -> bool:
        statuses = [run.status for run in site.runs()]
        return len(statuses) == 3 and all(status in FINISHED_STATUSES for status in statuses)

    processes.wait_for("the end of all runs", all_ended, RUN_SECONDS)
    runs = {run.run_id: run for run in site.runs()}
    assert runs.pop(lost.run_id).status is dg.DagsterRunStatus.FAILURE, processes.logs()
    assert {run.status for run in runs.values()} == {dg.DagsterRunStatus.SUCCESS}, processes.logs()
    # What the lost machine had stored was gone on with.
    (again,) = (run for run in runs.values() if run.parent_run_id == lost.run_id)
    assert site.ended_well(again) == {"github_enrichment", "typesense_collection"}
    assert {site.worker(run).folder.name for run in runs.values()} == {
        worker.folder.name for worker in site.workers if worker.folder.exists()
    }
    _hold_the_same(site, tmp_path)
    _kept_nothing(site)
    _refuses_a_state_of_its_own(site, tmp_path)


def _hold_the_same(site: Site, tmp_path: Path) -> None:
    """The collections are those that one machine makes by itself."""
    settings = {
        "pyf_home": tmp_path / "alone",
        "pypi_url": site.shared.world.pypi_url,
        "pypi_discovery": "index",
        "github_api_url": site.shared.world.github_url,
        "github_token": site.shared.token,
    }
    with dg.instance_for_test() as instance:
        alone = Pipeline(Settings.model_validate(settings), instance)
        for profile in PROFILES:
            alone.run(profile)
            assert site.shared.documents(profile) == alone.documents(profile)


def _kept_nothing(site: Site) -> None:
    """All that is to last is where all machines find it, and no log has a secret in it."""
    shared = site.shared
    kept = {entry["Key"] for entry in shared.objects.client().list_objects_v2(Bucket=shared.bucket)["Contents"]}
    assert {key for key in kept if key.startswith("outputs/")} == {
        f"outputs/{asset}/{profile}.parquet" for asset in ASSETS[:3] for profile in PROFILES
    }
    assert {key.split("/")[2] for key in kept if key.startswith("logs/")} >= {
        run.run_id for run in site.runs() if run.is_success
    }
    assert shared.database.rows("pyf", "SELECT count(*) FROM project_documents")[0][0] > 0
    for machine in (site.office, *site.workers):
        files = [path for path in machine.folder.rglob("*") if path.is_file()]
        assert {path.suffix for path in files} <= {".json", ".yaml", ".log", ".out", ".err"}, files
        logs = "".join(path.read_text() for path in files if path.suffix in {".log", ".out", ".err"})
        assert not [secret for secret in shared.secrets if secret in logs + site.processes.logs(1_000_000)]


def _refuses_a_state_of_its_own(site: Site, tmp_path: Path) -> None:
    """A machine on which nothing is set but the instance does not begin."""
    settings = Settings.model_validate({"pyf_home": tmp_path / "forgetful", "pypi_url": site.shared.world.pypi_url})
    result = Pipeline(settings, site.instance).run("plone", fails=True)
    told = "PYF_STORE_URL, PYF_STORAGE_URL, TYPESENSE_HOST not set: the runs of this Dagster instance are in a database"
    assert any(told in str(event.event_specific_data) for event in result.all_events)
    assert not (tmp_path / "forgetful").exists()
