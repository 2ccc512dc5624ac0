from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pyf_pipeline.definitions import defs
from pyf_pipeline.defs.partitions import PROFILES
from pyf_pipeline.defs.resources import build_resources
from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.settings import Settings
from pyf_pipeline_tests.instances import QUIET, furnish
from pyf_pipeline_tests.world import Servers, World

EVERYTHING = ["raw_pypi_metadata", "filtered_packages", "github_enrichment", "typesense_collection"]


@dataclass
class Pipeline:
    """The project's own assets on a stand-in world, with state of their own."""

    settings: Settings
    instance: dg.DagsterInstance
    results: list[dg.ExecuteInProcessResult] = field(default_factory=list)

    def run(
        self,
        partition: str | None,
        assets: list[str] | None = None,
        *,
        config: dict[str, dict[str, Any]] | None = None,
        fails: bool = False,
    ) -> dg.ExecuteInProcessResult:
        """Materialise assets of a partition, by default those of a usual run: all but the optional one."""
        result = dg.materialize(
            [asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition)],
            selection=assets or EVERYTHING,
            partition_key=partition,
            instance=self.instance,
            resources=build_resources(self.settings),
            run_config={
                "ops": {asset: {"config": values} for asset, values in (config or {}).items()},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            raise_on_error=not fails,
        )
        assert result.success is not fails
        self.results.append(result)
        return result

    def documents(self, name: str) -> dict[str, dict[str, Any]]:
        """The documents of a collection, by id."""
        import orjson

        with self.search() as server:
            lines = server.client.collections[name].documents.export().splitlines()
        return {document["id"]: document for document in map(orjson.loads, lines)}

    def search(self) -> "_Searching":
        return _Searching(self.settings)


class _Searching:
    def __init__(self, settings: Settings) -> None:
        assert settings.embedded_path is not None
        self._server = connect_embedded(settings.embedded_path, settings.api_key)

    def __enter__(self) -> SearchServer:
        return self._server

    def __exit__(self, *_error: object) -> None:
        self._server.close()


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """What an asset's materialisation reported, by label."""
    (materialization,) = result.asset_materializations_for_node(asset)
    return {label: value.value for label, value in materialization.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """Whether each check that a run made has passed."""
    return {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}


def error_of(result: dg.ExecuteInProcessResult) -> str:
    """The whole error text of the step that failed."""
    (event,) = (event for event in result.all_events if event.is_step_failure)
    return event.step_failure_data.error_display_string


@pytest.fixture(scope="module")
def world() -> World:
    world = World(size=200, seed=5)
    world.pypi.xmlrpc_limit(per_second=1_000, per_minute=60_000)
    world.pypistats.limit(per_second=None, per_minute=None)
    return world


@pytest.fixture(scope="module")
def servers(world: World) -> Iterator[Servers]:
    with world.serve() as servers:
        yield servers


@contextmanager
def installed(folder: Path, world: World, servers: Servers) -> Iterator[Pipeline]:
    """A fresh installation in a folder."""
    settings = Settings.model_validate(
        {
            "pyf_home": folder / "state",
            "pypi_url": servers.pypi_url,
            "pypi_concurrency": 8,
            "github_api_url": servers.github_url,
            "github_token": world.github.token,
            "pypistats_url": servers.pypistats_url,
            "pypistats_per_minute": 6_000,
        }
    )
    furnish(folder)
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        dg.instance_for_test(overrides=QUIET, temp_dir=str(folder)) as instance,
    ):
        monkeypatch.setenv("GITHUB_TOKEN", world.github.token)
        monkeypatch.setattr("pyf_pipeline.search.documents.processors", lambda: 1)
        yield Pipeline(settings, instance)


@pytest.fixture
def pipeline(tmp_path: Path, world: World, servers: Servers) -> Iterator[Pipeline]:
    with installed(tmp_path, world, servers) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, world: World, servers: Servers) -> Iterator[Pipeline]:
    """All three profiles were published once; what tests do to PyPI afterwards is published where they say so."""
    with installed(tmp_path_factory.mktemp("published"), world, servers) as pipeline:
        for profile in PROFILES:
            pipeline.run(profile)
        yield pipeline


@pytest.fixture(autouse=True)
def _fair_weather(request: pytest.FixtureRequest) -> Iterator[None]:
    """What one test has broken is whole for the next."""
    yield
    if "world" in request.fixturenames:
        request.getfixturevalue("world").faults.clear()
