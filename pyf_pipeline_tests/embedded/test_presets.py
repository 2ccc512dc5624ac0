"""Search parameters that are kept under a name."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import typesense

from pyf_pipeline_tests.embedded.conftest import definition

Raw = Callable[..., httpx.Response]


@pytest.fixture
def filled(client: typesense.Client) -> typesense.Client:
    for name in ("a", "b"):
        client.collections.create(definition(name))
        lines = [{"id": f"{name}{i}", "name": f"package {i}", "stars": i} for i in range(5)]
        client.collections[name].documents.import_(lines, {"action": "create"})
    return client


def ids(answer: dict[str, Any]) -> list[str]:
    return [h["document"]["id"] for h in answer["hits"]]


def test_a_preset_is_kept_shown_replaced_and_forgotten(raw: Raw) -> None:
    assert raw("GET", "/presets").json() == {"presets": []}
    assert raw("PUT", "/presets/view", json={"value": {"q": "*"}}).json() == {"name": "view", "value": {"q": "*"}}
    assert raw("PUT", "/presets/view", json={"value": {"q": "x"}}).status_code == 200
    assert raw("GET", "/presets/view").json() == {"name": "view", "value": {"q": "x"}}
    assert raw("GET", "/presets").json() == {"presets": [{"name": "view", "value": {"q": "x"}}]}
    assert raw("DELETE", "/presets/view").json() == {"name": "view", "value": {"q": "x"}}
    assert raw("GET", "/presets/view").status_code == 404
    assert raw("DELETE", "/presets/view").status_code == 404


@pytest.mark.parametrize("body", ["[]", "{}", '{"value": 1}', "{not json"])
def test_what_is_no_preset_is_refused(raw: Raw, body: str) -> None:
    assert raw("PUT", "/presets/view", content=body).status_code == 400


def test_what_a_search_says_stands_above_its_preset(filled: typesense.Client, raw: Raw) -> None:
    value = {"q": "*", "sort_by": "stars:asc", "per_page": 2, "collection": "b"}
    raw("PUT", "/presets/few", json={"value": value})
    address = "/collections/a/documents/search"
    assert ids(raw("GET", address, params={"preset": "few"}).json()) == ["a0", "a1"]
    assert ids(raw("GET", address, params={"preset": "few", "sort_by": "stars:desc"}).json()) == ["a4", "a3"]
    several = raw("POST", "/multi_search", json={"searches": [{"preset": "few"}, {"preset": "few", "per_page": 1}]})
    assert [ids(r) for r in several.json()["results"]] == [["b0", "b1"], ["b0"]]
    common = raw("POST", "/multi_search", params={"preset": "few"}, json={"searches": [{"per_page": 3}, {}]})
    assert [ids(r) for r in common.json()["results"]] == [["b0", "b1", "b2"], ["b0", "b1"]]


def test_a_preset_may_hold_several_searches(filled: typesense.Client, raw: Raw) -> None:
    searches = [{"collection": c, "q": "*", "sort_by": "stars:desc", "per_page": 1} for c in ("a", "b")]
    raw("PUT", "/presets/both", json={"value": {"searches": searches}})
    found = raw("POST", "/multi_search", params={"preset": "both"}, json={}).json()["results"]
    assert [ids(r) for r in found] == [["a4"], ["b4"]]


def test_one_that_there_is_not_adds_nothing(filled: typesense.Client, raw: Raw) -> None:
    answer = raw("GET", "/collections/a/documents/search", params={"q": "*", "preset": "none"})
    assert answer.json()["found"] == 5


def test_a_preset_opens_no_collection_to_a_key_that_has_no_right_to_it(filled: typesense.Client, raw: Raw) -> None:
    made = filled.keys.create({"description": "a", "actions": ["documents:search"], "collections": ["a"]})["value"]
    raw("PUT", "/presets/other", json={"value": {"collection": "b", "q": "*"}})
    assert raw("POST", "/multi_search", json={"searches": [{"preset": "other"}]}, key=made).status_code == 401
    scoped = filled.keys.generate_scoped_search_key(made, {"preset": "other"}).decode()
    answer = raw("POST", "/multi_search", json={"searches": [{"collection": "a", "q": "*"}]}, key=scoped)
    assert ids(answer.json()["results"][0]) == ["a4", "a3", "a2", "a1", "a0"]
    assert raw("GET", "/presets", key=made).status_code == 401


def test_filters_of_a_preset_and_of_a_scoped_key_both_hold(filled: typesense.Client, raw: Raw) -> None:
    made = filled.keys.create({"description": "a", "actions": ["documents:search"], "collections": ["a"]})["value"]
    raw("PUT", "/presets/some", json={"value": {"filter_by": "stars:>1"}})
    scoped = filled.keys.generate_scoped_search_key(made, {"filter_by": "stars:<4"}).decode()
    answer = raw("GET", "/collections/a/documents/search", params={"q": "*", "preset": "some"}, key=scoped)
    assert ids(answer.json()) == ["a3", "a2"]
