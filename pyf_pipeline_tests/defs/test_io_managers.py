from collections.abc import Callable
from typing import Any

import pytest

from pyf_pipeline.store.files import StorageAwayError, StorageError
from pyf_pipeline.store.outputs import Outputs
from pyf_pipeline_tests.defs.conftest import Pipeline, error_of

AWAY = StorageAwayError("PYF_STORAGE_URL: s3://bucket cannot be reached: connection refused")
REFUSED = StorageError("PYF_STORAGE_URL: s3://bucket does not let us in (Access Denied)")


def failing_once(method: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    """A method that fails the first time."""
    errors = [error]

    def fail_once(*args: Any) -> Any:
        if errors:
            raise errors.pop()
        return method(*args)

    return fail_once


def test_storage_that_is_away_is_waited_for(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outputs, "write", failing_once(Outputs.write, AWAY))
    pipeline.run("flask", ["raw_pypi_metadata"])
    monkeypatch.setattr(Outputs, "rows", failing_once(Outputs.rows, AWAY))
    result = pipeline.run("flask", ["filtered_packages"])
    (retry,) = (event for event in result.all_events if event.is_step_up_for_retry)
    assert retry.step_key == "filtered_packages"
    assert Outputs(pipeline.settings.storage_url).exists("filtered_packages", "flask")


def test_storage_that_lets_nobody_in_is_not(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outputs, "write", failing_once(Outputs.write, REFUSED))
    result = pipeline.run("flask", ["raw_pypi_metadata"], fails=True)
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert str(REFUSED) in error_of(result)


def test_storage_is_looked_for_before_anything_is_downloaded(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Outputs, "check", failing_once(Outputs.check, REFUSED))
    result = pipeline.run("flask", ["raw_pypi_metadata"], fails=True)
    assert not [event for event in result.all_events if event.is_step_start]
    assert any(str(REFUSED) in str(event.event_specific_data) for event in result.all_events)
