"""The official client over the index in process."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import typesense
from typesense.exceptions import (
    ObjectAlreadyExists,
    ObjectNotFound,
    RequestMalformed,
    RequestUnauthorized,
    TypesenseClientError,
)

from pyf_pipeline_tests.embedded.conftest import client_of, definition


@pytest.fixture
def packages(client: typesense.Client) -> typesense.Client:
    client.collections.create(definition("packages-1"))
    client.collections["packages-1"].documents.import_(
        [
            {"id": "a", "name": "flask-form", "summary": "A form for Flask", "tags": ["web", "forms"], "stars": 5},
            {"id": "b", "name": "plone.api", "summary": "Plone in plain words", "tags": ["cms"], "stars": 90},
            {"id": "c", "name": "wtforms", "summary": "Forms and fields", "tags": [], "yanked": True},
        ],
        {"action": "create"},
    )
    return client


def test_a_collection_is_created_shown_and_deleted(client: typesense.Client) -> None:
    made = client.collections.create(definition("packages-1", metadata={"schema": "abc"}))
    assert made["metadata"] == {"schema": "abc"}
    assert client.collections["packages-1"].retrieve()["num_documents"] == 0
    with pytest.raises(ObjectAlreadyExists):
        client.collections.create(definition("packages-1"))
    client.collections["packages-1"].delete()
    assert client.collections.retrieve() == []


def test_documents_come_back_as_they_went_in(packages: typesense.Client) -> None:
    document = {
        "id": "d",
        "name": "x",
        "urls": {"Source": "https://github.com/x/x", "n": [1, {"deep": None}]},
        "kept": 1.5,
    }
    packages.collections["packages-1"].documents.upsert(document)
    assert packages.collections["packages-1"].documents["d"].retrieve() == document
    exported = [json.loads(x) for x in packages.collections["packages-1"].documents.export().splitlines()]
    assert [d["id"] for d in exported] == ["a", "b", "c", "d"]
    assert exported[-1] == document


def test_export_can_be_narrowed(packages: typesense.Client) -> None:
    text = packages.collections["packages-1"].documents.export({"filter_by": "stars:>1", "include_fields": "id,stars"})
    assert text.splitlines() == ['{"id":"a","stars":5}', '{"id":"b","stars":90}']


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            "create",
            [{"success": False, "code": 409, "error": "A document with id a already exists."}, {"success": True}],
        ),
        ("upsert", [{"success": True}, {"success": True}]),
        (
            "update",
            [{"success": True}, {"success": False, "code": 404, "error": "Could not find a document with id: new"}],
        ),
        ("emplace", [{"success": True}, {"success": True}]),
    ],
)
def test_each_import_action_answers_line_by_line(
    packages: typesense.Client, action: str, expected: list[object]
) -> None:
    lines = [{"id": "a", "name": "renamed"}, {"id": "new", "name": "new"}]
    assert packages.collections["packages-1"].documents.import_(lines, {"action": action}) == expected
    found = packages.collections["packages-1"].documents["a"].retrieve()
    assert found.get("summary") == (None if action == "upsert" else "A form for Flask")


def test_an_update_merges_and_null_removes(packages: typesense.Client) -> None:
    documents = packages.collections["packages-1"].documents
    documents["a"].update({"stars": None, "urls": {"Docs": "https://docs.example"}})
    documents["a"].update({"urls": {"Source": "https://github.com/x/x"}})
    found = documents["a"].retrieve()
    assert "stars" not in found
    assert found["urls"] == {"Docs": "https://docs.example", "Source": "https://github.com/x/x"}
    assert documents.search({"q": "*", "filter_by": "stars:>=0"})["found"] == 1


def test_what_was_replaced_is_found_no_more(packages: typesense.Client) -> None:
    documents = packages.collections["packages-1"].documents
    documents.upsert({"id": "a", "name": "other"})
    assert documents.search({"q": "flask", "query_by": "name,summary"})["found"] == 0
    documents["b"].delete()
    assert documents.search({"q": "plone", "query_by": "name,summary"})["found"] == 0
    assert documents.search({"q": "*"})["found"] == 2
    with pytest.raises(ObjectNotFound):
        documents["b"].retrieve()


def test_the_last_of_two_lines_with_one_id_counts(packages: typesense.Client) -> None:
    lines = [{"id": "z", "name": "first"}, {"id": "z", "name": "second"}]
    packages.collections["packages-1"].documents.import_(lines, {"action": "upsert"})
    found = packages.collections["packages-1"].documents.search({"q": "first", "query_by": "name", "num_typos": 0})
    assert found["found"] == 0
    assert packages.collections["packages-1"].retrieve()["num_documents"] == 4


def test_documents_are_changed_and_deleted_by_filter(packages: typesense.Client) -> None:
    documents = packages.collections["packages-1"].documents
    assert documents.update({"yanked": True}, {"filter_by": "tags:=web"}) == {"num_updated": 1}
    assert documents.delete({"filter_by": "yanked:true"}) == {"num_deleted": 2}
    assert [h["document"]["id"] for h in documents.search({"q": "*"})["hits"]] == ["b"]


def test_a_search_filters_sorts_counts_groups_and_pages(packages: typesense.Client) -> None:
    found = packages.collections["packages-1"].documents.search(
        {
            "q": "forms",
            "query_by": "name,summary,tags",
            "filter_by": "stars:>1 || yanked:true",
            "facet_by": "tags,yanked",
            "sort_by": "stars(missing_values: last):desc,name:asc",
            "group_by": "yanked",
            "per_page": 1,
            "page": 2,
        }
    )
    assert (found["found"], found["found_docs"], found["page"], found["out_of"]) == (2, 2, 2, 3)
    assert [[h["document"]["id"] for h in g["hits"]] for g in found["grouped_hits"]] == [["c"]]
    counts = {f["field_name"]: {c["value"]: c["count"] for c in f["counts"]} for f in found["facet_counts"]}
    assert counts == {"tags": {"forms": 1, "web": 1}, "yanked": {"true": 1}}


def test_typos_prefixes_and_accents_are_forgiven(packages: typesense.Client) -> None:
    documents = packages.collections["packages-1"].documents
    documents.upsert({"id": "k", "name": "kaffee", "summary": "Für das Café in Łódź"})
    for query in ("cafe", "lodz", "kafee", "kaff", "fur"):
        found = documents.search({"q": query, "query_by": "name,summary"})
        assert [h["document"]["id"] for h in found["hits"]] == ["k"], query


def test_an_alias_moves_and_its_collection_is_found(packages: typesense.Client) -> None:
    packages.aliases.upsert("packages", {"collection_name": "packages-1"})
    assert packages.collections["packages"].retrieve()["name"] == "packages-1"
    packages.collections.create(definition("packages-2"))
    packages.aliases.upsert("packages", {"collection_name": "packages-2"})
    assert packages.collections["packages"].retrieve()["num_documents"] == 0
    packages.aliases["packages"].delete()
    with pytest.raises(ObjectNotFound):
        packages.collections["packages"].retrieve()


def test_an_alias_takes_no_collections_name_but_a_collection_shadows_an_alias(packages: typesense.Client) -> None:
    with pytest.raises(TypesenseClientError, match="conflicts with an existing collection name"):
        packages.aliases.upsert("packages-1", {"collection_name": "other"})
    packages.aliases.upsert("packages", {"collection_name": "packages-1"})
    packages.collections.create(definition("packages"))
    assert packages.collections["packages"].retrieve()["num_documents"] == 0
    packages.collections["packages"].delete()
    assert packages.collections["packages"].retrieve()["num_documents"] == 3


def test_an_alias_of_an_alias_leads_nowhere(packages: typesense.Client) -> None:
    packages.aliases.upsert("one", {"collection_name": "packages-1"})
    packages.aliases.upsert("two", {"collection_name": "one"})
    with pytest.raises(ObjectNotFound):
        packages.collections["two"].retrieve()


def test_fields_are_added_and_dropped(packages: typesense.Client) -> None:
    collection = packages.collections["packages-1"]
    with pytest.raises(RequestMalformed, match="set it as `optional: true`"):
        collection.update({"fields": [{"name": "size", "type": "int32"}]})
    collection.documents["a"].update({"size": 7})
    collection.update({"fields": [{"name": "size", "type": "int32", "optional": True}]})
    assert collection.documents.search({"q": "*", "filter_by": "size:=7"})["found"] == 1
    collection.update({"fields": [{"name": "size", "drop": True}]})
    with pytest.raises(RequestMalformed, match="Could not find a filter field named `size`"):
        collection.documents.search({"q": "*", "filter_by": "size:=7"})


def test_types_are_detected_and_objects_searched(client: typesense.Client) -> None:
    client.collections.create(
        {"name": "auto", "fields": [{"name": ".*", "type": "auto"}], "enable_nested_fields": True}
    )
    documents = client.collections["auto"].documents
    documents.create({"id": "1", "n": 1, "o": {"k": "deep value"}, "oo": [{"k": "x"}, {"k": "y"}]})
    types = {f["name"]: f["type"] for f in client.collections["auto"].retrieve()["fields"]}
    assert types["n"] == "int64"
    assert types["o.k"] == "string"
    assert types["oo.k"] == "string[]"
    hit = documents.search({"q": "value", "query_by": "o"})["hits"][0]
    assert hit["highlight"] == {"o": {"k": {"matched_tokens": ["value"], "snippet": "deep <mark>value</mark>"}}}
    assert documents.search({"q": "*", "filter_by": "oo.k:=y"})["found"] == 1


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({"vector_query": "v:([1])"}, "vector_query"),
        ({"filter_by": "$other(id:=1)"}, "reference to another collection"),
        ({"sort_by": "_vector_distance:asc"}, "_vector_distance"),
    ],
)
def test_what_is_not_supported_says_so(packages: typesense.Client, parameters: dict[str, str], what: str) -> None:
    with pytest.raises(RequestMalformed, match="not supported by the embedded index") as caught:
        packages.collections["packages-1"].documents.search({"q": "*", **parameters})
    assert what in str(caught.value)


@pytest.mark.parametrize("kind", ["geopoint", "geopoint[]"])
def test_a_field_of_a_kind_that_is_not_supported_is_refused(client: typesense.Client, kind: str) -> None:
    with pytest.raises(RequestMalformed, match="not supported by the embedded index"):
        client.collections.create({"name": "x", "fields": [{"name": "place", "type": kind}]})


@pytest.mark.parametrize(
    ("method", "address"),
    [("PUT", "/collections/packages-1/synonyms/a"), ("PUT", "/analytics/rules/a"),
     ("POST", "/analytics/events"), ("POST", "/conversations/models"), ("DELETE", "/analytics/rules/a")],
)  # fmt: skip
def test_an_address_that_is_not_supported_says_so(
    packages: typesense.Client, raw: Callable[..., httpx.Response], method: str, address: str
) -> None:
    answer = raw(method, address)
    assert answer.status_code == 400
    assert "not supported by the embedded index" in answer.json()["message"]


def test_what_it_cannot_hold_is_listed_as_none(packages: typesense.Client, raw: Callable[..., httpx.Response]) -> None:
    assert raw("GET", "/analytics/rules").json() == {"rules": []}
    assert raw("GET", "/analytics/rules").json() == {"rules": []}
    assert raw("GET", "/stemming/dictionaries").json() == {"dictionaries": []}
    assert raw("GET", "/collections/packages-1/synonyms").json() == {"synonyms": []}
    assert raw("GET", "/collections/none/synonyms").status_code == 404
    assert raw("GET", "/analytics/rules/a").status_code == 404
    assert raw("GET", "/analytics/rules", key="").status_code == 401
    found = packages.collections["packages-1"].documents.search({"q": "*", "preset": "a", "override_tags": "b"})
    assert found["found"] > 0


def test_the_file_outlives_the_process_that_wrote_it(packages: typesense.Client, path: Path) -> None:
    again = client_of(path)
    assert again.collections["packages-1"].documents.search({"q": "flask", "query_by": "summary"})["found"] == 1


def test_a_wrong_key_opens_nothing(path: Path, packages: typesense.Client) -> None:
    with pytest.raises(RequestUnauthorized):
        client_of(path, key="guess").collections.retrieve()


def test_threads_write_and_read_at_once(packages: typesense.Client) -> None:
    documents = packages.collections["packages-1"].documents
    failures: list[BaseException] = []

    def write(start: int) -> None:
        try:
            for low in range(start, start + 60, 20):
                documents.import_(
                    [{"id": f"t{i}", "name": f"thread-{i}"} for i in range(low, low + 20)], {"action": "upsert"}
                )
                documents.search({"q": "thread", "query_by": "name"})
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=write, args=(n * 100,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert documents.search({"q": "thread", "query_by": "name"})["found"] == 240
