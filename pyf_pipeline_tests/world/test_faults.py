"""Misbehaviour arrives at a client as the real thing would."""

import socket
import time
from collections import Counter
from email.utils import parsedate_to_datetime

import pytest
import requests

from pyf_pipeline_tests.world import Fault, Servers, World


@pytest.fixture
def url(world: World, servers: Servers) -> str:
    return f"{servers.pypi_url}/pypi/{min(world.pypi.members('Framework :: Django'))}/json"


def test_status_with_and_without_retry_after(world: World, url: str) -> None:
    world.faults.add(Fault("status", status=429, retry_after=3, times=1))
    world.faults.add(Fault("status", status=503, retry_after=5, retry_after_date=True, times=1))
    world.faults.add(Fault("status", status=500, times=1))
    seconds, date, none, honest = (requests.get(url, timeout=10) for _ in range(4))
    assert (seconds.status_code, seconds.headers["retry-after"]) == (429, "3")
    assert 2 <= parsedate_to_datetime(date.headers["retry-after"]).timestamp() - time.time() <= 6
    assert (none.status_code, "retry-after" in none.headers) == (500, False)
    assert honest.status_code == 200


def test_reset_is_a_reset(world: World, servers: Servers, url: str) -> None:
    world.faults.add(Fault("reset", times=1))
    host, port = servers.pypi_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET /simple/ HTTP/1.1\r\nHost: world\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert requests.get(url, timeout=10).status_code == 200
    assert servers.log.requests[0].status == 0
    assert servers.log.summary()["faults"] == {"reset": 1}


def test_truncated_body_is_shorter_than_it_says(world: World, url: str) -> None:
    world.faults.add(Fault("truncate", times=1))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url, timeout=10)
    assert requests.get(url, timeout=10).json()["info"]


def test_bodies_that_are_not_what_they_should_be(world: World, url: str) -> None:
    for kind in ("html", "not_object", "info_null"):
        world.faults.add(Fault(kind, times=1))
    html, array, null = (requests.get(url, timeout=10) for _ in range(3))
    assert html.status_code == array.status_code == null.status_code == 200
    assert html.text.startswith("<!DOCTYPE html>")
    assert isinstance(array.json(), list)
    assert null.json()["info"] is None


def test_stale_answer_is_the_document_before_the_change(world: World, url: str) -> None:
    name = url.split("/")[-2]
    before = requests.get(url, timeout=10).json()
    world.pypi.release(name, "55.5")
    world.faults.add(Fault("stale", times=1))
    stale = requests.get(url, timeout=10)
    assert stale.json() == before
    assert int(stale.headers["x-pypi-last-serial"]) == before["last_serial"] < world.pypi.project(name).serial
    assert requests.get(url, timeout=10).json()["info"]["version"] == "55.5"


def test_share_is_kept_and_repeatable() -> None:
    def played() -> list[bool]:
        world = World(size=10, seed=4)
        world.faults.add(Fault("status", route="project", share=0.1))
        return [world.faults.choose("project", f"n{n}", "") is not None for n in range(2_000)]

    assert played() == played()
    assert 150 < sum(played()) < 250


def test_whose_turn_it_is_decides_nothing_about_a_share() -> None:
    """Else the last of many threads could meet all the bad luck that the seed holds, one try after another."""

    def played(order: list[str]) -> dict[str, list[bool]]:
        world = World(size=10, seed=4)
        world.faults.add(Fault("status", route="project", share=0.4))
        tries: dict[str, list[bool]] = {}
        for name in order:
            tries.setdefault(name, []).append(world.faults.choose("project", name, "") is not None)
        return tries

    names = [f"n{number}" for number in range(20)]
    assert played(names * 5) == played([name for name in reversed(names) for _ in range(5)])


def test_first_attempt_of_every_name_fails() -> None:
    world = World(size=10, seed=4)
    world.faults.add(Fault("status", route="project", per_name=1, match="^a"))
    names = ["a1", "a2", "a1", "b1", "a2", "a1"]
    assert [world.faults.choose("project", name, "") is not None for name in names] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    world.faults.clear()
    assert world.faults.choose("project", "a9", "") is None


def test_faults_of_documents_spare_other_routes(world: World, servers: Servers) -> None:
    world.faults.add(Fault("info_null"))
    world.faults.add(Fault("stale"))
    assert requests.get(f"{servers.pypi_url}/simple/", timeout=10).status_code == 200
    assert not servers.log.summary()["faults"]


def test_secondary_limit(world: World, servers: Servers) -> None:
    world.faults.add(Fault("secondary", route="graphql", retry_after=7, times=1))
    headers = {"Authorization": f"Bearer {world.github.token}"}
    responses = [
        requests.post(f"{servers.github_url}/graphql", json={"query": "{viewer{login}}"}, headers=headers, timeout=10)
        for _ in range(2)
    ]
    assert [response.status_code for response in responses] == [403, 200]
    assert responses[0].headers["retry-after"] == "7"
    assert "secondary rate limit" in responses[0].json()["message"]


def test_unknown_kind_and_impossible_share_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault kind"):
        Fault("explode")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="share"):
        Fault("status", share=2)


def test_latency_and_delay_hold_answers_back(world: World, url: str) -> None:
    world.latency = 0.1
    started = time.perf_counter()
    requests.get(url, timeout=10)
    assert time.perf_counter() - started >= 0.1
    world.latency = 0.0
    world.faults.add(Fault("delay", delay=0.2, times=1))
    started = time.perf_counter()
    assert requests.get(url, timeout=10).status_code == 200
    assert time.perf_counter() - started >= 0.2


def test_log_tells_who_asked_what(world: World, servers: Servers, url: str) -> None:
    with requests.Session() as session:
        session.headers["User-Agent"] = "someone/1.0"
        bodies = [session.get(url, timeout=10).raw for _ in range(3)]
        assert servers.log.open_connections == 1
    assert len(bodies) == 3
    assert servers.log.count("project") == servers.log.count(name=url.split("/")[-2]) == 3
    assert servers.log.user_agents == Counter({"someone/1.0": 3})
    assert servers.log.bytes > 0
    assert (servers.log.peak_connections, servers.log.accepted_connections) == (1, 1)
    servers.log.reset()
    assert servers.log.count() == 0
