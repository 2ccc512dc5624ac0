"""The Dagster instance that a command works on: the one that the UI and the daemon use as well."""

import os
from pathlib import Path

import dagster as dg
from dotenv import load_dotenv

from pyf_pipeline.settings import Settings

# What an instance of its own needs: without a file Dagster sends statistics home, and knows no limits.
CONFIGURATION = """\
# A Dagster instance apart from the project's, which dagster.yaml in the repository's root configures.
run_launcher:
  module: pyf_pipeline.defs.launcher
  class: WatchfulRunLauncher
concurrency:
  runs:
    tag_concurrency_limits:
      - key: dagster/partition
        value:
          applyLimitPerUniqueValue: true
        limit: 1
  pools:
    default_limit: 1
run_monitoring:
  enabled: true
  poll_interval_seconds: 10
  free_slots_after_run_end_seconds: 5
run_retries:
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
python_logs:
  managed_python_loggers: [pyf_pipeline]
  python_log_level: INFO
telemetry:
  enabled: false
nux:
  enabled: false
"""


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance at DAGSTER_HOME, which the environment or `.env` names.

    Where neither does, it is the working directory if that has a `dagster.yaml`, and else a folder under `PYF_HOME`.
    """
    load_dotenv(".env")
    if not os.environ.get("DAGSTER_HOME"):
        here = Path.cwd()
        os.environ["DAGSTER_HOME"] = str(here if (here / "dagster.yaml").exists() else _own(settings))
    return dg.DagsterInstance.get()


def _own(settings: Settings) -> Path:
    home = settings.pyf_home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(CONFIGURATION, encoding="utf-8")
    return home
