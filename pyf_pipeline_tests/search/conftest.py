import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.search.documents import BuildFailure
from pyf_pipeline.search.naming import LOCKS
from pyf_pipeline.search.schema import FIELDS

Send = Callable[[httpx.Request], httpx.Response]
Meddle = Callable[[httpx.Request, Send], httpx.Response]

EMPTY = {"string": "", "string[]": [], "int32": 0, "int64": 0, "bool": False}


def document(name: str, content: str = "") -> dict[str, Any]:
    """A document that has every field which the schema demands."""
    needed = {f["name"]: EMPTY[f["type"]] for f in FIELDS if not f.get("optional")}
    return {**needed, "id": name, "name": name, "name_sortable": name, "summary": content, "content_hash": content}


@dataclass
class Documents:
    """A source of documents that counts which of them were built."""

    content: dict[str, str]
    broken: dict[str, dict[str, Any]] = field(default_factory=dict)
    unbuildable: set[str] = field(default_factory=set)
    built: list[str] = field(default_factory=list)

    @property
    def hashes(self) -> dict[str, str]:
        return self.content

    def documents(self, ids: Collection[str]) -> Iterator[dict[str, Any] | BuildFailure]:
        for name in sorted(ids):
            self.built.append(name)
            if name in self.unbuildable:
                yield BuildFailure(name, "made to fail")
            else:
                yield {**document(name, self.content[name]), **self.broken.get(name, {})}


def numbered(count: int, content: str = "one") -> Documents:
    return Documents({f"package-{n:03}": content for n in range(count)})


def ids(server: SearchServer, name: str) -> set[str]:
    """The ids of all documents that are reached by a name."""
    return set(contents(server, name))


def contents(server: SearchServer, name: str) -> dict[str, str]:
    """What is in all documents that are reached by a name, by id."""
    rows = map(json.loads, server.export_lines(name))
    return {row["id"]: row.get("summary", "") for row in rows}


def names(server: SearchServer) -> set[str]:
    """All collections but that of the locks."""
    return {collection["name"] for collection in server.client.collections.retrieve()} - {LOCKS}


def make_foreign(server: SearchServer, name: str, documents: int = 3) -> None:
    """A collection as another tool makes it."""
    fields = [{"name": "name", "type": "string"}]
    server.client.collections.create({"name": name, "fields": fields})
    for number in range(documents):
        server.client.collections[name].documents.create({"id": f"old-{number}", "name": f"old {number}"})


class Meddling(httpx.BaseTransport):
    """Lets a function see every request, and answer it or break off in the place of the server."""

    def __init__(self, server: SearchServer, meddle: Meddle) -> None:
        self.inner = server._http._transport
        self.meddle = meddle
        server._http._transport = self

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.meddle(request, self.inner.handle_request)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SearchServer]:
    server = connect_embedded(tmp_path / "search.sqlite3", "key")
    yield server
    server.close()
