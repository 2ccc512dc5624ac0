"""A package, and what others say of it, as the document that people search."""

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from itertools import chain, islice
from typing import Any

import orjson

from pyf_pipeline.catalog import chapters, facets, licences, people, readme, versions
from pyf_pipeline.catalog.health import as_of, health
from pyf_pipeline.catalog.links import leads_to_a_page
from pyf_pipeline.catalog.model import Downloads, Note, Package, Repository
from pyf_pipeline.catalog.readme import Rendered
from pyf_pipeline.search.schema import schema_fingerprint
from pyf_pipeline.search.workers import Lost, processors, work

logger = logging.getLogger(__name__)

# To be raised with every change to what documents look like: all are built anew then.
BUILDER_VERSION = 5

REGISTRY = "pypi"

# What decides how a README looks and how a version or a licence is read; a release of one of these, above all for
# safety, builds all documents anew.
READERS = ("readme-renderer", "docutils", "pygments", "nh3", "comrak", "cmarkgfm", "packaging")

INT64_MAX = 2**63 - 1

# Starting workers takes about as long as building this many documents of short READMEs. What colours code takes time by
# the square or the cube of its length where it is made for that: no more than a worker is given for so few characters,
# and hours for 50,000.
FEW_PACKAGES = 50
SHORT_README = 2_000

Pair = tuple[Package, Repository | None]


def _present() -> int:
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Context:
    """What documents are built from beside the packages and their repositories.

    Attributes:
        now: The time by which the packages' ages are told, in epoch seconds.
        notes: What people noted on packages, by normalised name.
        downloads: How often projects were downloaded, by normalised name.
    """

    now: int = field(default_factory=_present)
    notes: Mapping[str, Note] = field(default_factory=dict)
    downloads: Mapping[str, Downloads] = field(default_factory=dict)


_SOURCE_FIELDS = tuple(name for name in Package.model_fields if name != "releases")


@dataclass(frozen=True, slots=True)
class BuildFailure:
    """A package of which no document could be built.

    Attributes:
        id: The document's id.
        reason: Why, in one line.
    """

    id: str
    reason: str


def content_hash(package: Package, repository: Repository | None, context: Context | None = None) -> str:
    """What a document is built from, in one short text: where it stays, the document need not be built again.

    It covers the source fields, this builder, the schema and the libraries that read them; nothing is rendered for it.
    It is the same in every process. Of the time it covers only when the health score last changed by it, so that it
    changes when the score does.
    """
    return _hash(_task(package, repository, context or Context()))


def _hash(task: "_Task") -> str:
    package, repository = task.package, task.repository
    facts = [
        _basis(),
        [getattr(package, name) for name in _SOURCE_FIELDS],
        [(release.version, release.upload_timestamp, release.yanked) for release in package.releases],
        # Not when it was asked about, which is no part of the document.
        repository and _repository(repository),
        as_of(package, repository, task.now),
        task.note and task.note.model_dump(),
        task.downloads and _downloads(task.downloads),
    ]
    return hashlib.blake2b(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def build_document(package: Package, repository: Repository | None, context: Context | None = None) -> dict[str, Any]:
    """The document of a package, as `collection_schema` describes it; byte for byte the same for the same facts."""
    return _render(_task(package, repository, context or Context()))


def build_documents(
    pairs: Iterable[Pair], *, processes: int | None, context: Context | None = None
) -> Iterator[dict[str, Any] | BuildFailure]:
    """The documents of packages, in order, and in the place of one that cannot be built, the reason.

    A README that cannot be rendered within the limits of `workers` is shown as plain text instead, but for a short one
    among a few, to which no limits need apply.

    Args:
        pairs: The packages and their repositories, read only as fast as documents are taken.
        processes: How many processes render; 1 renders in this one, without a limit on time. None decides by how much
            there is to do, and by the processors at hand.
        context: What all of them are built with; by default, the time at which this is called.
    """
    shared = context or Context()
    remaining = (_task(package, repository, shared) for package, repository in pairs)
    return _built(remaining, processes)


def _built(tasks: Iterator["_Task"], processes: int | None) -> Iterator[dict[str, Any] | BuildFailure]:
    if processes is None:
        first = list(islice(tasks, FEW_PACKAGES + 1))
        few = len(first) <= FEW_PACKAGES and all(len(task.package.description) <= SHORT_README for task in first)
        # Where there is one processor only, a worker is no faster; it is what keeps to the limits.
        processes, in_workers = processors(), not few
        tasks = chain(first, tasks)
    else:
        in_workers = processes > 1
    yield from _built_by_workers(tasks, processes) if in_workers else map(_build, tasks)


@dataclass(frozen=True, slots=True)
class _Task:
    """What one document is built from."""

    package: Package
    repository: Repository | None
    note: Note | None
    downloads: Downloads | None
    now: int


def _task(package: Package, repository: Repository | None, context: Context) -> _Task:
    project = package.project
    return _Task(package, repository, context.notes.get(project), context.downloads.get(project), context.now)


def _built_by_workers(tasks: Iterable[_Task], processes: int) -> Iterator[dict[str, Any] | BuildFailure]:
    for task, result in work(_build, tasks, processes=processes):
        if isinstance(result, Lost):
            logger.warning("the README of %s is shown as plain text: %s", task.package.id, result.reason)
            yield _build_plain(task)
        else:
            yield result


def _build(task: _Task) -> dict[str, Any] | BuildFailure:
    try:
        return _render(task)
    except Exception as error:  # noqa: BLE001 - one odd package must not keep all others from being published
        return _failure(task.package, error)


def _build_plain(task: _Task) -> dict[str, Any] | BuildFailure:
    try:
        return _document(task, readme.plain(task.package.description))
    except Exception as error:  # noqa: BLE001 - as above
        return _failure(task.package, error)


def _render(task: _Task) -> dict[str, Any]:
    package = task.package
    return _document(task, readme.render(package.description, package.description_content_type))


def _failure(package: Package, error: Exception) -> BuildFailure:
    logger.debug("no document of %s", package.id, exc_info=error)
    return BuildFailure(package.id, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _document(task: _Task, rendered: Rendered) -> dict[str, Any]:
    package, repository = task.package, task.repository
    return {
        "id": package.id,
        "name": package.name,
        "name_sortable": package.name.lower(),
        "identifier": f"{package.project}-{package.version}",
        "registry": REGISTRY,
        "summary": package.summary,
        "keywords": list(package.keywords),
        "classifiers": list(package.classifiers),
        "license": package.license,
        "platform": package.platform,
        "requires_python": package.requires_python,
        "requires_dist": list(package.requires_dist),
        "author": package.author,
        "author_email": package.author_email,
        "maintainer": package.maintainer,
        "maintainer_email": package.maintainer_email,
        "last_serial": package.last_serial,
        "content_hash": _hash(task),
        **_facets(package),
        **_release(package),
        **_readme(package, rendered),
        **_links(package),
        **_health(task, rendered),
        **(_curated(task.note) if task.note else {}),
        **(_repository(repository) if repository else {}),
        **(_downloads(task.downloads) if task.downloads else {}),
    }


def _release(package: Package) -> dict[str, Any]:
    parts = versions.parts(package.version)
    # A release that was made between two answers of PyPI may not be listed yet.
    listed = {package.version, *(release.version for release in package.releases)}
    uploads = (package.upload_timestamp, *(release.upload_timestamp for release in package.releases))
    return {
        "version": package.version,
        "version_raw": package.version,
        "version_sortable": versions.sortable(package.version),
        "version_major": parts.major,
        "version_minor": parts.minor,
        "version_bugfix": parts.bugfix,
        "version_postfix": parts.postfix,
        "is_prerelease": parts.is_prerelease,
        "yanked": package.yanked,
        "yanked_reason": package.yanked_reason,
        "upload_timestamp": package.upload_timestamp,
        "first_upload_timestamp": min(filter(None, uploads), default=0),
        "versions": versions.newest_first(listed),
        "release_count": len(listed),
    }


def _facets(package: Package) -> dict[str, Any]:
    frameworks = facets.framework_versions(package.classifiers, package.requires_dist)
    pythons = facets.python_versions(package.classifiers, package.requires_python)
    said = {
        "framework_versions_source": frameworks.source,
        "python_versions_source": pythons.source,
        "development_status": facets.development_status(package.classifiers),
        "license_spdx": licences.spdx(package.license_expression, package.classifiers, package.license),
    }
    return {
        "framework_versions": frameworks.values,
        "python_versions": pythons.values,
        "topics": facets.topics(package.classifiers),
        "authors": people.authors(package.author, package.author_email, package.maintainer, package.maintainer_email),
        # A list of values to choose from has no entry for nothing.
        **{name: value for name, value in said.items() if value},
    }


def _readme(package: Package, rendered: Rendered) -> dict[str, Any]:
    found = chapters.split(rendered.html, package.summary)
    return {
        "description": rendered.html,
        "description_content_type": package.description_content_type,
        **found._asdict(),
    }


def _curated(note: Note) -> dict[str, Any]:
    """Only what the note says, so that a list of values to choose from has no entry for nothing."""
    return {f"curated_{name}": value for name, value in note.model_dump().items() if value not in {None, ""}}


def _links(package: Package) -> dict[str, Any]:
    names = ("home_page", "docs_url", "package_url", "project_url", "release_url")
    labelled = {label: url for label, url in package.project_urls.items() if leads_to_a_page(url)}
    return {name: url if leads_to_a_page(url := getattr(package, name)) else "" for name in names} | {
        "project_urls": labelled
    }


def _health(task: _Task, rendered: Rendered) -> dict[str, Any]:
    moment = as_of(task.package, task.repository, task.now)
    found = health(task.package, rendered.html, task.repository, moment)
    return {
        "health_score": found.score,
        "health_score_breakdown": found.breakdown(),
        "health_score_last_calculated": moment,
    }


def _repository(repository: Repository) -> dict[str, Any]:
    return {
        "github_url": repository.url,
        "github_stars": _int64(repository.stars),
        "github_watchers": _int64(repository.watchers),
        "github_open_issues": _int64(repository.open_issues),
        "github_updated": _int64(repository.updated),
        "github_archived": repository.archived,
    }


def _downloads(downloads: Downloads) -> dict[str, Any]:
    return {
        "download_last_day": _int64(downloads.last_day),
        "download_last_week": _int64(downloads.last_week),
        "download_last_month": _int64(downloads.last_month),
        "download_updated": _int64(downloads.updated),
    }


def _int64(number: int) -> int:
    return max(0, min(number, INT64_MAX))


@cache
def _basis() -> list[object]:
    installed = [f"{name} {metadata.version(name)}" for name in READERS if _is_installed(name)]
    return [BUILDER_VERSION, schema_fingerprint(), installed, facets.known_versions()]


def _is_installed(distribution: str) -> bool:
    """Whether a library is there: readme-renderer has changed the one that it uses for Markdown."""
    return any(metadata.distributions(name=distribution))
