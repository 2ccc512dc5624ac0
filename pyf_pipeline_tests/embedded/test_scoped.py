"""Scoped search keys: what they impose, and when they are refused."""

import base64
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typesense
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.scoped import with_parameters
from pyf_pipeline.embedded.sealing import Sealer
from pyf_pipeline.embedded.transport import EmbeddedTransport
from pyf_pipeline_tests.embedded.conftest import definition

PARENT = "search-only-key-of-the-page"
Send = Callable[..., httpx.Response]


@pytest.fixture
def guarded(client: typesense.Client) -> typesense.Client:
    for name in ("packages", "other"):
        client.collections.create(definition(name))
        for stars in range(5):
            client.collections[name].documents.create({"id": str(stars), "name": f"{name} {stars}", "stars": stars})
    client.keys.create(
        {"description": "page", "actions": ["documents:search"], "collections": ["packages"], "value": PARENT}
    )
    return client


def scoped(client: typesense.Client, parent: str = PARENT, **parameters: Any) -> str:
    return client.keys.generate_scoped_search_key(parent, parameters).decode()


def ids(send: Send, key: str, **parameters: str) -> list[str]:
    answer = send("GET", "/collections/packages/documents/search", key=key, params={"q": "*", **parameters})
    assert answer.status_code == 200, answer.text
    return sorted(h["document"]["id"] for h in answer.json()["hits"])


def test_the_parameters_of_a_scoped_key_hold_whatever_the_search_says(guarded: typesense.Client, raw: Send) -> None:
    key = scoped(guarded, filter_by="stars:>2", exclude_fields="name", per_page=1)
    assert ids(raw, key) == ["4"]
    assert ids(raw, key, filter_by="stars:<4", per_page="10") == ["3"]
    assert ids(raw, key, filter_by="stars:=0 || stars:=4") == ["4"]
    hit = raw("GET", "/collections/packages/documents/search?q=*&exclude_fields=id", key=key).json()["hits"][0]
    assert set(hit["document"]) == {"id", "stars"}


def test_the_same_holds_in_a_multi_search_key_by_key(guarded: typesense.Client, raw: Send) -> None:
    search = {"q": "*", "collection": "packages"}
    mine = {**search, "x-typesense-api-key": scoped(guarded, filter_by="stars:=1")}
    answer = raw(
        "POST", "/multi_search", key=scoped(guarded, filter_by="stars:=[2,3]"), json={"searches": [search, mine]}
    )
    assert [r["found"] for r in answer.json()["results"]] == [2, 1]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-4] + "AAA=",
        lambda key: base64.b64encode(b"A" * 44 + base64.b64decode(key)[44:]).decode(),
        lambda key: base64.b64encode(base64.b64decode(key)[:48]).decode(),
        lambda key: key[:40],
        lambda _: "A" * 20_000,
        lambda _: "não é base64" * 4,
        lambda key: base64.b64encode(base64.b64decode(key)[:48] + b'{"filter_by":"stars:>0"}').decode(),
    ],
)  # fmt: skip
def test_a_scoped_key_that_was_altered_is_refused(
    guarded: typesense.Client, raw: Send, spoil: Callable[[str], str]
) -> None:
    key = spoil(scoped(guarded, filter_by="stars:>2"))
    answer = raw("GET", "/collections/packages/documents/search", params={"q": "*", "x-typesense-api-key": key}, key="")
    assert answer.status_code == 401


def test_a_scoped_key_is_good_for_searches_in_the_collections_of_its_parent_only(
    guarded: typesense.Client, raw: Send
) -> None:
    key = scoped(guarded, filter_by="stars:>2")
    for method, address in (
        ("GET", "/collections/other/documents/search?q=*"), ("GET", "/collections/packages/documents/export"),
        ("GET", "/collections"), ("DELETE", "/collections/packages"), ("GET", "/keys"),
    ):  # fmt: skip
        assert raw(method, address, key=key).status_code == 401, address
    elsewhere = scoped(guarded, collection="other")
    one = {"q": "*", "collection": "packages"}
    assert raw("POST", "/multi_search", key=elsewhere, json={"searches": [one]}).status_code == 401


def test_a_scoped_key_expires_by_its_own_date_and_with_its_parent(guarded: typesense.Client, raw: Send) -> None:
    past, future = int(time.time()) - 5, int(time.time()) + 500
    address = "/collections/packages/documents/search?q=*"
    assert raw("GET", address, key=scoped(guarded, expires_at=future)).status_code == 200
    assert raw("GET", address, key=scoped(guarded, expires_at=past)).status_code == 401
    assert raw("GET", address, key=scoped(guarded, expires_at="soon")).status_code == 401
    (number,) = [k["id"] for k in guarded.keys.retrieve()["keys"]]
    key = scoped(guarded)
    guarded.keys[number].delete()
    assert raw("GET", address, key=key).status_code == 401


def test_only_a_key_that_allows_nothing_but_searches_can_sign(guarded: typesense.Client, raw: Send) -> None:
    guarded.keys.create({"description": "all", "actions": ["*"], "collections": ["*"], "value": "everything-key"})
    address = "/collections/packages/documents/search?q=*"
    assert raw("GET", address, key="everything-key").status_code == 200
    assert raw("GET", address, key=scoped(guarded, "everything-key")).status_code == 401


def test_no_value_of_a_key_stands_in_the_file(guarded: typesense.Client, path: Path) -> None:
    for suffix in ("", "-wal"):
        assert PARENT.encode() not in path.with_name(path.name + suffix).read_bytes()
    with sqlite3.connect(path) as connection:
        ((sealed,),) = connection.execute("SELECT sealed FROM sealed_keys").fetchall()
    assert len(sealed) == 16 + len(PARENT)


def test_under_another_admin_key_the_key_works_and_its_scoped_keys_do_not(
    guarded: typesense.Client, path: Path
) -> None:
    key = scoped(guarded)
    with httpx.Client(transport=EmbeddedTransport(path, admin_key="another"), base_url="http://embedded") as http:
        answers = [
            http.get("/collections/packages/documents/search?q=*", headers={"X-TYPESENSE-API-KEY": k}).status_code
            for k in (PARENT, key)
        ]
    assert answers == [200, 401]


def test_numbers_of_keys_are_not_used_again(guarded: typesense.Client) -> None:
    rights = {"description": "x", "actions": ["documents:search"], "collections": ["*"]}
    first = guarded.keys.create(rights)["id"]
    guarded.keys[first].delete()
    assert guarded.keys.create(rights)["id"] == first + 1


@settings(max_examples=30, deadline=None)
@given(value=st.text(max_size=200))
def test_what_is_sealed_is_unsealed_with_the_same_admin_key_only(value: str) -> None:
    sealed = SEALER.seal(value)
    assert SEALER.unseal(sealed) == value.encode()
    assert SEALER.seal(value) != sealed
    assert len(value) < 4 or OTHER.unseal(sealed) != value.encode()


SEALER, OTHER = Sealer("one"), Sealer("two")


def test_of_two_filters_both_hold() -> None:
    assert with_parameters({"filter_by": "a:1 || b:1"}, {"filter_by": "c:1"})["filter_by"] == "(a:1 || b:1) && (c:1)"
    assert with_parameters({"q": "x", "filter_by": ""}, {"filter_by": "c:1"}) == {"q": "x", "filter_by": "c:1"}


@pytest.mark.parametrize("parameters", [[1], "x", 7, None])
def test_json_in_a_key_that_is_no_object_is_refused(guarded: typesense.Client, raw: Send, parameters: Any) -> None:
    key = guarded.keys.generate_scoped_search_key(PARENT, parameters).decode()
    assert raw("GET", "/collections/packages/documents/search?q=*", key=key).status_code == 401
