"""The last asset: the collection that people search."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pandas as pd

from pyf_pipeline.catalog.model import Package, Repository
from pyf_pipeline.defs.config import PublishConfig, as_told
from pyf_pipeline.defs.freshness import DAILY
from pyf_pipeline.defs.io_managers import EMPTY_WHERE_MISSING
from pyf_pipeline.defs.notes import NOTES
from pyf_pipeline.defs.partitions import PROFILES, profile_partitions
from pyf_pipeline.defs.progress import progress_of
from pyf_pipeline.defs.resources import TypesenseResource
from pyf_pipeline.defs.retrying import retried
from pyf_pipeline.defs.tables import markdown_table, reasons_table
from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.documents import BuildFailure, Context, build_documents, content_hash
from pyf_pipeline.search.publish import Published, Publisher, is_too_much
from pyf_pipeline.store.outputs import StoredRows
from pyf_pipeline.store.rows import downloads_by_project, is_partial, packages, repositories_by_project

Metadata = dict[str, dg.MetadataValue | int | float | str | bool]

ASSET = "typesense_collection"
COLLECTION_IS_COMPLETE = "collection_is_complete"
ALIAS_SERVES_COLLECTION = "alias_serves_collection"
KNOWN_PACKAGES_ARE_FOUND = "known_packages_are_found"


@dataclass(frozen=True)
class PackageSource:
    """The documents of a partition: hashed all at once, built when they are needed.

    Attributes:
        rows: The partition's packages.
        repositories: The repositories of projects, by normalised name.
        context: The time, by which health is told, and the notes and downloads of packages; the same for hashes and
            documents.
    """

    rows: StoredRows
    repositories: dict[str, Repository]
    context: Context = field(default_factory=Context)
    hashes: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        hashes = {
            package.id: content_hash(package, self.repositories.get(package.project), self.context)
            for package in self._packages()
        }
        object.__setattr__(self, "hashes", hashes)

    def _packages(self) -> Iterator[Package]:
        return packages(self.rows.batches())

    def documents(self, ids: Collection[str]) -> Iterator[dict[str, Any] | BuildFailure]:
        """Build the documents with these ids."""
        pairs = ((package, self.repositories.get(package.project)) for package in self._packages() if package.id in ids)
        return build_documents(pairs, processes=None, context=self.context)


@dg.asset(
    partitions_def=profile_partitions,
    group_name="catalogue",
    kinds={"python", "typesense"},
    owners=["team:catalogue"],
    freshness_policy=DAILY,
    ins={name: dg.AssetIn(metadata={EMPTY_WHERE_MISSING: True}) for name in ("github_enrichment", "download_stats")},
    check_specs=[
        dg.AssetCheckSpec(
            COLLECTION_IS_COMPLETE,
            asset=ASSET,
            blocking=True,
            description="The collection holds every package, as it was sent.",
        ),
        dg.AssetCheckSpec(
            ALIAS_SERVES_COLLECTION,
            asset=ASSET,
            blocking=True,
            description="A search by the profile's name reaches all of the collection.",
        ),
        dg.AssetCheckSpec(
            KNOWN_PACKAGES_ARE_FOUND,
            asset=ASSET,
            blocking=True,
            description="A search for the name of a package has it on the first page.",
        ),
    ],
)
def typesense_collection(  # noqa: PLR0917 - Dagster knows inputs by positional parameters only
    context: dg.AssetExecutionContext,
    config: PublishConfig,
    typesense: TypesenseResource,
    filtered_packages: StoredRows,
    github_enrichment: pd.DataFrame | None,
    download_stats: pd.DataFrame | None,
) -> dg.MaterializeResult:
    """The profile's packages as documents in its Typesense collection, proved to have arrived.

    Where the schema has changed, or a rebuild is asked for, a new version of the collection is built, verified, and
    only then put in the place of the one that is served. Else only what differs is sent.
    """
    with retried(context):
        profile = PROFILES[context.partition_key]
        told = Context(notes=NOTES, downloads=downloads_by_project(download_stats))
        source = PackageSource(filtered_packages, repositories_by_project(github_enrichment), told)
        partial = is_partial(filtered_packages.schema)
        rebuild = as_told(context, config).rebuild
        with typesense.server() as server:
            publisher = Publisher(server, progress_of(context))
            published = publisher.publish(profile.collection, source, rebuild=rebuild, partial=partial)
            place = _place(server, published)
        checks = [_completeness(published), _service(published), _findability(published)]
        return dg.MaterializeResult(metadata=_metadata(published) | place, check_results=checks)


def _place(server: SearchServer, published: Published) -> Metadata:
    """Where the collection is: an address that opens with a key, or the file of the embedded index."""
    if not server.link:
        return {"server": "embedded", "link": dg.MetadataValue.path(server.address)}
    return {"server": server.address, "link": dg.MetadataValue.url(f"{server.link}/collections/{published.name}")}


def _metadata(published: Published) -> Metadata:
    return {
        "alias": published.name,
        "collection": published.collection,
        "previous": published.previous or "none",
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
        "dagster/row_count": published.documents,
    }


def _completeness(published: Published) -> dg.AssetCheckResult:
    """Single refused documents are a warning: what is served is as good as they let it be."""
    severe = published.problems or is_too_much(len(published.refused), published.documents)
    return dg.AssetCheckResult(
        check_name=COLLECTION_IS_COMPLETE,
        passed=not published.problems and not published.refused,
        severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        metadata={
            "problems": _listed(published.problems),
            "refused": reasons_table(published.refused, "document"),
        },
    )


def _service(published: Published) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=ALIAS_SERVES_COLLECTION,
        passed=not published.serving,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"problems": _listed(published.serving), "collection": published.collection},
    )


def _findability(published: Published) -> dg.AssetCheckResult:
    """One package behind others of a like name is a warning; that most are not found is a broken search."""
    ranks = published.ranks
    missed = sorted(name for name, rank in ranks.items() if rank is None)
    return dg.AssetCheckResult(
        check_name=KNOWN_PACKAGES_ARE_FOUND,
        passed=not missed,
        severity=dg.AssetCheckSeverity.ERROR if 2 * len(missed) > len(ranks) else dg.AssetCheckSeverity.WARN,
        metadata={
            "looked_for": len(ranks),
            "not_found": ", ".join(missed) or "none",
            "places": markdown_table(["package", "place"], ((name, rank or "-") for name, rank in ranks.items())),
        },
    )


def _listed(problems: Sequence[str]) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {problem}" for problem in problems) or "none")
