import time

import pytest
from typesense.exceptions import ObjectNotFound

from pyf_pipeline.search import locks, management
from pyf_pipeline.search.aliases import add_alias, list_aliases, move_alias, remove_alias
from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.errors import BusyError, SearchError
from pyf_pipeline.search.management import delete_collection, describe_collections, list_collections, rollback
from pyf_pipeline.search.naming import LOCKS, locate
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline_tests.search.conftest import contents, ids, make_foreign, names, numbered


@pytest.fixture
def published(server: SearchServer) -> SearchServer:
    """Two versions of plone, and another tool's collection."""
    for content in ("one", "two"):
        Publisher(server).publish("plone", numbered(5, content), rebuild=True)
    make_foreign(server, "other")
    return server


def test_collections_are_listed_without_that_of_the_locks(published: SearchServer) -> None:
    assert LOCKS in {collection["name"] for collection in published.client.collections.retrieve()}
    assert list_collections(published) == ["other", "plone-1", "plone-2"]


def test_details_tell_what_a_collection_is(published: SearchServer) -> None:
    other, first, second = describe_collections(published, measure=True)
    assert (other.name, other.documents, other.aliases, other.version_of, other.complete) == (
        "other",
        3,
        (),
        None,
        None,
    )
    assert (first.documents, first.aliases, first.version_of, first.complete) == (5, (), "plone", True)
    assert second.aliases == ("plone",)
    assert abs(second.created.timestamp() - time.time()) < 60
    exported = published.client.collections["plone-2"].documents.export()
    assert second.size == len(exported.encode()) + 1
    assert describe_collections(published)[0].size is None


def test_a_collection_that_an_alias_points_at_is_deleted_by_force_only(published: SearchServer) -> None:
    with pytest.raises(SearchError, match="the alias plone points at plone-2"):
        delete_collection(published, "plone-2")
    assert len(ids(published, "plone")) == 5
    assert delete_collection(published, "plone-2", force=True) == ["plone"]
    assert list_collections(published) == ["other", "plone-1"]
    assert list_aliases(published) == {}
    assert delete_collection(published, "other") == []


@pytest.mark.parametrize("force", [False, True])
def test_deleting_by_the_name_of_an_alias_does_not_delete_what_is_behind(published: SearchServer, force: bool) -> None:
    with pytest.raises(SearchError, match="plone is an alias of plone-2"):
        delete_collection(published, "plone", force=force)
    with pytest.raises(SearchError, match=r"there is no collection nothing$"):
        delete_collection(published, "nothing", force=force)
    assert len(ids(published, "plone")) == 5


def test_the_collection_of_the_locks_is_not_deleted(published: SearchServer) -> None:
    with pytest.raises(SearchError, match="cannot be a collection's name"):
        delete_collection(published, LOCKS, force=True)


def test_aliases_are_added_moved_and_removed(published: SearchServer) -> None:
    add_alias(published, "old", "plone-1")
    assert list_aliases(published) == {"old": "plone-1", "plone": "plone-2"}
    assert set(contents(published, "old").values()) == {"one"}
    move_alias(published, "old", "other")
    assert len(ids(published, "old")) == 3
    assert remove_alias(published, "old") == "other"
    with pytest.raises(ObjectNotFound):
        ids(published, "old")


@pytest.mark.parametrize(
    ("change", "alias", "collection", "reason"),
    [
        (add_alias, "plone", "plone-1", "there is an alias plone already, of plone-2"),
        (add_alias, "other", "plone-1", "other is a collection"),
        (add_alias, "new", "nothing", "there is no collection nothing"),
        (add_alias, "new", "plone", "plone is an alias itself, of plone-2"),
        (add_alias, "a/b", "plone-1", "cannot be a collection's name"),
        (move_alias, "new", "plone-1", "there is no alias new"),
        (move_alias, "other", "plone-1", "other is a collection"),
        (move_alias, "plone", "nothing", "there is no collection nothing"),
        (move_alias, "plone", "plone", "plone is an alias itself"),
    ],
)
def test_an_alias_never_comes_to_lead_nowhere(
    published: SearchServer, change: object, alias: str, collection: str, reason: str
) -> None:
    with pytest.raises(SearchError, match=reason):
        change(published, alias, collection)  # type: ignore[operator]
    assert list_aliases(published) == {"plone": "plone-2"}


def test_removing_an_alias_that_is_not_there_says_so(published: SearchServer) -> None:
    with pytest.raises(SearchError, match="there is no alias nothing"):
        remove_alias(published, "nothing")


def test_a_rollback_serves_the_version_before(published: SearchServer) -> None:
    assert rollback(published, "plone") == ("plone-2", "plone-1")
    assert set(contents(published, "plone").values()) == {"one"}
    with pytest.raises(SearchError, match="plone has no version before plone-1: there is plone-2"):
        rollback(published, "plone")
    assert rollback(published, "plone", to="plone-2") == ("plone-1", "plone-2")
    assert set(contents(published, "plone").values()) == {"two"}


def test_after_a_rollback_a_publish_goes_on_from_there_and_keeps_the_other(published: SearchServer) -> None:
    rollback(published, "plone")
    done = Publisher(published).publish("plone", numbered(5, "two"))
    assert (done.collection, done.changed, done.previous) == ("plone-1", 5, "plone-2")
    assert names(published) == {"plone-1", "plone-2", "other"}
    assert Publisher(published).publish("plone", numbered(5, "three"), rebuild=True).collection == "plone-3"
    assert names(published) == {"plone-1", "plone-3", "other"}


def test_nothing_incomplete_or_foreign_is_rolled_back_to(published: SearchServer) -> None:
    metadata = published.client.collections["plone-1"].retrieve()["metadata"]  # type: ignore[typeddict-item]
    published.client.collections["plone-1"].update({"metadata": {**metadata, "complete": False}})
    with pytest.raises(SearchError, match="plone-1 was never completed"):
        rollback(published, "plone", to="plone-1")
    for target in ("other", "nothing"):
        with pytest.raises(SearchError, match=f"{target} is no version of plone"):
            rollback(published, "plone", to=target)
    with pytest.raises(SearchError, match="leads to plone-2 already"):
        rollback(published, "plone", to="plone-2")
    with pytest.raises(SearchError, match="other is a collection and not an alias"):
        rollback(published, "other")
    with pytest.raises(SearchError, match="nothing has no version before any"):
        rollback(published, "nothing")
    assert locate(published.client, "plone").alias_of == "plone-2"


def test_what_is_being_published_is_not_changed_meanwhile(
    published: SearchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(management, "MANAGEMENT_WAIT_SECONDS", 0)
    with locks.locked(published.client, "plone", wait=0):
        with pytest.raises(BusyError, match="plone is being published or changed"):
            rollback(published, "plone")
        with pytest.raises(BusyError, match="plone is being published or changed"):
            delete_collection(published, "plone-1")
        assert delete_collection(published, "other") == []
