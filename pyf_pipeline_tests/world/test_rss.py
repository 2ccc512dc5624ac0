"""The feeds, read by an XML parser."""

from email.utils import parsedate_to_datetime

import defusedxml.ElementTree
import requests

from pyf_pipeline_tests.world import Servers, World


def items(servers: Servers, feed: str) -> list[dict[str, str]]:
    response = requests.get(f"{servers.pypi_url}/rss/{feed}.xml", timeout=10)
    assert response.headers["content-type"].startswith("text/xml")
    root = defusedxml.ElementTree.fromstring(response.content)
    return [{child.tag: child.text or "" for child in item} for item in root.iter("item")]


def test_updates_hold_the_latest_hundred_releases(world: World, servers: Servers) -> None:
    found = items(servers, "updates")
    assert len(found) == 100
    dates = [parsedate_to_datetime(item["pubDate"]) for item in found]
    assert dates == sorted(dates, reverse=True)
    every = [
        (r.time, p.name, r.version)
        for n in world.pypi.names()
        for p in [world.pypi.project(n)]
        for r in world.pypi.releases(p)
    ]
    newest = sorted(every, reverse=True)[:100]
    assert [item["title"] for item in found] == [f"{name} {version}" for _, name, version in newest]


def test_new_release_comes_first_and_pushes_the_oldest_out(world: World, servers: Servers) -> None:
    before = items(servers, "updates")
    name = min(world.pypi.members("Framework :: Plone"))
    world.pypi.release(name, "77.7")
    after = items(servers, "updates")
    assert after[0]["title"] == f"{world.pypi.project(name).name} 77.7"
    assert after[0]["link"].endswith(f"/project/{name}/77.7/")
    assert after[1:] == before[:-1]


def test_window_overflows(world: World, servers: Servers) -> None:
    before = {item["link"] for item in items(servers, "updates")}
    for number in range(120):
        world.pypi.create(f"flood-{number}")
    after = [item["link"] for item in items(servers, "updates")]
    assert len(after) == 100
    assert not before & set(after)
    assert not any("flood-0/" in link for link in after)


def test_packages_hold_the_latest_forty_projects(world: World, servers: Servers) -> None:
    world.pypi.create("brand.new_thing")
    world.pypi.create("without-release", empty=True)
    found = items(servers, "packages")
    assert len(found) == 40
    assert found[0]["title"] == "brand-new-thing added to PyPI"
    assert found[0]["link"] == found[0]["guid"]
    dates = [parsedate_to_datetime(item["pubDate"]) for item in found]
    assert dates == sorted(dates, reverse=True)


def test_feed_survives_odd_metadata(world: World, servers: Servers) -> None:
    world.pypi.create("odd", summary="a < b & ]]> \u2028 ü", author_email=None)
    world.pypi.create("odder", summary=None, author_email=["x"])
    assert items(servers, "updates")[1]["description"] == "a < b & ]]> \u2028 ü"
