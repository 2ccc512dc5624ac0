"""The jobs that people, schedules and backfills launch, for one profile at a time; and one that looks at them all."""

import dagster as dg

from pyf_pipeline.defs.config import JOB_CONFIG

EVERYTHING = dg.AssetSelection.assets(
    "raw_pypi_metadata", "filtered_packages", "github_enrichment", "typesense_collection"
)

full_refresh = dg.define_asset_job(
    "full_refresh",
    EVERYTHING,
    description="Downloads every project of the profile anew and builds a new version of its collection.",
    config=dg.RunConfig(dict(JOB_CONFIG["full_refresh"])),
)

incremental_update = dg.define_asset_job(
    "incremental_update",
    EVERYTHING,
    description="Downloads what changed on PyPI and updates the collection that is served.",
)

pypi_update = dg.define_asset_job(
    "pypi_update",
    dg.AssetSelection.assets("raw_pypi_metadata", "filtered_packages", "typesense_collection"),
    description="Downloads what changed on PyPI and updates the collection that is served, with the figures of GitHub "
    "that there are: what `pyfaggregator` runs.",
)

github_refresh = dg.define_asset_job(
    "github_refresh",
    dg.AssetSelection.assets("github_enrichment", "typesense_collection"),
    description="Asks GitHub for the figures that are due and updates the collection that is served.",
)

download_refresh = dg.define_asset_job(
    "download_refresh",
    dg.AssetSelection.assets("download_stats", "typesense_collection"),
    description="Asks pypistats for the downloads that are due, for some minutes, and updates the collection that is "
    "served.",
)

rebuild_collection = dg.define_asset_job(
    "rebuild_collection",
    dg.AssetSelection.assets("typesense_collection"),
    description="Builds a new version of the collection from what is stored, without asking anybody.",
    config=dg.RunConfig(dict(JOB_CONFIG["rebuild_collection"])),
)

health_report = dg.define_asset_job(
    "health_report",
    dg.AssetSelection.assets("partition_health"),
    description="Takes stock of all profiles: packages, figures, releases, publishes, failures. Asks neither PyPI nor "
    "GitHub.",
)

JOBS = [
    full_refresh,
    incremental_update,
    pypi_update,
    github_refresh,
    download_refresh,
    rebuild_collection,
    health_report,
]
