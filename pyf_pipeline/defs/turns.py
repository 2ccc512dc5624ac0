"""One run of a profile at a time, whatever started it.

Dagster's queue holds runs back by their tags. It has no say over runs that do not pass it: those of commands and of
`dagster asset materialize`. So each run takes its profile's turn when it starts, and gives it back when it ends. Turns
are kept in the instance's own database, as a pool with one place for each profile, which the UI shows as well.

Where steps run in processes of their own, each takes the turn for itself.
"""

import time
from collections.abc import Callable

import dagster as dg

from pyf_pipeline.defs.abandoned import release_if_abandoned
from pyf_pipeline.defs.pools import make_pool
from pyf_pipeline.defs.processes import PROCESS_TAG, this_process
from pyf_pipeline.defs.progress import announce

PARTITION_TAG = "dagster/partition"

# What stands for the step in the pool: the turn is the whole run's.
STEP = "turn"

POLL_SECONDS = 0.5
SAY_AGAIN_SECONDS = 60.0


class TurnResource(dg.ConfigurableResource):
    """Has a run wait until no other run of its profile is at work."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Say which process the run is in, and wait for the profile's turn."""
        run, instance = context.run, context.instance
        if run is None or instance is None or not instance.event_log_storage.supports_global_concurrency_limits:
            return
        instance.add_run_tags(run.run_id, {PROCESS_TAG: this_process()})
        if profile := run.tags.get(PARTITION_TAG):

            def say(text: str) -> None:
                announce(profile, "turn", 0, 1, text)
                if context.log is not None:
                    context.log.info(text)

            take_turn(instance, run.run_id, profile, say)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Give the turn back."""
        if context.run is not None and context.instance is not None and PARTITION_TAG in context.run.tags:
            give_back(context.instance, context.run.run_id)


def take_turn(instance: dg.DagsterInstance, run_id: str, profile: str, say: Callable[[str], None]) -> None:
    """Wait until a profile's turn is this run's.

    Args:
        instance: The instance that keeps the turns.
        run_id: The run.
        profile: The profile's key.
        say: Told for which run it waits, at first and now and then.
    """
    slots, pool = instance.event_log_storage, turn_pool(profile)
    make_pool(slots, pool, 1)
    said, said_at = "", 0.0
    try:
        while not slots.claim_concurrency_slot(pool, run_id, STEP).is_claimed:
            ahead = _ahead(instance, pool, run_id)
            if ahead and (ahead != said or time.monotonic() - said_at > SAY_AGAIN_SECONDS):
                said, said_at = ahead, time.monotonic()
                say(f"waiting for run {ahead}, which is at work on {profile}")
            time.sleep(POLL_SECONDS)
    except BaseException:
        # Nobody is to wait for one that does not wait any more.
        slots.free_concurrency_slots_for_run(run_id)
        raise


def give_back(instance: dg.DagsterInstance, run_id: str) -> None:
    """Let the next run have the turn."""
    instance.event_log_storage.free_concurrency_slot_for_step(run_id, STEP)


def turn_pool(profile: str) -> str:
    """The name of the pool that is a profile's turn."""
    return f"profile {profile}"


def _ahead(instance: dg.DagsterInstance, pool: str, run_id: str) -> str:
    """The run that has the turn, or is the next to have it; "" where none is left, as it has ended or died."""
    info = instance.event_log_storage.get_concurrency_info(pool)
    taken = [slot.run_id for slot in info.claimed_slots]
    taken += [step.run_id for step in info.pending_steps if step.assigned_timestamp and step.run_id != run_id]
    return next((other for other in taken if not _release_if_over(instance, other)), "")


def _release_if_over(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Take the turn from a run that has ended, or died, without giving it back; returns whether that was so."""
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        return release_if_abandoned(instance, run)
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return True
