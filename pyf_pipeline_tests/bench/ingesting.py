"""One measured piece of work, in a process of its own: `python -m pyf_pipeline_tests.bench.ingesting WHAT …`.

It prints what it took as JSON. `measure` starts it.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.index import fetch_index, parse_index
from pyf_pipeline.pypi.ingest import Ingester, Memory, Order
from pyf_pipeline.pypi.transport import Transport
from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.bench.memory import own_peak
from pyf_pipeline_tests.bench.served import CLASSIFIER

CONNECTIONS = 32


def measure(what: str, *arguments: object) -> dict[str, float]:
    """Do a piece of work in a process of its own, and give its figures: seconds, megabytes at the peak, and more."""
    command = [sys.executable, "-m", __spec__.name, what, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def ingest(url: str, store_url: str, mode: str, previous: str) -> dict[str, float]:
    """Bring a profile up to date, and read all of it as an asset would."""
    store = Store.open(store_url)
    http = Http(url, concurrency=CONNECTIONS, user_agent="pyf-pipeline benchmark")
    memory = Memory(store.documents, store.releases, store.knowledge, store.snapshots, store.ledgers)
    names = frozenset(json.loads(Path(previous).read_text())) if Path(previous).exists() else frozenset()
    order = Order((CLASSIFIER,), known_classifiers=(CLASSIFIER,), previous=names, mode=mode)  # type: ignore[arg-type]
    result = Ingester(http, memory, concurrency=CONNECTIONS).ingest(order)
    Path(previous).write_text(json.dumps(result.names))
    return {"seconds": result.seconds, "projects": len(result.names), "redirects": http.traffic.redirects}


def download(url: str, names: str) -> dict[str, float]:
    """Download the documents of projects with as many connections, and do nothing else."""
    transport = Transport(url, connections=CONNECTIONS, user_agent="pyf-pipeline benchmark")

    def fetch(name: str) -> int:
        return len(transport.send("GET", f"{url}/pypi/{name}/json", {}, None).body)

    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        received = sum(pool.map(fetch, json.loads(Path(names).read_text())))
    return {"seconds": time.perf_counter() - started, "megabytes": received / 1e6}


def index(url: str, store_url: str, path: str) -> dict[str, float]:
    """Parse an index; fetch it, compare it with nothing and keep it; have it from the store. And what that takes."""
    store = Store.open(store_url)
    http = Http(url, concurrency=1, user_agent="pyf-pipeline benchmark")
    before = own_peak()
    fetched = fetch_index(http, store.snapshots)
    figures = {"fetching": own_peak() - before, "projects": len(fetched.serials)}
    del fetched
    body = Path(path).read_bytes()
    started = time.perf_counter()
    parse_index(body)
    figures["parse_seconds"] = time.perf_counter() - started
    started = time.perf_counter()
    store.snapshots.get(f"{http.base_url}/simple/")
    return figures | {"load_seconds": time.perf_counter() - started}


WORK: dict[str, Callable[..., dict[str, float]]] = {"ingest": ingest, "download": download, "index": index}


if __name__ == "__main__":
    found = WORK[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(found | {"peak": own_peak()}))
