from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.ingest import Ingester
from pyf_pipeline.pypi.memory import Memory
from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.world import World
from pyf_pipeline_tests.world.server import Servers


@pytest.fixture
def world() -> World:
    """A small PyPI whose XML-RPC has no limit worth waiting for."""
    world = World(size=150, seed=3)
    world.pypi.xmlrpc_limit(per_second=1_000, per_minute=60_000)
    return world


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in recovers at once, so pauses between tries need not be long."""
    monkeypatch.setattr("pyf_pipeline.pypi.http.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("pyf_pipeline.pypi.http.TOO_MANY_SECONDS", 0.05)
    monkeypatch.setattr("pyf_pipeline.pypi.work.STALE_SECONDS", (0.02, 0.1))


@pytest.fixture
def servers(world: World) -> Iterator[Servers]:
    with world.serve() as servers:
        yield servers


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    yield store
    store.close()


@pytest.fixture
def make_ingester(servers: Servers, store: Store) -> Iterator[Callable[..., Ingester]]:
    """Makes ingesters as fresh processes would, over the one store."""
    opened: list[Http] = []

    def make(**options: object) -> Ingester:
        http = Http(servers.pypi_url, concurrency=8, user_agent="tests", retries=int(str(options.pop("retries", 3))))
        opened.append(http)
        memory = Memory(store.documents, store.releases, store.knowledge, store.snapshots, store.ledgers)
        return Ingester(http, memory, concurrency=8, **options)  # type: ignore[arg-type]

    yield make
    for http in opened:
        http.close()
