"""An asset beside GitHub's: how often the packages are downloaded, as pypistats counts it."""

from collections.abc import Iterator

import dagster as dg

from pyf_pipeline.catalog.model import Downloads
from pyf_pipeline.defs.config import DownloadConfig
from pyf_pipeline.defs.partitions import profile_partitions
from pyf_pipeline.defs.progress import progress_of
from pyf_pipeline.defs.resources import PyPIStatsResource, StoreResource
from pyf_pipeline.defs.retrying import retried
from pyf_pipeline.defs.tables import markdown_table, reasons_table
from pyf_pipeline.defs.types import DownloadType
from pyf_pipeline.pypistats.client import PyPIStatsClient
from pyf_pipeline.pypistats.collecting import Collected, collect
from pyf_pipeline.store.outputs import StoredRows
from pyf_pipeline.store.rows import download_frame

ASSET = "download_stats"
NO_PENDING = "no_pending_downloads"
NO_FAILED = "pypistats_answers"
MOST_DOWNLOADED = 10
OFF = "PYPISTATS_URL is not set: pypistats is not asked, and documents have no downloads"


@dg.asset(
    partitions_def=profile_partitions,
    group_name="catalogue",
    kinds={"python", "parquet"},
    owners=["team:catalogue"],
    dagster_type=DownloadType,
    pool="pypistats",
    check_specs=[
        dg.AssetCheckSpec(NO_PENDING, asset=ASSET, description="pypistats was asked for every package that was due."),
        dg.AssetCheckSpec(NO_FAILED, asset=ASSET, description="Every answer of pypistats could be used."),
    ],
)
def download_stats(
    context: dg.AssetExecutionContext,
    config: DownloadConfig,
    store: StoreResource,
    pypistats: PyPIStatsResource,
    filtered_packages: StoredRows,
) -> dg.MaterializeResult:
    """One row for each package that pypistats knows: its downloads of the last day, week and month.

    pypistats allows few calls, so a run asks for some minutes only, beginning with the packages that were asked for
    least recently; the next one, of whichever profile, goes on from there. The last known figures stay until there are
    newer ones. Without PYPISTATS_URL nobody is asked and there are no rows.
    """
    with retried(context):
        if not pypistats.url:
            context.log.info(OFF)
            return dg.MaterializeResult(value=download_frame({}), metadata={"status": OFF}, check_results=_unasked())
        with pypistats.client(store.store) as client:
            result = collect(
                _projects(filtered_packages),
                client,
                store.store.downloads,
                max_age=pypistats.cache_hours * 3600,
                seconds=(config.minutes or pypistats.minutes) * 60,
                refresh=config.refresh,
                progress=progress_of(context),
            )
        for warning in result.warnings:
            context.log.warning(warning)
        return dg.MaterializeResult(
            value=download_frame(result.figures), metadata=_metadata(result, client), check_results=_checks(result)
        )


def _projects(rows: StoredRows) -> Iterator[str]:
    for batch in rows.batches(["project"]):
        yield from batch["project"].to_pylist()


def _metadata(result: Collected, client: PyPIStatsClient) -> dict[str, dg.MetadataValue | int | float | str]:
    figures = result.figures
    dates = [known.updated for known in figures.values()]
    return {
        "status": result.stopped or "all that was due was asked for",
        "packages": len(figures),
        "asked": result.asked,
        "cached": result.cached,
        "pending": len(result.pending),
        "unknown": len(result.unknown),
        "failed": len(result.failed),
        "calls": client.calls,
        "stalest_figures": dg.MetadataValue.timestamp(float(min(dates))) if dates else "none",
        "most_downloaded": markdown_table(
            ["package", "last day", "last week", "last month"],
            [(name, f.last_day, f.last_week, f.last_month) for name, f in _most(figures)],
        ),
        "failures": reasons_table(result.failed, "package"),
        "unknown_packages": dg.MetadataValue.md(", ".join(result.unknown) or "none"),
        "trouble_met": markdown_table(["trouble", "times"], client.problems.most_common()),
        "warnings": dg.MetadataValue.md("\n\n".join(result.warnings) or "none"),
    }


def _most(figures: dict[str, Downloads]) -> list[tuple[str, Downloads]]:
    return sorted(figures.items(), key=lambda pair: (-pair[1].last_month, pair[0]))[:MOST_DOWNLOADED]


def _checks(result: Collected) -> list[dg.AssetCheckResult]:
    return [
        dg.AssetCheckResult(
            check_name=NO_PENDING,
            passed=not result.pending,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "pending": len(result.pending),
                "warnings": dg.MetadataValue.md("\n\n".join(result.warnings) or "none"),
            },
        ),
        dg.AssetCheckResult(
            check_name=NO_FAILED,
            passed=not result.failed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"failed": len(result.failed), "failures": reasons_table(result.failed, "package")},
        ),
    ]


def _unasked() -> list[dg.AssetCheckResult]:
    return [dg.AssetCheckResult(check_name=name, passed=True, description=OFF) for name in (NO_PENDING, NO_FAILED)]
