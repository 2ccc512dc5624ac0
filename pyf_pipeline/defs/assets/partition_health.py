"""The overview: how each profile is doing, on one page."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from pyf_pipeline.catalog.statistics import Statistics, statistics
from pyf_pipeline.defs.charts import bar_charts
from pyf_pipeline.defs.freshness import DAILY, DAY
from pyf_pipeline.defs.partitions import PROFILES
from pyf_pipeline.defs.resources import StoreResource, TypesenseResource
from pyf_pipeline.defs.retrying import retried
from pyf_pipeline.defs.tables import markdown_table
from pyf_pipeline.defs.turns import PARTITION_TAG
from pyf_pipeline.profiles import Profile
from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import retrieve_definition
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.store.outputs import Outputs
from pyf_pipeline.store.rows import packages, repositories_by_project

ASSET = "partition_health"
PROFILES_ARE_FRESH = "scheduled_profiles_are_fresh"
COLLECTIONS_ARE_SERVED = "collections_are_served"

RECENT = timedelta(days=7)
# A daily run takes its time, and is not late for that.
LATE_AFTER = DAY + timedelta(hours=1)
RUNS_COUNTED = 1_000


@dataclass
class Health:
    """How a profile is doing.

    Attributes:
        profile: The profile.
        statistics: Its packages, counted.
        published_at: When its collection was last published, in epoch seconds; None where it never was.
        published: How many documents that publish left.
        served: How many documents a search by its name reaches now; None where there is no such collection.
        trouble: Why the search server could not say; "" where it did.
        failed_runs: How many of its runs failed of late.
        left_out: What the latest materialisations could not have or did not take, by what it is.
    """

    profile: Profile
    statistics: Statistics
    published_at: float | None = None
    published: int = 0
    served: int | None = None
    trouble: str = ""
    failed_runs: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def unserved(self) -> str:
        """Why people do not find what was published; "" where they do."""
        if self.published_at is None or self.served == self.published:
            return ""
        if self.trouble:
            return self.trouble
        return f"{self.served or 0} of {self.published} documents are served by the name {self.profile.collection}"

    def late(self, now: float) -> str:
        """Why what people search is too old; "" where it is not."""
        if not self.profile.scheduled:
            return ""
        if self.published_at is None:
            return "it was never published"
        age = timedelta(seconds=round(now - self.published_at))
        return f"it was published {age} ago" if age > LATE_AFTER else ""


@dg.asset(
    deps=["typesense_collection"],
    group_name="catalogue",
    kinds={"python"},
    owners=["team:catalogue"],
    freshness_policy=DAILY,
    check_specs=[
        dg.AssetCheckSpec(
            PROFILES_ARE_FRESH,
            asset=ASSET,
            description="Every scheduled profile was published within a day.",
        ),
        dg.AssetCheckSpec(
            COLLECTIONS_ARE_SERVED,
            asset=ASSET,
            description="A search by a profile's name reaches as many documents as were published.",
        ),
    ],
)
def partition_health(
    context: dg.AssetExecutionContext, store: StoreResource, typesense: TypesenseResource
) -> dg.MaterializeResult:
    """How each profile is doing, in numbers and in pictures.

    Its packages and how many have figures of GitHub, its last release, when it was last published, what failed; and
    its packages by framework version, Python version and stars, its releases by month. It looks at what the last runs
    have stored, and asks the search server what it serves; neither PyPI nor GitHub is asked.
    """
    with retried(context):
        now = time.time()
        with typesense.server() as server:
            every = [_health(context.instance, store.outputs(), server, profile, now) for profile in PROFILES.values()]
        return dg.MaterializeResult(
            metadata={
                "overview": _overview(every, now),
                "profiles": len(every),
                "packages": sum(health.statistics.packages for health in every),
                **{f"pictures of {health.profile.key}": _pictures(health) for health in every},
            },
            check_results=[
                _check(PROFILES_ARE_FRESH, {health.profile.key: health.late(now) for health in every}),
                _check(COLLECTIONS_ARE_SERVED, {health.profile.key: health.unserved for health in every}),
            ],
        )


def _health(
    instance: dg.DagsterInstance, outputs: Outputs, server: SearchServer, profile: Profile, now: float
) -> Health:
    health = Health(profile, _statistics(outputs, profile.key, now))
    for asset, label, shown in (
        ("raw_pypi_metadata", "failed", "failed"),
        ("filtered_packages", "rejected", "rejected"),
        ("github_enrichment", "pending", "pending"),
        ("download_stats", "pending", "without current downloads"),
        ("typesense_collection", "refused", "refused"),
    ):
        when, metadata = _latest(instance, asset, profile.key)
        if number := metadata.get(label):
            health.left_out[shown] = number
        if asset == "typesense_collection":
            health.published_at, health.published = when, metadata.get("documents", 0)
    try:
        with server.explained():
            told = retrieve_definition(server.client, profile.collection)
        health.served = None if told is None else int(told["num_documents"])
    except SearchError as error:
        health.trouble = str(error)
    failed = dg.RunsFilter(
        tags={PARTITION_TAG: profile.key},
        statuses=[dg.DagsterRunStatus.FAILURE],
        created_after=datetime.fromtimestamp(now, UTC) - RECENT,
    )
    health.failed_runs = len(instance.get_run_ids(failed, limit=RUNS_COUNTED))
    return health


def _statistics(outputs: Outputs, partition: str, now: float) -> Statistics:
    if not outputs.exists("filtered_packages", partition):
        return Statistics()
    figures = None
    if outputs.exists("github_enrichment", partition):
        figures = outputs.rows("github_enrichment", partition).table().to_pandas()
    rows = outputs.rows("filtered_packages", partition)
    return statistics(packages(rows.batches()), repositories_by_project(figures), now)


def _latest(instance: dg.DagsterInstance, asset: str, partition: str) -> tuple[float | None, Mapping[str, Any]]:
    """When a partition was last materialised, and what was said of that."""
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[partition]), limit=1
    ).records
    if not records or records[0].asset_materialization is None:
        return None, {}
    metadata = records[0].asset_materialization.metadata
    return records[0].timestamp, {label: value.value for label, value in metadata.items()}


def _overview(every: list[Health], now: float) -> dg.MarkdownMetadataValue:
    header = (
        "profile", "packages", "with GitHub figures", "last release", "last published", "documents served",
        "failed runs in 7 days", "left out",
    )  # fmt: skip
    return markdown_table(header, [_row(health, now) for health in every])


def _row(health: Health, now: float) -> tuple[object, ...]:
    figures = health.statistics
    released = "none"
    if figures.latest is not None:
        when, name, version = figures.latest
        released = f"{name} {version}, {_date(when)}"
    left_out = ", ".join(f"{number} {label}" for label, number in health.left_out.items())
    return (
        health.profile.key,
        figures.packages,
        f"{figures.enriched} ({figures.enriched_share:.0%})",
        released,
        f"{_date(health.published_at)}{' (late)' if health.late(now) else ''}" if health.published_at else "never",
        health.trouble or (health.served if health.served is not None else "none"),
        health.failed_runs,
        left_out or "nothing",
    )


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _pictures(health: Health) -> dg.MarkdownMetadataValue:
    figures = health.statistics
    charts = {
        "packages by framework version": figures.framework_versions,
        "packages by Python version": figures.python_versions,
        "releases per month": figures.releases_by_month,
        "packages by GitHub stars": figures.stars,
    }
    return bar_charts(charts, f"{', '.join(charts)} of {health.profile.key}")


def _check(name: str, problems: Mapping[str, str]) -> dg.AssetCheckResult:
    found = {key: problem for key, problem in problems.items() if problem}
    return dg.AssetCheckResult(
        check_name=name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{key}: {problem}" for key, problem in found.items()) or None,
        metadata={"problems": markdown_table(["profile", "problem"], found.items())},
    )
