import threading
from collections.abc import Iterator

import httpx
import pytest
from typesense.exceptions import ObjectNotFound

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.errors import IncompleteError, SearchError
from pyf_pipeline.search.management import rollback
from pyf_pipeline.search.naming import LOCKS, locate
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.query import search
from pyf_pipeline_tests.search.conftest import Documents, Meddling, Send, ids, make_foreign, names, numbered


def test_a_collection_of_another_tool_is_taken_over_and_kept_as_a_copy(server: SearchServer) -> None:
    make_foreign(server, "plone")
    published = Publisher(server).publish("plone", numbered(5))
    assert (published.added, published.removed, published.previous) == (5, 3, "plone-1")
    assert locate(server.client, "plone").alias_of == published.collection == "plone-2"
    assert ids(server, "plone") == numbered(5).content.keys()
    assert ids(server, "plone-1") == {"old-0", "old-1", "old-2"}
    assert published.serving == []


def test_what_was_taken_over_can_be_gone_back_to_and_forth(server: SearchServer) -> None:
    make_foreign(server, "plone")
    Publisher(server).publish("plone", numbered(5))
    assert rollback(server, "plone") == ("plone-2", "plone-1")
    assert ids(server, "plone") == {"old-0", "old-1", "old-2"}
    published = Publisher(server).publish("plone", numbered(5))
    assert published.rebuilt
    assert ids(server, "plone") == numbered(5).content.keys()


def test_its_documents_are_served_until_the_gap_of_two_requests(server: SearchServer) -> None:
    make_foreign(server, "plone")
    seen: list[tuple[str, str, int | None]] = []

    def look(request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        probe = httpx.Request(
            "GET", "http://x/collections/plone/documents/search?q=*&query_by=name", headers=request.headers
        )
        found = send(probe)
        count = found.json()["found"] if found.status_code == 200 else None
        if LOCKS not in request.url.path:
            seen.append((request.method, request.url.path, count))
        return answer

    meddling = Meddling(server, look)
    Publisher(server).publish("plone", numbered(5))
    server._http._transport = meddling.inner
    away = [position for position, (_, _, count) in enumerate(seen) if count is None]
    assert len(away) == 1
    assert seen[away[0]][:2] == ("DELETE", "/collections/plone")
    assert seen[away[0] + 1] == ("PUT", "/aliases/plone", 5)
    assert {count for _, _, count in seen[: away[0]]} == {3}


def test_a_collection_that_hides_our_alias_is_taken_over_as_well(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(5))
    make_foreign(server, "plone")
    published = Publisher(server).publish("plone", numbered(6))
    assert published.collection == "plone-3"
    assert ids(server, "plone") == numbered(6).content.keys()
    assert names(server) == {"plone-2", "plone-3"}


def test_a_collection_that_cannot_be_copied_stays(server: SearchServer) -> None:
    make_foreign(server, "plone")

    def refuse(request: httpx.Request, send: Send) -> httpx.Response:
        if "plone-1/documents/import" in request.url.path:
            return httpx.Response(200, content=b'{"success": true}\n' * 2 + b'{"success": false, "error": "odd"}')
        return send(request)

    Meddling(server, refuse)
    with pytest.raises(IncompleteError, match="plone stays as it was"):
        Publisher(server).publish("plone", numbered(5))
    assert ids(server, "plone") == {"old-0", "old-1", "old-2"}


def test_a_take_over_whose_last_request_failed_says_what_to_do_and_is_mended(server: SearchServer) -> None:
    make_foreign(server, "plone")

    def fail(request: httpx.Request, send: Send) -> httpx.Response:
        if request.method == "PUT":
            raise httpx.ConnectError("gone")
        return send(request)

    meddling = Meddling(server, fail)
    with pytest.raises(SearchError, match=r"plone leads nowhere.*its copy is plone-1.*an alias plone of plone-2"):
        Publisher(server).publish("plone", numbered(5))
    server._http._transport = meddling.inner
    source = numbered(5)
    assert Publisher(server).publish("plone", source).collection == "plone-2"
    assert source.built == []
    assert ids(server, "plone") == source.content.keys()


def test_an_alias_of_another_tools_collection_moves_and_the_collection_stays(server: SearchServer) -> None:
    make_foreign(server, "plone-v2")
    server.client.aliases.upsert("plone", {"collection_name": "plone-v2"})
    published = Publisher(server).publish("plone", numbered(5))
    assert (published.collection, published.previous, published.removed) == ("plone-1", "plone-v2", 3)
    assert names(server) == {"plone-1", "plone-v2"}
    assert rollback(server, "plone") == ("plone-1", "plone-v2")
    assert ids(server, "plone") == {"old-0", "old-1", "old-2"}
    assert Publisher(server).publish("plone", numbered(5)).collection == "plone-2"
    assert "plone-v2" in names(server)


def test_an_alias_of_what_is_gone_is_as_good_as_none(server: SearchServer) -> None:
    server.client.aliases.upsert("plone", {"collection_name": "gone"})
    assert Publisher(server).publish("plone", numbered(5)).collection == "plone-1"
    server.client.aliases.upsert("django", {"collection_name": "plone"})
    assert Publisher(server).publish("django", numbered(5)).collection == "django-1"
    assert ids(server, "django") == numbered(5).content.keys()


def test_a_partial_run_does_not_take_over_what_holds_more(server: SearchServer) -> None:
    make_foreign(server, "plone")
    with pytest.raises(SearchError, match="run once without limit"):
        Publisher(server).publish("plone", numbered(5), partial=True)
    assert names(server) == {"plone"}


def test_a_version_of_another_name_is_not_taken_for_another_tools(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(5))
    server.client.aliases["plone"].delete()
    with pytest.raises(SearchError, match="plone-1 is a version of plone: publish under plone"):
        Publisher(server).publish("plone-1", numbered(5))
    assert names(server) == {"plone-1"}


def test_a_collection_that_an_alias_needs_is_not_taken_over(server: SearchServer) -> None:
    make_foreign(server, "plone")
    server.client.aliases.upsert("people", {"collection_name": "plone"})
    with pytest.raises(SearchError, match="the alias people points at the collection plone"):
        Publisher(server).publish("plone", numbered(5))
    assert ids(server, "people") == {"old-0", "old-1", "old-2"}


@pytest.mark.parametrize("name", ["", "a/b", "a b", "?", "-a", ".", LOCKS])
def test_odd_names_are_refused_before_anything_is_asked(server: SearchServer, name: str) -> None:
    with pytest.raises(SearchError, match="cannot be a collection's name"):
        Publisher(server).publish(name, numbered(5))
    assert server.client.collections.retrieve() == []


def test_a_version_that_some_alias_points_at_is_not_removed(server: SearchServer) -> None:
    for content in ("one", "two", "three"):
        Publisher(server).publish("plone", numbered(5, content), rebuild=True)
        if content == "one":
            server.client.aliases.upsert("archive", {"collection_name": "plone-1"})
    assert names(server) == {"plone-1", "plone-2", "plone-3"}
    assert len(ids(server, "archive")) == 5


def test_the_alias_is_brought_back_where_it_was_lost(server: SearchServer) -> None:
    for content in ("one", "two"):
        Publisher(server).publish("plone", numbered(5, content), rebuild=True)
    server.client.aliases["plone"].delete()
    source = numbered(5, "two")
    assert Publisher(server).publish("plone", source).collection == "plone-2"
    assert source.built == []


@pytest.fixture
def searching(server: SearchServer) -> Iterator[tuple[list[int], list[str]]]:
    """Searches without a pause, and what they found and why they failed."""
    stop = threading.Event()
    found: list[int] = []
    failures: list[str] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                answer = search(server.client, "plone", {"q": "*", "query_by": "name", "per_page": 250})
            except ObjectNotFound as error:
                failures.append(str(error))
            else:
                found.append(answer["found"])
                if len(answer["hits"]) != answer["found"]:
                    failures.append(f"{len(answer['hits'])} of {answer['found']}")

    thread = threading.Thread(target=ask)

    def begin() -> None:
        thread.start()
        while not found:
            assert thread.is_alive()

    Publisher(server).publish("plone", numbered(40))
    begin()
    yield found, failures
    stop.set()
    thread.join()


def test_no_search_fails_or_is_incomplete_whatever_is_done(
    server: SearchServer, searching: tuple[list[int], list[str]]
) -> None:
    found, failures = searching
    for content in ("two", "three"):
        Publisher(server).publish("plone", numbered(40, content), rebuild=True)
    rollback(server, "plone")
    Publisher(server).publish("plone", numbered(40, "four"))
    broken = Documents(numbered(40, "five").content, unbuildable={f"package-{n:03}" for n in range(20)})
    with pytest.raises(IncompleteError):
        Publisher(server).publish("plone", broken, rebuild=True)
    rollback(server, "plone", to="plone-3")
    Publisher(server).publish("plone", numbered(40, "six"), rebuild=True)
    asked = len(found)
    assert asked > 20
    assert failures == []
    assert set(found) == {40}
