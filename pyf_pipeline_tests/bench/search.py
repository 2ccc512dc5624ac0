"""What building and publishing a collection costs, on the embedded index and on the search server of the settings."""

import os
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from pyf_pipeline.catalog.filtering import Rejected, latest_package
from pyf_pipeline.catalog.model import Package
from pyf_pipeline.catalog.parsing import parse_project
from pyf_pipeline.search.client import SearchServer, connect, connect_embedded
from pyf_pipeline.search.collections import create_collection
from pyf_pipeline.search.documents import BuildFailure, build_documents, content_hash
from pyf_pipeline.search.fitting import Fitter
from pyf_pipeline.search.importing import import_lines
from pyf_pipeline.search.management import delete_collection, list_collections
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.schema import FIELDS, collection_schema
from pyf_pipeline.settings import NO_SERVER_KEY, load_settings
from pyf_pipeline_tests.bench.figures import Figure
from pyf_pipeline_tests.world import World

DOCUMENTS = int(os.environ.get("PYF_BENCH_DOCUMENTS", "20000"))
DISTINCT = 2_000

Line = tuple[str, bytes]


class Packages:
    """A source of documents: the packages of a made-up PyPI, over and over under other names."""

    def __init__(self, count: int) -> None:
        self._packages = list(_packages(count))
        self.hashes = {package.id: content_hash(package, None) for package in self._packages}

    def documents(self, ids: Collection[str]) -> Iterator[dict[str, Any] | BuildFailure]:
        """Build the documents with these ids."""
        return build_documents(((package, None) for package in self._packages if package.id in ids), processes=None)

    def lines(self) -> list[Line]:
        """All documents, ready to be sent."""
        fitter = Fitter(FIELDS)
        documents = self.documents(self.hashes.keys())
        return [(one["id"], fitter.line(one)) for one in documents if not isinstance(one, BuildFailure)]


def embedded() -> Iterator[Figure]:
    """The embedded index, in a temporary file."""
    with tempfile.TemporaryDirectory() as folder:
        server = connect_embedded(Path(folder) / "search.sqlite3", NO_SERVER_KEY)
        try:
            yield from measure(server, Packages(DOCUMENTS))
        finally:
            server.close()


def remote() -> Iterator[Figure]:
    """The server of TYPESENSE_HOST or TYPESENSE_NODES; in collections of its own, which are removed again."""
    settings = load_settings()
    server = connect(settings.typesense_addresses, settings.api_key, settings.typesense_timeout)
    try:
        yield from measure(server, Packages(DOCUMENTS))
    finally:
        server.close()


def measure(server: SearchServer, source: Packages) -> Iterator[Figure]:
    """Build documents, import them in one stream and in batches, publish them, and publish them again."""
    lines, building = timed(source.lines)
    count, name = len(lines), f"bench-{uuid.uuid4().hex[:8]}"
    of = f"{count:,} documents"
    yield Figure(f"{of}: as JSON", sum(len(line) for _, line in lines) / 1e6, "MB")
    yield Figure(f"{of}: build", building, "s")
    try:
        for collection in ("stream", "batches"):
            create_collection(server.client, collection_schema(f"{name}-{collection}"))
        _, stream = timed(lambda: _in_one_stream(server, f"{name}-stream", lines))
        yield Figure(f"{of}: import in one stream", stream, "s")
        imported, batches = timed(lambda: import_lines(server, f"{name}-batches", lines))
        if imported.accepted != count:
            raise RuntimeError(f"{len(imported.refused)} documents were refused: {imported.refused}")
        yield Figure(f"{of}: import in batches", batches, "s")
        yield Figure(f"{of}: import in batches, of one stream", batches / stream, "times", 1.4)
        publisher = Publisher(server)
        yield Figure(f"{of}: build and publish", timed(lambda: publisher.publish(name, source))[1], "s")
        yield Figure(f"{of}: publish with nothing changed", timed(lambda: publisher.publish(name, source))[1], "s", 30)
    finally:
        for collection in list_collections(server):
            if collection.startswith(name):
                delete_collection(server, collection, force=True)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Do something, and say how many seconds it took."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _packages(count: int) -> Iterator[Package]:
    world = World(size=min(DISTINCT, count), seed=5)
    found = []
    for name in world.pypi.names():
        payload = world.pypi.document(world.pypi.project(name))
        if payload is not None:
            package = latest_package(parse_project(payload, name=name, header_serial=None, fetched_at=0))
            if not isinstance(package, Rejected):
                found.append(package)
    for number in range(count):
        package, turn = found[number % len(found)], number // len(found)
        names = {field: f"{getattr(package, field)}-{turn}" for field in ("id", "project", "name")}
        yield package.model_copy(update=names if turn else {})


def _in_one_stream(server: SearchServer, collection: str, lines: list[Line]) -> None:
    body = b"\n".join(line for _, line in lines)
    answer = server.client.collections[collection].documents.import_(body, {"action": "upsert"})
    refused = len(lines) - answer.count('"success":true')
    if refused:
        raise RuntimeError(f"{refused} documents were refused")


BENCHMARKS = {"search": embedded} | ({"search-server": remote} if load_settings().typesense_addresses else {})
