"""The fourth asset: the collection that people search."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pandas as pd

from pyf_pipeline.catalog.model import Package, Repository
from pyf_pipeline.defs.config import PublishConfig
from pyf_pipeline.defs.io_managers import EMPTY_WHERE_MISSING
from pyf_pipeline.defs.partitions import PROFILES, profile_partitions
from pyf_pipeline.defs.progress import progress_of
from pyf_pipeline.defs.resources import TypesenseResource
from pyf_pipeline.defs.tables import reasons_table
from pyf_pipeline.search.documents import BuildFailure, build_documents, content_hash
from pyf_pipeline.search.publish import Published, Publisher
from pyf_pipeline.store.outputs import StoredRows
from pyf_pipeline.store.rows import is_partial, packages, repositories_by_project

ASSET = "typesense_collection"
COLLECTION_IS_COMPLETE = "collection_is_complete"


@dataclass(frozen=True)
class PackageSource:
    """The documents of a partition: hashed all at once, built when they are needed.

    Attributes:
        rows: The partition's packages.
        repositories: The repositories of projects, by normalised name.
    """

    rows: StoredRows
    repositories: dict[str, Repository]
    hashes: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        hashes = {
            package.id: content_hash(package, self.repositories.get(package.project)) for package in self._packages()
        }
        object.__setattr__(self, "hashes", hashes)

    def _packages(self) -> Iterator[Package]:
        return packages(self.rows.batches())

    def documents(self, ids: Collection[str]) -> Iterator[dict[str, Any] | BuildFailure]:
        """Build the documents with these ids."""
        pairs = ((package, self.repositories.get(package.project)) for package in self._packages() if package.id in ids)
        return build_documents(pairs, processes=None)


@dg.asset(
    partitions_def=profile_partitions,
    group_name="search",
    kinds={"python", "typesense"},
    owners=["team:catalogue"],
    ins={"github_enrichment": dg.AssetIn(metadata={EMPTY_WHERE_MISSING: True})},
    check_specs=[
        dg.AssetCheckSpec(
            COLLECTION_IS_COMPLETE,
            asset=ASSET,
            description="The collection holds every package, as it was sent.",
        )
    ],
)
def typesense_collection(
    context: dg.AssetExecutionContext,
    config: PublishConfig,
    typesense: TypesenseResource,
    filtered_packages: StoredRows,
    github_enrichment: pd.DataFrame | None,
) -> dg.MaterializeResult:
    """The profile's packages as documents in its Typesense collection, proved to have arrived.

    Where the schema has changed, or a rebuild is asked for, a new version of the collection is built, verified, and
    only then put in the place of the one that is served. Else only what differs is sent.
    """
    profile = PROFILES[context.partition_key]
    source = PackageSource(filtered_packages, repositories_by_project(github_enrichment))
    partial = is_partial(filtered_packages.schema)
    with typesense.server() as server:
        publisher = Publisher(server, progress_of(context))
        published = publisher.publish(profile.collection, source, rebuild=config.rebuild, partial=partial)
        address = server.address
    return dg.MaterializeResult(metadata=_metadata(published, address), check_results=[_check(published)])


def _metadata(published: Published, address: str) -> dict[str, dg.MetadataValue | int | float | str | bool]:
    return {
        "alias": published.name,
        "collection": published.collection,
        "server": address,
        "rebuilt": published.rebuilt,
        "documents": published.documents,
        "added": published.added,
        "changed": published.changed,
        "removed": published.removed,
        "unchanged": published.unchanged,
        "refused": len(published.refused),
        "refused_documents": reasons_table(published.refused, "document"),
        "sent_bytes": published.bytes,
        "seconds": round(published.seconds, 2),
        "documents_per_second": round((published.added + published.changed) / max(published.seconds, 0.001), 1),
    }


def _check(published: Published) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=COLLECTION_IS_COMPLETE,
        passed=not published.problems and not published.refused,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "problems": dg.MetadataValue.md("\n".join(f"- {problem}" for problem in published.problems) or "none"),
            "refused": reasons_table(published.refused, "document"),
        },
    )
