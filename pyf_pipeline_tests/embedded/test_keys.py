"""Who may do what."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import typesense

from pyf_pipeline.embedded.service import Service
from pyf_pipeline_tests.embedded.conftest import definition

SEARCH_ONLY = "search-only-key-of-the-page"
Send = Callable[..., httpx.Response]


@pytest.fixture
def guarded(client: typesense.Client) -> typesense.Client:
    for name in ("packages-1", "packages-2", "other"):
        client.collections.create(definition(name))
        client.collections[name].documents.create({"id": "1", "name": name})
    client.aliases.upsert("packages", {"collection_name": "packages-1"})
    client.keys.create(
        {"description": "page", "actions": ["documents:search"], "collections": ["packages"], "value": SEARCH_ONLY}
    )
    return client


def search(send: Send, name: str, key: str = SEARCH_ONLY) -> int:
    return send("GET", f"/collections/{name}/documents/search?q=*", key=key).status_code


def test_a_search_only_key_searches_its_collection_and_does_nothing_else(guarded: typesense.Client, raw: Send) -> None:
    assert search(raw, "packages") == 200
    refused = [
        ("GET", "/collections"), ("GET", "/collections/packages"), ("DELETE", "/collections/packages"),
        ("POST", "/collections"), ("POST", "/collections/packages/documents"), ("PATCH", "/collections/packages"),
        ("POST", "/collections/packages/documents/import"), ("GET", "/collections/packages/documents/export"),
        ("GET", "/collections/packages/documents/1"), ("DELETE", "/collections/packages/documents/1"),
        ("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/0"), ("GET", "/aliases"), ("PUT", "/aliases/packages"),
    ]  # fmt: skip
    for method, address in refused:
        answer = raw(method, address, key=SEARCH_ONLY, content="{}")
        assert answer.status_code == 401, (method, address)
        assert answer.json() == {"message": "Forbidden - a valid `x-typesense-api-key` header must be sent."}


def test_a_key_is_good_for_the_name_in_the_request_whatever_the_alias_points_at(
    guarded: typesense.Client, raw: Send
) -> None:
    assert [search(raw, n) for n in ("packages", "packages-1", "packages-2", "other")] == [200, 401, 401, 401]
    guarded.aliases.upsert("packages", {"collection_name": "packages-2"})
    assert [search(raw, n) for n in ("packages", "packages-1", "packages-2", "other")] == [200, 401, 401, 401]


def test_every_search_of_several_is_checked(guarded: typesense.Client, raw: Send) -> None:
    one = {"q": "*", "collection": "packages"}
    allowed = raw("POST", "/multi_search", key=SEARCH_ONLY, json={"searches": [one]})
    assert allowed.json()["results"][0]["found"] == 1
    mixed = raw("POST", "/multi_search", key=SEARCH_ONLY, json={"searches": [one, {"q": "*", "collection": "other"}]})
    assert mixed.status_code == 401


def test_patterns_match_whole_names(guarded: typesense.Client, raw: Send) -> None:
    guarded.keys.create(
        {"description": "p", "actions": ["documents:*"], "collections": ["packages-.*"], "value": "pattern-key"}
    )
    names = ("packages-1", "packages-2", "packages", "my-packages-1", "other")
    assert [search(raw, n, "pattern-key") for n in names] == [200, 200, 401, 401, 401]


def test_an_expired_key_is_refused(guarded: typesense.Client, raw: Send) -> None:
    for value, moment, status in (("old-key", int(time.time()) - 10, 401), ("new-key", int(time.time()) + 1000, 200)):
        guarded.keys.create(
            {"description": "e", "actions": ["*"], "collections": ["*"], "value": value, "expires_at": moment}
        )
        assert search(raw, "other", value) == status


def test_a_deleted_key_is_refused_at_once(guarded: typesense.Client, raw: Send) -> None:
    (key,) = guarded.keys.retrieve()["keys"]
    guarded.keys[key["id"]].delete()
    assert search(raw, "packages") == 401


def test_keys_are_kept_as_hashes_and_shown_by_their_beginning(guarded: typesense.Client, path: Path) -> None:
    (key,) = guarded.keys.retrieve()["keys"]
    assert key["value_prefix"] == SEARCH_ONLY[:4]
    assert "value" not in key
    connection = sqlite3.connect(path)
    try:
        dump = "\n".join(connection.iterdump())
    finally:
        connection.close()
    assert SEARCH_ONLY not in dump
    assert SEARCH_ONLY.encode().hex() not in dump.lower()


def test_a_key_without_a_value_is_given_one(guarded: typesense.Client, raw: Send) -> None:
    made = guarded.keys.create({"description": "g", "actions": ["documents:search"], "collections": ["*"]})
    assert len(made["value"]) == 32
    assert search(raw, "other", made["value"]) == 200


@pytest.mark.parametrize("key", ["", "wrong", "search-only-key-of-the-pagE", "the-admin-key ", "x" * 5000])
def test_any_other_key_is_refused(guarded: typesense.Client, raw: Send, key: str) -> None:
    assert search(raw, "packages", key) == 401


def test_the_key_may_stand_in_the_address(guarded: typesense.Client, raw: Send) -> None:
    address = f"/collections/packages/documents/search?q=*&x-typesense-api-key={SEARCH_ONLY}"
    assert raw("GET", address, key="").status_code == 200


def test_an_index_without_an_admin_key_is_not_offered(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="admin_key is empty"):
        Service(tmp_path / "index.sqlite", admin_key="")


def test_health_needs_no_key(raw: Send) -> None:
    assert raw("GET", "/health", key="").json() == {"ok": True}
