"""What ingesting from PyPI costs: requests, time and memory."""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson

from pyf_pipeline.catalog.classifiers import expand
from pyf_pipeline_tests.bench.figures import Figure
from pyf_pipeline_tests.bench.ingesting import measure
from pyf_pipeline_tests.bench.memory import watching
from pyf_pipeline_tests.bench.served import CLASSIFIER, Served, serve

MEMBERS = 200
LATENCY = 0.03
MANY = int(os.environ.get("PYF_BENCH_MEMBERS", "20000"))
# Documents of some 60 kB.
MANY_RELEASES = 50
INDEX_PROJECTS = 700_000


def first_fetch() -> Iterator[Figure]:
    """A profile of 200 members, from a PyPI of 2,000 projects and of 20,000: it should cost the same."""
    for size in (2_000, 20_000):
        with serve(MEMBERS, size, latency=LATENCY) as served, tempfile.TemporaryDirectory() as folder:
            of = f"{MEMBERS} members of {size:,} projects"
            bound = MEMBERS + len(expand(CLASSIFIER)) + 5
            first = _ingest(served, folder)
            yield Figure(f"{of}: first fetch", first["seconds"], "s")
            yield Figure(f"{of}: first fetch", served.requests_since_reset(), "requests", bound)
            again = _ingest(served, folder, "full")
            yield Figure(f"{of}: full fetch again", again["seconds"], "s")
            yield Figure(f"{of}: full fetch again", served.requests_since_reset(), "requests", MEMBERS + 5)
            yield Figure(f"{of}: redirects", first["redirects"] + again["redirects"], "requests", 0)
            bare = _bare(served, folder)
            yield Figure(
                f"{of}: full fetch again, of a bare download", again["seconds"] / bare["seconds"], "times", 1.5
            )


def incremental() -> Iterator[Figure]:
    """A run in which nothing has changed, and one in which 1% of the members have."""
    with serve(MEMBERS * 10, 20_000, latency=LATENCY) as served, tempfile.TemporaryDirectory() as folder:
        _ingest(served, folder)
        served.requests_since_reset()
        unchanged = _ingest(served, folder)
        yield Figure("nothing changed", unchanged["seconds"], "s")
        yield Figure("nothing changed", served.requests_since_reset(), "requests", 5)
        moved = served.members[::100]
        for name in moved:
            served.tell("pypi/release", name=name, version="9999.0")
        changed = _ingest(served, folder)
        yield Figure("1% changed", changed["seconds"], "s")
        yield Figure("1% changed", served.requests_since_reset(), "requests", len(moved) + 5)


def throughput() -> Iterator[Figure]:
    """As many members as an ecosystem has, with large documents."""
    served_many = serve(MANY, MANY, mean_releases=MANY_RELEASES, latency=LATENCY)
    with served_many as served, tempfile.TemporaryDirectory() as folder:
        # The stand-in makes its documents once, which takes longer than downloading them.
        _bare(served, folder)
        bare = _bare(served, folder)
        first = _ingest(served, folder)
        again = _ingest(served, folder, "full")
        yield Figure(f"{MANY:,} members: bare download", MANY / bare["seconds"], "projects/s")
        yield Figure(f"{MANY:,} members: first fetch", MANY / first["seconds"], "projects/s")
        yield Figure(f"{MANY:,} members: full fetch again", MANY / again["seconds"], "projects/s")
        yield Figure(
            f"{MANY:,} members: full fetch again, of a bare download", again["seconds"] / bare["seconds"], "times", 1.5
        )
        yield Figure(f"{MANY:,} members: document", bare["megabytes"] * 1000 / MANY, "kB on average")
        yield Figure(f"{MANY:,} members: peak of ingesting", max(first["peak"], again["peak"]), "MB", 700)


def whole_run() -> Iterator[Figure]:
    """All four assets of as many members: the peak of the process that runs them."""
    with serve(MANY, MANY, mean_releases=MANY_RELEASES) as served, tempfile.TemporaryDirectory() as folder:
        for name in ("first run", "unchanged run"):
            seconds, peak = _materialise(served, folder)
            yield Figure(f"{MANY:,} members: {name} of all assets", seconds, "s")
            yield Figure(f"{MANY:,} members: {name} of all assets, peak", peak, "MB", 700)


def index() -> Iterator[Figure]:
    """Reading an index as large as PyPI's."""
    drawn = random.Random(1)
    prefixes = ("my_", "Foo.", "abc-", "")
    projects = [
        {"_last-serial": drawn.randrange(10**7, 4 * 10**7), "name": f"{drawn.choice(prefixes)}{n:x}-package"}
        for n in range(INDEX_PROJECTS)
    ]
    with tempfile.TemporaryDirectory() as folder, _files(folder) as url:
        path = Path(folder) / "simple" / "index.html"
        path.parent.mkdir()
        path.write_bytes(orjson.dumps({"meta": {"api-version": "1.4"}, "projects": projects}))
        found = measure("index", url, f"sqlite:///{folder}/store.sqlite3", path)
        yield Figure(f"{INDEX_PROJECTS:,} projects: parsing", found["parse_seconds"], "s", 1)
        yield Figure(f"{INDEX_PROJECTS:,} projects: loading from the store", found["load_seconds"], "s", 1)
        yield Figure(f"{INDEX_PROJECTS:,} projects: memory for fetching and keeping", found["fetching"], "MB", 300)


@contextmanager
def _files(folder: str) -> Iterator[str]:
    """Serve the files of a folder, `index.html` for one that has it."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _ingest(served: Served, folder: str, mode: str = "incremental") -> dict[str, float]:
    return measure("ingest", served.pypi_url, f"sqlite:///{folder}/store.sqlite3", mode, f"{folder}/previous.json")


def _bare(served: Served, folder: str) -> dict[str, float]:
    names = Path(folder) / "names.json"
    names.write_text(json.dumps(served.members))
    return measure("download", served.pypi_url, names)


def _materialise(served: Served, folder: str) -> tuple[float, float]:
    """Run the profile as `make run` does; seconds, and megabytes at the peak of all its processes together."""
    home = Path(folder)
    (home / "dagster.yaml").touch()
    environment = os.environ | {
        "PYF_HOME": folder,
        "DAGSTER_HOME": folder,
        "PYPI_URL": served.pypi_url,
        "GITHUB_API_URL": served.github_url,
        "GITHUB_TOKEN": served.token,
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    for variable in ("TYPESENSE_HOST", "TYPESENSE_NODES", "PYF_STORE_URL", "PYF_STORAGE_URL", "PYF_PROFILES"):
        environment[variable] = ""
    command = [sys.executable, "-m", "pyf_pipeline.cli.run", "--profile", "plone"]
    started = time.perf_counter()
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process,
        watching(process.pid) as peak,
    ):
        errors = process.stderr.read() if process.stderr else b""
        process.wait()
    if process.returncode:
        raise RuntimeError(f"the run failed: {errors.decode()[-2000:]}")
    return time.perf_counter() - started, peak.megabytes


BENCHMARKS = {
    "pypi-first": first_fetch,
    "pypi-incremental": incremental,
    "pypi-throughput": throughput,
    "pypi-index": index,
    "whole-run": whole_run,
}
