"""Runs whose process is gone: they count as running, and keep their place in a pool, until somebody says otherwise.

Dagster's daemon does that for runs that it launched, after a while. A command's run has no daemon that knows of it, so
the next command looks for it.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import dagster as dg

# Which process a command's run is in.
PROCESS_TAG = "pyf_pipeline/process"

# The pools of the assets that have one.
POOLS = {"raw_pypi_metadata": "pypi", "github_enrichment": "github"}

_UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def this_process() -> str:
    """What tells this process from every other one, of whichever machine and time."""
    return _identity(os.getpid()) or "unknown"


def release_abandoned(instance: dg.DagsterInstance) -> None:
    """Record the runs of commands on this machine that were killed as failed, and give their places in pools back."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED)):
        run = record.dagster_run
        if _is_gone(run.tags.get(PROCESS_TAG, "")):
            instance.report_run_failed(
                run, "The process of this run is gone; the next run goes on from what it stored."
            )
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def waited_for(instance: dg.DagsterInstance, assets: Collection[str]) -> Iterator[tuple[str, str]]:
    """The runs that have to be waited for, and what they are at work on."""
    for pool in {POOLS[asset] for asset in assets if asset in POOLS}:
        info = instance.event_log_storage.get_concurrency_info(pool)
        if info.slot_count is not None and len(info.claimed_slots) >= info.slot_count > 0:
            yield from ((slot.run_id, slot.step_key) for slot in info.claimed_slots)


def _identity(process: int) -> str:
    """A process by machine, boot, number and starting time, as a number is used again; "" where that is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink()
        # The name in brackets may hold blanks; the starting time is the 20th field after it (proc_pid_stat(5)).
        started = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{process} {started} {boot} {namespace}"


def _is_gone(identity: str) -> bool:
    """Whether a process was one of this machine, and runs no more."""
    process, _, rest = identity.partition(" ")
    if not process.isdigit() or rest.partition(" ")[2] != this_process().partition(" ")[2].partition(" ")[2]:
        return False
    return _identity(int(process)) != identity
