"""The first asset: the metadata of every project that may belong to the profile."""

from dataclasses import replace

import dagster as dg

from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.defs.config import FetchConfig
from pyf_pipeline.defs.partitions import PROFILES, profile_partitions
from pyf_pipeline.defs.progress import progress_of
from pyf_pipeline.defs.resources import PyPIResource, StoreResource
from pyf_pipeline.defs.tables import reasons_table
from pyf_pipeline.defs.types import ProjectRows
from pyf_pipeline.pypi.http import Traffic
from pyf_pipeline.pypi.ingest import Ingested, Order
from pyf_pipeline.store.outputs import Outputs
from pyf_pipeline.store.rows import project_rows

ASSET = "raw_pypi_metadata"
NO_FAILED_DOWNLOADS = "no_failed_downloads"


@dg.asset(
    partitions_def=profile_partitions,
    group_name="catalogue",
    kinds={"python", "parquet"},
    owners=["team:catalogue"],
    dagster_type=ProjectRows,
    pool="pypi",
    check_specs=[
        dg.AssetCheckSpec(NO_FAILED_DOWNLOADS, asset=ASSET, description="Every project that was asked for came back.")
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
    order = _order(context.partition_key, config, store.outputs())
    with pypi.ingester(store.store, progress_of(context)) as ingester:
        # Runs of other profiles, in other processes, call PyPI out of the same budget.
        shared = replace(ingester.memory, ledger=store.store.ledgers)
        ingested = replace(ingester, memory=shared).ingest(order)
        traffic = ingester.http.traffic
    for warning in ingested.warnings:
        context.log.warning(warning)
    rows = project_rows(
        store.store.documents.read(ingested.names),
        partial=order.partial,
        release_infos=store.store.releases.read if order.every_release else None,
    )
    return dg.MaterializeResult(value=rows, metadata=_metadata(ingested, traffic), check_results=[_check(ingested)])


def _metadata(ingested: Ingested, traffic: Traffic) -> dict[str, dg.MetadataValue | int | float | str]:
    return {
        "discovery": ingested.discovery,
        "candidates": ingested.candidates,
        "looked_at": ingested.chosen,
        "downloaded": ingested.downloaded,
        "reused": ingested.reused,
        "removed": len(ingested.removed),
        "failed": len(ingested.failures),
        "classified_on_the_way": ingested.classified,
        "releases_downloaded": ingested.releases,
        "requests": traffic.requests,
        "redirects": traffic.redirects,
        "retries": traffic.retries,
        "received_bytes": traffic.bytes,
        "seconds": round(ingested.seconds, 2),
        "downloads_per_second": round(ingested.downloaded / ingested.seconds, 1) if ingested.seconds else 0.0,
        "pypi_serial": ingested.serial,
        "failures": reasons_table(ingested.failures, "project"),
        "removed_projects": dg.MetadataValue.md(", ".join(ingested.removed) or "none"),
        "warnings": dg.MetadataValue.md("\n".join(f"- {warning}" for warning in ingested.warnings) or "none"),
    }


def _check(ingested: Ingested) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=NO_FAILED_DOWNLOADS,
        passed=not ingested.failures,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"failed": len(ingested.failures), "failures": reasons_table(ingested.failures, "project")},
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
    )


def _names(outputs: Outputs, partition: str) -> frozenset[str]:
    """The projects in the partition's previous content."""
    if not outputs.exists(ASSET, partition):
        return frozenset()
    return frozenset(outputs.rows(ASSET, partition).table(["name"])["name"].to_pylist())
