"""What a run costs besides its work: starting, loading the definitions, steps; and where executors pay.

The work of a benchmark is done in processes of their own: `python -m pyf_pipeline_tests.bench.running WHAT …`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyf_pipeline_tests.bench.figures import Figure
from pyf_pipeline_tests.bench.memory import own_peak
from pyf_pipeline_tests.bench.served import serve

PROFILE = "plone"
PACKAGES = 200
RUNS = 7
PROCESSES = 5
LARGE = 3_000
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def empty_definitions() -> Any:
    """The project's graph, with the same checks and partitions, and assets that do nothing."""
    import dagster as dg

    from pyf_pipeline.definitions import defs

    def emptied(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
        spec = next(iter(asset.specs))
        checks = list(asset.check_specs)

        @dg.asset(
            name=spec.key.to_user_string(),
            deps=[dep.asset_key for dep in spec.deps],
            partitions_def=spec.partitions_def,
            check_specs=[dg.AssetCheckSpec(check.name, asset=spec.key) for check in checks],
        )
        def nothing() -> dg.MaterializeResult:
            return dg.MaterializeResult(
                check_results=[dg.AssetCheckResult(check_name=check.name, passed=True) for check in checks]
            )

        return nothing

    assets = [defs.resolve_assets_def(key) for key in _keys()]
    job = dg.define_asset_job("incremental_update", dg.AssetSelection.all())
    return dg.Definitions(assets=[emptied(asset) for asset in assets], jobs=[job], executor=dg.in_process_executor)


def _keys() -> list[str]:
    return ["raw_pypi_metadata", "filtered_packages", "github_enrichment", "typesense_collection"]


def run(which: str, times: str) -> dict[str, float]:
    """Run `incremental_update` so often, of the project or of the empty graph; gives the seconds of each run."""
    import dagster as dg

    from pyf_pipeline.definitions import defs

    job = (defs if which == "project" else empty_definitions()).resolve_job_def("incremental_update")
    figures = {}
    with dg.DagsterInstance.get() as instance:
        for number in range(int(times)):
            started = time.perf_counter()
            result = job.execute_in_process(partition_key=PROFILE, instance=instance, run_config=QUIET)
            figures[f"run {number}"] = time.perf_counter() - started
            assert result.success
    return figures


def load() -> dict[str, float]:
    """Import Dagster, and then load the definitions; gives the seconds of both."""
    started = time.perf_counter()
    import dagster as dg

    imported = time.perf_counter()
    from pyf_pipeline.definitions import defs

    dg.Definitions.validate_loadable(defs)
    return {"dagster": imported - started, "definitions": time.perf_counter() - imported}


def execute(executor: str) -> dict[str, float]:
    """A full refresh with all steps in this process, or each in one of its own."""
    import dagster as dg

    from pyf_pipeline.definitions import defs

    started = time.perf_counter()
    with dg.DagsterInstance.get() as instance:
        job = dg.reconstructable(_in_process if executor == "in_process" else _multiprocess)
        mode = {
            "raw_pypi_metadata": {"config": {"mode": "FULL"}},
            "typesense_collection": {"config": {"rebuild": True}},
        }
        with dg.execute_job(
            job, instance, run_config={"ops": mode, **QUIET}, tags={"dagster/partition": PROFILE}, raise_on_error=True
        ) as result:
            assert result.success
    assert defs is not None
    return {"seconds": time.perf_counter() - started}


def _job(executor: Any) -> Any:
    import dagster as dg

    from pyf_pipeline.definitions import defs

    job = dg.define_asset_job("measured", dg.AssetSelection.assets(*_keys()), executor_def=executor)
    return dg.Definitions(assets=defs.assets, jobs=[job], resources=defs.resources).resolve_job_def("measured")


def _in_process() -> Any:
    import dagster as dg

    return _job(dg.in_process_executor)


def _multiprocess() -> Any:
    import dagster as dg

    return _job(dg.multiprocess_executor)


def overhead() -> Iterator[Figure]:
    """An `incremental_update` that finds nothing new, beside the same graph with assets that do nothing."""
    with _state(PACKAGES) as measure:
        measure("run", "project", "1")
        for which in ("empty", "project"):
            measure("run", which, "1")
        # In turn, since the speed of a machine changes.
        runs: dict[str, list[float]] = {"empty": [], "project": []}
        whole: dict[str, list[float]] = {"empty": [], "project": []}
        for _ in range(PROCESSES):
            for which, times in runs.items():
                found = measure("run", which, str(RUNS))
                times.append(statistics.median(found[f"run {number}"] for number in range(1, RUNS)))
                started = time.perf_counter()
                measure("run", which, "1")
                whole[which].append(time.perf_counter() - started)
        loads = [measure("load") for _ in range(PROCESSES)]
    for what, figures in (("a run in a process that is warm", runs), ("a run with its process", whole)):
        yield Figure(f"{what}: empty assets", statistics.median(figures["empty"]), "s")
        yield Figure(f"{what}: nothing new in {PACKAGES} packages", statistics.median(figures["project"]), "s")
        pairs = zip(figures["project"], figures["empty"], strict=True)
        yield Figure(f"{what}: the one by the other", statistics.median(a / b for a, b in pairs), "times", at_most=2)
    yield Figure("importing Dagster", statistics.median(load["dagster"] for load in loads), "s")
    yield Figure("loading the definitions", statistics.median(load["definitions"] for load in loads), "s", at_most=2)


def executors() -> Iterator[Figure]:
    """A full refresh with all steps in one process, and with each in one of its own."""
    for packages in (PACKAGES, LARGE):
        for executor in ("in_process", "multiprocess"):
            with _state(packages) as measure:
                found = measure("execute", executor)
            yield Figure(f"{packages} packages, {executor}", found["seconds"], "s")
            yield Figure(f"{packages} packages, {executor}, largest process", found["peak"], "MB")


@contextmanager
def _state(packages: int) -> Iterator[Callable[..., dict[str, float]]]:
    """A folder with an instance of its own, and a stand-in PyPI and GitHub; gives what measures work in it."""
    with serve(packages, 2 * packages) as served, tempfile.TemporaryDirectory(prefix="pyf-bench-") as folder:
        (Path(folder) / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        env = {
            **os.environ,
            "DAGSTER_HOME": folder,
            "PYF_HOME": f"{folder}/state",
            "PYPI_URL": served.pypi_url,
            "GITHUB_API_URL": served.github_url,
            "GITHUB_TOKEN": served.token,
        }

        def measure(what: str, *arguments: str) -> dict[str, float]:
            command = [sys.executable, "-m", __spec__.name, what, *arguments]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=env)
            figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
            return figures

        yield measure


BENCHMARKS = {"overhead": overhead, "executors": executors}

WORK: dict[str, Callable[..., dict[str, float]]] = {"run": run, "load": load, "execute": execute}

if __name__ == "__main__":
    figures = WORK[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(figures | {"peak": own_peak()}))
