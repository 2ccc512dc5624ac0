import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from pyf_pipeline_tests.cli.conftest import Shell


@pytest.fixture
def process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-u", "-m", "pyf_pipeline.cli.pyfsearch", "serve", "--port", "0"]
    with subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_the_index_is_served_with_a_key_that_is_told_once(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    key = re.search(r"this runs: (\S+)", process.stdout.readline())
    assert address
    assert key
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
