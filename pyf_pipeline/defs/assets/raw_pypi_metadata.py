"""The first asset: the metadata of every project that may belong to the profile."""

import dagster as dg

from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.defs.config import FetchConfig, as_told
from pyf_pipeline.defs.freshness import DAILY
from pyf_pipeline.defs.partitions import PROFILES, profile_partitions
from pyf_pipeline.defs.progress import progress_of
from pyf_pipeline.defs.resources import PyPIResource, StoreResource
from pyf_pipeline.defs.retrying import retried
from pyf_pipeline.defs.tables import markdown_table, reasons_table
from pyf_pipeline.defs.types import ProjectType
from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.ingest import Ingested, Order
from pyf_pipeline.store.outputs import Outputs
from pyf_pipeline.store.rows import project_rows

ASSET = "raw_pypi_metadata"
NO_FAILED_DOWNLOADS = "no_failed_downloads"
INDEX_IS_FRESH = "index_is_fresh"

# PyPI lets caches keep the index for ten minutes; one that is much older has stopped moving.
INDEX_AGE_ALLOWED = 3600


@dg.asset(
    partitions_def=profile_partitions,
    group_name="catalogue",
    kinds={"python", "parquet"},
    owners=["team:catalogue"],
    freshness_policy=DAILY,
    dagster_type=ProjectType,
    pool="pypi",
    check_specs=[
        dg.AssetCheckSpec(NO_FAILED_DOWNLOADS, asset=ASSET, description="Every project that was asked for came back."),
        dg.AssetCheckSpec(
            INDEX_IS_FRESH,
            asset=ASSET,
            description="PyPI's index, which decides what is downloaded, is less than an hour old and not behind that "
            "of an earlier run.",
        ),
    ],
)
def raw_pypi_metadata(
    context: dg.AssetExecutionContext, config: FetchConfig, pypi: PyPIResource, store: StoreResource
) -> dg.MaterializeResult:
    """One row for each project that may belong to the profile: what PyPI's JSON API says of it.

    An incremental run downloads the projects whose serial moved since they were stored, a full one all of them. Every
    document is stored as it arrives, so that a run that dies is gone on with. A run with `limit`, `name_contains` or
    `projects` adds and refreshes, and never removes.
    """
    with retried(context):
        order = _order(context.partition_key, as_told(context, config), store.outputs())
        with pypi.ingester(store.store, progress_of(context)) as ingester:
            ingested = ingester.ingest(order)
            http = ingester.http
        for warning in ingested.warnings:
            context.log.warning(warning)
        rows = project_rows(
            store.store.documents.read(ingested.names),
            partial=order.partial,
            release_infos=store.store.releases.read if order.every_release else None,
        )
        return dg.MaterializeResult(
            value=rows, metadata=_metadata(ingested, http), check_results=[_downloads(ingested), _index(ingested)]
        )


def _metadata(ingested: Ingested, http: Http) -> dict[str, dg.MetadataValue | int | float | str]:
    traffic = http.traffic
    return {
        "discovery": ingested.discovery,
        "candidates": ingested.candidates,
        "looked_at": ingested.chosen,
        "downloaded": ingested.downloaded,
        "reused": ingested.reused,
        "removed": len(ingested.removed),
        "failed": len(ingested.failures),
        "stale": len(ingested.stale),
        "classified_on_the_way": ingested.classified,
        "releases_downloaded": ingested.releases,
        "requests": traffic.requests,
        "redirects": traffic.redirects,
        "retries": traffic.retries,
        "received_bytes": traffic.bytes,
        "seconds": round(ingested.seconds, 2),
        "downloads_per_second": round(ingested.downloaded / ingested.seconds, 1) if ingested.seconds else 0.0,
        "requests_per_second": round(traffic.requests / ingested.seconds, 1) if ingested.seconds else 0.0,
        "times_slowed_down": http.throttle.slowed,
        "pypi_serial": ingested.serial,
        "pypi_projects": ingested.index_projects,
        "trouble_met": markdown_table(["trouble", "times"], traffic.problems.most_common()),
        "failures": reasons_table(ingested.failures, "project"),
        "removed_projects": dg.MetadataValue.md(", ".join(ingested.removed) or "none"),
        "warnings": dg.MetadataValue.md("\n".join(f"- {warning}" for warning in ingested.warnings) or "none"),
    }


def _downloads(ingested: Ingested) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=NO_FAILED_DOWNLOADS,
        passed=not ingested.failures,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "failed": len(ingested.failures),
            "failures": reasons_table(ingested.failures, "project"),
            # Not a failure: what was had of them is kept by its own serial, and the next run asks again.
            "stale": dg.MetadataValue.md(", ".join(ingested.stale) or "none"),
        },
    )


def _index(ingested: Ingested) -> dg.AssetCheckResult:
    """Whether what the run has decided by was true.

    An index that is old, or older than one that was seen before, hides what has changed since: the run is right in all
    that it did, and the next one will find more. Documents that are newer than the index are no fault: PyPI goes on
    while the run lasts.
    """
    problem = ""
    if ingested.index_failed:
        problem = f"the index could not be had, and every project was asked for by name: {ingested.index_failed}"
    elif ingested.index_outdated:
        problem = "PyPI answered with an index older than that of an earlier run, which was used instead"
    elif ingested.index_age > INDEX_AGE_ALLOWED:
        problem = f"the index had been in a cache for {ingested.index_age} seconds"
    said = problem or ("no index was needed" if not ingested.index_projects else "it is fresh")
    return dg.AssetCheckResult(
        check_name=INDEX_IS_FRESH,
        passed=not problem,
        severity=dg.AssetCheckSeverity.WARN,
        description=said,
        metadata={
            "pypi_serial": ingested.serial,
            "pypi_projects": ingested.index_projects,
            "seconds_in_a_cache": ingested.index_age,
            "documents_newer_than_the_index": ingested.ahead,
        },
    )


def _order(partition: str, config: FetchConfig, outputs: Outputs) -> Order:
    profile = PROFILES[partition]
    return Order(
        classifiers=profile.classifiers,
        packages=profile.packages,
        excludes=profile.excludes,
        known_classifiers=tuple(c for other in PROFILES.values() for c in other.classifiers),
        every_release=profile.releases == "all",
        mode=config.mode.value,
        limit=config.limit,
        name_contains=normalise(config.name_contains),
        projects=tuple(normalise(name) for name in config.projects),
        previous=_names(outputs, partition),
        anew=_uploaded_since(outputs, partition, config.since),
        allow_shrink=config.allow_shrink,
    )


def _names(outputs: Outputs, partition: str) -> frozenset[str]:
    """The projects in the partition's previous content."""
    if not outputs.exists(ASSET, partition):
        return frozenset()
    return frozenset(outputs.rows(ASSET, partition).table(["name"])["name"].to_pylist())


def _uploaded_since(outputs: Outputs, partition: str, since: float) -> frozenset[str]:
    """The projects in the partition's previous content with a release of that time or later."""
    if not since or not outputs.exists(ASSET, partition):
        return frozenset()
    return frozenset(
        row["name"]
        for batch in outputs.rows(ASSET, partition).batches(["name", "releases"])
        for row in batch.to_pylist()
        if any(release["upload_timestamp"] >= since for release in row["releases"])
    )
