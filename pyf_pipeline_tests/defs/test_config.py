"""What a run that was told nothing takes from its job, which some ways to launch one leave out."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from pyf_pipeline.defs.config import FetchConfig, PublishConfig, as_told

seen: dict[str, Any] = {}


@dg.asset
def raw_pypi_metadata(context: dg.AssetExecutionContext, config: FetchConfig) -> None:
    seen["mode"] = as_told(context, config).mode.value


@dg.asset(deps=[raw_pypi_metadata])
def typesense_collection(context: dg.AssetExecutionContext, config: PublishConfig) -> None:
    seen["rebuild"] = as_told(context, config).rebuild


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.mark.parametrize(
    ("name", "run_config", "expected"),
    [
        ("full_refresh", {}, ("full", True)),
        ("rebuild_collection", {}, ("incremental", True)),
        ("incremental_update", {}, ("incremental", False)),
        ("full_refresh", {"ops": {"typesense_collection": {"config": {"rebuild": True}}}}, ("incremental", True)),
        ("full_refresh", {"ops": {"raw_pypi_metadata": {"config": {"mode": "INCREMENTAL"}}}}, ("incremental", False)),
    ],
)
def test_a_run_is_told_by_its_job_where_nobody_else_tells_it(
    instance: dg.DagsterInstance, name: str, run_config: dict[str, Any], expected: tuple[str, bool]
) -> None:
    job = dg.define_asset_job(name, "*")
    defs = dg.Definitions(assets=[raw_pypi_metadata, typesense_collection], jobs=[job], executor=dg.in_process_executor)
    resolved = defs.resolve_job_def(name)
    # As `dagster job launch` and `dagster job execute` do.
    run = instance.create_run_for_job(resolved, run_config=run_config)
    assert execute_run(InMemoryJob(resolved), run, instance).success
    assert (seen["mode"], seen["rebuild"]) == expected
