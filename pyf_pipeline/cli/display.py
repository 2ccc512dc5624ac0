"""What a person sees while a run goes on: bars on a terminal, plain lines anywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pyf_pipeline.defs.progress import listening

LINE_EVERY_SECONDS = 5.0

STAGES = {
    "discover": "asking PyPI for classifiers",
    "classify": "looking at changed projects",
    "download": "downloading metadata",
    "releases": "downloading releases",
    "github": "asking GitHub",
    "publish": "publishing documents",
}


@contextmanager
def showing(console: Console, profile: str) -> Iterator[None]:
    """Show the progress of a profile's run in this process for as long as the context lasts."""
    show = _bars(console, profile) if console.is_terminal else _lines(console, profile)
    with show:
        yield


@contextmanager
def _bars(console: Console, profile: str) -> Iterator[None]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[profile]:<10} {task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=True) as progress:

        def listen(_partition: str, stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(STAGES.get(stage, stage), profile=profile)
            progress.update(tasks[stage], completed=done, total=total)

        with listening(listen):
            yield


@contextmanager
def _lines(console: Console, profile: str) -> Iterator[None]:
    told: dict[str, float] = {}

    def listen(_partition: str, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage not in told or done == total or now - told[stage] >= LINE_EVERY_SECONDS:
            told[stage] = now
            console.print(f"{profile}: {STAGES.get(stage, stage)}, {done} of {total}", highlight=False)

    with listening(listen):
        yield
