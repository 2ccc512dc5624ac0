"""What a run can be told, as it shows in the launchpad."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import dagster as dg
from pydantic import Field


class Mode(Enum):
    """How much is downloaded."""

    INCREMENTAL = "incremental"
    FULL = "full"


class FetchConfig(dg.Config):
    """Which projects are brought up to date, and how."""

    mode: Mode = Field(
        default=Mode.INCREMENTAL,
        description="incremental downloads what moved since the last run; full everything anew.",
    )
    limit: int = Field(default=0, ge=0, description="At most so many projects; 0 for all. Such a run removes nothing.")
    name_contains: str = Field(
        default="", description="Only projects with this in their normalised name. Such a run removes nothing."
    )
    projects: list[str] = Field(default=[], description="Only these projects. Such a run removes nothing.")
    since: float = Field(
        default=0,
        ge=0,
        description="Download anew what was uploaded since this time, in epoch seconds, even where its serial did not "
        "move; 0 for nothing.",
    )
    allow_shrink: bool = Field(
        default=False, description="Believe PyPI's index although it lost over a fifth of all projects."
    )


class FilterConfig(dg.Config):
    """What a person has looked at and lets through."""

    allow_shrink: bool = Field(
        default=False, description="Go on although the profile lost over a fifth of its packages since the last run."
    )


class PublishConfig(dg.Config):
    """How the collection is published."""

    rebuild: bool = Field(
        default=False,
        description="Build a new version of the collection, even where updating the one that is served would do.",
    )


class DownloadConfig(dg.Config):
    """How pypistats is asked."""

    refresh: bool = Field(default=False, description="Ask for every project, however recent its figures are.")
    minutes: float = Field(
        default=0, ge=0, description="For how long to go on asking; 0 for as long as PYPISTATS_MINUTES says."
    )


class EnrichConfig(dg.Config):
    """How GitHub is asked."""

    refresh: bool = Field(default=False, description="Ask for every repository, however recent its figures are.")
    projects: list[str] = Field(
        default=[], description="Ask for the repositories of these projects only; all others keep their figures."
    )
    report_dir: str = Field(
        default="", description="A folder for the report of packages without figures, as JSON and Markdown."
    )
    wait_for_limit: bool = Field(
        default=False,
        description="Where GitHub's hourly limit is used up, sleep until it resets instead of ending early.",
    )


JOB_CONFIG: Mapping[str, Mapping[str, dg.Config]] = {
    "full_refresh": {
        "raw_pypi_metadata": FetchConfig(mode=Mode.FULL),
        "typesense_collection": PublishConfig(rebuild=True),
    },
    "rebuild_collection": {"typesense_collection": PublishConfig(rebuild=True)},
}
"""What jobs tell their assets where nobody says otherwise."""

C = TypeVar("C", bound=dg.Config)


def as_told(context: dg.AssetExecutionContext, config: C) -> C:
    """What an asset is told; where its run was told nothing at all, by its job.

    A job's own config is put into a run by the UI, by schedules, sensors and backfills, but not by `dagster job launch`
    and `dagster job execute`: there a full refresh would be none.
    """
    own = JOB_CONFIG.get(context.run.job_name, {}).get(context.asset_key.to_user_string())
    return own if not context.run.run_config and isinstance(own, type(config)) else config
