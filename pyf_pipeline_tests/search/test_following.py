import pytest

from pyf_pipeline.search.aliases import list_aliases, remove_alias
from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.following import lead_alias, lead_followers
from pyf_pipeline.search.management import rollback
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline_tests.search.conftest import ids, make_foreign, names, numbered


def rebuild(server: SearchServer, name: str = "plone", count: int = 3) -> str:
    return Publisher(server).publish(name, numbered(count), rebuild=True).collection


def test_an_alias_of_a_name_follows_it_through_rebuilds_and_rollbacks(server: SearchServer) -> None:
    rebuild(server)
    lead = lead_alias(server, "current", "plone")
    assert (lead.collection, lead.before, lead.follows) == ("plone-1", "", "plone")
    for expected in ("plone-2", "plone-3", "plone-4"):
        assert rebuild(server) == expected
        assert list_aliases(server) == {"current": expected, "plone": expected}
    assert {"plone-1", "plone-2"}.isdisjoint(names(server))
    rollback(server, "plone")
    assert list_aliases(server)["current"] == "plone-3"
    rebuild(server)
    assert list_aliases(server)["current"] == list_aliases(server)["plone"]


def test_an_alias_of_a_version_stays_with_it(server: SearchServer) -> None:
    rebuild(server)
    lead_alias(server, "pinned", "plone")
    assert lead_alias(server, "pinned", "plone-1").follows == ""
    for _ in range(3):
        rebuild(server)
    assert list_aliases(server)["pinned"] == "plone-1"
    assert len(ids(server, "pinned")) == 3


def test_a_name_that_is_served_can_lead_to_another_version_line_and_be_taken_back(server: SearchServer) -> None:
    rebuild(server, "plone", 3)
    rebuild(server, "plone-v2", 5)
    lead = lead_alias(server, "plone", "plone-v2")
    assert (lead.collection, lead.before) == ("plone-v2-1", "plone-1")
    assert len(ids(server, "plone")) == 5
    rebuild(server, "plone-v2", 6)
    assert len(ids(server, "plone")) == 6
    # Whoever publishes plone itself takes the name back, and what follows plone-v2 no longer includes it.
    rebuild(server, "plone", 4)
    rebuild(server, "plone-v2", 7)
    assert len(ids(server, "plone")) == 4


def test_an_alias_that_was_pointed_elsewhere_or_removed_is_left_alone(server: SearchServer) -> None:
    rebuild(server)
    make_foreign(server, "other")
    lead_alias(server, "moved", "plone")
    lead_alias(server, "removed", "plone")
    lead_alias(server, "moved", "other")
    remove_alias(server, "removed")
    rebuild(server)
    assert list_aliases(server) == {"moved": "other", "plone": "plone-2"}


def test_an_alias_that_a_kill_left_behind_catches_up(server: SearchServer) -> None:
    rebuild(server)
    lead_alias(server, "current", "plone")
    rebuild(server)
    server.client.aliases.upsert("current", {"collection_name": "plone-1"})
    Publisher(server).publish("plone", numbered(3))
    assert list_aliases(server)["current"] == "plone-2"
    lead_followers(server.client, "nothing of that name")


@pytest.mark.parametrize("target", ["nothing", "current"])
def test_what_is_not_there_cannot_be_led_to(server: SearchServer, target: str) -> None:
    rebuild(server)
    with pytest.raises(SearchError, match=f"there is no collection {target}"):
        lead_alias(server, "current", target)


def test_a_collection_cannot_become_an_alias(server: SearchServer) -> None:
    rebuild(server)
    make_foreign(server, "other")
    with pytest.raises(SearchError, match="other is a collection"):
        lead_alias(server, "other", "plone")
