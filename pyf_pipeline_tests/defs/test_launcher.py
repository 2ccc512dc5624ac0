"""The launcher as Dagster's run monitoring asks it; its runs in real processes are in `test_dagster_dev.py`."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import dagster as dg
import pytest
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import BaseWorkspaceRequestContext
from dagster._daemon.monitoring.run_monitoring import monitor_started_run
from dagster._grpc.server import GrpcServerProcess

from pyf_pipeline.defs.launcher import WatchfulRunLauncher
from pyf_pipeline.defs.processes import PROCESS_TAG, this_process
from pyf_pipeline_tests.defs.test_turns import a_process_that_is_gone, nothing
from pyf_pipeline_tests.processes import free_port

ELSEWHERE = "12 345 another-boot pid:[1]"
LAUNCHER = {"module": "pyf_pipeline.defs.launcher", "class": "WatchfulRunLauncher"}


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(overrides={"run_launcher": LAUNCHER}) as instance:
        yield instance


@pytest.fixture(scope="module")
def code_server(instance: dg.DagsterInstance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a code server that has started no run."""
    module = tmp_path_factory.mktemp("code") / "empty.py"
    module.write_text("import dagster as dg\n\ndefs = dg.Definitions()\n")
    origin = LoadableTargetOrigin(python_file=str(module), working_directory=str(Path.cwd()))
    with GrpcServerProcess(
        instance_ref=instance.get_ref(), loadable_target_origin=origin, force_port=True, wait_on_exit=True
    ) as server:
        assert server.port is not None
        yield server.port


def status_after_a_look(instance: dg.DagsterInstance, process: str, server: int | None) -> dg.DagsterRunStatus:
    """What run monitoring makes of a run that says to be in this process, and to be started by that server."""
    tags = {PROCESS_TAG: process} if process else {}
    if server is not None:
        tags[".dagster/grpc_info"] = json.dumps({"host": "127.0.0.1", "port": server})
    job = dg.GraphDefinition(name="watched", node_defs=[nothing]).to_job()
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    monitor_started_run(instance, Mock(BaseWorkspaceRequestContext), record, logging.getLogger(__name__))
    after = instance.get_run_by_id(run.run_id)
    assert after is not None
    return after.status


def test_the_instance_has_the_launcher_of_the_configuration(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_launcher, WatchfulRunLauncher)
    assert instance.run_launcher.supports_check_run_worker_health


def test_a_run_in_a_process_of_this_machine_is_seen(instance: dg.DagsterInstance) -> None:
    assert status_after_a_look(instance, this_process(), None) is dg.DagsterRunStatus.STARTED


def test_a_run_whose_process_is_gone_has_failed(instance: dg.DagsterInstance) -> None:
    assert status_after_a_look(instance, a_process_that_is_gone(), None) is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("process", ["", ELSEWHERE])
def test_a_run_of_another_machine_is_asked_after_at_its_code_server(
    instance: dg.DagsterInstance, code_server: int, process: str
) -> None:
    assert status_after_a_look(instance, process, code_server) is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("process", ["", ELSEWHERE])
def test_where_nothing_can_be_known_nothing_is_claimed(instance: dg.DagsterInstance, process: str) -> None:
    assert status_after_a_look(instance, process, free_port()) is dg.DagsterRunStatus.STARTED
    assert status_after_a_look(instance, process, None) is dg.DagsterRunStatus.STARTED
