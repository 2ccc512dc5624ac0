"""The second asset: the profile's own packages, validated and in one form."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from pyf_pipeline.catalog.filtering import Membership, Rejected, latest_package, release_packages
from pyf_pipeline.catalog.model import Package, ProjectDocument
from pyf_pipeline.catalog.shrinking import guard
from pyf_pipeline.defs.config import FilterConfig
from pyf_pipeline.defs.freshness import DAILY
from pyf_pipeline.defs.partitions import PROFILES, profile_partitions
from pyf_pipeline.defs.resources import StoreResource
from pyf_pipeline.defs.retrying import retried
from pyf_pipeline.defs.tables import markdown_table, reasons_table
from pyf_pipeline.defs.types import PackageType
from pyf_pipeline.profiles import Profile
from pyf_pipeline.store.outputs import Outputs, StoredRows
from pyf_pipeline.store.rows import PackageRows, is_partial, projects

ASSET = "filtered_packages"
ALL_PACKAGES_ARE_VALID = "all_packages_are_valid"
PREVIEW_ROWS = 10
TOP_CLASSIFIERS = 15


@dataclass
class Tally:
    """What is said of the packages in the end, gathered as they go by: all of them at once would fill the memory.

    Attributes:
        candidates: How many projects were looked at.
        outside: How many of them are no members of the profile.
        rejected: Why others gave none, by id.
        classifiers: How often each is carried.
        latest: The latest releases: their times, and (name, version, summary).
    """

    candidates: int = 0
    outside: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    classifiers: Counter[str] = field(default_factory=Counter)
    latest: list[tuple[int, tuple[str, str, str]]] = field(default_factory=list)

    def valid(self, outcomes: Iterable[Package | Rejected]) -> Iterator[Package]:
        """The packages, each counted when it goes by; what is none is noted with its reason."""
        for outcome in outcomes:
            if isinstance(outcome, Rejected):
                self.rejected[outcome.id] = outcome.reason
            else:
                self._count(outcome)
                yield outcome

    def _count(self, package: Package) -> None:
        self.classifiers.update(package.classifiers)
        heapq.heappush(self.latest, (package.upload_timestamp, (package.name, package.version, package.summary)))
        if len(self.latest) > PREVIEW_ROWS:
            heapq.heappop(self.latest)


@dg.asset(
    partitions_def=profile_partitions,
    group_name="catalogue",
    kinds={"python", "parquet"},
    owners=["team:catalogue"],
    freshness_policy=DAILY,
    dagster_type=PackageType,
    check_specs=[
        dg.AssetCheckSpec(
            ALL_PACKAGES_ARE_VALID, asset=ASSET, description="No member was kept out because of its metadata."
        )
    ],
)
def filtered_packages(
    context: dg.AssetExecutionContext,
    config: FilterConfig,
    store: StoreResource,
    raw_pypi_metadata: StoredRows,
) -> dg.MaterializeResult:
    """The packages whose current metadata carries one of the profile's classifiers, or that it lists by name.

    Each is validated and brought into one form. One that cannot be is kept out and reported with the reason. A result
    that lost over a fifth of the previous one stops here, unless `allow_shrink` says that this is right.
    """
    with retried(context):
        profile = PROFILES[context.partition_key]
        tally = Tally()
        members = tally.valid(_members(profile, raw_pypi_metadata, tally))
        rows = PackageRows.of(members, partial=is_partial(raw_pypi_metadata.schema))
        count = len(rows)
        before = _rows_before(store.outputs(), context.partition_key)
        guard(before, count, what=f"packages of profile {profile.key}", allow=config.allow_shrink)
        return dg.MaterializeResult(
            value=rows.reader(),
            metadata=_metadata(tally, count, before),
            check_results=[
                dg.AssetCheckResult(
                    check_name=ALL_PACKAGES_ARE_VALID,
                    passed=not tally.rejected,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"rejected": len(tally.rejected), "reasons": reasons_table(tally.rejected, "package")},
                )
            ],
        )


def _members(profile: Profile, rows: StoredRows, tally: Tally) -> Iterator[Package | Rejected]:
    membership = Membership(profile.classifiers, profile.packages, profile.excludes)
    for document, infos in projects(rows.batches()):
        tally.candidates += 1
        if membership.covers(document):
            yield from _packages(profile, document, infos)
        else:
            tally.outside += 1


def _packages(
    profile: Profile, document: ProjectDocument, infos: dict[str, Any] | None
) -> Iterator[Package | Rejected]:
    if profile.releases == "all":
        yield from release_packages(document, infos or {})
    else:
        yield latest_package(document)


def _rows_before(outputs: Outputs, partition: str) -> int:
    if not outputs.exists(ASSET, partition):
        return 0
    return len(outputs.rows(ASSET, partition))


def _metadata(tally: Tally, packages: int, before: int) -> dict[str, dg.MetadataValue | int]:
    return {
        "candidates": tally.candidates,
        "packages": packages,
        "packages_before": before,
        "not_members": tally.outside,
        "rejected": len(tally.rejected),
        "rejected_packages": reasons_table(tally.rejected, "package"),
        "top_classifiers": markdown_table(["classifier", "packages"], tally.classifiers.most_common(TOP_CLASSIFIERS)),
        "latest_releases": markdown_table(
            ["package", "version", "summary"], [shown for _, shown in sorted(tally.latest, reverse=True)]
        ),
    }
