"""Over real HTTP: several nodes, servers that are away, not ready, slow, or lose what they answer."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pyf_pipeline.search import transport
from pyf_pipeline.search.client import SearchServer, connect
from pyf_pipeline.search.collections import create_collection, drop_collection
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.naming import LOCKS, locate
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.transport import Patience, may_repeat
from pyf_pipeline_tests.search.conftest import contents, names, numbered
from pyf_pipeline_tests.search.serving import ADMIN_KEY, Node, free_port, serving


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(transport, "LONGEST_PAUSE", 0.1)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with serving(tmp_path / "search.sqlite3") as node:
        yield node


@pytest.fixture
def remote(node: Node) -> Iterator[SearchServer]:
    server = connect([node.address], ADMIN_KEY, 20, patience=Patience(away=2, busy=5))
    yield server
    server.close()


def test_a_publish_over_the_network_is_the_same(remote: SearchServer) -> None:
    published = Publisher(remote).publish("plone", numbered(1_200))
    assert (published.documents, published.problems, published.serving) == (1_200, [], [])
    source = numbered(1_200)
    assert Publisher(remote).publish("plone", source).unchanged == 1_200
    assert source.built == []


@pytest.mark.parametrize("fault", [503, 502, "reset", "lost"])
def test_a_publish_survives_what_passes(remote: SearchServer, node: Node, fault: int | str) -> None:
    node.faults.add(f"/{LOCKS}/documents", fault)
    node.faults.add("/collections", fault)
    Publisher(remote).publish("plone", numbered(20))
    for part in (f"/{LOCKS}/documents", "/documents/import", "/aliases/plone", "/export", "/search"):
        node.faults.add(part, fault, fault)
    published = Publisher(remote).publish("plone", numbered(20, "two"), rebuild=True)
    assert node.faults.queue == []
    assert (published.refused, published.problems) == ({}, [])
    assert set(contents(remote, "plone").values()) == {"two"}


def test_a_server_that_lags_is_waited_for_within_a_limit(node: Node) -> None:
    server = connect([node.address], ADMIN_KEY, 20, patience=Patience(away=0, busy=0.5))
    node.faults.add("/collections", *[503] * 5)
    assert not locate(server.client, "plone").documents
    node.faults.add("/collections", *[503] * 500)
    with pytest.raises(SearchError, match=f"{node.address} is not ready.*Not Ready or Lagging"), server.explained():
        locate(server.client, "plone")
    server.close()


def test_a_server_that_is_still_starting_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    server = connect([f"http://127.0.0.1:{port}"], ADMIN_KEY, 20, patience=Patience(away=20))
    published = []
    thread = threading.Thread(target=lambda: published.append(Publisher(server).publish("plone", numbered(3))))
    thread.start()
    time.sleep(0.3)
    with serving(tmp_path / "search.sqlite3", port):
        thread.join()
    server.close()
    assert published[0].documents == 3


def test_one_that_is_away_is_named_and_another_node_asked(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    server = connect([away, node.address], ADMIN_KEY, 20)
    with caplog.at_level(logging.WARNING):
        assert Publisher(server).publish("plone", numbered(3)).documents == 3
    named = [record.message for record in caplog.records if away in record.message]
    assert len(named) == 1
    assert "does not answer (ConnectError" in named[0]
    assert server.address == f"{away}, {node.address}"
    server.close()


def test_where_all_are_away_all_are_named() -> None:
    addresses = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    server = connect(addresses, "secret-key", 5, patience=Patience(away=0.2))
    with pytest.raises(SearchError, match=f"{addresses[0]}, {addresses[1]} does not answer") as caught:
        Publisher(server).publish("plone", numbered(3))
    assert "secret-key" not in str(caught.value)
    server.close()


def test_a_key_that_is_not_the_admins_is_not_tried_again(node: Node) -> None:
    server = connect([node.address], "wrong", 5)
    with pytest.raises(SearchError, match="rejects the key: set TYPESENSE_API_KEY"):
        Publisher(server).publish("plone", numbered(3))
    assert len(node.faults.seen) == 1
    server.close()


def test_what_is_no_search_server_is_told(node: Node) -> None:
    server = connect([node.address + "/elsewhere"], ADMIN_KEY, 5)
    with pytest.raises(SearchError, match="refuses: Not Found"), server.explained():
        server.client.collections.retrieve()
    server.close()


def test_a_request_that_takes_too_long_is_given_up(node: Node) -> None:
    server = connect([node.address], ADMIN_KEY, 0.3, patience=Patience(away=0.1))
    node.faults.add("/collections", "slow")
    with pytest.raises(SearchError, match=r"does not answer \(ReadTimeout"), server.explained():
        server.client.collections.retrieve()
    server.close()


def test_a_collection_is_not_made_twice_where_the_answer_is_lost(remote: SearchServer, node: Node) -> None:
    definition = {"name": "c", "fields": [{"name": "n", "type": "int32"}]}
    node.faults.add("/collections", "lost")
    create_collection(remote.client, definition)
    assert names(remote) == {"c"}
    assert sum(seen == "POST /collections" for seen in node.faults.seen) == 1
    with pytest.raises(SearchError, match="a collection c exists already"):
        create_collection(remote.client, definition)
    node.faults.add("/collections", 502, "reset")
    create_collection(remote.client, {**definition, "name": "d"})
    assert names(remote) == {"c", "d"}


def test_removing_a_collection_twice_does_not_remove_what_its_alias_points_at(remote: SearchServer, node: Node) -> None:
    fields = [{"name": "n", "type": "int32"}]
    remote.client.collections.create({"name": "behind", "fields": fields})
    remote.client.aliases.upsert("c", {"collection_name": "behind"})
    remote.client.collections.create({"name": "c", "fields": fields})
    node.faults.add("/collections/c", 502, "lost")
    drop_collection(remote.client, "c")
    assert names(remote) == {"behind"}
    drop_collection(remote.client, "c")
    assert names(remote) == {"behind"}


@pytest.mark.parametrize(
    ("method", "address", "repeatable"),
    [
        ("GET", "/collections/c/documents/export", True),
        ("PUT", "/aliases/a", True),
        ("PATCH", "/collections/c", True),
        ("POST", "/collections/c/documents/import?action=upsert", True),
        ("POST", "/collections/c/documents/import?action=create", False),
        ("POST", "/multi_search", True),
        ("POST", "/collections", False),
        ("POST", "/keys", False),
        ("POST", "/collections/c/documents/", False),
        ("DELETE", "/collections/c", False),
        ("DELETE", "/collections/c/documents/?filter_by=id:=[`a`]", True),
        ("DELETE", "/collections/c/documents/a", False),
        ("DELETE", "/aliases/a", False),
    ],
)
def test_what_is_repeated_when_its_answer_was_lost(method: str, address: str, repeatable: bool) -> None:
    assert may_repeat(httpx.Request(method, f"http://search.example{address}")) is repeatable


def test_a_path_before_the_api_and_a_protocol_of_each_node_are_kept() -> None:
    asked: list[str] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.url} {request.headers['host']}")
        return httpx.Response(503, json={"message": "Not Ready or Lagging"})

    addresses = ["https://a.example:443/typesense", "http://b.example:8108"]
    nodes = transport.NodesTransport(addresses, httpx.MockTransport(away), Patience(busy=0.01))
    client = httpx.Client(transport=nodes)
    assert client.get("http://x/collections/a%2Fb?q=c%20d").status_code == 503
    assert asked == [
        "https://a.example/typesense/collections/a%2Fb?q=c%20d a.example",
        "http://b.example:8108/collections/a%2Fb?q=c%20d b.example:8108",
    ]
