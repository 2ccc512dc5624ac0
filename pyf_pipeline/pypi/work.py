"""Many requests at once, while it is still being found out which: results come as they arrive, trouble comes again.

What fails goes back to the end of the queue for some time instead of waiting in a connection's place.
"""

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from pyf_pipeline.pypi.http import ExhaustedError, Http, PassingError, PyPIError, StaleAnswerError, backoff, given_up

Key = TypeVar("Key")
Result = TypeVar("Result")

# Enough waiting work that no connection idles, little enough that few results are in memory at once.
QUEUED_PER_CONNECTION = 2

# What arrives within so many seconds is handed over together: storing it one by one costs several times as much.
TOGETHER_SECONDS = 0.03

# After how many seconds a stale answer is asked for again: a cache is usually told within seconds.
STALE_SECONDS = (2.0, 8.0, 20.0)


@dataclass(frozen=True, slots=True)
class Done(Generic[Key, Result]):
    """What became of one request, its retries included.

    Attributes:
        key: What was asked for.
        result: What came of it; meaningless where there is an error.
        error: Why nothing usable came, if so.
    """

    key: Key
    result: Result | None
    error: PyPIError | None = None


@dataclass(slots=True)
class _Job(Generic[Key]):
    key: Key
    failed: int = 0
    stale: int = 0


class Work(Generic[Key, Result]):
    """A queue of requests that is worked on by as many threads as there are connections."""

    def __init__(self, http: Http, ask: Callable[[Key], Result], *, concurrency: int) -> None:
        """Begin with nothing to do.

        Args:
            http: What is asked; its number of retries is each request's budget.
            ask: Makes one request; raises PassingError where it should be made again.
            concurrency: How many are made at once.
        """
        self.total = 0
        self._http = http
        self._ask = ask
        self._places = concurrency * QUEUED_PER_CONNECTION
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="pypi")
        self._lock = threading.Lock()
        self._ready: deque[_Job[Key]] = deque()
        self._later: list[tuple[float, int, _Job[Key]]] = []
        self._order = itertools.count()
        self._running = 0
        self._open = True
        # Finished requests; None where there is something new to start.
        self._events: SimpleQueue[tuple[_Job[Key], Future[Result]] | None] = SimpleQueue()

    def add(self, keys: Iterable[Key]) -> None:
        """Queue further requests; from any thread, until it is closed."""
        with self._lock:
            before = len(self._ready)
            self._ready.extend(_Job(key) for key in keys)
            self.total += len(self._ready) - before
        self._events.put(None)

    def close(self) -> None:
        """Say that nothing will be added any more."""
        self._open = False
        self._events.put(None)

    def results(self) -> Generator[list[Done[Key, Result]], None, None]:
        """What has been done, again and again, until it is closed and everything is accounted for.

        Everything that was added comes back exactly once. A consumer that stops early stops the requests as well.
        """
        try:
            while True:
                # Read before looking for work: what was added before the closing is then seen.
                is_open = self._open
                self._start()
                if not (is_open or self._running or self._ready or self._later):
                    return
                if finished := self._collect():
                    yield finished
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            self._ready.append(heapq.heappop(self._later)[2])
        while self._ready and self._running < self._places:
            job = self._ready.popleft()
            self._running += 1
            future = self._pool.submit(self._ask, job.key)
            future.add_done_callback(lambda finished, job=job: self._events.put((job, finished)))  # type: ignore[misc]

    def _collect(self) -> list[Done[Key, Result]]:
        """Wait for something to happen, and give what is finished shortly after."""
        finished: list[Done[Key, Result]] = []
        until = self._later[0][0] if self._later else None
        while True:
            try:
                pause = None if until is None else max(0.0, until - time.monotonic())
                event = self._events.get(timeout=pause)
            except Empty:
                return finished
            if event is None:
                return finished
            self._running -= 1
            finished += self._settle(*event)
            if not self._running and not self._ready:
                return finished
            self._start()
            soon = time.monotonic() + TOGETHER_SECONDS
            until = soon if until is None else min(until, soon)

    def _settle(self, job: _Job[Key], future: Future[Result]) -> list[Done[Key, Result]]:
        error = future.exception()
        if error is None:
            return [Done(job.key, future.result())]
        if isinstance(error, StaleAnswerError):
            pause = STALE_SECONDS[job.stale] if job.stale < len(STALE_SECONDS) else None
            job.stale += 1
        elif isinstance(error, PassingError):
            pause = backoff(job.failed) if job.failed < self._http.retries else None
            job.failed += 1
            error = ExhaustedError(given_up(error, job.failed))
        elif isinstance(error, PyPIError):
            pause = None
        else:
            raise error
        if pause is None:
            return [Done(job.key, None, error)]
        self._http.count_retry()
        heapq.heappush(self._later, (time.monotonic() + pause, next(self._order), job))
        return []
