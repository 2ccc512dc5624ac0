"""Commands that are stopped or killed in the middle, as processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from pyf_pipeline_tests.cli.conftest import Shell
from pyf_pipeline_tests.world import Fault, World

COMMAND = [sys.executable, "-m", "pyf_pipeline.cli.pyfaggregator", "-i", "-p", "plone", "-s", "since"]


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_that_ends_in_the_middle_is_gone_on_with(
    shell: Shell, world: World, tmp_path: Path, ending: signal.Signals, code: int
) -> None:
    world.faults.add(Fault(kind="delay", route="project", delay=0.5))
    world.log.reset()
    with (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(COMMAND, stderr=err, env={**os.environ, "PYPI_CONCURRENCY": "2"})
    members = world.pypi.members("Framework :: Plone")
    deadline = time.monotonic() + 30
    while world.log.count("project") < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(ending)
    assert process.wait(30) == code
    said = (tmp_path / "err").read_text()
    assert "Traceback" not in said
    assert ("the same command goes on from there" in said) is (code == 130)
    assert not Path("since").exists()
    world.faults.clear()
    ran = shell.ok("pyfaggregator", "-i", "-p", "plone", "-s", "since", "--json").json["assets"]["raw_pypi_metadata"]
    assert 0 < ran["reused"] < ran["candidates"]
    assert shell.documents("plone").keys() == members
    assert Path("since").exists()
    with dg.DagsterInstance.get() as instance:
        states = [record.dagster_run.status for record in instance.get_run_records()]
    assert states == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
