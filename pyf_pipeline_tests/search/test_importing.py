import json
import threading
import tracemalloc
from collections.abc import Iterator

import httpx
import pytest

from pyf_pipeline.search.client import SearchServer, split_lines
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.importing import BATCH_BYTES, BATCH_DOCUMENTS, REQUESTS_REFUSED, Imported, import_lines
from pyf_pipeline_tests.search.conftest import Meddling, Send, ids

FIELDS = [{"name": "n", "type": "int32"}]


@pytest.fixture(autouse=True)
def _collection(server: SearchServer) -> None:
    server.client.collections.create({"name": "c", "fields": FIELDS})


def lines(count: int, **odd: object) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        name = f"d{number}"
        yield name, json.dumps({"id": name, "n": odd.get(name, number)}).encode()


def is_import(request: httpx.Request) -> bool:
    return request.url.path.endswith("/import")


def test_documents_arrive_in_batches_and_all_are_counted(server: SearchServer) -> None:
    told: list[int] = []
    imported = import_lines(server, "c", lines(2 * BATCH_DOCUMENTS + 1), told.append)
    assert (imported.accepted, imported.refused) == (2 * BATCH_DOCUMENTS + 1, {})
    assert told == [BATCH_DOCUMENTS, 2 * BATCH_DOCUMENTS, 2 * BATCH_DOCUMENTS + 1]
    assert len(ids(server, "c")) == 2 * BATCH_DOCUMENTS + 1


def test_a_refused_document_is_sent_once_more_alone_and_reported_with_its_reason(server: SearchServer) -> None:
    bodies: list[bytes] = []

    def watch(request: httpx.Request, send: Send) -> httpx.Response:
        if is_import(request):
            bodies.append(request.read())
        return send(request)

    Meddling(server, watch)
    imported = import_lines(server, "c", lines(5, d3="three"))
    assert imported.refused == {"d3": "Field `n` must be an int32."}
    assert imported.accepted == 4
    assert [len(body.splitlines()) for body in bodies] == [5, 1]
    assert imported.bytes == sum(map(len, bodies))


def test_a_refusal_that_was_a_whim_is_mended_by_the_second_attempt(server: SearchServer) -> None:
    def whim(request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        if is_import(request) and request.read().count(b"\n"):
            told = answer.read().split(b"\n")
            told[1] = b'{"success": false, "error": "busy"}'
            return httpx.Response(200, content=b"\n".join(told))
        return answer

    Meddling(server, whim)
    imported = import_lines(server, "c", lines(5))
    assert (imported.accepted, imported.refused) == (5, {})


@pytest.mark.parametrize(
    ("made_of", "reason"),
    [
        (lambda told: told[:-1], "no line"),
        (lambda told: [], "no line"),
        (lambda told: [*told[:-1], b"<html>"], "no JSON"),
        (lambda told: [*told[:-1], b'{"success": "true"}'], "no reason"),
        (lambda told: [*told[:-1], b'{"success": true, "id": "another"}'], "about 'another'"),
    ],
)
def test_a_document_that_no_line_confirms_counts_as_lost(server: SearchServer, made_of: object, reason: str) -> None:
    def shortened(request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        if is_import(request):
            return httpx.Response(200, content=b"\n".join(made_of(answer.read().split(b"\n"))))  # type: ignore[operator]
        return answer

    Meddling(server, shortened)
    imported = import_lines(server, "c", lines(3))
    assert "d2" in imported.refused
    assert reason in imported.refused["d2"]
    assert imported.accepted == 3 - len(imported.refused)


def test_line_separators_within_an_answer_do_not_shift_it(server: SearchServer) -> None:
    def with_separators(request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        if is_import(request):
            told = answer.read().replace(b'"success":false', '"echo":"a\u2028b\x85c\x0b","success":false'.encode())
            return httpx.Response(200, content=told)
        return answer

    Meddling(server, with_separators)
    imported = import_lines(server, "c", lines(5, d1="one", d3="three"))
    assert imported.refused.keys() == {"d1", "d3"}


@pytest.mark.parametrize("status", [400, 413, 500])
def test_a_request_that_is_refused_as_a_whole_is_halved_down_to_the_culprit(server: SearchServer, status: int) -> None:
    def picky(request: httpx.Request, send: Send) -> httpx.Response:
        if is_import(request) and b'"d17"' in request.read():
            return httpx.Response(status, json={"message": "cannot digest this"})
        return send(request)

    Meddling(server, picky)
    imported = import_lines(server, "c", lines(40))
    assert imported.refused == {"d17": f"HTTP {status}: cannot digest this"}
    assert imported.accepted == 39
    assert len(ids(server, "c")) == 39


def test_a_server_that_refuses_everything_is_not_asked_for_every_document(server: SearchServer) -> None:
    asked = 0

    def refuse(request: httpx.Request, send: Send) -> httpx.Response:
        nonlocal asked
        if not is_import(request):
            return send(request)
        asked += 1
        return httpx.Response(500, json={"message": "disk full"})

    Meddling(server, refuse)
    with pytest.raises(SearchError, match="refuses all that is sent: HTTP 500: disk full"):
        import_lines(server, "c", lines(5_000))
    assert asked < 20 * REQUESTS_REFUSED


def test_batches_are_bounded_by_bytes_as_well(server: SearchServer) -> None:
    sizes: list[int] = []

    def watch(request: httpx.Request, send: Send) -> httpx.Response:
        if is_import(request):
            sizes.append(len(request.read()))
        return send(request)

    Meddling(server, watch)
    text = "x" * 900_000
    large = ((f"d{n}", json.dumps({"id": f"d{n}", "n": n, "text": text}).encode()) for n in range(12))
    imported = import_lines(server, "c", large)
    assert imported.accepted == 12
    assert max(sizes) <= BATCH_BYTES + 12
    assert len(sizes) == 3


def test_documents_are_made_no_faster_than_they_are_sent(server: SearchServer) -> None:
    server.streams = 2
    sent, made, ahead = 0, 0, []
    counting = threading.Lock()

    def count(request: httpx.Request, send: Send) -> httpx.Response:
        nonlocal sent
        answer = send(request)
        if is_import(request):
            with counting:
                sent += len(request.read().splitlines())
        return answer

    def counted() -> Iterator[tuple[str, bytes]]:
        nonlocal made
        for line in lines(8 * BATCH_DOCUMENTS):
            made += 1
            ahead.append(made - sent)
            yield line

    Meddling(server, count)
    assert import_lines(server, "c", counted()).accepted == 8 * BATCH_DOCUMENTS
    assert max(ahead) <= (server.streams + 2) * BATCH_DOCUMENTS


def test_what_was_imported_adds_up() -> None:
    total = Imported(1, {"a": "x"}, 10, 0)
    total.add(Imported(2, {"b": "y"}, 5, 1))
    assert total == Imported(3, {"a": "x", "b": "y"}, 15, 1)


def test_lines_come_whole_whatever_the_pieces() -> None:
    text = "a\n\nb\u2028c\nlast".encode()
    for size in range(1, len(text) + 1):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert list(split_lines(pieces)) == [b"a", "b\u2028c".encode(), b"last"]


def test_memory_is_bounded_by_batches_and_not_by_documents(server: SearchServer) -> None:
    server.streams = 4

    def swallow(request: httpx.Request, _send: Send) -> httpx.Response:
        return httpx.Response(200, content=b'{"success":true}\n' * len(request.read().splitlines()))

    Meddling(server, swallow)
    large = ((f"d{n}", json.dumps({"id": f"d{n}", "n": n, "text": "x" * 100_000}).encode()) for n in range(2_000))
    tracemalloc.start()
    try:
        assert import_lines(server, "c", large).accepted == 2_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A stream has its batch and the request made of it; the last of them is being gathered.
    assert peak < (2 * server.streams + 4) * BATCH_BYTES
