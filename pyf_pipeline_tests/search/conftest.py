from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.search.documents import BuildFailure
from pyf_pipeline.search.schema import FIELDS

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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SearchServer]:
    server = connect_embedded(tmp_path / "search.sqlite3", "key")
    yield server
    server.close()
