from typing import Any

import pytest

from pyf_pipeline.search import verify as verifying
from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import FILTER_BYTES, delete_documents, id_filters
from pyf_pipeline.search.errors import IncompleteError
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.verify import SAMPLE, ranks, sample, serving_problems, verify
from pyf_pipeline_tests.search.conftest import Documents, document, ids, make_foreign, numbered


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "SETTLING_SECONDS", 0)


@pytest.fixture
def published(server: SearchServer) -> SearchServer:
    Publisher(server).publish("plone", numbered(50))
    return server


def test_a_collection_as_it_should_be_has_no_problems(published: SearchServer) -> None:
    assert verify(published, "plone-1", numbered(50).content, {"package-007": document("package-007", "one")}) == []


def test_a_missing_and_an_unexpected_document_are_counted(published: SearchServer) -> None:
    problems = verify(published, "plone-1", numbered(51).content, {})
    assert problems[0] == "plone-1 holds 50 documents instead of 51"
    assert verify(published, "plone-1", numbered(49).content, {}) == ["plone-1 holds 50 documents instead of 49"]


def test_documents_are_compared_field_by_field(published: SearchServer) -> None:
    sent: dict[str, Any] = {**document("package-007", "one"), "license": "MIT", "keywords": ["a"]}
    (problem,) = verify(published, "plone-1", numbered(50).content, {"package-007": sent})
    assert problem == "plone-1 has 'package-007' with other content than was sent: keywords, license"


def test_a_document_that_is_not_sent_is_compared_by_its_hash(published: SearchServer) -> None:
    published.client.collections["plone-1"].documents["package-000"].update({"content_hash": "odd"})
    (problem,) = verify(published, "plone-1", numbered(50).content, {})
    assert problem == "plone-1 has 'package-000' with other content than was sent"


def test_a_document_that_no_search_finds_keeps_a_version_out_of_service(
    published: SearchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "is_found_by_name", lambda _client, _collection, name, _id: name != "package-000")
    with pytest.raises(IncompleteError, match="a search for 'package-000' in plone-2 does not find 'package-000'"):
        Publisher(published).publish("plone", numbered(50, "two"), rebuild=True)


def test_names_that_no_search_can_be_asked_for_are_left_to_the_comparison(server: SearchServer) -> None:
    odd = Documents(dict.fromkeys(("---", "日本語", "x" * 150, "a`b", "e&&f"), "one"))
    published = Publisher(server).publish("plone", odd)
    assert (published.documents, published.problems, published.refused) == (5, [], {})


def test_several_releases_of_one_package_are_each_found(server: SearchServer) -> None:
    releases = Documents({f"plone-{n}": "one" for n in range(300)})
    releases.broken = {identifier: {"name": "plone"} for identifier in releases.content}
    published = Publisher(server).publish("releases", releases)
    assert published.problems == []
    assert published.ranks == {"plone": 1}


def test_a_sample_is_small_spread_and_always_the_same() -> None:
    names = [f"p{n:04}" for n in range(1_000)]
    drawn = sample(names)
    assert drawn == sample(names[::-1])
    assert drawn == names[::50]
    assert len(sample(names[:39])) == SAMPLE
    assert sample(["a`b"]) == []


def test_what_people_see_is_told_by_the_place_of_a_package(published: SearchServer) -> None:
    found = ranks(published, "plone", ["package-001", "package-002", "gone"])
    assert found == {"package-001": 1, "package-002": 1}


def test_what_keeps_a_name_from_leading_to_its_collection(published: SearchServer) -> None:
    client = published.client
    assert serving_problems(client, "plone", "plone-1") == []
    assert serving_problems(client, "plone", "plone-2") == ["the alias plone points at plone-1 instead of plone-2"]
    assert serving_problems(client, "django", "django-1") == ["the alias django points at nothing instead of django-1"]
    make_foreign(published, "plone")
    assert serving_problems(client, "plone", "plone-1") == ["a collection named plone hides the alias"]


def test_filters_by_id_are_short_enough_and_complete() -> None:
    names = [f"package-{n:04}-é" for n in range(500)]
    filters = id_filters(names)
    assert len(filters) > 1
    assert all(len(text) < FILTER_BYTES for text in filters)
    assert [name.strip("`") for text in filters for name in text[5:-1].split(",")] == names
    assert id_filters([]) == []


def test_documents_with_any_id_can_be_deleted(server: SearchServer) -> None:
    odd = ("a`b", "c/d", "e`/f?g", "h,i", "j)k", "plain")
    Publisher(server).publish("plone", Documents(dict.fromkeys(odd, "one")))
    delete_documents(server.client, "plone-1", [*odd[:-1], "gone", "go`ne"])
    assert ids(server, "plone") == {"plain"}
