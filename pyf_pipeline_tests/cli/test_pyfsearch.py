import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from pyf_pipeline.cli.output import Output
from pyf_pipeline.cli.page import page_over
from pyf_pipeline.cli.server import search_server
from pyf_pipeline.search.client import connect, connect_embedded
from pyf_pipeline.search.keys import create_search_key, delete_key, list_keys
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.query import defaults
from pyf_pipeline.settings import load_settings
from pyf_pipeline_tests.cli.conftest import Shell
from pyf_pipeline_tests.embedded.conftest import listening
from pyf_pipeline_tests.search.conftest import make_foreign, numbered
from pyf_pipeline_tests.search.serving import ADMIN_KEY, Node, serving


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-u", "-m", "pyf_pipeline.cli.pyfsearch", *words, "--port", "0"]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=dict(os.environ), **pipes) as process:
        yield process
        process.kill()


@pytest.fixture
def process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with running("serve") as process:
        yield process


def address_told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    told = process.stdout.readline()
    found = re.search(r"at (http://127\.0\.0\.1:\d+)", told)
    assert found, told or process.stderr.read()
    return found.group(1)


def test_the_index_is_served_with_a_key_that_is_told_once(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    key = re.search(r"this runs: (\S+)", process.stdout.readline())
    assert address
    assert key
    page = requests.get(address.group(), timeout=10).text
    told = re.search(r'id="data">(.*?)</script>', page)
    assert told
    assert json.loads(told.group(1))["defaults"] == defaults()
    url = f"{address.group()}/collections"
    assert requests.get(url, headers={"x-typesense-api-key": key.group(1)}, timeout=10).json() == []
    assert requests.get(url, headers={"x-typesense-api-key": "other"}, timeout=10).status_code == 401
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_a_wrong_key_is_one_line(process: subprocess.Popen[str], shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.stdout is not None
    address = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
    assert address
    monkeypatch.setenv("TYPESENSE_HOST", "127.0.0.1")
    monkeypatch.setenv("TYPESENSE_PORT", address.group(1))
    monkeypatch.setenv("TYPESENSE_API_KEY", "not-the-key")
    for words in (("pyfupdater", "-lsn"), ("pyfaggregator", "-i", "-p", "plone")):
        ran = shell(*words)
        assert ran.code == 1
        (line,) = ran.err.splitlines()
        assert "rejects the key: set TYPESENSE_API_KEY to its admin key" in line
        assert "not-the-key" not in line


def test_what_keeps_it_from_serving_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = shell("pyfsearch", "serve", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert "choose another with --host and --port" in ran.err
    monkeypatch.setenv("TYPESENSE_HOST", "search.example")
    ran = shell("pyfsearch", "serve")
    assert ran.code == 1
    assert "unset TYPESENSE_HOST" in ran.err


# -- page -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def typesense(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A server over the network with a collection of ours, an older version of it, and one of another tool."""
    path = tmp_path / "elsewhere.sqlite3"
    own = connect_embedded(path, ADMIN_KEY)
    for content in ("one", "two"):
        Publisher(own).publish("plone", numbered(3, content), rebuild=True)
    make_foreign(own, "private")
    own.close()
    with serving(path) as node:
        monkeypatch.setenv("TYPESENSE_NODES", node.address)
        monkeypatch.setenv("TYPESENSE_API_KEY", ADMIN_KEY)
        yield node


def data_of(address: str) -> dict[str, Any]:
    shell = requests.get(address, timeout=10).text
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', shell, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def search(address: str, key: str, collection: str) -> requests.Response:
    body = {"searches": [{"collection": collection, "q": "*"}]}
    return requests.post(f"{address}/multi_search", json=body, headers={"x-typesense-api-key": key}, timeout=10)


def test_the_page_is_shown_over_a_server_with_a_key_that_searches_what_it_offers(typesense: Node) -> None:
    with running("page") as process:
        address = address_told(process)
        data = data_of(address)
        assert [c["name"] for c in data["collections"]] == ["plone"]
        assert search(address, data["key"], "plone").json()["results"][0]["found"] == 3
        for refused in ("private", "pyf_pipeline_locks", "plone-1"):
            assert search(address, data["key"], refused).status_code == 401
        for path in ("/collections", "/keys", "/collections/plone", "/collections/plone/documents/export"):
            given = {"x-typesense-api-key": data["key"]}
            assert requests.get(typesense.address + path, headers=given, timeout=10).status_code == 401
        assert requests.get(f"{address}/health", timeout=10).json() == {"ok": True}
        assert ADMIN_KEY not in requests.get(address, timeout=10).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    with page(typesense) as address:
        assert data_of(address)["key"] == data["key"], "the same key after a restart, and one in all"
    headers = {"x-typesense-api-key": ADMIN_KEY}
    keys = requests.get(f"{typesense.address}/keys", headers=headers, timeout=10).json()["keys"]
    assert [(k["description"], k["collections"]) for k in keys] == [("search page: plone", ["plone"])]


@contextmanager
def page(node: Node, *names: str, key: str = "") -> Iterator[str]:
    """The page in this process; gives its address."""
    environment = {"TYPESENSE_NODES": node.address, "TYPESENSE_API_KEY": ADMIN_KEY, "TYPESENSE_SEARCH_KEY": key}
    settings = load_settings(environment, Path("none"))
    with (
        search_server(settings) as server,
        listening(page_over(server, settings, names, Output(quiet=False, as_json=False))) as port,
    ):
        yield f"http://127.0.0.1:{port}"


def test_what_is_published_and_what_is_taken_away_meanwhile_is_noticed(typesense: Node) -> None:
    server = connect([typesense.address], ADMIN_KEY, 10)
    with page(typesense) as address:
        first = data_of(address)
        Publisher(server).publish("django", numbered(2))
        second = data_of(address)
        assert [c["name"] for c in second["collections"]] == ["django", "plone"]
        assert search(address, second["key"], "django").json()["results"][0]["found"] == 2
        assert search(address, first["key"], "plone").status_code == 200, "pages that are open go on searching"
        for key in list_keys(server):
            delete_key(server, key.id)
        assert search(address, second["key"], "plone").status_code == 401
        assert search(address, data_of(address)["key"], "plone").status_code == 200
    server.close()


def test_collections_of_other_tools_are_shown_where_they_are_named(typesense: Node, shell: Shell) -> None:
    with page(typesense, "private", "plone") as address:
        assert [c["name"] for c in data_of(address)["collections"]] == ["private", "plone"]
    ran = shell("pyfsearch", "page", "--collection", "none", "--port", "0")
    assert ran.code == 1
    assert "has no collection none" in ran.err


def test_a_server_with_nothing_to_offer_makes_no_key(typesense: Node) -> None:
    server = connect([typesense.address], ADMIN_KEY, 10)
    server.client.aliases["plone"].delete()
    with page(typesense) as address:
        said = data_of(address)
        assert (said["collections"], said["key"], said["problem"]) == ([], "", "")
    assert list_keys(server) == []
    server.close()


def test_a_key_of_ones_own_is_handed_out_if_it_only_searches(
    typesense: Node, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = connect([typesense.address], ADMIN_KEY, 10)
    own = create_search_key(server, "plone").value
    with page(typesense, key=own) as address:
        assert data_of(address)["key"] == own
    assert len(list_keys(server)) == 1
    server.close()
    monkeypatch.setenv("TYPESENSE_SEARCH_KEY", ADMIN_KEY)
    ran = shell("pyfsearch", "page", "--port", "0")
    assert ran.code == 1
    assert "TYPESENSE_SEARCH_KEY may do more than search" in ran.err
    assert ADMIN_KEY not in ran.err


def test_whoever_looks_while_the_server_is_away_is_told_no_more_than_that(
    typesense: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    with page(typesense) as address:
        typesense.faults.add("/collections", *["reset"] * 50)
        answer = requests.get(address, timeout=30)
        assert answer.status_code == 503
        assert "The search server cannot be reached" in answer.text
        assert typesense.address not in answer.text
        typesense.faults.queue.clear()
        assert requests.get(address, timeout=10).status_code == 200
    assert f"pyfsearch: the search server at {typesense.address} does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "`pyfsearch serve` shows the same page"),
        ({"TYPESENSE_HOST": "127.0.0.1", "TYPESENSE_PORT": "9", "TYPESENSE_API_KEY": "x"}, "does not answer"),
        ({"TYPESENSE_HOST": "127.0.0.1"}, "TYPESENSE_API_KEY is not set"),
    ],
)
def test_what_keeps_the_page_from_being_shown_is_one_line(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ran = shell("pyfsearch", "page", "--port", "0")
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert words in line


def test_a_key_that_the_server_refuses_is_one_line(
    typesense: Node, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TYPESENSE_API_KEY", "not-the-key")
    ran = shell("pyfsearch", "page", "--port", "0")
    assert ran.code == 1
    assert "rejects the key: set TYPESENSE_API_KEY to its admin key" in ran.err
