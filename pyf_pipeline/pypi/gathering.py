"""The downloads of one run: each project is asked for at most once, stored as it arrives, and classified by it."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Protocol, TypeAlias, TypeVar

from pyf_pipeline.catalog.filtering import classifiers_of
from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.pypi.http import Http, PyPIError, StaleAnswerError
from pyf_pipeline.pypi.memory import Memory
from pyf_pipeline.pypi.projects import fetch_project
from pyf_pipeline.pypi.work import Done, Work

# Where that many fail, and more than half of all, PyPI is down, and the rest need not be tried.
HOPELESS = 50

Filled = TypeVar("Filled")
Add: TypeAlias = Callable[[Mapping[str, int]], None]


class Progress(Protocol):
    """Takes how far a stage is."""

    def __call__(self, stage: str, done: int, total: int, note: str = "", /) -> None:
        """So many of so many are done; the note says in a few words what else there is to say of them."""


class TooManyFailuresError(PyPIError):
    """So many projects could not be downloaded that the run must not go on."""


class StoppedError(RuntimeError):
    """The run ended while something still waited."""


class Gathering:
    """Downloads, and what became of them.

    Attributes:
        fresh: The projects whose documents were downloaded and stored.
        missing: Those that PyPI says it does not have (any more), though they were asked for.
        stale: Those whose document stayed older than the index until the end; it is kept by its own, older serial.
        failures: Why others could not be had, by name.
        asked: Everything that was asked for.
        current: Projects that need not be asked for, as their stored documents are current.
        ahead: Documents that were newer than the index.
        classified: Documents that only told that their project does not belong.
    """

    def __init__(
        self,
        http: Http,
        memory: Memory,
        *,
        is_wanted: Callable[[ProjectDocument], bool],
        concurrency: int,
        progress: Progress,
    ) -> None:
        self.fresh: set[str] = set()
        self.missing: set[str] = set()
        self.stale: set[str] = set()
        self.failures: dict[str, str] = {}
        self.asked: set[str] = set()
        self.current: set[str] = set()
        self.ahead = 0
        self.classified = 0
        self._http = http
        self._memory = memory
        self._is_wanted = is_wanted
        self._concurrency = concurrency
        self._progress = progress
        self._keep: set[str] = set()
        self._done = 0
        self._total = 0
        self._stopped = threading.Event()

    def keep(self, names: Iterable[str]) -> None:
        """Have the documents of projects kept, whatever they say."""
        self._keep.update(names)

    def run(self, stage: str, fill: Callable[[Add], Filled]) -> Filled:
        """Download what `fill` adds, from its first addition on, and return what it returns.

        Args:
            stage: What progress is reported as.
            fill: Called in a thread with a function that takes projects with the serials below which an answer is
                stale. Projects that were asked for already are left out.

        Raises:
            TooManyFailuresError: It is hopeless.
        """
        work: Work[tuple[str, int], ProjectDocument | None] = Work(
            self._http, self._fetch, concurrency=self._concurrency
        )
        before = self._total

        def add(wanted: Mapping[str, int]) -> None:
            new = [item for item in wanted.items() if item[0] not in self.asked]
            self.asked.update(name for name, _ in new)
            work.add(new)
            self._total = before + work.total

        def filling() -> Filled:
            try:
                return fill(add)
            finally:
                work.close()

        with ThreadPoolExecutor(1, thread_name_prefix="pypi-fill") as pool:
            filled = pool.submit(filling)
            try:
                # An exception would keep the generator, and with it the threads, alive for as long as itself.
                with closing(work.results()) as results:
                    for done in results:
                        self._take(done)
                        self._progress(stage, self._done, self._total, self._note())
            except BaseException:
                self._stopped.set()
                raise
        return filled.result()

    def _note(self) -> str:
        counts = {"reused": len(self.current - self.asked), "failed": len(self.failures), "stale": len(self.stale)}
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)

    def pause(self, seconds: float) -> None:
        """Wait, for as long as the run goes on.

        Raises:
            StoppedError: It does not.
        """
        if self._stopped.wait(seconds):
            raise StoppedError("the run has ended")

    def _fetch(self, wanted: tuple[str, int]) -> ProjectDocument | None:
        name, serial = wanted
        return fetch_project(self._http, name, minimum_serial=serial)

    def _take(self, done: list[Done[tuple[str, int], ProjectDocument | None]]) -> None:
        """Store what came, and note what did not."""
        documents: list[ProjectDocument] = []
        gone: dict[str, int] = {}
        for one in done:
            name, serial = one.key
            if one.result is not None:
                documents.append(one.result)
                self.ahead += bool(serial) and one.result.serial > serial
            elif one.error is None:
                gone[name] = serial
            elif isinstance(one.error, StaleAnswerError):
                self.stale.add(name)
                documents.append(one.error.document)
            else:
                self.failures[name] = str(one.error)
        self._store(documents, gone)
        self.missing.update(gone)
        self._done += len(done)
        if len(self.failures) >= HOPELESS and 2 * len(self.failures) > self._done:
            raise too_many_failures(self.failures, self._done)

    def _store(self, documents: list[ProjectDocument], gone: Mapping[str, int]) -> None:
        kept = [document for document in documents if document.name in self._keep or self._is_wanted(document)]
        self._memory.documents.put(kept)
        classified = {document.name: (document.serial, classifiers_of(document)) for document in documents}
        # A project that is gone carries nothing, and is not classified again until it moves.
        self._memory.knowledge.put(classified | {name: (serial, []) for name, serial in gone.items()})
        self.classified += len(documents) - len(kept)
        self.fresh.update(document.name for document in kept if document.name not in self.stale)


def too_many_failures(failures: Mapping[str, str], asked: int) -> TooManyFailuresError:
    """The error of a run that lost too much."""
    name, problem = next(iter(failures.items()))
    return TooManyFailuresError(
        f"{len(failures)} of {asked} projects could not be downloaded, so nothing is published; for instance {name}: "
        f"{problem}. What was downloaded is kept: an incremental run goes on from there"
    )
