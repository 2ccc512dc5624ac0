"""The same index as a server on loopback."""

import json
import threading
from pathlib import Path

import httpx
import pytest
import typesense

from pyf_pipeline_tests.embedded.conftest import ADMIN, client_of, definition


@pytest.fixture
def remote(port: int) -> typesense.Client:
    """The official client over HTTP."""
    nodes = [{"host": "127.0.0.1", "port": port, "protocol": "http"}]
    return typesense.Client({"api_key": ADMIN, "nodes": nodes, "connection_timeout_seconds": 20})


def test_the_server_and_the_transport_share_an_index(remote: typesense.Client, path: Path) -> None:
    remote.collections.create(definition("c"))
    local = client_of(path)
    local.collections["c"].documents.create({"id": "a b&c", "name": "from the transport"})
    found = remote.collections["c"].documents.search({"q": "transport", "query_by": "name"})
    assert found["hits"][0]["document"]["id"] == "a b&c"
    assert remote.collections["c"].documents["a b&c"].retrieve()["name"] == "from the transport"


def test_an_export_comes_piece_by_piece(remote: typesense.Client, port: int) -> None:
    remote.collections.create(definition("c"))
    lines = [{"id": str(i), "name": "x" * 200} for i in range(1500)]
    remote.collections["c"].documents.import_(lines, {"action": "create"})
    address = f"http://127.0.0.1:{port}/collections/c/documents/export"
    with httpx.stream("GET", address, headers={"X-TYPESENSE-API-KEY": ADMIN}) as answer:
        assert "content-length" not in answer.headers
        found = [json.loads(line)["id"] for line in answer.iter_lines()]
    assert found == [str(i) for i in range(1500)]


def test_searches_are_answered_while_documents_come_in(remote: typesense.Client) -> None:
    remote.collections.create(definition("c"))
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for batch in range(10):
                lines = [{"id": f"{batch}-{i}", "name": "package"} for i in range(100)]
                remote.collections["c"].documents.import_(lines, {"action": "create"})
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    counts = []
    while thread.is_alive():
        counts.append(remote.collections["c"].documents.search({"q": "package", "query_by": "name"})["found"])
    thread.join()
    assert failures == []
    assert counts == sorted(counts)
    assert all(c % 100 == 0 for c in counts)


def test_front_ends_on_other_origins_may_call_the_api_but_not_read_the_page(port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    asked = {"Origin": "http://shop.example", "Access-Control-Request-Method": "POST"}
    preflight = httpx.options(f"{base}/multi_search", headers=asked)
    assert preflight.status_code == 200
    assert "x-typesense-api-key" in preflight.headers["access-control-allow-headers"]
    asked["Access-Control-Request-Headers"] = "content-type,x-shop-session"
    assert (
        "x-shop-session" in httpx.options(f"{base}/multi_search", headers=asked).headers["access-control-allow-headers"]
    )
    assert httpx.get(f"{base}/health").headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in httpx.get(base).headers


def test_requests_of_browsers_and_of_load_balancers_are_answered(remote: typesense.Client, port: int) -> None:
    remote.collections.create(definition("c"))
    remote.collections["c"].documents.create({"id": "1", "name": "calendar"})
    base = f"http://127.0.0.1:{port}"
    head = httpx.head(f"{base}/health")
    assert (head.status_code, head.content) == (200, b"")
    assert httpx.head(f"{base}/collections").status_code == 401
    # A browser spares itself the question whether it may, by a text and a key in the address.
    search = json.dumps({"searches": [{"collection": "c", "q": "calendar", "query_by": "name"}]})
    with httpx.Client(base_url=base) as browser:
        for _ in range(2):
            answer = browser.post(
                "/multi_search", params={"x-typesense-api-key": ADMIN, "use_cache": "true"}, content=search,
                headers={"content-type": "text/plain", "x-typesense-user-id": "somebody"},
            )  # fmt: skip
            assert answer.json()["results"][0]["found"] == 1
