import threading

import pytest

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.errors import IncompleteError
from pyf_pipeline.search.naming import locate
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.query import search
from pyf_pipeline_tests.search.conftest import Documents, contents, document, ids, names, numbered


def test_a_first_publish_makes_a_version_behind_an_alias(server: SearchServer) -> None:
    source = numbered(30)
    published = Publisher(server).publish("plone", source)
    assert (published.collection, published.rebuilt) == ("plone-1", True)
    assert (published.documents, published.added, published.changed, published.removed) == (30, 30, 0, 0)
    assert (published.refused, published.problems) == ({}, [])
    assert ids(server, "plone") == source.content.keys()
    assert locate(server.client, "plone").alias_of == "plone-1"


def test_an_incremental_publish_sends_what_differs(server: SearchServer) -> None:
    source = numbered(30)
    Publisher(server).publish("plone", source)
    source.content |= {"package-003": "two", "new": "one"}
    del source.content["package-007"]
    source.built.clear()
    published = Publisher(server).publish("plone", source)
    assert source.built == ["new", "package-003"]
    assert (published.collection, published.rebuilt) == ("plone-1", False)
    assert (published.added, published.changed, published.removed, published.unchanged) == (1, 1, 1, 28)
    assert ids(server, "plone") == source.content.keys()
    assert server.client.collections["plone"].documents["package-003"].retrieve()["summary"] == "two"


def test_nothing_changed_builds_and_sends_nothing(server: SearchServer) -> None:
    source = numbered(10)
    Publisher(server).publish("plone", source)
    source.built.clear()
    published = Publisher(server).publish("plone", source)
    assert source.built == []
    assert (published.unchanged, published.bytes) == (10, 0)


def test_a_partial_publish_deletes_nothing(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(10))
    published = Publisher(server).publish("plone", Documents({"package-001": "two", "new": "one"}), partial=True)
    assert (published.added, published.changed, published.removed) == (1, 1, 0)
    assert published.problems == []
    assert len(ids(server, "plone")) == 11


def test_a_partial_run_never_rebuilds_a_collection_into_a_smaller_one(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(10))
    published = Publisher(server).publish("plone", numbered(3, "two"), rebuild=True, partial=True)
    assert not published.rebuilt
    assert len(ids(server, "plone")) == 10


def test_a_rebuild_moves_the_alias_and_keeps_one_version_before(server: SearchServer) -> None:
    for content in ("one", "two", "three"):
        published = Publisher(server).publish("plone", numbered(5, content), rebuild=True)
    assert published.collection == "plone-3"
    assert published.changed == 5
    assert names(server) == {"plone-2", "plone-3"}
    assert server.client.collections["plone"].documents["package-001"].retrieve()["summary"] == "three"


def test_a_changed_schema_forces_a_rebuild(server: SearchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    Publisher(server).publish("plone", numbered(5))
    monkeypatch.setattr("pyf_pipeline.search.publish.schema_fingerprint", lambda: "another")
    assert Publisher(server).publish("plone", numbered(5)).rebuilt


def test_refused_documents_are_named_and_the_others_arrive(server: SearchServer) -> None:
    source = numbered(300)
    source.broken["package-004"] = {"release_count": "many"}
    source.unbuildable.add("package-005")
    published = Publisher(server).publish("plone", source)
    assert published.refused.keys() == {"package-004", "package-005"}
    assert "release_count" in published.refused["package-004"]
    assert published.refused["package-005"] == "made to fail"
    assert published.documents == 298


def test_a_version_with_too_many_refusals_is_not_put_in_service(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(20))
    broken = numbered(20, "two")
    broken.broken = {name: {"release_count": "many"} for name in sorted(broken.content)[:8]}
    with pytest.raises(IncompleteError, match="plone stays as it was: 8 of 20 documents are missing"):
        Publisher(server).publish("plone", broken, rebuild=True)
    assert locate(server.client, "plone").alias_of == "plone-1"
    published = Publisher(server).publish("plone", numbered(20, "three"), rebuild=True)
    assert names(server) == {"plone-1", published.collection}


def test_names_that_something_else_has_are_left_alone(server: SearchServer) -> None:
    fields = [{"name": "name", "type": "string"}]
    server.client.collections.create({"name": "plone-1", "fields": fields})
    server.client.collections.create({"name": "elsewhere", "fields": fields})
    server.client.aliases.upsert("plone-2", {"collection_name": "elsewhere"})
    published = Publisher(server).publish("plone", numbered(5))
    assert published.collection == "plone-3"
    assert names(server) == {"plone-1", "elsewhere", "plone-3"}
    assert server.client.aliases["plone-2"].retrieve()["collection_name"] == "elsewhere"


def test_searches_are_answered_in_full_while_versions_change(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(40))
    stop = threading.Event()
    found: list[int] = []
    failures: list[Exception] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                found.append(search(server.client, "plone", {"q": "*", "query_by": "name"})["found"])
            except Exception as error:  # noqa: BLE001 - whatever it is, the test must show it
                failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    for content in ("two", "three"):
        Publisher(server).publish("plone", numbered(40, content), rebuild=True)
    stop.set()
    asking.join()
    assert failures == []
    assert set(found) == {40}


def test_ids_with_odd_characters_are_deleted_too(server: SearchServer) -> None:
    odd = Documents(dict.fromkeys(("a,b", "c d", "e&&f", "g(h)", "i'j", "plain"), "one"))
    Publisher(server).publish("plone", odd)
    published = Publisher(server).publish("plone", Documents({"plain": "one"}))
    assert published.removed == 5
    assert published.problems == []
    assert ids(server, "plone") == {"plain"}


def test_what_stands_in_for_a_document_is_one(server: SearchServer) -> None:
    published = Publisher(server).publish("plone", Documents({"a": "x"}))
    assert published.refused == {}
    held = server.client.collections["plone"].documents["a"].retrieve()
    assert held == {key: value for key, value in document("a", "x").items() if key in held}


def test_of_two_documents_with_one_id_the_first_is_served_and_the_second_reported(server: SearchServer) -> None:
    class Twice(Documents):
        def documents(self, ids):  # type: ignore[no-untyped-def]
            yield from super().documents(ids)
            yield document("package-001", "another")

    published = Publisher(server).publish("plone", Twice(numbered(5).content))
    assert published.refused.keys() == {"package-001 (another)"}
    assert (published.documents, published.problems) == (5, [])
    assert contents(server, "plone") == numbered(5).content


def test_a_small_profile_that_loses_half_is_not_put_in_service(server: SearchServer) -> None:
    half = Documents(numbered(4).content, unbuildable={"package-000", "package-001", "package-002"})
    with pytest.raises(IncompleteError, match="3 of 4 documents are missing, for instance package-000: made to fail"):
        Publisher(server).publish("plone", half)
    one = Documents(numbered(4).content, unbuildable={"package-000"})
    assert Publisher(server).publish("plone", one).documents == 3


def test_a_source_that_leaves_documents_out_is_found_out(server: SearchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyf_pipeline.search.verify.SETTLING_SECONDS", 0)

    class Forgetful(Documents):
        def documents(self, ids):  # type: ignore[no-untyped-def]
            return super().documents(sorted(ids)[:-1])

    with pytest.raises(IncompleteError, match="plone-1 holds 9 documents instead of 10"):
        Publisher(server).publish("plone", Forgetful(numbered(10).content))


def test_a_changed_document_that_is_refused_stays_as_it_was_until_it_fits(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(5))
    source = numbered(5, "two")
    source.broken["package-003"] = {"release_count": "many"}
    published = Publisher(server).publish("plone", source)
    assert (published.changed, published.refused.keys(), published.problems) == (4, {"package-003"}, [])
    assert contents(server, "plone") == {**source.content, "package-003": "one"}
    source.broken.clear()
    assert Publisher(server).publish("plone", source).changed == 1
    assert contents(server, "plone") == source.content


def test_what_was_tampered_with_is_put_right(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(10))
    documents = server.client.collections["plone-1"].documents
    documents["package-003"].delete()
    documents["package-004"].update({"content_hash": "odd", "summary": "odd"})
    documents.create(document("stranger", "odd"))
    published = Publisher(server).publish("plone", numbered(10))
    assert (published.added, published.changed, published.removed) == (1, 1, 1)
    assert contents(server, "plone") == numbered(10).content
