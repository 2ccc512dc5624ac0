"""The Dagster instance that a command works on: the one that the UI and the daemon use as well."""

import os
from pathlib import Path

import dagster as dg
from dotenv import load_dotenv

from pyf_pipeline.settings import Settings


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance at DAGSTER_HOME, which the environment or `.env` names.

    Where neither does, it is the working directory if that has a `dagster.yaml`, and else a folder under `PYF_HOME`.
    """
    load_dotenv(".env")
    if not os.environ.get("DAGSTER_HOME"):
        here = Path.cwd()
        home = here if (here / "dagster.yaml").exists() else settings.pyf_home / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        os.environ["DAGSTER_HOME"] = str(home)
    return dg.DagsterInstance.get()
