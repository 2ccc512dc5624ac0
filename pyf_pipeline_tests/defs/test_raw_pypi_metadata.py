import dagster as dg
import pytest

from pyf_pipeline.defs.assets.raw_pypi_metadata import INDEX_AGE_ALLOWED, _downloads, _index
from pyf_pipeline.pypi.ingest import Ingested


@pytest.mark.parametrize(
    ("ingested", "passed", "said"),
    [
        (Ingested(index_projects=10, serial=5, index_age=600), True, "fresh"),
        (Ingested(), True, "no index was needed"),
        (Ingested(index_projects=10, index_age=INDEX_AGE_ALLOWED + 1), False, "3601 seconds"),
        (Ingested(index_projects=10, index_outdated=True), False, "older than that of an earlier run"),
        (Ingested(index_failed="HTTP 503"), False, "HTTP 503"),
    ],
)
def test_the_index_is_fresh_unless_there_is_a_reason_to_doubt_it(ingested: Ingested, passed: bool, said: str) -> None:
    check = _index(ingested)
    assert check.passed is passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert said in (check.description or "")


def test_failures_warn_and_answers_that_stayed_stale_do_not() -> None:
    assert _downloads(Ingested(stale=["a"])).passed
    failed = _downloads(Ingested(failures={"b": "HTTP 500"}))
    assert not failed.passed
    assert "| b | HTTP 500 |" in str(failed.metadata["failures"].value)
