from collections.abc import Iterator
from pathlib import Path

import pytest

from pyf_pipeline_tests.bench import __main__ as bench
from pyf_pipeline_tests.bench.figures import Figure


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was measured, of two benchmarks of which one takes long."""
    names: list[str] = []

    def measuring(name: str, value: float) -> bench.Benchmark:
        def measure() -> Iterator[Figure]:
            names.append(name)
            yield Figure(name, value, "ms", 10)

        return measure

    known = {"short": measuring("short", 5), "long": measuring("long", 50)}
    monkeypatch.setattr(bench, "_known", lambda: (known, {"long"}))
    monkeypatch.chdir(tmp_path)
    return names


def test_what_takes_long_is_measured_where_it_is_asked_for(ran: list[str]) -> None:
    assert bench.main([]) == 0
    assert ran == ["short"]
    assert bench.main(["long"]) == 1
    assert ran == ["short", "long"]


def test_every_benchmark_that_is_run_on_request_is_one() -> None:
    known, on_request = bench._known()
    assert on_request <= known.keys()
    assert "embedded-large" in on_request
