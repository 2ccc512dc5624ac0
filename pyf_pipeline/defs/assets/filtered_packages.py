"""The second asset: the profile's own packages, validated and in one form."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import dagster as dg

from pyf_pipeline.catalog.filtering import Membership, Rejected, latest_package, release_packages, split
from pyf_pipeline.catalog.model import Package, ProjectDocument
from pyf_pipeline.catalog.shrinking import guard
from pyf_pipeline.defs.config import FilterConfig
from pyf_pipeline.defs.partitions import PROFILES, profile_partitions
from pyf_pipeline.defs.resources import StoreResource
from pyf_pipeline.defs.tables import markdown_table, reasons_table
from pyf_pipeline.defs.types import PackageRows
from pyf_pipeline.profiles import Profile
from pyf_pipeline.store.outputs import Outputs, StoredRows
from pyf_pipeline.store.rows import is_partial, package_table, projects

ASSET = "filtered_packages"
ALL_PACKAGES_ARE_VALID = "all_packages_are_valid"
PREVIEW_ROWS = 10
TOP_CLASSIFIERS = 15


@dg.asset(
    partitions_def=profile_partitions,
    group_name="catalogue",
    kinds={"python", "parquet"},
    owners=["team:catalogue"],
    dagster_type=PackageRows,
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
    profile = PROFILES[context.partition_key]
    seen: Counter[str] = Counter()
    packages, rejected = split(_members(profile, raw_pypi_metadata, seen))
    before = _rows_before(store.outputs(), context.partition_key)
    guard(before, len(packages), what=f"packages of profile {profile.key}", allow=config.allow_shrink)
    table = package_table(packages, partial=is_partial(raw_pypi_metadata.schema))
    return dg.MaterializeResult(
        value=table,
        metadata=_metadata(packages, rejected, seen["candidates"], before),
        check_results=[
            dg.AssetCheckResult(
                check_name=ALL_PACKAGES_ARE_VALID,
                passed=not rejected,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"rejected": len(rejected), "reasons": reasons_table(rejected, "package")},
            )
        ],
    )


def _members(profile: Profile, rows: StoredRows, seen: Counter[str]) -> Iterator[Package | Rejected]:
    membership = Membership(profile.classifiers, profile.packages, profile.excludes)
    for document, infos in projects(rows.batches()):
        seen["candidates"] += 1
        if membership.covers(document):
            yield from _packages(profile, document, infos)


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


def _metadata(
    packages: list[Package], rejected: dict[str, str], candidates: int, before: int
) -> dict[str, dg.MetadataValue | int]:
    classifiers = Counter(classifier for package in packages for classifier in package.classifiers)
    latest = sorted(packages, key=lambda package: package.upload_timestamp, reverse=True)[:PREVIEW_ROWS]
    return {
        "candidates": candidates,
        "packages": len(packages),
        "packages_before": before,
        "not_members": candidates - len({package.project for package in packages}) - len(rejected),
        "rejected": len(rejected),
        "rejected_packages": reasons_table(rejected, "package"),
        "top_classifiers": markdown_table(["classifier", "packages"], classifiers.most_common(TOP_CLASSIFIERS)),
        "latest_releases": markdown_table(
            ["package", "version", "summary"], [(p.name, p.version, p.summary) for p in latest]
        ),
    }
