"""A profile's assets, materialised in this process on the same Dagster instance that the UI shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from rich.console import Console

from pyf_pipeline.cli.display import showing
from pyf_pipeline.cli.waiting import waited_for
from pyf_pipeline.defs.abandoned import release_abandoned
from pyf_pipeline.defs.config import FetchConfig, Mode, PublishConfig
from pyf_pipeline.defs.processes import PROCESS_TAG, this_process

# The tag by which the runs of commands are known in the UI.
COMMAND_TAG = "pyf_pipeline/command"

# The daemon starts no run of a command again: whoever typed it sees how it ended.
_NOT_RETRIED = {"dagster/max_retries": "0"}

# How Dagster ends a step one of whose checks has failed and is to keep the run from going on.
_CHECK_FAILED = "DagsterAssetCheckFailedError"


@dataclass
class Outcome:
    """What became of one run.

    Attributes:
        profile: The profile's key.
        run_id: The run's id on the Dagster instance.
        seconds: How long the run took.
        problem: Why it failed; "" where it did not.
        warnings: What did not pass without making the run fail.
        metadata: What each materialised asset reported, by asset and by label.
    """

    profile: str
    run_id: str = ""
    seconds: float = 0.0
    problem: str = ""
    warnings: list[str] = field(default_factory=list)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)


def materialise(profile: str, instance: dg.DagsterInstance, console: Console, *, mode: Mode, limit: int = 0) -> Outcome:
    """Materialise the assets of a profile, all but the optional one, with a display of how far it is.

    Args:
        profile: The profile's key.
        instance: The Dagster instance that keeps the run.
        console: Where progress is shown.
        mode: Whether all is downloaded anew.
        limit: At most so many projects; 0 for all.
    """
    ops: dict[str, dg.Config] = {
        "raw_pypi_metadata": FetchConfig(mode=mode, limit=limit),
        "typesense_collection": PublishConfig(rebuild=mode is Mode.FULL and not limit),
    }
    return execute(
        "full_refresh" if mode is Mode.FULL else "incremental_update", profile, instance, console, ops=ops, command=""
    )


def execute(
    job: str,
    profile: str,
    instance: dg.DagsterInstance,
    console: Console,
    *,
    ops: Mapping[str, dg.Config],
    command: str,
) -> Outcome:
    """Run a job for a profile in this process, with a display of how far it is.

    Args:
        job: The job's name.
        profile: The profile's key.
        instance: The Dagster instance that keeps the run.
        console: Where progress is shown.
        ops: What the assets are told, by asset.
        command: What was typed, for the run's tags; "" for none.

    Raises:
        KeyboardInterrupt: It was stopped by Ctrl-C; what it has downloaded is kept.
    """
    # Loading the definitions reads the settings, so it waits until the caller has settled them.
    from pyf_pipeline.definitions import defs  # noqa: PLC0415

    config = dg.RunConfig(ops=dict(ops), loggers={"console": {"config": {"log_level": "CRITICAL"}}})
    release_abandoned(instance)
    for run_id, what in waited_for(instance, set(ops)):
        console.print(f"{profile}: waiting for run {run_id}, which is at work on {what}", markup=False)
    with showing(console, profile):
        result = defs.resolve_job_def(job).execute_in_process(
            run_config=config,
            instance=instance,
            partition_key=profile,
            raise_on_error=False,
            tags={PROCESS_TAG: this_process(), **_NOT_RETRIED, **({COMMAND_TAG: command} if command else {})},
        )
    if _was_interrupted(result):
        raise KeyboardInterrupt
    return _outcome(profile, result, instance)


def _outcome(profile: str, result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> Outcome:
    outcome = Outcome(profile, result.run_id)
    for event in result.all_events:
        if event.is_step_materialization:
            materialization = event.step_materialization_data.materialization
            values = {label: value.value for label, value in materialization.metadata.items()}
            outcome.metadata[materialization.asset_key.to_user_string()] = values
        elif event.is_step_failure and event.step_failure_data.error:
            error = event.step_failure_data.error
            # What the check has found says more than that it was one.
            if error.cls_name != _CHECK_FAILED:
                outcome.problem = _root(error)
    _read_checks(outcome, result)
    if not result.success and not outcome.problem:
        outcome.problem = "the run failed; its log in the Dagster UI says why"
    record = instance.get_run_record_by_id(result.run_id)
    if record and record.start_time and record.end_time:
        outcome.seconds = record.end_time - record.start_time
    return outcome


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    errors = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    return any(
        error.cls_name == dg.DagsterExecutionInterruptedError.__name__ for first in errors for error in _chain(first)
    )


def _chain(error: Any) -> Iterator[Any]:
    """An error as Dagster recorded it, and those behind it."""
    while error is not None:
        yield error
        error = error.cause or error.context


def _read_checks(outcome: Outcome, result: dg.ExecuteInProcessResult) -> None:
    """A failed check is a warning, or, where it is severe, what the run failed by."""
    for check in result.get_asset_check_evaluations():
        if check.passed:
            continue
        values = {label: " ".join(str(value.value).split()) for label, value in check.metadata.items()}
        shown = "; ".join(f"{label}: {value[:120]}" for label, value in values.items() if value not in {"none", ""})
        text = f"{check.check_name}: {check.description or shown}"
        if check.severity is dg.AssetCheckSeverity.ERROR and not outcome.problem:
            outcome.problem = text
        else:
            outcome.warnings.append(text)


def _root(error: Any) -> str:
    """The message of the exception that started it all, without the names of classes."""
    while error.cause is not None:
        error = error.cause
    return " ".join(error.message.split()).partition(": ")[2] or " ".join(error.message.split())
