"""How far a run is: lines in its log now and then, and every step to whoever listens in the same process."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

from pyf_pipeline.pypi.gathering import Progress

LOG_EVERY_SECONDS = 10.0

Listener = Callable[[str, str, int, int, str], None]

_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have a function told (partition, stage, done, total, note) for as long as the context lasts."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def announce(partition: str, stage: str, done: int, total: int, note: str = "") -> None:
    """Tell whoever listens in this process how far a partition's stage is."""
    for listener in _listeners:
        listener(partition, stage, done, total, note)


def progress_of(context: dg.AssetExecutionContext) -> Progress:
    """A function that takes (stage, done, total), and perhaps a note, for the run's log and for listeners."""
    started: dict[str, float] = {}
    logged: dict[str, float] = {}

    def progress(stage: str, done: int, total: int, note: str = "", /) -> None:
        announce(context.partition_key, stage, done, total, note)
        now = time.monotonic()
        since = now - started.setdefault(stage, now)
        if now - logged.setdefault(stage, now) >= LOG_EVERY_SECONDS and done:
            logged[stage] = now
            rate = done / since
            more = f" ({note})" if note else ""
            left = (total - done) / rate
            context.log.info(f"{stage}: {done} of {total}, {rate:.0f} a second, about {left:.0f} s to go{more}")

    return progress
