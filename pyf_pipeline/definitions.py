"""The one object that Dagster loads."""

import warnings

import dagster as dg

from pyf_pipeline.defs.alerts import run_failure_sensor
from pyf_pipeline.defs.assets.download_stats import download_stats
from pyf_pipeline.defs.assets.filtered_packages import filtered_packages
from pyf_pipeline.defs.assets.github_enrichment import github_enrichment
from pyf_pipeline.defs.assets.partition_health import partition_health
from pyf_pipeline.defs.assets.raw_pypi_metadata import raw_pypi_metadata
from pyf_pipeline.defs.assets.typesense_collection import typesense_collection
from pyf_pipeline.defs.jobs import JOBS
from pyf_pipeline.defs.resources import build_resources
from pyf_pipeline.defs.schedules import build_schedules
from pyf_pipeline.defs.sensors import build_sensors
from pyf_pipeline.settings import load_settings

settings = load_settings()

with warnings.catch_warnings():
    # The UI's links from an asset to its code are a beta feature of Dagster, which says so at every start.
    warnings.simplefilter("ignore", dg.BetaWarning)
    assets = dg.with_source_code_references(
        [
            raw_pypi_metadata,
            filtered_packages,
            github_enrichment,
            download_stats,
            typesense_collection,
            partition_health,
        ]
    )

defs = dg.Definitions(
    assets=assets,
    jobs=JOBS,
    schedules=build_schedules(settings),
    sensors=[*build_sensors(settings.pyf_poll_seconds), run_failure_sensor],
    resources=build_resources(settings),
    executor=dg.in_process_executor,
)
