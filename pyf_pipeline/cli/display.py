"""What a person sees while a run goes on: bars on a terminal, plain lines anywhere else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pyf_pipeline.defs.progress import listening

LINE_EVERY_SECONDS = 5.0

STAGES = {
    "turn": "waiting for its turn",
    "discover": "asking PyPI for classifiers",
    "classify": "looking at changed projects",
    "download": "downloading metadata",
    "releases": "downloading releases",
    "github": "asking GitHub",
    "pypistats": "asking pypistats",
    "publish": "publishing documents",
}


@contextmanager
def showing(console: Console, profile: str) -> Iterator[None]:
    """Show the progress of a profile's run in this process for as long as the context lasts."""
    show = _bars(console, profile) if console.is_terminal and not console.quiet else _lines(console, profile)
    with show:
        yield


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.0f}/s" if speed else "", justify="right")


@contextmanager
def _bars(console: Console, profile: str) -> Iterator[None]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[profile]:<10} {task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=True) as progress:

        def listen(_partition: str, stage: str, done: int, total: int, note: str = "") -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(STAGES.get(stage, stage), profile=profile, note="")
            progress.update(tasks[stage], completed=done, total=total, note=note)

        with listening(listen):
            yield


@contextmanager
def _lines(console: Console, profile: str) -> Iterator[None]:
    with listening(progress_lines(profile, lambda line: console.print(line, highlight=False, markup=False))):
        yield


def progress_lines(
    profile: str, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[str, str, int, int, str], None]:
    """A listener that says in lines how far each stage is, now and then, with its rate and what is left.

    Args:
        profile: The profile's key.
        say: Takes a line.
        clock: The time in seconds.
    """
    started: dict[str, float] = {}
    told: dict[str, float] = {}

    def listen(_partition: str, stage: str, done: int, total: int, note: str = "") -> None:
        now = clock()
        since = now - started.setdefault(stage, now)
        if stage in told and done != total and now - told[stage] < LINE_EVERY_SECONDS:
            return
        told[stage] = now
        more = f" ({note})" if note else ""
        say(f"{profile}: {STAGES.get(stage, stage)}, {done} of {total}{_pace(done, total, since)}{more}")

    return listen


def _pace(done: int, total: int, seconds: float) -> str:
    if not done or seconds < 1:
        return ""
    rate = done / seconds
    left = f", about {(total - done) / rate:.0f} s to go" if done < total else ""
    return f", {rate:.0f} a second{left}" if rate >= 1 else f", {60 * rate:.0f} a minute{left}"
