"""Runs whose process is gone: they count as running, and keep what they hold, until somebody says otherwise.

The daemon's run monitoring does that in time (`launcher.py`). Whoever has to wait for such a run need not.
"""

import dagster as dg

from pyf_pipeline.defs.processes import PROCESS_TAG, Whereabouts, whereabouts

_UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]

PROCESS_IS_GONE = "The process of this run is gone; the next run goes on from what it stored."


def release_abandoned(instance: dg.DagsterInstance) -> None:
    """Record runs whose process on this machine was killed as failed, and give back what they held."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED)):
        release_if_abandoned(instance, record.dagster_run)


def release_if_abandoned(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Record a run as failed and give back what it held, if its process is gone; returns whether it was."""
    if whereabouts(run.tags.get(PROCESS_TAG, "")) is not Whereabouts.GONE:
        return False
    # The one who ended it may have been at the point of saying so.
    current = instance.get_run_by_id(run.run_id)
    if current is not None and not current.is_finished:
        instance.report_run_failed(current, PROCESS_IS_GONE)
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return True
