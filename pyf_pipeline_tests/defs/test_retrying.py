import dagster as dg
import pytest
from sqlalchemy.exc import OperationalError

from pyf_pipeline.catalog.shrinking import ShrunkError
from pyf_pipeline.defs.retrying import RETRIES, is_passing, retried
from pyf_pipeline.github.errors import BadTokenError
from pyf_pipeline.pypi.gathering import TooManyFailuresError
from pyf_pipeline.pypi.http import ExhaustedError, PyPIError
from pyf_pipeline.search.errors import AwayError, BusyError, IncompleteError, SearchError
from pyf_pipeline_tests.defs.conftest import Pipeline, error_of
from pyf_pipeline_tests.world import Fault, World

PASSING = [
    ExhaustedError("503"),
    TooManyFailuresError("5 of 10"),
    AwayError("away"),
    BusyError("busy"),
    OperationalError("SELECT 1", {}, Exception("database is locked")),
    ConnectionResetError("reset"),
    TimeoutError("too long"),
    OSError(28, "No space left on device"),
]
LASTING = [
    BadTokenError("GITHUB_TOKEN"),
    ShrunkError("allow_shrink"),
    PyPIError("404"),
    SearchError("the key is rejected"),
    IncompleteError("1 of 2"),
    FileNotFoundError("gone"),
    PermissionError("no"),
    KeyError("bug"),
    AssertionError(),
]


def run_of(error: BaseException, failures: int) -> tuple[int, dg.ExecuteInProcessResult]:
    """How often an asset that fails by an error is tried, and how that ends."""
    tries = 0

    @dg.asset
    def failing(context: dg.AssetExecutionContext) -> None:
        """Fails so many times."""
        nonlocal tries
        tries += 1
        with retried(context):
            if tries <= failures:
                raise error

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    result = dg.materialize([failing], raise_on_error=False, run_config=quiet)
    return tries, result


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_a_passing_trouble_is_tried_again(error: Exception) -> None:
    assert is_passing(error)
    tries, result = run_of(error, failures=1)
    assert result.success
    assert tries == 2


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_what_would_fail_again_is_not(error: Exception) -> None:
    assert not is_passing(error)
    tries, result = run_of(error, failures=1)
    assert not result.success
    assert tries == 1
    assert (str(error) or type(error).__name__) in error_of(result)


def test_a_trouble_that_stays_ends_the_run() -> None:
    tries, result = run_of(ExhaustedError("503"), failures=9)
    assert not result.success
    assert tries == 1 + RETRIES


def test_a_trouble_behind_another_error_counts() -> None:
    error = RuntimeError("could not read")
    error.__cause__ = TimeoutError("slow")
    assert is_passing(error)


def test_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyf_pipeline.defs.retrying.PAUSE_SECONDS", 0.01)
    _, result = run_of(ExhaustedError("503"), failures=9)
    pauses = [
        event.event_specific_data.seconds_to_wait
        for event in result.all_events
        if event.event_type_value == "STEP_UP_FOR_RETRY"
    ]
    assert pauses == [0.01, 0.02]


def test_what_somebody_stops_is_stopped() -> None:
    tries, result = run_of(dg.DagsterExecutionInterruptedError(), failures=9)
    assert not result.success
    assert tries == 1


def test_pypi_that_comes_back_is_no_failed_run(
    pipeline: Pipeline, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyf_pipeline.pypi.http.BACKOFF_SECONDS", 0.001)
    # More than the seven attempts that one request has, and less than those of two steps.
    world.faults.add(Fault(kind="status", status=503, route="simple", times=8))
    result = pipeline.run("flask")
    retried = [event.step_key for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    assert retried == ["raw_pypi_metadata"]
    assert pipeline.documents("flask")


def test_a_bad_token_is_not_tried_again(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "wrong-token-value")
    result = pipeline.run("flask", fails=True)
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
