"""Work on untrusted input in processes of their own, each item bounded in time and memory.

A README can make a renderer run for hours, take all memory or crash, in code that no Python exception reaches. A worker
that goes over its limits is ended by the operating system; the item is reported as lost, and all others are worked on.

Workers are plain subprocesses and not `multiprocessing`'s, because those load the parent's main module once more, which
takes seconds where that is Dagster, and outlive a parent that is killed.
"""

import os
import queue
import resource
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

SECONDS_PER_ITEM = 20.0
MEMORY_PER_WORKER = 3 * 2**30
ITEMS_PER_CHUNK = 16

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Lost:
    """An item whose worker ended before it was done.

    Attributes:
        reason: How the worker ended.
    """

    reason: str


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work(
    function: Callable[[T], R], items: Iterable[T], *, processes: int, seconds: float = SECONDS_PER_ITEM
) -> Iterator[tuple[T, R | Lost]]:
    """Apply a function to items in worker processes: each item with its result, in order, in bounded memory.

    Args:
        function: A function at the top of a module; it must not raise.
        items: What it is applied to, read only as fast as results are taken.
        processes: How many workers there are.
        seconds: How long one item may take.
    """
    pool: _Pool[T, R] = _Pool(function, processes, seconds)
    pending: deque[tuple[list[T], Future[list[R | Lost]]]] = deque()
    remaining = iter(items)
    try:
        while chunk := list(islice(remaining, ITEMS_PER_CHUNK)):
            pending.append((chunk, pool.submit(chunk)))
            if len(pending) >= 2 * processes:
                yield from _pairs(*pending.popleft())
        while pending:
            yield from _pairs(*pending.popleft())
    finally:
        pool.close()


def _pairs(chunk: list[T], results: Future[list[R | Lost]]) -> Iterator[tuple[T, R | Lost]]:
    return zip(chunk, results.result(), strict=True)


class _Pool(Generic[T, R]):
    """Threads that each feed one worker at a time, and start another where it ends."""

    def __init__(self, function: Callable[[T], R], processes: int, seconds: float) -> None:
        self._function = function
        self._seconds = seconds
        self._closed = False
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="worker")

    def submit(self, chunk: list[T]) -> Future[list[R | Lost]]:
        return self._threads.submit(self._run, chunk)

    def close(self) -> None:
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in list(self._all):
            worker.kill()
        self._threads.shutdown(wait=True)
        for worker in self._all:
            worker.bury(self._seconds)

    def _run(self, chunk: list[T]) -> list[R | Lost]:
        results: list[R | Lost] = []
        while len(results) < len(chunk) and not self._closed:
            worker = self._worker()
            if self._closed:
                worker.kill()
            try:
                worker.link.send((self._function, self._seconds, chunk[len(results) :]))
                while len(results) < len(chunk):
                    results.append(worker.link.recv())
            except (EOFError, OSError):
                results.append(Lost(worker.bury(self._seconds)))
                continue
            self._idle.put(worker)
        return results

    def _worker(self) -> "_Worker":
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            worker = _Worker()
            self._all.append(worker)
            return worker


class _Worker:
    """A subprocess, and the link to it, which ends with either of the two."""

    def __init__(self) -> None:
        self.link, other = Pipe()
        with other:
            self._process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
                [sys.executable, "-m", __spec__.name, str(other.fileno())],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        """End it at once; whoever waits for it finds the link at its end."""
        self._process.kill()

    def bury(self, seconds: float) -> str:
        """Release what it held, and say in words how it ended. It has ended, or ends now that its link does."""
        self.link.close()
        code = self._process.wait()
        if code == -signal.SIGALRM:
            return f"it took more than {seconds:g} s"
        return f"the worker ended with {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"


def _serve(link: Connection) -> None:
    """Work for the parent until it closes the link."""
    # The terminal's Ctrl-C goes to the whole group; the parent decides what it means, and then closes the link.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_PER_WORKER, resource.getrlimit(resource.RLIMIT_AS)[1]))
    while True:
        try:
            function, seconds, items = link.recv()
        except EOFError:
            return
        for item in items:
            _bounded(link, function, item, seconds)


def _bounded(link: Connection, function: Callable[[Any], Any], item: object, seconds: float) -> None:
    # SIGALRM is not handled, and so it ends the process, whatever code runs.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    result = function(item)
    signal.setitimer(signal.ITIMER_REAL, 0)
    link.send(result)


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
