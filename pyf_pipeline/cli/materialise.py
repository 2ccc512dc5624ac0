"""A profile's assets, materialised in this process on the same Dagster instance that the UI shows."""

from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from rich.console import Console

from pyf_pipeline.cli.display import showing
from pyf_pipeline.defs.config import FetchConfig, Mode, PublishConfig


@dataclass
class Outcome:
    """What became of one run.

    Attributes:
        profile: The profile's key.
        seconds: How long the run took.
        problem: Why it failed; "" where it did not.
        metadata: What each materialised asset reported, by asset and by label.
    """

    profile: str
    seconds: float = 0.0
    problem: str = ""
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)


def materialise(profile: str, instance: dg.DagsterInstance, console: Console, *, mode: Mode, limit: int = 0) -> Outcome:
    """Materialise all four assets of a profile, with a display of how far it is.

    Args:
        profile: The profile's key.
        instance: The Dagster instance that keeps the run.
        console: Where progress is shown.
        mode: Whether all is downloaded anew.
        limit: At most so many projects; 0 for all.
    """
    # Loading the definitions reads the settings, so it waits until the caller has settled them.
    from pyf_pipeline.definitions import defs  # noqa: PLC0415

    config = dg.RunConfig(
        ops={
            "raw_pypi_metadata": FetchConfig(mode=mode, limit=limit),
            "typesense_collection": PublishConfig(rebuild=mode is Mode.FULL and not limit),
        },
        loggers={"console": {"config": {"log_level": "CRITICAL"}}},
    )
    job = defs.resolve_job_def("full_refresh" if mode is Mode.FULL else "incremental_update")
    with showing(console, profile):
        result = job.execute_in_process(
            run_config=config, instance=instance, partition_key=profile, raise_on_error=False
        )
    return _outcome(profile, result, instance)


def _outcome(profile: str, result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> Outcome:
    outcome = Outcome(profile)
    for event in result.all_events:
        if event.is_step_materialization:
            materialization = event.step_materialization_data.materialization
            values = {label: value.value for label, value in materialization.metadata.items()}
            outcome.metadata[materialization.asset_key.to_user_string()] = values
        elif event.is_step_failure and event.step_failure_data.error:
            outcome.problem = _root(event.step_failure_data.error)
    if not result.success and not outcome.problem:
        outcome.problem = "the run failed; its log in the Dagster UI says why"
    record = instance.get_run_record_by_id(result.run_id)
    if record and record.start_time and record.end_time:
        outcome.seconds = record.end_time - record.start_time
    return outcome


def _root(error: Any) -> str:
    """The message of the exception that started it all, without the names of classes."""
    while error.cause is not None:
        error = error.cause
    return " ".join(error.message.split()).partition(": ")[2] or " ".join(error.message.split())
