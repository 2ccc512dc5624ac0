"""What is worth trying again: a step that met a passing trouble, with growing pauses, and none that would fail again.

The troubles of single requests are dealt with where they are made. What gets this far has lasted for minutes.

A retry policy of Dagster's would not do: it tries everything again, a run that somebody has stopped included.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import TypeAlias

import dagster as dg
from sqlalchemy.exc import OperationalError

from pyf_pipeline.pypi.gathering import TooManyFailuresError
from pyf_pipeline.pypi.http import ExhaustedError
from pyf_pipeline.search.errors import AwayError, BusyError
from pyf_pipeline.settings import load_settings

PASSING = (ExhaustedError, TooManyFailuresError, AwayError, BusyError, OperationalError, OSError)
# What the operating system says again however often it is asked.
LASTING = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)

RETRIES = 2
PAUSE_SECONDS = load_settings().pyf_retry_seconds


Context: TypeAlias = dg.AssetExecutionContext | dg.OutputContext | dg.InputContext


def is_passing(error: BaseException) -> bool:
    """Whether an error, or one behind it, may be gone in a minute."""
    return any(isinstance(link, PASSING) and not isinstance(link, LASTING) for link in _chain(error))


class retried:  # noqa: N801 - it reads as `with retried(context):`
    """Has a step tried again, after a while and then after twice as long, where what is within meets a passing trouble.

    What is within may be what an asset does, or how its output is stored and its inputs are loaded.

    Raises:
        dagster.RetryRequested: It did, and there are tries left.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """See what went wrong."""
        tried = _tried(self._context)
        if not isinstance(error, Exception) or tried >= RETRIES or not is_passing(error):
            return
        pause = PAUSE_SECONDS * 2.0**tried
        self._context.log.warning(f"{error}\nThis may pass: it is tried again in {pause:.0f} seconds.")
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=pause) from error


def _tried(context: Context) -> int:
    """How often the step was tried again already; outside a run there is no step to be."""
    if isinstance(context, dg.AssetExecutionContext):
        return context.op_execution_context.retry_number
    try:
        return context.step_context.previous_attempt_count
    except dg.DagsterInvariantViolationError:
        return RETRIES


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
