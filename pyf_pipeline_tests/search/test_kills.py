"""A publish that is killed (SIGKILL) before or after any of its requests that change something."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typesense.exceptions import ObjectNotFound

from pyf_pipeline.search import importing
from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.search.naming import locate
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.search.query import search
from pyf_pipeline_tests.search.conftest import Documents, Meddling, Send, contents, ids, make_foreign, names, numbered

COUNT = 6
NEW = Documents({**numbered(COUNT - 1, "two").content, "new": "two"})


def nothing_before(_server: SearchServer) -> None:
    """A server on which nobody has published yet."""


def one_version(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(COUNT))


def two_versions(server: SearchServer) -> None:
    for content in ("zero", "one"):
        Publisher(server).publish("plone", numbered(COUNT, content), rebuild=True)


def another_tools(server: SearchServer) -> None:
    make_foreign(server, "plone", COUNT)


def rebuild(server: SearchServer) -> None:
    Publisher(server).publish("plone", NEW, rebuild=True)


def update(server: SearchServer) -> None:
    Publisher(server).publish("plone", NEW)


def in_a_process(path: Path, action: Callable[[SearchServer], None], dying_after: int) -> int:
    """Do something in a process that is killed after so many changes; its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    done = 0

    def count(request: httpx.Request, send: Send) -> httpx.Response:
        nonlocal done
        changes = request.method != "GET"
        if changes and done == dying_after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = send(request)
        done += changes
        return answer

    try:
        server = connect_embedded(path, "key")
        Meddling(server, count)
        action(server)
    finally:
        os._exit(min(done, 255))
    raise AssertionError("the process has ended")


@pytest.mark.parametrize(
    ("before", "action", "allowed"),
    [
        (nothing_before, update, {0, COUNT}),
        (two_versions, rebuild, {COUNT}),
        (another_tools, rebuild, {COUNT}),
        # An update adds before it removes, so that for a moment there is one more.
        (one_version, update, {COUNT, COUNT + 1}),
    ],
)
def test_killed_anywhere_the_name_leads_to_all_documents_and_the_next_run_converges(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: Callable[[SearchServer], None],
    action: Callable[[SearchServer], None],
    allowed: set[int],
) -> None:
    monkeypatch.setattr(importing, "BATCH_DOCUMENTS", 3)
    start = tmp_path / "start"
    server = connect_embedded(start / "search.sqlite3", "key")
    before(server)
    server.close()
    kills = 0
    while True:
        shutil.copytree(start, state := tmp_path / str(kills))
        status = in_a_process(state / "search.sqlite3", action, kills)
        if not os.WIFSIGNALED(status):
            break
        kills += 1
        server = connect_embedded(state / "search.sqlite3", "key")
        assert number_served(server) in allowed | gap(server)
        update(server)
        assert contents(server, "plone") == NEW.content
        located = locate(server.client, "plone")
        assert located.live is not None
        assert names(server) <= {located.live.name, located.before(located.live), *spare(server)}
        server.close()
    assert os.WEXITSTATUS(status) == kills > 4


def number_served(server: SearchServer) -> int:
    located = locate(server.client, "plone")
    assert located.live is None or located.live.complete
    # What is called complete may be served by the next run before it has done anything else.
    assert {version.documents for version in located.versions if version.complete} <= {COUNT, COUNT + 1}
    try:
        return len(ids(server, "plone"))
    except ObjectNotFound:
        return 0


def gap(server: SearchServer) -> set[int]:
    """Nothing is served between the two requests of a take-over; then the next version is complete already."""
    located = locate(server.client, "plone")
    between = located.serving is None and any(version.complete for version in located.versions)
    return {0} if between else set()


def spare(server: SearchServer) -> set[str]:
    """The one version beside the one that is served."""
    located = locate(server.client, "plone")
    others = [version.name for version in located.versions if version != located.live]
    assert len(others) <= 1
    return set(others)


def test_searches_do_not_notice_publishes_that_are_killed(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite3"
    server = connect_embedded(path, "key")
    Publisher(server).publish("plone", numbered(40))
    stop = threading.Event()
    found: list[int] = []

    def ask() -> None:
        while not stop.is_set():
            found.append(search(server.client, "plone", {"q": "*", "query_by": "name"})["found"])

    asking = threading.Thread(target=ask)
    asking.start()
    for pause in (0.0, 0.13, 0.41):
        command = [sys.executable, "-W", "ignore", "-m", "pyf_pipeline_tests.search.publishing", str(path), "40"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as publishing:
            assert publishing.stdout is not None
            publishing.stdout.readline()
            time.sleep(pause)
            assert publishing.poll() is None
            publishing.kill()
    Publisher(server).publish("plone", numbered(40, "last"))
    stop.set()
    asking.join()
    assert len(found) > 20
    assert set(found) == {40}
    assert set(contents(server, "plone").values()) == {"last"}
    assert len(names(server)) <= 2
    server.close()


def test_processes_that_publish_to_one_name_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite3"
    command = [sys.executable, "-W", "ignore", "-m", "pyf_pipeline_tests.search.publishing", str(path), "20", "3"]
    publishing = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    assert [process.wait(60) for process in publishing] == [0, 0, 0]
    for process in publishing:
        assert process.stdout is not None
        process.stdout.close()
    server = connect_embedded(path, "key")
    assert ids(server, "plone") == numbered(20).content.keys()
    assert len(names(server)) == 2
    assert locate(server.client, "plone").live is not None
    server.close()
