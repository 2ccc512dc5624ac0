"""What documents cost: to build where packages changed, and to leave alone where they did not."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from pyf_pipeline.catalog.filtering import Rejected, latest_package
from pyf_pipeline.catalog.model import Package
from pyf_pipeline.catalog.parsing import parse_project
from pyf_pipeline.search.documents import BuildFailure, Context, build_documents, content_hash
from pyf_pipeline.search.workers import processors
from pyf_pipeline.store.rows import PackageRows, packages
from pyf_pipeline_tests.bench.figures import Figure
from pyf_pipeline_tests.world import World

DOCUMENTS = int(os.environ.get("PYF_BENCH_DOCUMENTS", "20000"))
DISTINCT = 2_000
# What the whole of it may take, for 20,000 documents on two processors.
BUILDING_SECONDS = 240
HASHING_SECONDS = 5


def measure(count: int = DOCUMENTS) -> Iterator[Figure]:
    """Build documents of packages as they are stored, and tell by their hashes that they need not be built again."""
    batches = list(PackageRows.of(_packages(count), partial=False).batches)
    context = Context()
    of, share = f"{count:,} documents", count / 20_000
    sources = sum(len(package.description) for package in packages(batches))
    yield Figure(f"{of}: mean length of a README", sources / count, "characters")
    hashes, seconds = _hashed(batches, context)
    yield Figure(f"{of}: unchanged, read and hashed", seconds, "s", HASHING_SECONDS * share)
    started = time.perf_counter()
    outcomes = build_documents(((p, None) for p in packages(batches)), processes=None, context=context)
    built = {one["id"]: one["content_hash"] for one in outcomes if not isinstance(one, BuildFailure)}
    yield Figure(
        f"{of}: changed, built on {processors()} processors",
        time.perf_counter() - started,
        "s",
        BUILDING_SECONDS * share,
    )
    if built != hashes:
        raise RuntimeError("documents are missing, or have other hashes than were told before they were built")
    later = _hashed(batches, replace(context, now=context.now + 86_400))[0]
    yield Figure(f"{of}: changed by a day's passing", sum(later[id_] != built[id_] for id_ in built), "documents")


def _hashed(batches: list[pa.RecordBatch], context: Context) -> tuple[dict[str, str], float]:
    started = time.perf_counter()
    hashes = {package.id: content_hash(package, None, context) for package in packages(batches)}
    return hashes, time.perf_counter() - started


def _packages(count: int) -> Iterator[Package]:
    """The packages of a made-up PyPI, over and over, under other names and with other READMEs."""
    world = World(size=min(DISTINCT, count), seed=5)
    found: list[Package] = []
    for name in world.pypi.names():
        payload = world.pypi.document(world.pypi.project(name))
        package = payload and latest_package(parse_project(payload, name=name, header_serial=None, fetched_at=0))
        if package and not isinstance(package, Rejected):
            found.append(package)
    for number in range(count):
        package, turn = found[number % len(found)], number // len(found)
        names = {field: f"{getattr(package, field)}-{turn}" for field in ("id", "project", "name")}
        yield package.model_copy(update={**names, "description": f"{package.description}\n\nTurn {turn}.\n"})


BENCHMARKS = {"documents": measure}
