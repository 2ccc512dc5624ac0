"""The metadata of single releases, for profiles that publish one document per release."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pyf_pipeline.catalog.model import ProjectDocument, Release
from pyf_pipeline.pypi.gathering import HOPELESS, Progress, too_many_failures
from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.memory import ReleaseDocuments
from pyf_pipeline.pypi.projects import fetch_release
from pyf_pipeline.pypi.work import Work


@dataclass
class FetchedReleases:
    """What became of the releases that were asked for.

    Attributes:
        fetched: How many were downloaded and stored.
        missing: "project version" of those that PyPI lists and does not have; not asked for again until it moves.
        failures: Why others could not be had, by "project version".
        asked: How many were asked for.
    """

    fetched: int = 0
    missing: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    asked: int = 0


def missing_releases(document: ProjectDocument, stored: set[str]) -> list[Release]:
    """The releases of a project whose metadata is not stored; one without files has none worth having."""
    return [r for r in document.releases if r.upload_timestamp and r.version not in stored]


def fetch_releases(
    http: Http,
    kept: ReleaseDocuments,
    documents: Iterable[ProjectDocument],
    *,
    concurrency: int,
    progress: Progress,
) -> FetchedReleases:
    """Fetch and store the metadata of every release of some projects that is not stored yet.

    Raises:
        TooManyFailuresError: It is hopeless.
    """
    wanted = [
        (document.name, release.version, document.serial)
        for document in documents
        for release in missing_releases(document, kept.versions(document.name, document.serial))
    ]
    outcome = FetchedReleases(asked=len(wanted))

    def fetch(key: tuple[str, str, int]) -> dict[str, Any] | None:
        return fetch_release(http, key[0], key[1])

    work = Work(http, fetch, concurrency=concurrency)
    work.add(wanted)
    work.close()
    for batch in work.results():
        for done in batch:
            name, version, serial = done.key
            if done.error is not None:
                outcome.failures[f"{name} {version}"] = str(done.error)
            elif done.result is None:
                kept.put_missing(name, version, serial)
                outcome.missing.append(f"{name} {version}")
            else:
                kept.put(name, version, done.result)
                outcome.fetched += 1
        finished = outcome.fetched + len(outcome.missing) + len(outcome.failures)
        progress("releases", finished, len(wanted))
        if len(outcome.failures) >= HOPELESS and 2 * len(outcome.failures) > finished:
            raise too_many_failures(outcome.failures, finished)
    return outcome
