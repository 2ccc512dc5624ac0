from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.schema import parse_schema
from pyf_pipeline.embedded.validation import Checker
from pyf_pipeline.search.fitting import LONGEST_TEXT, Fitter, MisfitError
from pyf_pipeline.search.schema import FIELDS, collection_schema
from pyf_pipeline_tests.search.conftest import document

FITTING = [
    ("summary", None, ""),
    ("summary", 3, "3"),
    ("summary", True, "true"),
    ("summary", ["a", None, "b"], "a, b"),
    ("summary", "nul\x00 and half \ud83d a pair", "nul\ufffd and half \ufffd a pair"),
    ("keywords", None, []),
    ("keywords", "one", ["one"]),
    ("keywords", ["a", None, 2], ["a", "2"]),
    ("keywords", ["a\x00"], ["a\ufffd"]),
    ("release_count", None, 0),
    ("release_count", "12", 12),
    ("release_count", 3.0, 3),
    ("release_count", True, 1),
    ("release_count", 2**40, 2**31 - 1),
    ("release_count", -(2**40), -(2**31)),
    ("last_serial", 10**30, 2**63 - 1),
    ("last_serial", "9" * 30, 2**63 - 1),
    ("yanked", None, False),
    ("yanked", "True", True),
    ("yanked", 0, False),
    ("project_urls", {"a\x00": {"b": ["\ud800", 2**70]}}, {"a\ufffd": {"b": ["\ufffd", 2**63 - 1]}}),
    ("name", "", "a-package"),
    ("name", "  ", "a-package"),
    ("unknown", {"kept": 1}, {"kept": 1}),
]


@pytest.mark.parametrize(("field", "value", "fitted"), FITTING, ids=lambda value: repr(value)[:30])
def test_what_has_a_counterpart_in_the_fields_type_is_brought_to_it(field: str, value: Any, fitted: Any) -> None:
    line = Fitter(FIELDS).line({**document("a-package"), field: value})
    assert orjson.loads(line)[field] == fitted


@pytest.mark.parametrize("field", ["github_stars", "home_page", "project_urls"])
def test_an_optional_field_without_a_value_is_left_out(field: str) -> None:
    assert field not in orjson.loads(Fitter(FIELDS).line({**document("a"), field: None}))


def test_missing_fields_that_the_schema_demands_are_empty() -> None:
    fitted = orjson.loads(Fitter(FIELDS).line({"id": "alone"}))
    assert (fitted["name"], fitted["name_sortable"], fitted["keywords"], fitted["yanked"]) == (
        *("alone", "alone"),
        [],
        False,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("release_count", "many"),
        ("release_count", 1.5),
        ("release_count", float("nan")),
        ("release_count", [1]),
        ("last_serial", {}),
        ("yanked", 2),
        ("yanked", "perhaps"),
        ("summary", {"a": 1}),
        ("keywords", [{"a": 1}]),
        ("project_urls", "https://example.org"),
        ("id", None),
        ("id", ""),
        ("id", 7),
        ("id", "nul\x00"),
    ],
)
def test_what_has_none_is_named_with_its_field(field: str, value: Any) -> None:
    with pytest.raises(MisfitError, match=f"^{field}: "):
        Fitter(FIELDS).line({**document("a"), field: value})


def test_of_two_documents_with_one_id_the_second_is_reported() -> None:
    fitter = Fitter(FIELDS)
    fitter.line(document("a"))
    with pytest.raises(MisfitError, match="another document has the same"):
        fitter.line(document("a"))


def test_texts_of_megabytes_are_cut_but_not_within_a_tag_or_an_entity() -> None:
    text = "x" * (LONGEST_TEXT - 5) + '<a href="https://example.org">y</a>'
    fitted = orjson.loads(Fitter(FIELDS).line({**document("a"), "description": text}))
    assert fitted["description"] == "x" * (LONGEST_TEXT - 5)
    text = "x" * (LONGEST_TEXT - 2) + "&amp;" * 100
    assert Fitter(FIELDS).fit({**document("a"), "description": text})["description"] == "x" * (LONGEST_TEXT - 2)


def test_what_cannot_be_written_as_json_is_reported() -> None:
    deep: dict[str, Any] = {}
    for _ in range(2_000):
        deep = {"deeper": deep}
    with pytest.raises(MisfitError, match="cannot be written as JSON"):
        Fitter(FIELDS).line({**document("a"), "project_urls": deep})
    with pytest.raises(MisfitError, match="cannot be written as JSON"):
        Fitter(FIELDS).line({**document("a"), "unknown": object()})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([field["name"] for field in FIELDS]), values, max_size=6))
def test_whatever_is_sent_a_server_takes_or_it_is_reported(changes: dict[str, Any]) -> None:
    try:
        line = Fitter(FIELDS).line({**document("a"), **changes})
    except MisfitError as error:
        assert str(error).partition(":")[0] in {*changes, "id"}  # noqa: PT017 - that it is raised is one of two outcomes
        return
    assert b"\n" not in line
    fitted = orjson.loads(line)
    Checker(parse_schema(collection_schema("x")), "reject").check(fitted, partial=False)
    assert fitted["name"].strip()
