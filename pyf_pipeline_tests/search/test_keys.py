from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typesense.exceptions import RequestUnauthorized

from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.keys import (
    check_search_only,
    create_search_key,
    delete_key,
    keep_search_key,
    list_keys,
    patterns,
)
from pyf_pipeline.search.management import rollback
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.query import search
from pyf_pipeline_tests.search.conftest import make_foreign, numbered

EVERYTHING = {"q": "*", "query_by": "name"}


@pytest.fixture(autouse=True)
def _published(server: SearchServer) -> None:
    for content in ("one", "two"):
        Publisher(server).publish("plone", numbered(5, content), rebuild=True)
    Publisher(server).publish("django", numbered(3))
    make_foreign(server, "plone-internal")
    make_foreign(server, "plonexinternal")


def with_key(server: SearchServer, value: str) -> SearchServer:
    visitor = connect_embedded(Path(server.address), "key")
    visitor.client.config.api_key = value
    return visitor


def test_a_search_key_searches_its_collection_before_and_after_the_alias_moves(server: SearchServer) -> None:
    visitor = with_key(server, create_search_key(server, "plone").value)
    assert search(visitor.client, "plone", EVERYTHING)["found"] == 5
    Publisher(server).publish("plone", numbered(6, "three"), rebuild=True)
    assert search(visitor.client, "plone", EVERYTHING)["found"] == 6
    assert search(visitor.client, "plone-3", EVERYTHING)["found"] == 6
    rollback(server, "plone")
    assert search(visitor.client, "plone", EVERYTHING)["found"] == 5
    visitor.close()


def test_it_can_do_nothing_else(server: SearchServer) -> None:
    visitor = with_key(server, create_search_key(server, "plone").value)
    plone = visitor.client.collections["plone"]
    for attempt in (
        lambda: search(visitor.client, "django", EVERYTHING),
        lambda: search(visitor.client, "plone-internal", EVERYTHING),
        lambda: search(visitor.client, "plonexinternal", EVERYTHING),
        plone.retrieve,
        plone.delete,
        plone.documents.export,
        lambda: plone.documents.create({"id": "x"}),
        lambda: plone.documents.import_(b'{"id": "x"}', {"action": "upsert"}),
        lambda: plone.documents.delete({"filter_by": "id:=[`package-001`]"}),
        visitor.client.collections.retrieve,
        visitor.client.aliases.retrieve,
        visitor.client.keys.retrieve,
    ):
        with pytest.raises(RequestUnauthorized):
            attempt()
    visitor.close()


def test_a_dot_in_a_name_is_a_dot(server: SearchServer) -> None:
    make_foreign(server, "my.plone")
    make_foreign(server, "my-plone")
    visitor = with_key(server, create_search_key(server, "my.plone").value)
    assert search(visitor.client, "my.plone", EVERYTHING)["found"] == 3
    with pytest.raises(RequestUnauthorized):
        search(visitor.client, "my-plone", EVERYTHING)
    assert patterns("my.plone") == [r"my\.plone", r"my\.plone-[0-9]+"]
    visitor.close()


def test_the_value_is_shown_once_and_not_by_accident(server: SearchServer) -> None:
    made = create_search_key(server, "plone", description="the search page")
    assert len(made.value) >= 16
    assert made.value not in repr(made)
    assert list_keys(server) == [made.key]
    assert made.key.prefix == made.value[:4]
    assert (made.key.description, made.key.actions, made.key.expires_at) == (
        *("the search page", ("documents:search",)),
        None,
    )


def test_a_value_of_ones_own_and_an_expiry(server: SearchServer) -> None:
    expires = datetime.now(UTC) + timedelta(days=1)
    made = create_search_key(server, "plone", value="my-own-value-0123456789", expires=expires)
    assert made.value == "my-own-value-0123456789"
    assert made.key.expires_at == int(expires.timestamp())
    with pytest.raises(SearchError, match="a key with this value exists already"):
        create_search_key(server, "django", value="my-own-value-0123456789")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"value": "short"}, "can be guessed"),
        ({"value": ""}, "can be guessed"),
        ({"expires": datetime(2001, 1, 1, tzinfo=UTC)}, "cannot expire at 2001"),
        ({"expires": datetime(2101, 1, 1)}, "with a time zone"),  # noqa: DTZ001 - that is the mistake
    ],
)
def test_a_key_that_would_not_be_one_is_refused(server: SearchServer, options: dict, reason: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(SearchError, match=reason):
        create_search_key(server, "plone", **options)
    assert list_keys(server) == []


def test_a_deleted_key_opens_nothing(server: SearchServer) -> None:
    made = create_search_key(server, "plone")
    visitor = with_key(server, made.value)
    search(visitor.client, "plone", EVERYTHING)
    delete_key(server, made.key.id)
    with pytest.raises(RequestUnauthorized):
        search(visitor.client, "plone", EVERYTHING)
    with pytest.raises(SearchError, match=f"no key with the number {made.key.id}"):
        delete_key(server, made.key.id)
    visitor.close()


def test_a_key_that_is_kept_is_made_once_and_searches_these_names_alone(server: SearchServer) -> None:
    value = "k" * 40
    for _ in range(2):
        keep_search_key(server, ["django", "plone"], value=value, description="page")
    (key,) = list_keys(server)
    assert (key.description, key.collections) == ("page: django, plone", ("django", "plone"))
    visitor = with_key(server, value)
    assert search(visitor.client, "django", EVERYTHING)["found"] == 3
    with pytest.raises(RequestUnauthorized):
        search(visitor.client, "plone-internal", EVERYTHING)
    check_search_only(visitor, "SOME_KEY")
    visitor.close()
    with pytest.raises(SearchError, match="SOME_KEY may do more than search"):
        check_search_only(server, "SOME_KEY")
