import json
from collections.abc import Iterator

import pytest

from pyf_pipeline.pypi.feeds import FeedReader, Look, parse_feed
from pyf_pipeline.pypi.http import Http, PyPIError, UnusableAnswerError
from pyf_pipeline.store.store import Store
from pyf_pipeline_tests.world import Fault, World
from pyf_pipeline_tests.world.server import Servers

DJANGO = "Framework :: Django"


@pytest.fixture
def reader(servers: Servers, store: Store) -> Iterator[FeedReader]:
    http = Http(servers.pypi_url, concurrency=4, user_agent="tests", retries=2)
    yield FeedReader(http, store.documents, store.knowledge, [DJANGO], packages=["listed-by-name"])
    http.close()


def pairs(look: Look) -> set[tuple[str, str]]:
    found = [(release.project, release.version) for release in look.new]
    assert len(found) == len(set(found))
    return set(found)


def test_the_first_look_returns_what_there_is_and_has_the_caller_go_by_the_index(
    reader: FeedReader, servers: Servers
) -> None:
    look = reader.look(None)
    assert look.overflowed
    assert len(look.new) >= 100
    assert look.failures == {}
    assert servers.log.count("rss") == 2
    assert servers.log.count("project") == len({release.project for release in look.new})


def test_what_is_new_is_returned_once_and_classified_for_all(
    world: World, reader: FeedReader, servers: Servers, store: Store
) -> None:
    cursor = json.loads(json.dumps(reader.look(None).cursor))
    name = min(world.pypi.members(DJANGO))
    world.pypi.release(name, "98.0")
    world.pypi.release(name, "99.0")
    world.pypi.create("brand-new", classifiers=["Topic :: Utilities"], version="0.1")
    world.pypi.create("listed-by-name", version="1.0")
    servers.log.reset()
    look = reader.look(cursor)
    assert pairs(look) == {(name, "98.0"), (name, "99.0"), ("brand-new", "0.1"), ("listed-by-name", "1.0")}
    assert not look.overflowed
    assert len(servers.log.requests) == 2 + 3
    by_project = {release.project: release for release in look.new}
    assert by_project["brand-new"].classifiers == ("Topic :: Utilities",)
    assert by_project[name].serial == world.pypi.project(name).serial
    assert store.knowledge.serials([name, "brand-new"]).keys() == {name, "brand-new"}
    assert store.documents.serials([name, "brand-new", "listed-by-name"]).keys() == {name, "listed-by-name"}
    servers.log.reset()
    again = reader.look(json.loads(json.dumps(look.cursor)))
    assert (again.new, again.overflowed, len(servers.log.requests)) == ([], False, 2)


def test_a_window_in_which_nothing_was_seen_before_has_overflowed(world: World, reader: FeedReader) -> None:
    cursor = reader.look(None).cursor
    name = min(world.pypi.members(DJANGO))
    for number in range(100):
        world.pypi.release(name, f"99.{number}")
    look = reader.look(cursor)
    assert look.overflowed
    assert len(look.new) == 100
    assert not reader.look(look.cursor).overflowed


def test_what_comes_back_as_something_newer_was_removed_is_not_new(world: World, reader: FeedReader) -> None:
    cursor = reader.look(None).cursor
    assert any(text.startswith(f"{world.pypi.updates(1)[0][0].normalised} ") for text in cursor["updates"]["seen"])
    world.pypi.remove(world.pypi.updates(1)[0][0].normalised)
    look = reader.look(cursor)
    assert [release for release in look.new if release.version] == []
    assert not look.overflowed


def test_a_project_whose_answer_lacks_the_release_is_tried_again_at_the_next_look(
    world: World, reader: FeedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyf_pipeline.pypi.work.STALE_SECONDS", (0.01,))
    cursor = reader.look(None).cursor
    name = min(world.pypi.members(DJANGO))
    world.pypi.release(name, "99.0")
    world.faults.add(Fault(kind="stale", route="project"))
    look = reader.look(cursor)
    assert look.new == []
    assert look.failures == {name: "the answer is older than the feed"}
    assert look.cursor["waiting"] == {f"{name} 99.0": 1}
    world.faults.clear()
    again = reader.look(json.loads(json.dumps(look.cursor)))
    assert pairs(again) == {(name, "99.0")}
    assert again.cursor["waiting"] == {}


def test_a_project_that_is_gone_by_then_is_left_out(world: World, reader: FeedReader) -> None:
    cursor = reader.look(None).cursor
    world.pypi.create("short-lived", version="1.0")
    world.faults.add(Fault(kind="status", status=404, route="project", match="short-lived"))
    look = reader.look(cursor)
    assert (look.new, look.failures) == ([], {})


def test_a_feed_that_cannot_be_had_moves_nothing(world: World, reader: FeedReader) -> None:
    world.faults.add(Fault(kind="html", route="rss"))
    with pytest.raises(PyPIError, match="feed"):
        reader.look(None)


def rss(*items: str) -> bytes:
    return f"<?xml version='1.0'?><rss version='2.0'><channel>{''.join(items)}</channel></rss>".encode()


def item(link: str, date: str = "Mon, 01 Jan 2024 00:00:00 GMT") -> str:
    return f"<item><title>whatever 1.0</title><link>{link}</link><pubDate>{date}</pubDate></item>"


def test_entries_are_told_by_their_links() -> None:
    found = parse_feed(
        rss(
            item("https://pypi.example/project/Zope.Interface/1.0%2Blocal/"),
            item("https://pypi.example/sub/project/a_b/", "Mon, 01 Jan 2024 00:00:00 -0000"),
        )
    )
    assert [(one.project, one.version, one.when) for one in found] == [
        ("zope-interface", "1.0+local", 1704067200),
        ("a-b", "", 1704067200),
    ]
    assert parse_feed(rss()) == []


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel>&b;</channel></rss>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"<html></html>",
        b"<rss/>",
        BOMB,
        rss(item("https://pypi.example/elsewhere/")),
        rss(item("https://pypi.example/project/a/1/", "yesterday")),
        rss(item("https://pypi.example/project/")),
    ],
)
def test_what_is_not_a_feed_is_refused(body: bytes) -> None:
    with pytest.raises(UnusableAnswerError, match="feed"):
        parse_feed(body)
