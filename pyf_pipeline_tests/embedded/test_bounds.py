"""Requests that ask for too much, or for nonsense: answered soon, and never with a failure of the index itself."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pyf_pipeline.embedded import router
from pyf_pipeline.embedded.messages import Request
from pyf_pipeline.embedded.router import dispatch
from pyf_pipeline.embedded.service import Service
from pyf_pipeline_tests.embedded.conftest import ADMIN, definition

WORDS = ["alpha", "beta", "gamma", "plone", "form"]
DIGITS = "9" * 5000
SUPERSCRIPT = "\u00b2"
"""A digit to Python's `isdigit`, and none to `int`."""


def send(service: Service, method: str, path: str, body: bytes = b"", **query: str) -> tuple[int, Any]:
    answer = dispatch(service, Request(method, tuple(path.split("/")), query, ADMIN, body))
    text = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    if "import" in path:
        return answer.status, [json.loads(line) for line in text.splitlines()] if answer.status == 200 else text
    return answer.status, json.loads(text)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    made = Service(tmp_path_factory.mktemp("bounds") / "index.sqlite", admin_key=ADMIN)
    assert send(made, "POST", "collections", json.dumps(definition("c")).encode())[0] == 201
    lines = [
        {"id": str(i), "name": " ".join([*WORDS[i % 5 :], f"w{i}"]), "tags": [WORDS[i % 5]], "stars": i, "score": i / 7}
        for i in range(200)
    ]
    send(made, "POST", "collections/c/documents/import", "\n".join(map(json.dumps, lines)).encode())
    return made


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"filter_by": " && ".join(["stars:>1"] * 10_000)}, 400),
        ({"filter_by": "(" * 40_000 + "stars:>1" + ")" * 40_000}, 200),
        ({"filter_by": "(" * 40_000}, 400),
        ({"filter_by": f"stars:[{','.join(['1'] * 40_000)}]"}, 200),
        ({"filter_by": f"stars:[{','.join(['<1'] * 20_000)}]"}, 200),
        ({"filter_by": f"name:[{','.join(f'w{i}' for i in range(10_000))}]"}, 200),
        ({"filter_by": "name:" + "a" * 100_001}, 400),
        ({"filter_by": "name:=" + "`" * 50_000}, 400),
        ({"filter_by": f"stars:>{DIGITS}"}, 400),
        ({"filter_by": f"stars:>-{DIGITS}"}, 400),
        ({"filter_by": f"score:>{DIGITS}"}, 200),
        ({"filter_by": f"stars:>{SUPERSCRIPT}"}, 400),
        ({"filter_by": "score:>nan"}, 400),
        ({"filter_by": "name:w*", "max_filter_by_candidates": DIGITS}, 200),
        ({"sort_by": f"_eval([(stars:>1):{DIGITS}]):desc"}, 200),
        ({"sort_by": f"_eval([{','.join(['(stars:>1):1'] * 5000)}]):desc"}, 400),
        ({"sort_by": f"_eval({'(' * 20_000}stars:>1{')' * 20_000}):desc"}, 200),
        ({"sort_by": "(" * 100_000}, 400),
        ({"sort_by": f"_text_match(buckets: {DIGITS}):desc"}, 200),
        ({"sort_by": f"_text_match(buckets: {SUPERSCRIPT}):desc"}, 400),
        ({"sort_by": f"_rand({DIGITS})"}, 200),
        ({"sort_by": f"_rand({SUPERSCRIPT})"}, 400),
        ({"per_page": DIGITS}, 422),
        ({"per_page": "251"}, 422),
        ({"per_page": "-1"}, 400),
        ({"page": SUPERSCRIPT}, 400),
        ({"page": "\u0663"}, 400),
        ({"page": DIGITS}, 422),
        ({"pinned_hits": f"1:{DIGITS}"}, 200),
        ({"pinned_hits": f"1:{SUPERSCRIPT}"}, 400),
        ({"pinned_hits": ",".join(f"{i}:{i}" for i in range(2000))}, 200),
        ({"hidden_hits": ",".join(map(str, range(20_000)))}, 200),
        ({"facet_by": ",".join(["tags"] * 5000)}, 400),
        ({"facet_by": "n" * 100_000}, 404),
        ({"facet_by": "(" * 50_000}, 400),
        ({"facet_by": f"stars(sort_by{' ' * 50_000}:)"}, 400),
        ({"facet_by": f"stars({'a' * 50_000}:[{' ' * 50_000})"}, 400),
        ({"facet_by": f"stars({','.join(f'r{i}:[{i},{i + 1}]' for i in range(2000))})"}, 200),
        ({"facet_by": "tags", "facet_query": "tags:" + "alpha " * 10_000}, 200),
        ({"facet_by": "name", "max_facet_values": DIGITS}, 200),
        ({"q": "a" * 1_000_000}, 400),
        ({"q": "a " * 2000}, 200),
        ({"q": " ".join(WORDS * 140)}, 200),
        ({"q": " ".join(WORDS * 100), "exhaustive_search": "true", "drop_tokens_mode": f"both_sides:{DIGITS}"}, 200),
        ({"q": " ".join(f"{word}x" for word in WORDS * 100), "drop_tokens_threshold": DIGITS}, 200),
        ({"q": " ".join(f"zz{i}zzz" for i in range(390)), "drop_tokens_threshold": "100"}, 200),
        ({"q": '"a b" ' * 600}, 200),
        ({"q": '"' * 4000}, 200),
        ({"q": "-alpha " * 500 + "beta"}, 200),
        ({"q": "w", "max_candidates": DIGITS, "exhaustive_search": "true"}, 200),
        ({"q": "alpha", "query_by": ",".join(["name"] * 5000)}, 400),
        ({"q": "alpha", "query_by": ",".join(["name"] * 100)}, 200),
        ({"q": "alpha", "query_by_weights": DIGITS}, 200),
        ({"q": "alpha", "num_typos": DIGITS}, 200),
        ({"q": "alpha", "highlight_affix_num_tokens": DIGITS, "snippet_threshold": DIGITS}, 200),
        ({"include_fields": ",".join(f"a.b.c{i}" for i in range(3000))}, 200),
        ({"q": "\0\ufffe\u202e", "filter_by": "name:=\0"}, 400),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_search_is_answered_whatever_it_asks(service: Service, parameters: dict[str, str], status: int) -> None:
    found, answer = send(
        service, "GET", "collections/c/documents/search", **{"q": "*", "query_by": "name", **parameters}
    )
    assert found == status, answer
    assert ("hits" in answer) == (status == 200)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"id":"a","name":"\xff\xfe"}', "Bad JSON"),
        (b'{"id":"a","name":"\\ud800"}', "Bad JSON"),
        (b'{"id":"a\x00","name":"x"}', "Bad JSON"),
        (b'{"id":"a","name":"x","score":NaN}', "Bad JSON"),
        (b'{"id":"a","name":"x","score":-Infinity}', "Bad JSON"),
        (b'{"id":"a","name":"x","score":1e400}', "Bad JSON"),
        (b'{"id":"a","name":"x","stars":' + DIGITS.encode() + b"}", "Bad JSON"),
        (b'{"id":"a","name":"x","stars":"' + DIGITS.encode() + b'"}', "Field `stars` must be an int64."),
        (b'{"id":"a","name":"x","stars":18446744073709551616}', "Field `stars` must be an int64."),
        (b'{"id":"a","name":"x","urls":' + b'{"a":' * 70 + b"1" + b"}" * 71, "Bad JSON: nested deeper"),
        (b'{"a":' * 100_000, "Bad JSON"),
        (b"[" * 1_000_000, "Bad JSON"),
        (b'{"id":"' + b"i" * 1001 + b'","name":"x"}', "The `id` should not be longer"),
        (b'{"id":"nul","name":"a\\u0000b"}', ""),
        (b'{"id":"twice","name":"x","name":"y"}', ""),
        (b'{"id":"long","name":"' + b"y" * 1_000_000 + b'"}', ""),
        (b'{"id":"many","name":"' + b"y z " * 40_000 + b'"}', ""),
        (b'{"id":"list","name":"x","tags":[' + b'"a",' * 40_000 + b'"a"]}', ""),
        (b'{"id":"inf","name":"x","score":1e39}', ""),
        (b'{"id":"wide","name":"x",' + b",".join(b'"k%d":1' % i for i in range(5000)) + b"}", ""),
        (b'{"id":"dots","name":"x","urls":{"":{"":1},".":{"..":2}},"":3}', ""),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("dirty", ["coerce_or_reject", "reject"])
def test_a_document_is_taken_or_refused_whatever_it_holds(
    service: Service, line: bytes, error: str, dirty: str
) -> None:
    status, answers = send(service, "POST", "collections/c/documents/import", line, action="upsert", dirty_values=dirty)
    assert status == 200, answers
    assert [a["success"] for a in answers] == [not error]
    assert error in answers[0].get("error", "")
    for query in ({"q": "y z x"}, {"q": "*", "sort_by": "score:desc", "facet_by": "tags,name,stars"}):
        assert send(service, "GET", "collections/c/documents/search", query_by="name", **query)[0] == 200


def test_words_beyond_what_places_can_tell_are_found_together_with_others(service: Service) -> None:
    text = " ".join(["left"] + ["between"] * 70_000 + ["right"])
    send(service, "POST", "collections/c/documents/import", json.dumps({"id": "far", "name": text}).encode())
    for q in ("left right", "between right", '"between right"'):
        _, answer = send(service, "GET", "collections/c/documents/search", q=q, query_by="name")
        assert answer["hits"][0]["document"]["id"] == "far", q


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "keys", {"description": "x", "actions": ["*"], "collections": ["*"], "expires_at": 2**63}, 400),
        ("POST", "keys", {"description": "x", "actions": ["*"], "collections": ["(a+)+$"]}, 201),
        ("POST", "collections", {"name": "p", "fields": [{"name": "(a+)+b.*", "type": "auto"}]}, 400),
        ("POST", "multi_search", {"searches": [{"q": "*", "collection": "c"}] * 51}, 400),
        ("POST", "multi_search", {"searches": [{"q": {"a": 1}, "collection": ["c"], "filter_by": [1, [2]]}]}, 200),
    ],
)
def test_other_requests_are_answered_too(service: Service, method: str, path: str, body: Any, status: int) -> None:
    found, answer = send(service, method, path, json.dumps(body).encode())
    assert found == status, answer


def test_a_long_body_is_read_of_those_alone_who_may_import(
    port: int, monkeypatch: pytest.MonkeyPatch, remote_status: Callable[..., int]
) -> None:
    monkeypatch.setattr(router, "MAX_IMPORT_BYTES", 40 * 1024 * 1024)
    documents = "collections/c/documents"
    assert remote_status("POST", "collections", json.dumps(definition("c")).encode()) == 201
    over = b"\n" * (router.MAX_BODY_BYTES + 1)
    assert remote_status("POST", f"{documents}/import", over) == 200
    assert remote_status("POST", f"{documents}/import", over, key="nobody") == 401
    assert remote_status("POST", f"{documents}/import", over * 3) == 413
    assert remote_status("POST", "multi_search", over) == 413
    assert remote_status("POST", "multi_search", over, key="nobody") == 413


@pytest.fixture
def remote_status(port: int) -> Callable[..., int]:
    """Sends a body piece by piece, so that nobody knows beforehand how long it is, and gives the answer's status."""

    def send_pieces(method: str, path: str, body: bytes, key: str = ADMIN) -> int:
        pieces = (body[i : i + 1_000_000] for i in range(0, len(body), 1_000_000))
        address = f"http://127.0.0.1:{port}/{path}"
        return httpx.request(method, address, content=pieces, headers={"X-TYPESENSE-API-KEY": key}).status_code

    return send_pieces
