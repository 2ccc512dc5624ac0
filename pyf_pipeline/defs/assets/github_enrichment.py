"""The third asset: what GitHub says of the packages' repositories."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.defs.config import EnrichConfig
from pyf_pipeline.defs.freshness import WEEKLY
from pyf_pipeline.defs.partitions import profile_partitions
from pyf_pipeline.defs.progress import progress_of
from pyf_pipeline.defs.resources import GitHubResource, StoreResource
from pyf_pipeline.defs.retrying import retried
from pyf_pipeline.defs.tables import markdown_table
from pyf_pipeline.defs.types import RepositoryType
from pyf_pipeline.github.cache import CacheEntry
from pyf_pipeline.github.enrichment import EnrichmentResult, WantedPackage, enrich
from pyf_pipeline.github.links import RepositoryName, choose
from pyf_pipeline.github.report import as_markdown, problems, write_report
from pyf_pipeline.store.documents import ProjectDocuments
from pyf_pipeline.store.outputs import Outputs, StoredRows
from pyf_pipeline.store.repositories import Repositories
from pyf_pipeline.store.rows import packages, repositories_by_project, repository_frame

ASSET = "github_enrichment"
COVERAGE = "coverage"
NO_PENDING = "no_pending_repositories"
WANTED_COVERAGE = 0.9
PROBLEMS_SHOWN = 50


@dg.asset(
    partitions_def=profile_partitions,
    group_name="catalogue",
    kinds={"python", "github", "parquet"},
    owners=["team:catalogue"],
    freshness_policy=WEEKLY,
    dagster_type=RepositoryType,
    pool="github",
    check_specs=[
        dg.AssetCheckSpec(COVERAGE, asset=ASSET, description="Nine of ten packages with a link have figures."),
        dg.AssetCheckSpec(NO_PENDING, asset=ASSET, description="GitHub was asked for every repository that was due."),
    ],
)
def github_enrichment(
    context: dg.AssetExecutionContext,
    config: EnrichConfig,
    store: StoreResource,
    github: GitHubResource,
    filtered_packages: StoredRows,
) -> dg.MaterializeResult:
    """One row for each package whose repository is on GitHub: stars, watchers, open issues, last update.

    All profiles share one cache of repositories, so that GitHub is asked only for figures that are due. Where its
    limit is used up, what is missing stays pending, and the next run goes on from there.
    """
    with retried(context):
        cache = Repositories(store.store.engine, CacheEntry.from_json)
        with github.client() as client:
            result = enrich(
                _wanted(filtered_packages, frozenset(normalise(name) for name in config.projects)),
                client,
                cache,
                max_age=github.cache_hours * 3600,
                refresh=config.refresh,
                wait_for_limit=config.wait_for_limit,
                older_links=lambda projects: _older_links(store.store.documents, projects),
                progress=progress_of(context),
            )
        for warning in result.warnings:
            context.log.warning(warning)
        if config.report_dir:
            write_report(Path(config.report_dir), context.partition_key, result.outcomes)
        rows = _others(store.outputs(), context.partition_key, result) if config.projects else {}
        rows |= {outcome.project: outcome.repository for outcome in result.outcomes if outcome.repository}
        return dg.MaterializeResult(
            value=repository_frame(rows), metadata=_metadata(result), check_results=_checks(result)
        )


def _others(outputs: Outputs, partition: str, result: EnrichmentResult) -> dict[str, Repository]:
    """The figures of the projects that this run did not look at."""
    if not outputs.exists(ASSET, partition):
        return {}
    known = repositories_by_project(outputs.rows(ASSET, partition).table().to_pandas())
    looked_at = {outcome.project for outcome in result.outcomes}
    return {project: repository for project, repository in known.items() if project not in looked_at}


def _wanted(rows: StoredRows, only: frozenset[str]) -> Iterator[WantedPackage]:
    """Each project once, however many of its releases there are; where some are named, only those."""
    seen: set[str] = set()
    for package in packages(rows.batches()):
        if package.project not in seen and (not only or package.project in only):
            seen.add(package.project)
            yield WantedPackage(package.project, choose(package.project_urls, package.home_page))


def _older_links(documents: ProjectDocuments, projects: Sequence[str]) -> Mapping[str, Sequence[RepositoryName]]:
    """The repositories that earlier metadata of projects named."""
    found: dict[str, list[RepositoryName]] = {}
    for project in projects:
        for document in documents.earlier(project):
            urls, home_page = document.info.get("project_urls"), document.info.get("home_page")
            links = choose(urls if isinstance(urls, dict) else {}, home_page if isinstance(home_page, str) else "")
            found.setdefault(project, []).extend(links.candidates)
    return found


def _metadata(result: EnrichmentResult) -> dict[str, dg.MetadataValue | int | float | str]:
    counts = result.counts
    resets = "" if result.reset_at is None else f"{datetime.fromtimestamp(result.reset_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return {
        **{str(status): count for status, count in counts.items()},
        "coverage": round(result.coverage, 3),
        "asked": result.asked,
        "cached": result.cached,
        "calls": result.calls,
        "points": result.points,
        "limit": "unknown" if result.limit is None else result.limit,
        "remaining": "unknown" if result.remaining is None else result.remaining,
        "resets": resets or "unknown",
        "most_starred": markdown_table(
            ["repository", "stars", "watchers", "open issues"],
            [(r.full_name, r.stars, r.watchers, r.open_issues) for r in result.most_starred()],
        ),
        "problem_report": dg.MetadataValue.md(as_markdown(result.outcomes, at_most=PROBLEMS_SHOWN)),
        "problems": dg.MetadataValue.json({str(reason): rows for reason, rows in problems(result.outcomes).items()}),
        "warnings": dg.MetadataValue.md("\n\n".join(result.warnings) or "none"),
    }


def _checks(result: EnrichmentResult) -> list[dg.AssetCheckResult]:
    pending = result.counts["pending"]
    return [
        dg.AssetCheckResult(
            check_name=COVERAGE,
            passed=result.coverage >= WANTED_COVERAGE,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"coverage": round(result.coverage, 3)},
        ),
        dg.AssetCheckResult(
            check_name=NO_PENDING,
            passed=not pending,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"pending": pending, "warnings": dg.MetadataValue.md("\n\n".join(result.warnings) or "none")},
        ),
    ]
