"""The filter language: against a naive evaluation, and against anything at all."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import typesense
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.errors import ApiError
from pyf_pipeline.embedded.filters import Combination, NumberCondition, TextCondition, parse_filter, split_values
from pyf_pipeline.embedded.messages import Request
from pyf_pipeline.embedded.router import dispatch
from pyf_pipeline.embedded.schema import parse_schema
from pyf_pipeline.embedded.service import Service
from pyf_pipeline_tests.embedded.conftest import ADMIN, client_of, definition

SCHEMA = parse_schema(definition("c"))
WORDS = ["form", "grid", "plone", "app", "café"]

DOCUMENTS: list[dict[str, Any]] = [
    {"id": "d0", "name": "form", "tags": [], "stars": 5, "score": 1.5, "yanked": True},
    {"id": "d1", "name": "form grid", "tags": ["plone app", "form"], "stars": -3},
    {"id": "d2", "name": "plone.app.form", "tags": ["Café"], "score": -2.25, "yanked": False},
    {"id": "d3", "name": "grid-form", "tags": ["form", "grid form"], "stars": 2**40, "score": 0.1},
    {"id": "d4", "name": "app", "summary": "plone plone form", "stars": 5, "yanked": False},
    {"id": "d5", "name": "café", "summary": "", "tags": ["app", "app"], "stars": 0},
]


def words(text: str) -> list[str]:
    return text.lower().replace("é", "e").replace(".", " ").replace("-", " ").split()


class Atom:
    """A condition as text and as a plain Python test."""

    def __init__(self, text: str, test: Callable[[dict[str, Any]], bool]) -> None:
        self.text = text
        self.test = test


def texts(document: dict[str, Any], field: str) -> list[list[str]]:
    value = document.get(field, [])
    return [words(v) for v in ([value] if isinstance(value, str) else value)]


@st.composite
def text_atoms(draw: st.DrawFn) -> Atom:
    field = draw(st.sampled_from(["name", "tags", "summary"]))
    sign = draw(st.sampled_from([":", ":=", ":!=", ":!"]))
    values = draw(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2), min_size=1, max_size=2))
    exact, negated = "=" in sign, "!" in sign

    def one(document: dict[str, Any], value: list[str]) -> bool:
        wanted = words(" ".join(value))
        if exact:
            return any(t == wanted for t in texts(document, field))
        return set(wanted) <= {w for t in texts(document, field) for w in t}

    def test(document: dict[str, Any]) -> bool:
        return any(one(document, v) for v in values) != negated

    written = [f"`{' '.join(v)}`" for v in values]
    return Atom(f"{field}{sign}{written[0] if len(written) == 1 else '[' + ', '.join(written) + ']'}", test)


@st.composite
def number_atoms(draw: st.DrawFn) -> Atom:
    field = draw(st.sampled_from(["stars", "score"]))
    value = draw(st.sampled_from([5, -3, 0, 2**40, 7] if field == "stars" else [1.5, -2.25, 0.1, 3.0]))
    sign = draw(st.sampled_from([":=", ":", ":>", ":>=", ":<", ":<=", ":!="]))
    compare: dict[str, Callable[[float, float], bool]] = {
        ":=": lambda a, b: a == b, ":": lambda a, b: a == b, ":>": lambda a, b: a > b, ":>=": lambda a, b: a >= b,
        ":<": lambda a, b: a < b, ":<=": lambda a, b: a <= b,
    }  # fmt: skip

    def held(document: dict[str, Any]) -> float:
        number = document.get(field, math.nan)
        return float(np.float32(number)) if field == "score" else number

    wanted = float(np.float32(value)) if field == "score" else value

    def test(document: dict[str, Any]) -> bool:
        if sign == ":!=":
            return held(document) != wanted
        return compare[sign](held(document), wanted)

    return Atom(f"{field}{sign}{value}", test)


@st.composite
def range_atoms(draw: st.DrawFn) -> Atom:
    low, high = sorted(draw(st.tuples(st.integers(-5, 6), st.integers(-5, 6))))
    alone = draw(st.integers(-5, 6))
    return Atom(
        f"stars:[{low}..{high}, {alone}]",
        lambda d: "stars" in d and (low <= d["stars"] <= high or d["stars"] == alone),
    )


bool_atoms = st.sampled_from(
    [
        Atom("yanked:true", lambda d: d.get("yanked") is True),
        Atom("yanked:=false", lambda d: d.get("yanked") is False),
        Atom("yanked:!=true", lambda d: d.get("yanked") is not True),
        Atom("yanked:[true,false]", lambda d: "yanked" in d),
    ]
)
id_atoms = st.sampled_from(
    [
        Atom("id:=d1", lambda d: d["id"] == "d1"),
        Atom("id:[d1, d4, nobody]", lambda d: d["id"] in {"d1", "d4"}),
        Atom("id:!=[d0,`d2`]", lambda d: d["id"] not in {"d0", "d2"}),
        Atom("id:*", lambda _: True),
    ]
)
atoms = st.one_of(text_atoms(), number_atoms(), range_atoms(), bool_atoms, id_atoms)


@st.composite
def combinations(draw: st.DrawFn, depth: int = 2) -> Atom:
    """Conditions joined from left to right, `&&` and `||` alike; parentheses around any of them."""
    parts = draw(st.lists(atoms if depth == 0 else st.one_of(atoms, combinations(depth - 1)), min_size=1, max_size=3))
    signs = draw(st.lists(st.sampled_from(["&&", "||"]), min_size=len(parts) - 1, max_size=len(parts) - 1))
    text, test = parts[0].text, parts[0].test
    for sign, part in zip(signs, parts[1:], strict=True):
        text = f"{text} {sign} {part.text}"
        test = _joined(test, part.test, sign)
    return Atom(f"({text})" if depth < 2 else text, test)


def _joined(
    left: Callable[[dict[str, Any]], bool], right: Callable[[dict[str, Any]], bool], sign: str
) -> Callable[[dict[str, Any]], bool]:
    if sign == "&&":
        return lambda d: left(d) and right(d)
    return lambda d: left(d) or right(d)


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, str]], dict[str, Any]]:
    client = client_of(tmp_path_factory.mktemp("index") / "index.sqlite")
    client.collections.create(definition("c"))
    # In three segments, with dead documents in two of them.
    for batch in (DOCUMENTS[:3], [{"id": "d3", "name": "old"}, *DOCUMENTS[4:]], [*DOCUMENTS[:1], DOCUMENTS[3]]):
        client.collections["c"].documents.import_(batch, {"action": "upsert"})
    return lambda parameters: client.collections["c"].documents.search({"q": "*", "per_page": 250, **parameters})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(atom=combinations())
def test_a_filter_finds_what_a_naive_evaluation_finds(
    search: Callable[[dict[str, str]], dict[str, Any]], atom: Atom
) -> None:
    found = {h["document"]["id"] for h in search({"filter_by": atom.text})["hits"]}
    assert found == {d["id"] for d in DOCUMENTS if atom.test(d)}, atom.text


PIECES = st.sampled_from(
    [
        "name",
        "stars",
        "tags",
        "yanked",
        "id",
        "urls",
        "nofield",
        ":",
        ":=",
        ":!=",
        "&&",
        "||",
        "&",
        "|",
        "(",
        ")",
        "[",
        "]",
        "`",
        "..",
        ">",
        "<=",
        "*",
        ",",
        "'",
        '"',
        "5",
        "-",
        "1e9",
        "9" * 30,
        "true",
        "form",
        " ",
        "$x(",
        "{",
        "\\",
        "\0",
        "é",
    ]
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    path: Path = tmp_path_factory.mktemp("index") / "index.sqlite"
    client = client_of(path)
    client.collections.create(definition("c"))
    client.collections["c"].documents.import_(DOCUMENTS, {"action": "upsert"})
    return Service(path, admin_key=ADMIN)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    filter_by=st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=30)),
    sort_by=st.lists(PIECES, max_size=5).map("".join),
    q=st.text(max_size=10),
)
@example(filter_by="name:", sort_by="", q="*")
@example(filter_by="name:[]", sort_by="", q="*")
@example(filter_by="stars:[]", sort_by="", q="*")
@example(filter_by="stars:..", sort_by="", q="*")
@example(filter_by="id:", sort_by="", q="*")
@example(filter_by="name:`", sort_by="", q='"')
@example(filter_by="()", sort_by="", q="-")
@example(filter_by="name:=*", sort_by="", q="*")
def test_no_input_fails_otherwise_than_as_a_bad_request(service: Service, filter_by: str, sort_by: str, q: str) -> None:
    query = {"q": q, "query_by": "name,tags", "filter_by": filter_by, "sort_by": sort_by, "facet_by": "tags,stars"}
    answer = dispatch(service, Request("GET", ("collections", "c", "documents", "search"), query, ADMIN, b""))
    assert answer.status in {200, 400, 404}, answer.body


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(yanked:true", "Could not parse the filter query: unbalanced parentheses."),
        ("yanked:true)", "Could not parse the filter query: unbalanced parentheses."),
        ("yanked:true &&", "Could not parse the filter query: unbalanced `&&` operands."),
        ("|| yanked:true", "Could not parse the filter query: unbalanced `||` operands."),
        ("& yanked:true", "Could not parse the filter filter_query."),
        ("yanked", "Could not parse the filter query."),
        ("()", "Filter query cannot be empty."),
        ("nofield:1", "Could not find a filter field named `nofield` in the schema."),
        ("stars:abc", "Error with filter field `stars`: Numerical field has an invalid comparator."),
        ("stars:>abc", "Error with filter field `stars`: Not an int64."),
        ("score:>abc", "Error with filter field `score`: Not a float."),
        ("yanked:maybe", "Value of filter field `yanked` must be `true` or `false`."),
        ("name:=", "Error with filter field `name`: Filter value cannot be empty."),
        ("id:", "Error with filter field `id`: Filter value cannot be empty."),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_filter(text, SCHEMA)
    assert (caught.value.status, caught.value.message) == (400, message)


def test_a_tree_keeps_the_places_of_its_conditions() -> None:
    tree = parse_filter("stars:>5 || (name:=`a && b` && stars:[1..2])", SCHEMA)
    assert tree == Combination(
        "||",
        NumberCondition("stars", ((">", "5"),), negated=False, position=0),
        Combination(
            "&&",
            TextCondition("name", ("`a && b`",), exact=True, negated=False, position=13),
            NumberCondition("stars", (("..", "1"), ("..", "2")), negated=False, position=31),
        ),
    )


def test_both_operators_are_taken_from_left_to_right() -> None:
    tree = parse_filter("yanked:true || yanked:false && stars:1", SCHEMA)
    assert isinstance(tree, Combination)
    assert tree.operator == "&&"


def test_too_many_conditions_are_refused() -> None:
    with pytest.raises(ApiError, match="too many operations"):
        parse_filter(" && ".join(["stars:1"] * 60), SCHEMA)


@pytest.mark.parametrize(
    ("text", "values"),
    [("a, b", ["a", "b"]), ("`a, b`, c", ["a, b", "c"]), ("", []), ("a,,b", ["a", "", "b"]), ("\\`a", ["\\`a"])],
)
def test_lists_are_split_outside_backticks(text: str, values: list[str]) -> None:
    assert split_values(text) == values


def test_values_are_bound_never_spliced(search: Callable[[dict[str, str]], dict[str, Any]]) -> None:
    for text in ("id:=x' OR '1'='1", "id:[`a'); DROP TABLE documents; --`]", "name:=`'; DELETE FROM collections`"):
        assert search({"filter_by": text})["found"] == 0
    assert search({})["found"] == len(DOCUMENTS)


def test_a_filter_given_twice_is_meant_twice(raw: Callable[..., httpx.Response]) -> None:
    raw("POST", "/collections", json=definition("c"))
    for document in DOCUMENTS:
        raw("POST", "/collections/c/documents", json=document)
    answer = raw("GET", "/collections/c/documents/search?q=*&filter_by=stars:=5&filter_by=yanked:true")
    assert [h["document"]["id"] for h in answer.json()["hits"]] == ["d0"]
    unencoded = raw("GET", "/collections/c/documents/search?q=*&filter_by=stars:=5&&yanked:true&per_page=1")
    assert unencoded.json()["found"] == 1


def test_how_many_words_a_prefix_stands_for_can_be_said(client: typesense.Client) -> None:
    client.collections.create({"name": "c", "fields": [{"name": "name", "type": "string"}]})
    lines = [{"id": str(i), "name": f"acme{i}"} for i in range(12)]
    client.collections["c"].documents.import_(lines, {"action": "create"})
    for more, count in (({}, 4), ({"max_filter_by_candidates": 9}, 9), ({"max_filter_by_candidates": 100}, 12)):
        search: Any = {"q": "*", "filter_by": "name:Acm*", **more}
        assert client.collections["c"].documents.search(search)["found"] == count


DISHES = [
    {"id": "pasta", "parts": [{"name": "cheese", "share": 40}, {"name": "spinach", "share": 10, "fresh": True}]},
    {
        "id": "pizza",
        "parts": [{"name": "Blue cheese", "share": 20.5}, {"name": "ham", "share": 30, "tags": ["a", "b"]}],
    },
    {"id": "salad", "parts": [{"name": "spinach", "share": 90, "fresh": True}], "cook": {"name": "Ann", "age": 30}},
    {"id": "soup"},
]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("parts.name:=cheese && parts.share:<30", ["pasta"]),
        ("parts.{name:=cheese && share:<30}", []),
        ("parts.{name:=cheese && share:>30}", ["pasta"]),
        ("parts.{name:cheese && share:<30}", ["pizza"]),
        ("parts.{ share:[15..35] || (fresh:true && share:<50) }", ["pasta", "pizza"]),
        ("parts.{name:!=spinach && share:<35}", ["pizza"]),
        ("parts.{name:!cheese && share:!=30}", ["pasta", "salad"]),
        ("parts.{tags:=b && name:=ham}", ["pizza"]),
        ("parts.{tags:=b && name:=cheese}", []),
        ("parts.{name:=`Blue cheese` && share:20.5} || id:=soup", ["pizza", "soup"]),
        ("parts.{name:spin* && fresh:true} && parts.share:>50", ["salad"]),
        ("cook.{name:=Ann && age:>20}", ["salad"]),
        ("cook.{name:=Ann && age:>40}", []),
    ],
)
def test_a_filter_may_be_about_one_object_of_a_list(client: typesense.Client, text: str, ids: list[str]) -> None:
    fields = [
        {"name": "parts", "type": "object[]", "optional": True},
        {"name": "cook", "type": "object", "optional": True},
    ]
    client.collections.create({"name": "c", "fields": fields, "enable_nested_fields": True})  # type: ignore[typeddict-item] # options as they come
    every = {"id": "every", "parts": [{"name": "x", "share": 0.5, "fresh": False, "tags": ["z"]}]}
    client.collections["c"].documents.import_([every, *DISHES], {"action": "create"})
    client.collections["c"].documents["every"].delete()
    answer = client.collections["c"].documents.search({"q": "*", "filter_by": text})
    assert sorted(h["document"]["id"] for h in answer["hits"]) == ids


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("parts.{name:=x", 0), ("none.{name:=x}", 0), ("parts.{none:=x}", 7), ("yanked:true && parts.{none:=x}", 22),
        ("parts.{}", 7), ("parts.{name:=x &&}", 15), ("parts.{(name:=x}", 7), ("parts.{parts.{name:=x}}", 7),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_filter_on_objects_is_located(client: typesense.Client, text: str, position: int) -> None:
    fields = [{"name": "parts", "type": "object[]"}, {"name": "parts.name", "type": "string[]"},
              {"name": "yanked", "type": "bool"}]  # fmt: skip
    schema = parse_schema({"name": "c", "fields": fields, "enable_nested_fields": True})
    with pytest.raises(ApiError) as raised:
        parse_filter(text, schema)
    assert raised.value.status == 400
    assert raised.value.position == position
