"""A profile's project documents, brought up to date: what is new is downloaded, all else is used again."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyf_pipeline.catalog.classifiers import carries
from pyf_pipeline.catalog.filtering import classifiers_of
from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.pypi.discovery import Discovered, Discoverer, Discovery
from pyf_pipeline.pypi.gathering import Add, Gathering, Progress, TooManyFailuresError, too_many_failures
from pyf_pipeline.pypi.http import Http, PyPIError
from pyf_pipeline.pypi.index import Index, IndexShrunkError, fetch_index
from pyf_pipeline.pypi.memory import Memory
from pyf_pipeline.pypi.pace import Pace
from pyf_pipeline.pypi.releases import fetch_releases

__all__ = ["Ingested", "Ingester", "Memory", "Order", "TooManyFailuresError"]

logger = logging.getLogger(__name__)

# A run that loses more than this fails as a whole: what it has would not be the ecosystem.
FAILURE_SHARE = 0.02
FAILURES_ALLOWED = 5

# The index weighs as much as about this many project documents.
NAMES_ARE_CHEAPER = 100


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
        anew: Projects to download although they did not move.
        allow_shrink: Whether an index is believed that lost much of PyPI since the last time.
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
    anew: frozenset[str] = frozenset()
    allow_shrink: bool = False

    def selects(self, name: str) -> bool:
        """Whether the run is about a project at all, as far as its name tells."""
        return name not in self.excludes and self.name_contains in name and (not self.projects or name in self.projects)

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
        stale: Projects whose answers stayed older than the index; the next run asks for them again.
        warnings: What an operator should know.
        serial: PyPI's serial up to which the result is true; 0 where the index was not needed.
        index_projects: How many projects the index has.
        index_age: Seconds for which the index had been in a cache on the way.
        index_outdated: Whether PyPI's index was older than the one of an earlier run, which was used instead.
        index_failed: Why the index could not be had, where the run could do without it.
        ahead: Downloaded documents that were newer than the index.
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
    stale: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    serial: int = 0
    index_projects: int = 0
    index_age: int = 0
    index_outdated: bool = False
    index_failed: str = ""
    ahead: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Ingester:
    """Brings profiles up to date.

    Attributes:
        http: How PyPI is asked.
        memory: What is remembered between runs.
        concurrency: Connections to PyPI at once.
        how: How projects with a classifier are found.
        good_for: Seconds for which an answer of XML-RPC is not asked for again.
        progress: Told (stage, done, total).
        now: The time in epoch seconds.
    """

    http: Http
    memory: Memory
    concurrency: int = 32
    how: Discovery = "auto"
    good_for: float = 24 * 3600
    progress: Progress = lambda *_: None
    now: Callable[[], float] = time.time

    def ingest(self, order: Order) -> Ingested:
        """Bring a profile's documents up to date.

        Raises:
            PyPIError: PyPI's index cannot be had, or too many projects cannot be downloaded.
        """
        started = time.monotonic()
        result = Ingested()
        gathering = self._gathering(order)
        index = self._index(order, result)
        candidates = self._discover(order, index, gathering, result)
        wanted = self._choose(order, index, candidates, result)
        gathering.keep(wanted)
        gathering.run("download", lambda add: add(self._outdated(order, wanted, gathering)))
        self._conclude(order, wanted, gathering, result)
        logger.info(
            "%d candidates: %d downloaded, %d reused, %d removed, %d failed, %d stale",
            *(result.chosen, result.downloaded, result.reused),
            *(len(result.removed), len(result.failures), len(result.stale)),
        )
        _check(result.failures, len(gathering.asked), left=len(result.names))
        if order.every_release:
            self._fetch_releases(result)
        result.seconds = time.monotonic() - started
        return result

    def _gathering(self, order: Order) -> Gathering:
        def is_wanted(document: ProjectDocument) -> bool:
            return document.name in order.packages or carries(classifiers_of(document), order.known_classifiers)

        return Gathering(
            self.http, self.memory, is_wanted=is_wanted, concurrency=self.concurrency, progress=self.progress
        )

    def _index(self, order: Order, result: Ingested) -> Index | None:
        """The index, where it is needed or cheaper than asking for each project by name."""
        if not order.classifiers and len(order.packages) <= NAMES_ARE_CHEAPER:
            return None
        try:
            index = fetch_index(self.http, self.memory.snapshots, allow_shrink=order.allow_shrink)
        except IndexShrunkError:
            raise
        except PyPIError as error:
            if order.classifiers:
                raise
            result.index_failed = str(error)
            result.warnings.append(f"the index cannot be had ({error}); every project was asked for by name instead")
            return None
        if index.outdated:
            result.warnings.append("PyPI's index is older than that of an earlier run, which was used instead")
        result.serial, result.index_projects = index.serial, len(index.serials)
        result.index_age, result.index_outdated = index.age, index.outdated
        return index

    def _discover(self, order: Order, index: Index | None, gathering: Gathering, result: Ingested) -> set[str]:
        """The candidates by classifier. What is sure to be needed of them is downloaded meanwhile."""
        if index is None or not order.classifiers:
            result.discovery = "names"
            return set()
        pace = Pace(self.http.base_url, self.memory.ledger, now=self.now, sleep=gathering.pause)
        discoverer = Discoverer(
            self.http, self.memory.knowledge, pace, self.how, self.good_for, self.progress, self.now
        )

        def fill(add: Add) -> Discovered:
            return discoverer.discover(index, order.classifiers, _Finder(self, order, index, gathering, add))

        found = gathering.run("classify" if self.how == "index" else "download", fill)
        result.discovery = found.how
        result.warnings.extend(found.warnings)
        return discoverer.members(index, order.classifiers, found)

    @staticmethod
    def _choose(order: Order, index: Index | None, candidates: set[str], result: Ingested) -> dict[str, int]:
        """The projects that this run looks at, with the serial below which an answer would be stale."""
        serials = index.serials if index else {}
        packages = {name for name in order.packages if index is None or name in serials}
        unknown = set(order.packages) - packages - set(order.excludes)
        candidates = (candidates | packages) - set(order.excludes)
        unknown |= set(order.projects) - candidates
        if unknown:
            result.warnings.append(f"not on PyPI, or not of this profile: {', '.join(sorted(unknown))}")
        chosen = sorted(filter(order.selects, candidates))[: order.limit or None]
        result.candidates, result.chosen = len(candidates), len(chosen)
        return {name: serials.get(name, 0) for name in chosen}

    def _outdated(self, order: Order, wanted: Mapping[str, int], gathering: Gathering) -> dict[str, int]:
        """What has to be downloaded: everything in a full run, else what moved; the rest is noted as current."""
        if order.mode == "full":
            return dict(wanted)
        stored = self.memory.documents.serials(wanted)
        # Without an index (serial 0) only PyPI itself can tell whether a project moved.
        outdated = {
            name: serial
            for name, serial in wanted.items()
            if not serial or stored.get(name, -1) < serial or name in order.anew
        }
        gathering.current.update(wanted.keys() - outdated.keys())
        return outdated

    def _conclude(self, order: Order, wanted: Mapping[str, int], gathering: Gathering, result: Ingested) -> None:
        """Settle what the result holds, and how it differs from the previous one."""
        current = wanted.keys() - gathering.missing
        if order.partial:
            current |= order.previous - set(order.excludes)
        elif gone := sorted(gathering.missing & wanted.keys()):
            result.warnings.append(f"not on PyPI: {', '.join(gone)}")
        result.names = sorted(current & self.memory.documents.serials(current).keys())
        result.removed = sorted(order.previous - set(result.names))
        result.downloaded = len(gathering.fresh.intersection(result.names))
        result.reused = len(result.names) - result.downloaded
        result.classified, result.ahead = gathering.classified, gathering.ahead
        result.failures.update(gathering.failures)
        result.stale = sorted(gathering.stale)
        if result.stale:
            result.warnings.append(
                f"answers for {len(result.stale)} projects stayed older than the index; the next run asks again"
            )

    def _fetch_releases(self, result: Ingested) -> None:
        """Fetch the metadata of every release of the result that is not stored yet."""
        documents = self.memory.documents.read(result.names)
        outcome = fetch_releases(
            self.http, self.memory.releases, documents, concurrency=self.concurrency, progress=self.progress
        )
        _check(outcome.failures, outcome.asked, left=outcome.fetched)
        result.releases = outcome.fetched
        result.failures.update(outcome.failures)
        if outcome.missing:
            result.warnings.append(f"releases that PyPI lists and does not have: {', '.join(sorted(outcome.missing))}")


@dataclass(frozen=True)
class _Finder:
    """Downloads what is found while more is being found."""

    ingester: Ingester
    order: Order
    index: Index
    gathering: Gathering
    add: Add

    def candidates(self, names: Collection[str]) -> None:
        """See `discovery.Finder`."""
        self.gathering.keep(names)
        # Which ones a limit lets through is known when all are.
        if not self.order.limit:
            serials = self.index.serials
            chosen = {name: serials[name] for name in names if name in serials and self.order.selects(name)}
            outdated = self.ingester._outdated(self.order, chosen, self.gathering)  # noqa: SLF001 - its other half
            self.add(outdated)

    def unclassified(self, serials: Mapping[str, int]) -> None:
        """See `discovery.Finder`."""
        self.add(serials)


def _check(failures: Mapping[str, str], asked: int, *, left: int) -> None:
    """Refuse to go on with too little.

    Raises:
        TooManyFailuresError: More failed than a run may lose, or nothing is left.
    """
    if failures and (len(failures) > max(FAILURES_ALLOWED, FAILURE_SHARE * asked) or not left):
        raise too_many_failures(failures, asked)
