"""XML-RPC as Python's own client speaks it."""

import re
import time
import xmlrpc.client
from typing import Any

import pytest
import requests

from pyf_pipeline_tests.world import Fault, Servers, World


@pytest.fixture
def proxy(servers: Servers) -> Any:
    return xmlrpc.client.ServerProxy(f"{servers.pypi_url}/pypi", allow_none=True)


@pytest.fixture
def unlimited(world: World) -> None:
    world.pypi.xmlrpc_limit(per_second=None, per_minute=None)


@pytest.mark.usefixtures("unlimited")
def test_browse_gives_all_releases_that_carry_all_classifiers(world: World, proxy: Any) -> None:
    found = proxy.browse(["Framework :: Flask"])
    assert found == sorted(found)
    names = {name for name, _ in found}
    assert {world.pypi.project(name).normalised for name in names} == world.pypi.ever_members("Framework :: Flask")
    both = proxy.browse(["Framework :: Flask", "Framework :: Django"])
    assert 0 < len(both) < len(found)
    assert proxy.browse(["Framework :: Flask", "Framework :: Flask"]) == []
    assert proxy.browse(["Framework :: No Such Thing"]) == []


@pytest.mark.usefixtures("unlimited")
def test_browse_of_a_parent_does_not_find_what_is_below(world: World, proxy: Any) -> None:
    world.pypi.create("only-below", ["Framework :: Plone :: 6.0"])
    assert "only-below" not in {name for name, _ in proxy.browse(["Framework :: Plone"])}
    assert ["only-below", "1.0"] in proxy.browse(["Framework :: Plone :: 6.0"])
    assert "only-below" in world.pypi.members("Framework :: Plone")


@pytest.mark.usefixtures("unlimited")
def test_changelog_tells_what_happened(world: World, proxy: Any) -> None:
    before = proxy.changelog_last_serial()
    assert before == world.pypi.serial
    world.pypi.create("thing", ["Framework :: Flask"])
    world.pypi.yank("thing", "1.0", "Broken")
    world.pypi.quarantine("thing")
    world.pypi.remove("thing")
    entries = proxy.changelog_since_serial(before)
    assert [entry[3] for entry in entries] == [
        "create",
        "new release",
        "add source file thing-1.0.tar.gz",
        "add py3 file thing-1.0-py3-none-any.whl",
        "yank release",
        "project quarantined",
        "remove project",
    ]
    assert [entry[4] for entry in entries] == list(range(before + 1, before + 8))
    assert entries[0][1] is None
    assert entries[1][:2] == ["thing", "1.0"]
    assert abs(entries[-1][2] - time.time()) < 60


@pytest.mark.usefixtures("unlimited")
def test_changelog_reaches_back_to_the_beginning(world: World, proxy: Any) -> None:
    entries = proxy.changelog_since_serial(0)
    assert {entry[0]: entry[4] for entry in entries} == dict(world.pypi.index())


def test_calls_over_the_limit_get_a_fault(servers: Servers, proxy: Any) -> None:
    faults = []
    for _ in range(5):
        try:
            proxy.changelog_last_serial()
        except xmlrpc.client.Fault as fault:
            faults.append(fault)
    assert len(faults) == 3 == servers.log.over_limit
    assert faults[0].faultCode == -32500
    assert re.fullmatch(r"HTTPTooManyRequests: .* Limit may reset in 1 seconds\.", faults[0].faultString)
    assert servers.log.count("xmlrpc", status=200) == 5


def test_minute_limit_outlasts_the_second(world: World, servers: Servers, proxy: Any) -> None:
    world.pypi.xmlrpc_limit(per_second=None, per_minute=3)
    for _ in range(3):
        proxy.changelog_last_serial()
    with pytest.raises(xmlrpc.client.Fault, match=r"reset in (59|60) seconds"):
        proxy.changelog_last_serial()


def test_strict_limit_refuses_the_last_call_of_a_window(world: World, proxy: Any) -> None:
    world.pypi.xmlrpc_limit(per_second=2, per_minute=None, strict=True)
    proxy.changelog_last_serial()
    with pytest.raises(xmlrpc.client.Fault, match="HTTPTooManyRequests"):
        proxy.changelog_last_serial()


def test_headers_tell_of_the_limit(servers: Servers) -> None:
    body = xmlrpc.client.dumps((), "changelog_last_serial")
    response = requests.post(f"{servers.pypi_url}/pypi", data=body, headers={"Content-Type": "text/xml"}, timeout=10)
    policies = dict(re.findall(r'"([^"]+)";q=(\d+);w=\d+', response.headers["ratelimit-policy"]))
    left = dict(re.findall(r'"([^"]+)";r=(\d+);t=\d+', response.headers["ratelimit"]))
    assert sorted(policies.values()) == ["2", "30"]
    assert sorted(left.values()) == ["1", "29"]


@pytest.mark.usefixtures("unlimited")
def test_call_may_fail_for_the_servers_own_reasons(world: World, servers: Servers, proxy: Any) -> None:
    world.faults.add(Fault("xmlrpc_fault", match="^browse$", times=1))
    assert proxy.changelog_last_serial() == world.pypi.serial
    with pytest.raises(xmlrpc.client.Fault, match="DatabaseNotAvailableError"):
        proxy.browse(["Framework :: Flask"])
    assert proxy.browse(["Framework :: Flask"])
    assert servers.log.over_limit == 0


@pytest.mark.usefixtures("unlimited")
def test_what_is_no_call_is_a_fault(servers: Servers, proxy: Any) -> None:
    with pytest.raises(xmlrpc.client.Fault, match="method not found"):
        proxy.no_such_method()
    with pytest.raises(xmlrpc.client.Fault, match="no longer supports"):
        proxy.list_packages()
    with pytest.raises(xmlrpc.client.Fault):
        proxy.browse("Framework :: Flask")
    with pytest.raises(xmlrpc.client.Fault):
        proxy.changelog_since_serial()
    response = requests.post(f"{servers.pypi_url}/pypi", data=b"<not xml", timeout=10)
    with pytest.raises(xmlrpc.client.Fault, match="parse error"):
        xmlrpc.client.loads(response.content)
