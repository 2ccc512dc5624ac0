"""The processes of `docker-compose.yml`, without containers: they carry a profile from PyPI into its collection."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from pyf_pipeline.search.client import connect
from pyf_pipeline_tests import postgres
from pyf_pipeline_tests.postgres import PostgreSQL
from pyf_pipeline_tests.processes import Processes, clean_environment, free_port
from pyf_pipeline_tests.world import Servers, World

ROOT = Path(__file__).parents[1]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ASSETS = {"raw_pypi_metadata", "filtered_packages", "github_enrichment", "typesense_collection"}
PROFILE = "flask"
CLASSIFIER = "Framework :: Flask"
SEARCH_KEY = "search-key"
START_SECONDS = 90.0
RUN_SECONDS = 90.0

pytestmark = pytest.mark.skipif(postgres.binaries() is None, reason="PostgreSQL's server is not installed")

LOCATION = """{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"""
LAUNCH = """
mutation ($profile: String!, $job: String!, $repository: String!, $location: String!) {
  launchPartitionBackfill(backfillParams: {
    selector: {
      partitionSetName: $job,
      repositorySelector: {repositoryName: $repository, repositoryLocationName: $location}
    },
    partitionNames: [$profile],
    forceSynchronousSubmission: true
  }) {
    __typename
    ... on LaunchBackfillSuccess { launchedRunIds }
    ... on PythonError { message }
  }
}"""
STATUS = """query ($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"""
PARTITIONS = """
{ assetNodes {
    assetKey { path }
    assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions } }
} }"""


@dataclass
class Deployment:
    """The processes, and where they answer and keep things."""

    processes: Processes
    env: dict[str, str]
    webserver: str
    state: Path
    database: PostgreSQL
    world: Servers

    def ask(self, query: str, **variables: str) -> dict[str, Any]:
        """What the webserver's GraphQL answers."""
        answer = httpx.post(f"{self.webserver}/graphql", json={"query": query, "variables": variables}, timeout=60)
        content = answer.json()
        assert "errors" not in content, json.dumps(content["errors"], indent=2)
        return dict(content["data"])


def _here(arguments: list[str], ports: dict[str, int]) -> list[str]:
    """A command of the compose file, on this machine's loopback interface and on free ports."""
    text = "\0".join(arguments).replace("0.0.0.0", "127.0.0.1")
    for name, port in ports.items():
        text = re.sub(rf"\b{name}\b", str(port), text)
    return text.split("\0")


def _environment(
    folder: Path, database: PostgreSQL, world: Servers, token: str, ports: dict[str, int]
) -> dict[str, str]:
    """The environment of the compose file's containers, with the addresses of this machine."""
    composed = SERVICES["code-server"]["environment"]
    clean = clean_environment(folder / "home")
    return {
        **clean,
        **{name: "" if value.startswith("${") else value for name, value in composed.items()},
        "PATH": f"{Path(sys.executable).parent}:{clean['PATH']}",
        "DAGSTER_HOME": str(folder / "dagster"),
        "DAGSTER_STATE": str(folder / "state" / "dagster"),
        "PYF_HOME": str(folder / "state"),
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGPASSWORD": database.password,
        "CODE_SERVER_HOST": "127.0.0.1",
        "CODE_SERVER_PORT": str(ports["4000"]),
        "PYF_STORE_URL": composed["PYF_STORE_URL"].replace("postgres:5432", f"{database.host}:{database.port}"),
        "PYF_PROFILES": str(ROOT / "deploy" / "profiles"),
        "PYPI_URL": world.pypi_url,
        "GITHUB_API_URL": world.github_url,
        "GITHUB_TOKEN": token,
        "PYF_STORAGE_URL": str(folder / "state" / "storage"),
        "TYPESENSE_HOST": "127.0.0.1",
        "TYPESENSE_PORT": str(ports["8108"]),
        "TYPESENSE_API_KEY": SEARCH_KEY,
    }


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    for name in ("home", "dagster", "state"):
        (tmp_path / name).mkdir()
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / "deploy" / name, tmp_path / "dagster" / name)
    ports = {"4000": free_port(), "3000": free_port(), "8108": free_port()}
    world = World(size=60, seed=3)
    world.pypi.xmlrpc_limit(per_second=None, per_minute=None)
    with ExitStack() as stack:
        database = stack.enter_context(postgres.serving())
        database.run("postgres", "CREATE DATABASE dagster")
        database.run("dagster", (ROOT / "deploy/postgres/create-databases.sql").read_text())
        servers = stack.enter_context(world.serve())
        env = _environment(tmp_path, database, servers, world.github.token, ports)
        processes = stack.enter_context(Processes(tmp_path))
        # The embedded index, served, stands in for the search server.
        own = {**env, "TYPESENSE_HOST": "", "PYF_HOME": str(tmp_path / "search")}
        serve = ["pyfsearch", "serve", "--host", "127.0.0.1", "--port", str(ports["8108"])]
        processes.start("search", serve, env=own, cwd=tmp_path)
        webserver = f"http://127.0.0.1:{ports['3000']}"
        # The daemon comes last, as by then the tables are there.
        for service in ("code-server", "webserver", "daemon"):
            processes.start(service, _here(SERVICES[service]["command"], ports), env=env, cwd=tmp_path / "dagster")
            check = _here(SERVICES[service]["healthcheck"]["test"][1:], ports)
            processes.wait_for(f"{service} in good health", lambda check=check: _succeeds(check, env), START_SECONDS)
        yield Deployment(processes, env, webserver, tmp_path / "state", database, servers)


def _succeeds(command: list[str], env: dict[str, str]) -> bool:
    home = env["DAGSTER_HOME"]
    return subprocess.run(command, env=env, cwd=home, capture_output=True, check=False, timeout=60).returncode == 0


def _members(world: Servers) -> set[str]:
    """The projects whose current metadata carries the profile's classifier, as the stand-in PyPI tells them."""
    with httpx.Client(base_url=world.pypi_url, follow_redirects=True) as client:
        accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
        names = [project["name"] for project in client.get("/simple/", headers=accept).json()["projects"]]
        answers = [client.get(f"/pypi/{name}/json") for name in names]
    infos = [answer.json()["info"] for answer in answers if answer.status_code == httpx.codes.OK]
    return {
        re.sub(r"[-_.]+", "-", info["name"]).lower()
        for info in infos
        if any(c == CLASSIFIER or c.startswith(f"{CLASSIFIER} ::") for c in info.get("classifiers") or [])
    }


def test_a_profile_goes_from_pypi_into_its_collection(deployment: Deployment) -> None:
    processes = deployment.processes
    nodes = deployment.ask(LOCATION)["repositoriesOrError"]["nodes"]
    (repository,) = nodes
    launched = deployment.ask(
        LAUNCH,
        profile=PROFILE,
        job="full_refresh_partition_set",
        repository=repository["name"],
        location=repository["location"]["name"],
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    (run,) = launched["launchedRunIds"]

    def ended() -> str | None:
        status: str = deployment.ask(STATUS, run=run)["runOrError"]["status"]
        return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

    assert processes.wait_for("the run's end", ended, RUN_SECONDS) == "SUCCESS", processes.logs()

    materialised = {
        node["assetKey"]["path"][-1]: node["assetPartitionStatuses"]["materializedPartitions"]
        for node in deployment.ask(PARTITIONS)["assetNodes"]
        if node["assetKey"]["path"][-1] in ASSETS
    }
    assert materialised == {asset: [PROFILE] for asset in ASSETS}

    server = connect([f"http://127.0.0.1:{deployment.env['TYPESENSE_PORT']}"], SEARCH_KEY, 60)
    exported = server.client.collections[PROFILE].documents.export({"include_fields": "id"})
    server.close()
    found = {json.loads(line)["id"] for line in exported.splitlines()}
    assert found
    assert found == _members(deployment.world)

    # Both databases are in use: nothing fell back to files.
    assert deployment.database.rows("pyf", "SELECT count(*) FROM project_documents")[0][0] >= len(found)
    assert deployment.database.rows("dagster", "SELECT status FROM runs") == [("SUCCESS",)]
    assert not list(deployment.state.glob("store*"))
    assert not list(deployment.state.glob("search*"))
    assert list((deployment.state / "dagster").rglob("*.err")), "the run's log is where the webserver looks for it"
