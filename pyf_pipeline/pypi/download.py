"""Many projects at once, handed over as they arrive."""

from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.pypi.http import Http, PyPIError
from pyf_pipeline.pypi.projects import fetch_project

# Enough waiting work that no connection idles, little enough that few documents are in memory at once.
QUEUED_PER_CONNECTION = 2


@dataclass(frozen=True, slots=True)
class Download:
    """What became of one project that was asked for.

    Attributes:
        name: Its normalised name.
        document: What PyPI answered, if it answered with a document.
        problem: Why there is none; "" where PyPI says that there is no such project.
    """

    name: str
    document: ProjectDocument | None
    problem: str = ""

    @property
    def missing(self) -> bool:
        """Whether PyPI says that there is no such project (any more)."""
        return self.document is None and not self.problem


def download(http: Http, wanted: Mapping[str, int], *, concurrency: int) -> Iterator[list[Download]]:
    """Fetch projects concurrently and hand over what has arrived, again and again, until all are accounted for.

    Every project that is asked for comes back exactly once, whatever happened to it. A consumer that stops early
    stops the downloads as well.

    Args:
        http: How PyPI is asked.
        wanted: The serial below which an answer is stale, by normalised name.
        concurrency: How many requests are under way at once.
    """

    def fetch(name: str, serial: int) -> Download:
        try:
            return Download(name, fetch_project(http, name, minimum_serial=serial))
        except PyPIError as error:
            return Download(name, None, str(error))

    waiting = iter(wanted.items())
    running: set[Future[Download]] = set()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="pypi")
    try:
        while True:
            free = concurrency * QUEUED_PER_CONNECTION - len(running)
            running.update(pool.submit(fetch, *item) for item in islice(waiting, free))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield [future.result() for future in done]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
