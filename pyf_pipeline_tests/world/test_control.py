"""The world as a process of its own, changed through its control endpoint."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pyf_pipeline_tests.world import Servers, World


def post(servers: Servers, verb: str, **arguments: Any) -> requests.Response:
    return requests.post(f"{servers.pypi_url}/_world/{verb}", json=arguments, timeout=10)


def truth(servers: Servers, what: str, **arguments: str) -> Any:
    return requests.get(f"{servers.pypi_url}/_world/truth/{what}", params=arguments, timeout=10).json()["result"]


def test_verbs_change_the_world(world: World, servers: Servers) -> None:
    answer = post(servers, "pypi/create", name="from-outside", classifiers=["Framework :: Flask"], summary="Hi").json()
    assert answer["result"] == answer["serial"] == world.pypi.serial
    assert "from-outside" in truth(servers, "members", classifier="Framework :: Flask")
    post(servers, "pypi/release", name="from-outside", version="2.0", classifiers=[])
    assert "from-outside" not in truth(servers, "members", classifier="Framework :: Flask")
    assert "from-outside" in truth(servers, "ever_members", classifier="Framework :: Flask")
    post(servers, "pypi/reclassify", name="from-outside", classifiers=["Framework :: Flask"])
    assert truth(servers, "project", name="from-outside")["latest"] == "3.0"
    post(servers, "github/create", owner="someone", name="thing", stars=7)
    post(servers, "github/rename", owner="someone", name="thing", new_name="thing2")
    assert truth(servers, "github", owner="someone", name="thing")["name"] == "thing2"
    post(servers, "pypistats/set", name="from-outside", last_day=1, last_week=2, last_month=3)
    assert truth(servers, "downloads", name="from-outside")["last_month"] == 3
    urls = {"Source": "https://github.com/someone/thing", "Issues": "https://github.com/other/wrong/issues"}
    post(servers, "pypi/release", name="from-outside", version="4.0", project_urls=urls)
    assert truth(servers, "repository", project="from-outside") == "someone/thing"


def test_faults_latency_and_limits_from_outside(world: World, servers: Servers) -> None:
    post(servers, "faults/add", kind="status", status=500, route="simple", times=1)
    assert requests.get(f"{servers.pypi_url}/simple/", timeout=10).status_code == 500
    post(servers, "latency", seconds=0.05)
    assert world.latency == 0.05
    post(servers, "github/quota", points=3)
    assert world.github.remaining == 3
    post(servers, "github/settings", token="another", max_repositories=5)
    assert (world.github.token, world.github.max_repositories) == ("another", 5)


def test_control_is_neither_logged_nor_spoiled(world: World, servers: Servers) -> None:
    post(servers, "faults/add", kind="status")
    assert post(servers, "faults/clear").status_code == 200
    log = requests.get(f"{servers.pypi_url}/_world/log?full=1", timeout=10).json()["result"]
    assert (log["requests"], log["list"]) == (0, [])


@pytest.mark.parametrize(
    ("verb", "arguments", "status"),
    [
        ("pypi/explode", {}, 404),
        ("pypi/release", {"name": "no-such-project", "version": "1"}, 400),
        ("pypi/release", {"nonsense": 1}, 400),
        ("github/settings", {"lock": 1}, 400),
        ("faults/add", {"kind": "explode"}, 400),
    ],
)
def test_mistakes_are_told(servers: Servers, verb: str, arguments: dict[str, Any], status: int) -> None:
    response = post(servers, verb, **arguments)
    assert response.status_code == status
    assert response.json()["error"]


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "pyf_pipeline_tests.world", "--sample"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running, json.loads(running.stdout.readline())
        finally:
            running.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_process_serves_until_a_signal(
    process: tuple[subprocess.Popen[str], dict[str, Any]], how: signal.Signals
) -> None:
    running, where = process
    assert where["projects"] == 300
    assert requests.get(f"{where['pypi_url']}/pypi/plone/json", timeout=10).json()["info"]["name"] == "Plone"
    assert requests.get(f"{where['github_url']}/rate_limit", timeout=10).status_code == 200
    running.send_signal(how)
    assert running.wait(10) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(where["pypi_url"], timeout=2)


def test_taken_port_is_an_error_that_leaves_nothing_behind(world: World, servers: Servers) -> None:
    port = int(servers.pypi_url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"), World(size=5).serve(github_port=port):
        pass
