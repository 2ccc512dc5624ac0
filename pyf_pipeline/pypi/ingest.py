"""A profile's project documents, brought up to date: what is new is downloaded, all else is used again."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pyf_pipeline.catalog.classifiers import carries
from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.pypi.discovery import (
    Discovered,
    Discoverer,
    Discovery,
    Knowledge,
    Progress,
    classifiers_of,
)
from pyf_pipeline.pypi.download import download
from pyf_pipeline.pypi.http import Http, PyPIError
from pyf_pipeline.pypi.index import Index, Snapshots, fetch_index
from pyf_pipeline.pypi.releases import fetch_releases, missing_releases
from pyf_pipeline.pypi.xmlrpc import Pace

# A run that loses more than this fails as a whole: what it has would not be the ecosystem.
FAILURE_SHARE = 0.02
FAILURES_ALLOWED = 5

# The index weighs as much as about this many project documents.
NAMES_ARE_CHEAPER = 100


class TooManyFailuresError(PyPIError):
    """So many projects could not be downloaded that the run must not go on."""


class Documents(Protocol):
    """Where project documents are kept."""

    def put(self, documents: Iterable[ProjectDocument]) -> None:
        """Keep documents."""

    def serials(self, names: Iterable[str]) -> dict[str, int]:
        """The serials of the documents kept."""

    def read(self, names: Iterable[str]) -> Iterator[ProjectDocument]:
        """The documents kept, in the order asked for."""


class ReleaseDocuments(Protocol):
    """Where the metadata of single releases is kept."""

    def put(self, name: str, version: str, info: Mapping[str, Any]) -> None:
        """Keep a release's metadata."""

    def versions(self, name: str) -> set[str]:
        """The versions kept for a project."""


@dataclass(frozen=True)
class Memory:
    """What is remembered between runs, as far as ingesting needs it."""

    documents: Documents
    releases: ReleaseDocuments
    knowledge: Knowledge
    snapshots: Snapshots


@dataclass(frozen=True)
class Order:
    """What a run is to bring up to date.

    Attributes:
        classifiers: The profile's classifiers.
        packages: Projects that belong to it whatever their classifiers, by normalised name.
        excludes: Projects that do not belong to it, by normalised name.
        known_classifiers: The classifiers of all profiles, this one's included: a document that carries one is worth
            keeping.
        every_release: Whether each release's own metadata is wanted.
        mode: `incremental` downloads what moved, `full` everything.
        limit: At most so many projects; 0 for all.
        name_contains: Only projects with this in their normalised name.
        projects: Only these projects, by normalised name.
        previous: The names in the previous complete result; empty on a fresh partition.
    """

    classifiers: tuple[str, ...]
    packages: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    known_classifiers: tuple[str, ...] = ()
    every_release: bool = False
    mode: Literal["incremental", "full"] = "incremental"
    limit: int = 0
    name_contains: str = ""
    projects: tuple[str, ...] = ()
    previous: frozenset[str] = frozenset()

    @property
    def partial(self) -> bool:
        """Whether the run looks at a part of the profile only, and so never removes anything."""
        return bool(self.limit or self.name_contains or self.projects)


@dataclass
class Ingested:
    """What a run did.

    Attributes:
        names: The normalised names of the result, sorted; each has a stored document.
        discovery: How candidates were found.
        candidates: How many projects may belong to the profile.
        chosen: How many of them this run looked at.
        downloaded: Documents downloaded, of those in the result.
        reused: Documents used again as they were.
        removed: Names that were in the previous result and are no longer.
        classified: Projects looked at only to learn their classifiers.
        releases: Release documents downloaded.
        failures: Why projects could not be downloaded, by name. Their previous document, if any, stands.
        warnings: What an operator should know.
        serial: PyPI's serial up to which the result is true; 0 where the index was not needed.
        seconds: How long it took.
    """

    names: list[str] = field(default_factory=list)
    discovery: str = ""
    candidates: int = 0
    chosen: int = 0
    downloaded: int = 0
    reused: int = 0
    removed: list[str] = field(default_factory=list)
    classified: int = 0
    releases: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    serial: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Ingester:
    """Brings profiles up to date.

    Attributes:
        http: How PyPI is asked.
        memory: What is remembered between runs.
        pace: How often XML-RPC may be called.
        concurrency: Connections to PyPI at once.
        how: How projects with a classifier are found.
        good_for: Seconds for which an answer of XML-RPC is not asked for again.
        progress: Told (stage, done, total).
    """

    http: Http
    memory: Memory
    pace: Pace = field(default_factory=Pace)
    concurrency: int = 32
    how: Discovery = "auto"
    good_for: float = 24 * 3600
    progress: Progress = lambda _stage, _done, _total: None

    def ingest(self, order: Order) -> Ingested:
        """Bring a profile's documents up to date.

        Raises:
            PyPIError: PyPI's index cannot be had, or too many projects cannot be downloaded.
        """
        started = time.monotonic()
        result = Ingested()
        fresh: set[str] = set()
        index = self._index(order, result)
        found = self._discover(order, index, fresh)
        wanted = self._choose(order, index, found, result)
        outdated = self._outdated(order, wanted, fresh | found.missing | found.failures.keys())
        missing = found.missing | self._download(outdated, fresh, result)
        _check(result.failures, len(outdated) + found.classified + len(found.failures))
        self._conclude(order, wanted, missing, fresh, result)
        if order.every_release:
            result.releases = self._fetch_releases(result)
        result.seconds = time.monotonic() - started
        return result

    def _conclude(
        self, order: Order, wanted: dict[str, int], missing: set[str], fresh: set[str], result: Ingested
    ) -> None:
        """Settle what the result holds, and how it differs from the previous one."""
        current = set(wanted) - missing
        if order.partial:
            current |= order.previous - set(order.excludes)
        elif gone := missing & set(order.packages):
            result.warnings.append(f"not on PyPI: {', '.join(sorted(gone))}")
        result.names = sorted(current & self.memory.documents.serials(current).keys())
        result.removed = sorted(order.previous - set(result.names))
        result.downloaded = len(fresh & set(result.names))
        result.reused = len(result.names) - result.downloaded

    def _fetch_releases(self, result: Ingested) -> int:
        """Fetch the metadata of every release that is not stored yet; returns how many were."""
        wanted = [
            (document.name, release.version)
            for document in self.memory.documents.read(result.names)
            for release in missing_releases(document, self.memory.releases.versions(document.name))
        ]
        fetched = 0
        for name, version, outcome in fetch_releases(self.http, wanted, concurrency=self.concurrency):
            if isinstance(outcome, str):
                result.failures[f"{name} {version}"] = outcome
            else:
                self.memory.releases.put(name, version, outcome)
                fetched += 1
            self.progress("releases", fetched, len(wanted))
        _check(result.failures, len(wanted) + result.chosen)
        return fetched

    def _index(self, order: Order, result: Ingested) -> Index | None:
        """The index, where it is needed or cheaper than asking for each project by name."""
        if not order.classifiers and len(order.packages) <= NAMES_ARE_CHEAPER:
            return None
        try:
            index = fetch_index(self.http, self.memory.snapshots)
        except PyPIError as error:
            if order.classifiers:
                raise
            result.warnings.append(f"the index cannot be had ({error}); every project was asked for by name instead")
            return None
        result.serial = index.serial
        return index

    def _discover(self, order: Order, index: Index | None, fresh: set[str]) -> Discovered:
        if index is None:
            return Discovered(set(), "names")

        def keep(documents: list[ProjectDocument]) -> None:
            self.memory.documents.put(documents)
            fresh.update(document.name for document in documents)

        def is_wanted(document: ProjectDocument) -> bool:
            return document.name in order.packages or carries(classifiers_of(document), order.known_classifiers)

        discoverer = Discoverer(
            self.http,
            self.memory.knowledge,
            keep,
            is_wanted,
            self.pace,
            self.concurrency,
            self.how,
            self.good_for,
            self.progress,
        )
        return discoverer.discover(index, order.classifiers)

    @staticmethod
    def _choose(order: Order, index: Index | None, found: Discovered, result: Ingested) -> dict[str, int]:
        """The projects that this run looks at, with the serial below which an answer would be stale."""
        serials = index.serials if index else {}
        packages = {name for name in order.packages if index is None or name in serials}
        unknown = set(order.packages) - packages
        candidates = (found.names | packages) - set(order.excludes)
        chosen = sorted(name for name in candidates if order.name_contains in name)
        if order.projects:
            unknown |= set(order.projects) - candidates
            chosen = [name for name in chosen if name in order.projects]
        if unknown:
            result.warnings.append(f"not on PyPI, or not of this profile: {', '.join(sorted(unknown))}")
        chosen = chosen[: order.limit or None]
        result.discovery, result.classified = found.how, found.classified
        result.failures.update(found.failures)
        result.warnings.extend(found.warnings)
        result.candidates, result.chosen = len(candidates), len(chosen)
        return {name: serials.get(name, 0) for name in chosen}

    def _outdated(self, order: Order, wanted: dict[str, int], done: Iterable[str]) -> dict[str, int]:
        """What has to be downloaded: everything in a full run, else what moved; nothing twice in one run."""
        left = {name: serial for name, serial in wanted.items() if name not in done}
        if order.mode == "full":
            return left
        stored = self.memory.documents.serials(left)
        # Without an index (serial 0) only PyPI itself can tell whether a project moved.
        return {name: serial for name, serial in left.items() if not serial or stored.get(name, -1) < serial}

    def _download(self, wanted: dict[str, int], fresh: set[str], result: Ingested) -> set[str]:
        """Download, and store each document as it arrives; returns the names that PyPI no longer has."""
        missing: set[str] = set()
        done = 0
        for batch in download(self.http, wanted, concurrency=self.concurrency):
            documents = [outcome.document for outcome in batch if outcome.document]
            self.memory.documents.put(documents)
            self.memory.knowledge.put({d.name: (d.serial, classifiers_of(d)) for d in documents})
            fresh.update(document.name for document in documents)
            missing.update(outcome.name for outcome in batch if outcome.missing)
            result.failures.update({outcome.name: outcome.problem for outcome in batch if outcome.problem})
            done += len(batch)
            self.progress("download", done, len(wanted))
        return missing


def _check(failures: Mapping[str, str], asked: int) -> None:
    """Refuse to go on with too little.

    Raises:
        TooManyFailuresError: More failed than a run may lose, or all of it did.
    """
    failed = len(failures)
    if failed and (failed > max(FAILURES_ALLOWED, FAILURE_SHARE * asked) or failed == asked):
        name, problem = next(iter(failures.items()))
        raise TooManyFailuresError(
            f"{failed} of {asked} projects could not be downloaded, so nothing is published; for instance {name}: "
            f"{problem}. What was downloaded is kept: an incremental run goes on from there"
        )
