"""The store on PostgreSQL: what it does otherwise than SQLite."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pyf_pipeline.catalog.model import DownloadRecord, Downloads, ProjectDocument
from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.postgres import binaries, serving

pytestmark = pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as server:
        server.run("postgres", "CREATE DATABASE store")
        yield f"postgresql://{server.user}:{server.password}@{server.host}:{server.port}/store"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store.open(url)
    yield store
    store.close()


def test_an_entry_of_the_ledger_is_changed_by_one_at_a_time(url: str, store: Store) -> None:
    def change(entry: dict[str, Any]) -> dict[str, Any]:
        return {"n": entry.get("n", 0) + 1}

    def add(_: int) -> None:
        other = Store.open(url)
        for _ in range(20):
            other.ledgers.update("service", change)
        other.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert store.ledgers.update("service", dict) == {"n": 80}


def test_documents_classifications_and_indexes_are_kept(store: Store) -> None:
    documents = [ProjectDocument("a", serial, {"name": "a", "n": serial}, (), 0) for serial in (1, 2, 3)]
    for document in documents:
        store.documents.put([document])
    assert list(store.documents.read(["a"])) == [documents[2]]
    assert store.documents.earlier("a") == [documents[1]]
    store.knowledge.put({"a": (5, ["Framework :: Plone :: 6.0"])})
    store.knowledge.put({"a": (4, [])})
    assert store.knowledge.carrying(["Framework :: Plone"]) == {"a"}
    store.snapshots.put("http://pypi.example/simple/", '"tag"', {"a": 5})
    assert store.snapshots.get("http://pypi.example/simple/") == {"a": 5}
    store.releases.put_missing("a", "1.0", 5)
    assert store.releases.versions("a", 5) == {"1.0"}


def test_downloads_are_kept(store: Store) -> None:
    record = DownloadRecord("a", 5, 0, known=False, downloads=None)
    store.downloads.put(record)
    assert store.downloads.get_many(["a", "b"]) == {"a": record}
    later = DownloadRecord("a", 6, 6, known=True, downloads=Downloads(1, 2, 2**62, 6))
    store.downloads.put(later)
    assert store.downloads.get_many(["a"]) == {"a": later}
