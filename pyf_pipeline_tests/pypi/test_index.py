import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.pypi.http import Http, PyPIError, UnusableAnswerError
from pyf_pipeline.pypi.index import Index, IndexShrunkError, fetch_index, parse_index
from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.world import Fault, World
from pyf_pipeline_tests.world.server import Servers


def index_of(*projects: object) -> bytes:
    return orjson.dumps({"meta": {"api-version": "1.3", "_last-serial": 9}, "projects": list(projects)})


def test_names_are_normalised() -> None:
    body = index_of({"name": "Zope.Interface", "_last-serial": 3}, {"name": "a-b", "_last-serial": 4})
    assert parse_index(body) == {"zope-interface": 3, "a-b": 4}


def test_what_moved() -> None:
    index = Index({"a": 3, "b": 9, "c": 5})
    assert index.serial == 9
    assert index.moved_since(3) == ["b", "c"]
    assert index.moved_since(9) == []
    assert Index({}).serial == 0


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html></html>",
        b"",
        b"[]",
        b"null",
        b"{}",
        index_of({"name": "a"}),
        index_of("a"),
        index_of({"name": "a", "_last-serial": 3})[:-4],
    ],
)
def test_what_is_not_an_index_is_refused(body: bytes) -> None:
    with pytest.raises(UnusableAnswerError, match="index"):
        parse_index(body)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.integers(0, 2**40)), max_size=20), st.booleans())
def test_any_names_in_any_layout_are_read(rows: list[tuple[str, int]], indented: bool) -> None:
    projects = [{"name": name, "_last-serial": serial, "x": [{"a": 1}, {"b": 2}]} for name, serial in rows]
    body = orjson.dumps({"projects": projects, "tail": [{}]}, option=orjson.OPT_INDENT_2 if indented else None)
    assert parse_index(body) == {normalise(name): serial for name, serial in rows}


def test_a_large_index_is_read_in_pieces_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = random.Random(1)
    rows = {f"{drawn.choice(['Foo.', 'my__', 'x-'])}{n}": n + 1 for n in range(5_000)}
    body = index_of(*({"_last-serial": serial, "name": name} for name, serial in rows.items()))
    monkeypatch.setattr("pyf_pipeline.pypi.index.PIECE_BYTES", 1_000)
    assert parse_index(body) == {normalise(name): serial for name, serial in rows.items()}


@pytest.fixture
def http(servers: Servers) -> Http:
    return Http(servers.pypi_url, concurrency=2, user_agent="tests", retries=1)


def test_an_unchanged_index_is_not_sent_again(world: World, servers: Servers, http: Http, store: Store) -> None:
    first = fetch_index(http, store.snapshots)
    second = fetch_index(http, store.snapshots)
    assert second == first
    assert first.serial == world.pypi.serial
    assert [request.status for request in servers.log.requests] == [200, 304]
    world.pypi.create("another")
    assert fetch_index(http, store.snapshots).serials.keys() - first.serials.keys() == {"another"}


def test_an_index_that_lost_much_of_pypi_is_not_believed(world: World, http: Http, store: Store) -> None:
    first = fetch_index(http, store.snapshots)
    for name in world.pypi.names()[:40]:
        world.pypi.remove(name)
    with pytest.raises(IndexShrunkError, match="150 to 110"):
        fetch_index(http, store.snapshots)
    # It is not kept either: the next one is compared with the last good one.
    with pytest.raises(IndexShrunkError):
        fetch_index(http, store.snapshots)
    allowed = fetch_index(http, store.snapshots, allow_shrink=True)
    assert len(allowed.serials) == len(first.serials) - 40
    assert fetch_index(http, store.snapshots) == allowed


def test_an_index_that_is_older_than_the_kept_one_is_not_used(world: World, http: Http, store: Store) -> None:
    url = f"{http.base_url}/simple/"
    later = {**dict.fromkeys(world.pypi.names(), 1), "from-the-future": world.pypi.serial + 5}
    store.snapshots.put(url, '"later"', later)
    index = fetch_index(http, store.snapshots)
    assert index.outdated
    assert index.serials == later


@pytest.mark.parametrize("kind", ["html", "not_object", "truncate"])
def test_nonsense_is_asked_for_again(world: World, http: Http, store: Store, kind: str) -> None:
    world.faults.add(Fault(kind=kind, route="simple", times=1))  # type: ignore[arg-type]
    assert fetch_index(http, store.snapshots).serial == world.pypi.serial
    world.faults.add(Fault(kind=kind, route="simple"))  # type: ignore[arg-type]
    world.pypi.create("another")
    with pytest.raises(PyPIError, match="/simple/"):
        fetch_index(http, store.snapshots)
