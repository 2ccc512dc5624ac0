"""How long it takes to build and publish a collection: `python -m pyf_pipeline_tests.bench.search [--documents N]`.

Against the embedded index in a temporary file, and where TYPESENSE_HOST or TYPESENSE_NODES is set against that server,
too, in collections of its own that are removed again.
"""

import argparse
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from pyf_pipeline.catalog.filtering import Rejected, latest_package
from pyf_pipeline.catalog.model import Package
from pyf_pipeline.catalog.parsing import parse_project
from pyf_pipeline.search.client import SearchServer, connect, connect_embedded
from pyf_pipeline.search.collections import create_collection, drop_collection
from pyf_pipeline.search.documents import BuildFailure, build_documents, content_hash
from pyf_pipeline.search.importing import import_lines
from pyf_pipeline.search.management import delete_collection, list_collections
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.schema import collection_schema
from pyf_pipeline.settings import NO_SERVER_KEY, load_settings
from pyf_pipeline_tests.world import World

DOCUMENTS = 20_000
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


@dataclass
class Measured:
    """One thing that was measured.

    Attributes:
        what: In words.
        documents: With how many documents.
        seconds: How long it took.
    """

    what: str
    documents: int
    seconds: float


def main() -> None:
    """Measure, and print a table for each server."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    run(parser.parse_args().documents, Console(highlight=False))


def run(documents: int, console: Console) -> None:
    """Measure with so many documents, and print a table for each server."""
    source = Packages(documents)
    built, building = timed(lambda: list(_lines(source)), "build the documents", documents)
    console.print(f"{documents} documents, {sum(len(line) for _, line in built) / 1e6:.0f} MB of JSON")
    with _servers() as servers:
        for server in servers:
            console.print(_table(server, [building, *measure(server, source, built)]))


def measure(server: SearchServer, source: Packages, lines: list[Line]) -> list[Measured]:
    """Import ready-made lines in one stream and in batches, then publish a source, once more, and anew."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    count = len(lines)
    try:
        _collection(server, f"{name}-stream")
        _, stream = timed(lambda: _in_one_stream(server, f"{name}-stream", lines), "import in one stream", count)
        _collection(server, f"{name}-batches")
        _, batches = timed(lambda: import_lines(server, f"{name}-batches", lines), "import in batches", count)
        batches.what += f" ({batches.seconds / stream.seconds:.2f} times one stream)"
        publisher = Publisher(server)
        first = timed(lambda: publisher.publish(name, source), "build and publish", count)[1]
        unchanged = timed(lambda: publisher.publish(name, source), "publish with nothing changed", count)[1]
        return [stream, batches, first, unchanged]
    finally:
        for collection in list_collections(server):
            if collection.startswith(name):
                delete_collection(server, collection, force=True)


def timed(work: Callable[[], Any], what: str, documents: int) -> tuple[Any, Measured]:
    """Do something, and say how long it took."""
    started = time.perf_counter()
    result = work()
    return result, Measured(what, documents, time.perf_counter() - started)


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


def _lines(source: Packages) -> Iterator[Line]:
    for document in source.documents(source.hashes.keys()):
        if isinstance(document, BuildFailure):
            raise TypeError(f"{document.id} cannot be built: {document.reason}")
        yield document["id"], orjson.dumps(document)


def _collection(server: SearchServer, name: str) -> None:
    drop_collection(server.client, name)
    create_collection(server.client, collection_schema(name))


def _in_one_stream(server: SearchServer, collection: str, lines: list[Line]) -> None:
    body = b"\n".join(line for _, line in lines)
    answer = server.client.collections[collection].documents.import_(body, {"action": "upsert"})
    refused = len(lines) - answer.count('"success":true')
    if refused:
        raise RuntimeError(f"{refused} documents were refused")


@contextmanager
def _servers() -> Iterator[list[SearchServer]]:
    settings = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        servers = [connect_embedded(Path(folder) / "search.sqlite3", NO_SERVER_KEY)]
        if settings.typesense_addresses:
            servers.append(connect(settings.typesense_addresses, settings.api_key, settings.typesense_timeout))
        try:
            yield servers
        finally:
            for server in servers:
                server.close()


def _table(server: SearchServer, measured: list[Measured]) -> Table:
    table = Table(title=server.link or "the embedded index")
    table.add_column("what")
    for header in ("seconds", "documents a second"):
        table.add_column(header, justify="right")
    for one in measured:
        table.add_row(one.what, f"{one.seconds:.1f}", f"{one.documents / one.seconds:,.0f}")
    return table


if __name__ == "__main__":
    main()
