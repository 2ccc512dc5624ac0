"""Anything that comes in is answered, and never with a failure of the index itself."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.messages import Request
from pyf_pipeline.embedded.router import dispatch
from pyf_pipeline.embedded.service import Service
from pyf_pipeline_tests.embedded.conftest import ADMIN, definition

NO_LITERAL = (
    "Bad JSON: [json.exception.parse_error.101] parse error at line 1, column 2: "
    "syntax error while parsing value - invalid literal; last read: 'no'"
)
ODD_TEXTS = st.one_of(st.text(max_size=12), st.sampled_from(["", "\0", "12", "true", "1e400", "a.b", "*", "e\u0301"]))
NUMBERS = st.one_of(st.integers(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, ODD_TEXTS)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(ODD_TEXTS, inner, max_size=3))


VALUES = st.recursive(SCALARS, containers, max_leaves=6)
NAMES = st.sampled_from(["id", "name", "summary", "tags", "stars", "score", "yanked", "urls", "extra", "o", "o.k"])
DOCUMENTS = st.one_of(st.dictionaries(NAMES, VALUES, max_size=6), VALUES)


def send(service: Service, method: str, path: str, body: bytes = b"", **query: str) -> tuple[int, bytes]:
    answer = dispatch(service, Request(method, tuple(path.split("/")), query, ADMIN, body))
    return answer.status, answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    made = Service(tmp_path_factory.mktemp("fuzz") / "index.sqlite", admin_key=ADMIN)
    auto = {"name": "auto", "fields": [{"name": ".*", "type": "auto"}], "enable_nested_fields": True}
    for body in (definition("typed"), auto):
        assert send(made, "POST", "collections", json.dumps(body).encode())[0] == 201
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.lists(DOCUMENTS, min_size=1, max_size=4),
    name=st.sampled_from(["typed", "auto"]),
    action=st.sampled_from(["create", "upsert", "update", "emplace"]),
    dirty=st.sampled_from(["coerce_or_reject", "coerce_or_drop", "drop", "reject", ""]),
)
def test_any_documents_are_taken_or_refused_line_by_line(
    service: Service, documents: list[Any], name: str, action: str, dirty: str
) -> None:
    lines = [json.dumps(d) for d in documents]
    status, answer = send(
        service,
        "POST",
        f"collections/{name}/documents/import",
        "\n".join(lines).encode(),
        action=action,
        dirty_values=dirty,
    )
    assert status == 200, answer
    results = [json.loads(x) for x in answer.decode().split("\n")]
    assert len(results) == len(lines)
    assert all(r["success"] or (r["code"] in {400, 404, 409} and r["error"]) for r in results)
    for query in ({"q": "*", "sort_by": "_text_match:desc"}, {"q": "a 1", "query_by": "*"}):
        assert send(service, "GET", f"collections/{name}/documents/search", **query)[0] in {200, 400, 404}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.one_of(st.binary(max_size=30), VALUES.map(lambda v: json.dumps(v).encode())))
@example(body=b"[" * 5000)
@example(body=b'{"a":' * 2000 + b"1" + b"}" * 2000)
@example(body=b'{"id":"x","o":' + b'{"a":' * 900 + b"1" + b"}" * 901)
def test_any_body_is_answered_wherever_it_is_sent(service: Service, body: bytes) -> None:
    for method, path in (
        ("POST", "collections"), ("PATCH", "collections/typed"), ("POST", "collections/auto/documents"),
        ("PATCH", "collections/auto/documents/x"), ("POST", "collections/typed/documents/import"), ("PUT", "aliases/a"),
        ("POST", "keys"), ("POST", "multi_search"), ("PUT", "presets/a"), ("PUT", "stopwords/a"),
        ("POST", "stemming/dictionaries/import"),
    ):  # fmt: skip
        status, answer = send(service, method, path, body, id="a")
        assert status < 500 or b"Embedded params" in answer, (method, path, answer)


FILTER_WORDS = [
    "parts.{", "parts.x", "}", "{", ".", "x", "name", "stars", "yanked", "id", ":=", ":", "!=", "!", ">", "..",
    "[", "]", "(", ")", "&&", "||", "`", ",", "*", "5", "-3", "1.5", "true", " ", "\\", "é",
]  # fmt: skip
SORT_WORDS = [
    "name:asc", "stars:desc", "stars(missing_values: last):asc", "stars(origin: 5, func: gauss, scale: 3):desc",
    "stars(", "_rand(", "_rand(3)", "_text_match(bucket_size: 3):desc", "_text_match(buckets: 2):desc", "origin: 5",
    ",", "(", ")", ":", "_eval([(yanked:true):2,(parts.{x:=p && y:>2}):1]):desc", "_eval(", "parts.y:asc", "func: exp",
]  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    condition=st.lists(st.sampled_from(FILTER_WORDS), max_size=12).map("".join),
    within=st.booleans(),
    sort=st.lists(st.sampled_from(SORT_WORDS), max_size=3).map("".join),
    q=st.sampled_from(["*", "running dogs", '"the dogs"', "-the a", '"', "-", "  ", "a" * 200]),
)
def test_any_words_of_the_search_language_are_answered(
    service: Service, condition: str, within: bool, sort: str, q: str
) -> None:
    if send(service, "GET", "collections/objects")[0] == 404:
        fields = [*definition("")["fields"], {"name": "parts", "type": "object[]", "optional": True}]
        made = {"name": "objects", "fields": fields, "enable_nested_fields": True}
        assert send(service, "POST", "collections", json.dumps(made).encode())[0] == 201
        document = {"id": "1", "name": "running dogs", "stars": 3, "parts": [{"x": "p", "y": 3}, {"x": "q r"}]}
        assert send(service, "POST", "collections/objects/documents", json.dumps(document).encode())[0] == 201
    text = f"parts.{{{condition}}}" if within else condition
    status, answer = send(
        service, "GET", "collections/objects/documents/search", q=q, query_by="name,parts", filter_by=text, sort_by=sort
    )
    assert status in {200, 400, 404, 422}, answer


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("not json", NO_LITERAL),
        ("[1]", "Bad JSON: not a properly formed document."),
        ("7", "Bad JSON: not a properly formed document."),
        ('{"id": 7, "name": "x"}', "Document's `id` field should be a string."),
        ('{"id": "", "name": "x"}', "The `id` should not be empty."),
        ('{"id": "line-7"}', "Field `name` has been declared in the schema, but is not found in the document."),
        ('{"id": "line-7", "name": null}', "Field `name` must be a string."),
        ('{"id": "line-7", "name": "x", "stars": 1.5}', "Field `stars` must be an int64."),
        ('{"id": "line-7", "name": "x", "tags": "x"}', "Field `tags` must be an array."),
        ('{"id": "line-7", "name": "x", "tags": ["x", 1]}', "Field `tags` must be an array of string."),
        ('{"id": "line-7", "name": "x", "yanked": "true"}', "Field `yanked` must be a bool."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_said(service: Service, line: str, error: str) -> None:
    _, answer = send(service, "POST", "collections/typed/documents/import", line.encode())
    assert json.loads(answer) == {"success": False, "code": 400, "error": error}
