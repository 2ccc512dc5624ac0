"""The downloads of many projects, a few at a time: the stalest first, and each kept as its answer comes."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pyf_pipeline.catalog.model import DownloadRecord, Downloads
from pyf_pipeline.pypistats.client import PyPIStatsClient
from pyf_pipeline.pypistats.errors import OutOfTimeError, RefusedError, UnusableAnswerError

# Projects in a row without a usable answer by which pypistats counts as down.
HOPELESS = 3
# Figures are of a month; those of a project that pypistats does not know any more mean nothing after that.
KEPT_SECONDS = 30 * 24 * 3600
# Of so many projects it should know at least one, where it is what it should be.
SUSPICIOUS = 10

Progress = Callable[[str, int, int], None]


class Records(Protocol):
    """Where records are kept, shared by all profiles and by several processes at once."""

    def get_many(self, names: Iterable[str]) -> Mapping[str, DownloadRecord]:
        """The records that there are, by name."""

    def put(self, record: DownloadRecord) -> None:
        """Keep a record in place of the project's last one; durable when it returns."""


@dataclass
class Collected:
    """What a run came to.

    Attributes:
        records: What is known, by name, of this run or an earlier one.
        asked: Projects for which pypistats answered in this run.
        cached: Projects of which enough was known.
        pending: The projects that were due and are yet to be asked for.
        failed: Why others that were asked for have no new figures, by name.
        stopped: Why the run ended before all were asked for; "" where it did not.
        in_vain: How many of the last projects in a row had no usable answer.
        at: When it ended, in epoch seconds.
    """

    records: dict[str, DownloadRecord]
    asked: int = 0
    cached: int = 0
    pending: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    in_vain: int = 0
    at: float = 0.0

    @property
    def figures(self) -> dict[str, Downloads]:
        """The figures that count, by name: the last known ones, and for a month those of a project that is unknown."""
        return {
            name: record.downloads
            for name, record in self.records.items()
            if record.downloads and (record.known or self.at - record.downloads.updated < KEPT_SECONDS)
        }

    @property
    def unknown(self) -> tuple[str, ...]:
        """The projects that pypistats does not know."""
        return tuple(name for name, record in self.records.items() if record.answered_at and not record.known)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know."""
        told = []
        if self.pending:
            told.append(f"{len(self.pending)} projects are pending: {self.stopped}")
        if self.asked >= SUSPICIOUS and not any(record.known for record in self.records.values()):
            told.append(f"pypistats knows none of {self.asked} projects: check PYPISTATS_URL")
        return tuple(told)


def collect(
    names: Iterable[str],
    client: PyPIStatsClient,
    records: Records,
    *,
    max_age: float,
    seconds: float,
    refresh: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
    now: Callable[[], float] = time.time,
) -> Collected:
    """Ask for the projects whose figures are due, in the time that there is; the next run goes on with the others.

    Those that were asked for least recently come first, with or without success, so that each has its turn. Where
    pypistats is down, or wants no more calls, the rest is pending, with the last known figures.

    Args:
        names: The projects, by normalised name.
        client: How pypistats is asked.
        records: What is known already; each answer is kept there as it comes.
        max_age: Seconds for which an answer is good.
        seconds: How long to go on asking.
        refresh: Ask for all, whatever is known.
        progress: Told ("pypistats", projects asked for, projects to ask for).
        now: The time, in epoch seconds.
    """
    began = now()
    wanted = sorted(set(names))
    run = Collected(dict(records.get_many(wanted)))
    due = deque(_due(wanted, run.records, began, 0 if refresh else max_age))
    total = len(due)
    run.cached = len(wanted) - total
    while due and not run.stopped:
        progress("pypistats", total - len(due), total)
        try:
            _ask(run, due[0], client, began + seconds, now)
        except OutOfTimeError:
            run.stopped = f"the {seconds / 60:g} minutes that a run may ask are over"
        except RefusedError as error:
            run.stopped = f"pypistats refuses: {error}"
        else:
            records.put(run.records[due.popleft()])
    run.pending = tuple(due)
    run.at = now()
    return run


def _due(names: Iterable[str], known: Mapping[str, DownloadRecord], now: float, max_age: float) -> list[str]:
    """The projects to ask for, the one that was asked for least recently first."""
    blank = DownloadRecord("", 0, 0, known=False, downloads=None)
    # A record from the future was written by a clock that was wrong; it must not be good for ever.
    due = [name for name in names if abs(now - known.get(name, blank).answered_at) >= max_age]
    return sorted(due, key=lambda name: known.get(name, blank).asked_at)


def _ask(run: Collected, name: str, client: PyPIStatsClient, until: float, now: Callable[[], float]) -> None:
    """Ask for one project, and note what came of it.

    Raises:
        OutOfTimeError: It may not be asked for before `until`.
        RefusedError: pypistats wants no more calls.
    """
    before = run.records.get(name) or DownloadRecord(name, 0, 0, known=False, downloads=None)
    try:
        figures = client.recent(name, until)
    except UnusableAnswerError as error:
        run.failed[name] = str(error)
        run.records[name] = replace(before, asked_at=int(now()))
        run.in_vain += 1
        if run.in_vain == HOPELESS:
            run.stopped = f"pypistats gave no usable answer for {HOPELESS} projects in a row, at last: {error}"
        return
    at = int(now())
    run.asked += 1
    run.in_vain = 0
    run.records[name] = DownloadRecord(name, at, at, figures is not None, figures or before.downloads)
