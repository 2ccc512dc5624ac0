import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from pyf_pipeline.defs.abandoned import PROCESS_IS_GONE
from pyf_pipeline.defs.processes import PROCESS_TAG, this_process
from pyf_pipeline.defs.progress import listening
from pyf_pipeline.defs.turns import PARTITION_TAG, STEP, TurnResource, give_back, take_turn, turn_pool

IDENTIFY = "from pyf_pipeline.defs.processes import this_process; print(this_process())"


def a_process_that_is_gone() -> str:
    """The identity of a process that has ended."""
    return subprocess.run([sys.executable, "-c", IDENTIFY], check=True, capture_output=True, text=True).stdout.strip()


@dg.op
def nothing() -> None:
    """Does nothing."""


def job_of(work: Callable[[], None]) -> dg.JobDefinition:
    """A job that does something while it has the turn of its profile."""

    @dg.op(required_resource_keys={"turn"})
    def at_work() -> None:
        work()

    @dg.job(resource_defs={"turn": TurnResource()})
    def at_work_in_turn() -> None:
        at_work()

    return at_work_in_turn


def start(job: dg.JobDefinition, instance: dg.DagsterInstance, profile: str = "plone") -> dg.ExecuteInProcessResult:
    return job.execute_in_process(
        instance=instance,
        tags={PARTITION_TAG: profile},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )


def holder_of(instance: dg.DagsterInstance, process: str) -> str:
    """A run that has started, has the turn, and has not ended."""
    run = instance.create_run_for_job(
        dg.GraphDefinition(name="other", node_defs=[nothing]).to_job(),
        status=dg.DagsterRunStatus.STARTED,
        tags={PARTITION_TAG: "plone", PROCESS_TAG: process},
    )
    instance.event_log_storage.set_concurrency_slots(turn_pool("plone"), 1)
    assert instance.event_log_storage.claim_concurrency_slot(turn_pool("plone"), run.run_id, STEP).is_claimed
    return run.run_id


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setattr("pyf_pipeline.defs.turns.POLL_SECONDS", 0.01)
    with dg.instance_for_test() as instance:
        yield instance


def test_a_run_waits_until_the_other_one_has_ended_and_says_so(instance: dg.DagsterInstance) -> None:
    holder = holder_of(instance, this_process())
    job = job_of(lambda: None)
    notes: list[str] = []

    def listen(_partition: str, stage: str, _done: int, _total: int, note: str) -> None:
        notes.append(f"{stage}: {note}")
        assert start(job, instance, profile="django").success, "the turn is a profile's own"
        run = instance.get_run_by_id(holder)
        assert run is not None
        instance.report_run_canceled(run)

    with listening(listen):
        result = start(job, instance)
    assert result.success
    assert notes == [f"turn: waiting for run {holder}, which is at work on plone"]
    logged = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert notes[0].removeprefix("turn: ") in logged


def test_a_profile_is_never_the_turn_of_two(instance: dg.DagsterInstance) -> None:
    job = dg.GraphDefinition(name="many", node_defs=[nothing]).to_job()
    runs = [
        instance.create_run_for_job(
            job,
            status=dg.DagsterRunStatus.STARTED,
            tags={PARTITION_TAG: "plone", PROCESS_TAG: this_process()},
        )
        for _ in range(6)
    ]
    inside: list[str] = []
    seen: list[list[str]] = []

    def work(run_id: str) -> None:
        take_turn(instance, run_id, "plone", lambda _text: None)
        inside.append(run_id)
        # The database is asked, so that the others get to run in the meantime.
        instance.get_runs_count()
        seen.append(list(inside))
        inside.remove(run_id)
        give_back(instance, run_id)

    threads = [threading.Thread(target=work, args=(run.run_id,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [len(at_once) for at_once in seen] == [1] * len(runs)
    assert {run_id for (run_id,) in seen} == {run.run_id for run in runs}


def test_one_that_is_stopped_while_it_waits_leaves_the_queue(instance: dg.DagsterInstance) -> None:
    holder = holder_of(instance, this_process())

    def stop(_text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_turn(instance, "impatient", "plone", stop)
    pending = instance.event_log_storage.get_concurrency_info(turn_pool("plone")).pending_steps
    assert [step.run_id for step in pending] == [holder]


def test_a_run_whose_process_is_gone_is_not_waited_for(instance: dg.DagsterInstance) -> None:
    holder = holder_of(instance, a_process_that_is_gone())
    assert start(job_of(lambda: None), instance).success
    run = instance.get_run_by_id(holder)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert any(PROCESS_IS_GONE in entry.message for entry in instance.all_logs(holder))


def test_one_that_died_while_it_waited_keeps_nobody_waiting(instance: dg.DagsterInstance) -> None:
    holder = holder_of(instance, a_process_that_is_gone())
    slots = instance.event_log_storage
    dead = instance.create_run_for_job(
        dg.GraphDefinition(name="third", node_defs=[nothing]).to_job(),
        status=dg.DagsterRunStatus.STARTED,
        tags={PARTITION_TAG: "plone", PROCESS_TAG: a_process_that_is_gone()},
    )
    assert not slots.claim_concurrency_slot(turn_pool("plone"), dead.run_id, STEP).is_claimed
    slots.free_concurrency_slots_for_run(holder)
    assert [step.run_id for step in slots.get_concurrency_info(turn_pool("plone")).pending_steps] == [dead.run_id]
    assert start(job_of(lambda: None), instance).success


def test_the_turn_is_given_back_by_a_run_that_fails(instance: dg.DagsterInstance) -> None:
    def fail() -> None:
        raise ValueError("no")

    assert not start(job_of(fail), instance).success
    assert start(job_of(lambda: None), instance).success


def test_a_run_names_its_process(instance: dg.DagsterInstance) -> None:
    result = start(job_of(lambda: None), instance)
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags[PROCESS_TAG] == this_process()
