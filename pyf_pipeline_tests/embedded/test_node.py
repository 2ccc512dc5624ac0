"""What is asked of the node itself, by the official client where it asks it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import typesense
from typesense.exceptions import ObjectNotFound, RequestMalformed

from pyf_pipeline.embedded.meter import Meter
from pyf_pipeline_tests.embedded.conftest import client_of, definition

Send = Callable[..., httpx.Response]


def test_the_version_is_told_to_whoever_may_ask(client: typesense.Client, raw: Send) -> None:
    assert client.debug.retrieve() == {"state": 1, "version": "29.0"}
    assert client.operations.is_healthy()
    assert raw("GET", "/health", key="").json() == {"ok": True}
    assert raw("GET", "/debug", key="").status_code == 401


def test_figures_of_the_machine_are_texts_of_numbers(client: typesense.Client) -> None:
    found = client.metrics.retrieve()
    assert {"system_cpu_active_percentage", "system_disk_total_bytes", "system_memory_used_bytes"} <= set(found)
    assert {"system_network_sent_bytes", "typesense_memory_resident_bytes"} <= set(found)
    assert all(isinstance(v, str) and float(v) >= 0 for v in found.values())
    assert int(found["typesense_memory_resident_bytes"]) > 1_000_000


def test_requests_are_counted_by_kind(client: typesense.Client) -> None:
    client.collections.create(definition("c"))
    client.collections["c"].documents.import_([{"id": "1", "name": "x"}], {"action": "create"})
    for _ in range(3):
        client.collections["c"].documents.search({"q": "*"})
    client.collections["c"].documents["1"].delete()
    found = client.api_call.get("/stats.json", entity_type=dict, as_json=True)
    rates = {k: found[f"{k}_requests_per_second"] for k in ("search", "import", "write", "delete")}
    assert rates == {"search": 0.3, "import": 0.1, "write": 0.1, "delete": 0.1}
    assert found["search_latency_ms"] > 0
    assert found["requests_per_second"]["GET /collections/c/documents/search"] == 0.3
    assert found["pending_write_batches"] == 0


def test_what_was_longer_ago_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("pyf_pipeline.embedded.meter.time.monotonic", lambda: now[0])
    meter = Meter()
    meter.note("GET /x", "search", 0.02)
    now[0] += 9
    assert meter.figures()["search_latency_ms"] == 20.0
    now[0] += 2
    assert meter.figures()["total_requests_per_second"] == 0.0


def test_a_single_node_has_nobody_to_vote_with(client: typesense.Client) -> None:
    assert client.operations.perform("vote") == {"success": False}


def test_operations_are_done_or_unknown(client: typesense.Client) -> None:
    assert client.operations.perform("cache/clear") == {"success": True}
    assert client.operations.perform("db/compact") == {"success": True}
    assert client.operations.toggle_slow_request_log({"log_slow_requests_time_ms": 100}) == {"success": True}
    with pytest.raises(ObjectNotFound):
        client.operations.perform("dance")


def test_a_snapshot_is_an_index_as_of_then(client: typesense.Client, tmp_path: Path) -> None:
    client.collections.create(definition("c"))
    client.collections["c"].documents.create({"id": "1", "name": "before"})
    folder = tmp_path / "backups"
    for _ in range(2):
        assert client.operations.perform("snapshot", {"snapshot_path": str(folder)}) == {"success": True}
    client.collections["c"].documents.create({"id": "2", "name": "after"})
    copy = client_of(folder / "index.sqlite3")
    assert copy.collections["c"].documents.search({"q": "*"})["found"] == 1
    with pytest.raises(RequestMalformed, match="snapshot_path"):
        client.operations.perform("snapshot")


def test_compacting_gives_space_back_and_keeps_documents(client: typesense.Client, path: Path) -> None:
    client.collections.create(definition("c"))
    lines = [{"id": str(i), "name": f"{i} " * 400} for i in range(600)]
    client.collections["c"].documents.import_(lines, {"action": "create"})
    before = path.stat().st_size
    client.collections["c"].documents.delete({"filter_by": "id:!=7"})
    client.operations.perform("db/compact")
    client.collections["c"].documents.delete({"filter_by": "id:=none"})
    client.operations.perform("db/compact")
    assert client.collections["c"].documents["7"].retrieve()["id"] == "7"
    with pytest.raises(ObjectNotFound):
        client.collections["c"].documents["8"].retrieve()
    assert before > 0
