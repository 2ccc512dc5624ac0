"""Several machines on one: each a folder and an environment of its own, to which a run launcher sends runs.

It stands for the launchers that send runs to containers and pods, and starts what they do: `dagster api execute_run`.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData

MACHINE_TAG = "tests/machine"
PROCESS_TAG = "tests/process"


@dataclass(frozen=True)
class Machine:
    """A folder in which everything is that its processes know of this computer, and their environment."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, env: Mapping[str, str], files: Mapping[str, str]) -> "Machine":
        """A machine whose home, state and instance are below its folder.

        Args:
            folder: The folder, which is made.
            env: Its environment beside what names these folders.
            files: What is in its instance's folder.
        """
        machine = cls(folder)
        own = {
            "HOME": folder / "home",
            "TMPDIR": folder / "tmp",
            "PYF_HOME": folder / "state",
            "DAGSTER_HOME": folder / "dagster",
            "DAGSTER_STATE": folder / "state" / "dagster",
        }
        for path in own.values():
            path.mkdir(parents=True)
        for name, text in files.items():
            (own["DAGSTER_HOME"] / name).write_text(text)
        everything = {**env, **{name: str(path) for name, path in own.items()}}
        machine._file.write_text(json.dumps(everything))
        return machine

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        return dict(json.loads(self._file.read_text()))

    @property
    def home(self) -> Path:
        """Where its processes are started."""
        return self.folder / "dagster"

    def start(self, run_id: str, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a process of a run."""
        with (self.folder / f"{run_id}.log").open("wb") as log:
            log.write(f"{command}\n".encode())
            log.flush()
            return subprocess.Popen(
                command,
                cwd=self.home,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def lose(self, process: int) -> None:
        """Cut its power: its process is gone at once, and all that was on it."""
        os.killpg(process, signal.SIGKILL)
        self.folder.rename(self.folder.with_name(f"{self.folder.name}-lost"))
        shutil.rmtree(self.folder.with_name(f"{self.folder.name}-lost"))

    @property
    def _file(self) -> Path:
        return self.folder / "environment.json"


class FleetLauncher(RunLauncher, ConfigurableClass):
    """Sends each run to the machine that has had the fewest, of those that are there."""

    def __init__(self, machines: list[str], inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._machines = [Machine(Path(machine)) for machine in machines]
        self._runs: dict[str, tuple[Machine, subprocess.Popen[bytes]]] = {}
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"machines": [str]}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(**config_value, inst_data=inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        run, origin = context.dagster_run, context.job_code_origin
        assert origin is not None
        there = [machine for machine in self._machines if machine.folder.exists()]
        had = [machine for machine, _ in self._runs.values()]
        machine = min(there, key=had.count)
        arguments = ExecuteRunArgs(
            job_origin=origin,
            run_id=run.run_id,
            instance_ref=self._instance.get_ref(),
            set_exit_code_on_failure=True,
        )
        process = machine.start(run.run_id, list(arguments.get_command_args()))
        self._runs[run.run_id] = machine, process
        self._instance.add_run_tags(run.run_id, {MACHINE_TAG: machine.folder.name, PROCESS_TAG: str(process.pid)})

    def terminate(self, run_id: str) -> bool:
        if run_id not in self._runs:
            return False
        self._runs[run_id][1].terminate()
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        if run.run_id not in self._runs:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "This launcher has not started it.")
        ended = self._runs[run.run_id][1].poll()
        if ended is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED if ended else WorkerStatus.SUCCESS, f"It ended with {ended}.")
