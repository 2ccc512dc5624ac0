"""Dagster instances for tests: as the project's are, without what takes long and no test looks at."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import dagster as dg
from alembic.script import ScriptDirectory

QUIET = {"compute_logs": {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}}
"""No files with what a run prints: each would be followed by processes of their own."""


def furnish(home: Path) -> None:
    """Put empty tables where an instance keeps its history, which making them takes a quarter of a second each time."""
    shutil.copytree(_empty(), home, dirs_exist_ok=True)


@functools.cache
def _empty() -> Path:
    # The history of Dagster's tables is some dozens of modules, and read for each instance and for each run.
    ScriptDirectory.from_config = functools.cache(ScriptDirectory.from_config)  # type: ignore[method-assign]
    folder = Path(tempfile.mkdtemp(prefix="dagster-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.get_runs(limit=1)
    (folder / "dagster.yaml").unlink()
    return folder
