import pytest

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.following import lead_alias
from pyf_pipeline.search.offering import offered_collections
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline_tests.search.conftest import make_foreign, numbered


@pytest.fixture(autouse=True)
def _published(server: SearchServer) -> None:
    for content in ("one", "two"):
        Publisher(server).publish("plone", numbered(5, content), rebuild=True)
    Publisher(server).publish("django", numbered(3))
    make_foreign(server, "private")
    server.client.aliases.upsert("private-alias", {"collection_name": "private"})
    server.client.aliases.upsert("nowhere", {"collection_name": "gone"})


def names(server: SearchServer, *wanted: str) -> list[tuple[str, int]]:
    return [(c["name"], c["num_documents"]) for c in offered_collections(server, wanted)]


def test_what_was_published_is_offered_by_the_names_that_people_search_by(server: SearchServer) -> None:
    lead_alias(server, "portal", "plone")
    assert names(server) == [("django", 3), ("plone", 5), ("portal", 5)]


def test_anything_is_offered_that_is_named_in_that_order_and_once(server: SearchServer) -> None:
    assert [n for n, _ in names(server, "private", "plone-1", "private", "django")] == ["private", "plone-1", "django"]


@pytest.mark.parametrize("name", ["none", "nowhere"])
def test_what_is_named_and_not_there_is_said(server: SearchServer, name: str) -> None:
    with pytest.raises(SearchError, match=f"has no collection {name}"):
        offered_collections(server, [name])
