import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from pyf_pipeline.search import locks
from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.search.errors import BusyError
from pyf_pipeline.search.locks import locked
from pyf_pipeline.search.naming import LOCKS
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline_tests.search.conftest import Documents, ids, numbered

FORK = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.02)


def held(server: SearchServer) -> list[str]:
    return sorted(ids(server, LOCKS))


def test_a_lock_is_there_for_as_long_as_it_is_held(server: SearchServer) -> None:
    with locked(server.client, "plone", wait=0), locked(server.client, "django", wait=0) as lock:
        lock.check()
        assert held(server) == ["django", "plone"]
    assert held(server) == []


def test_it_is_given_back_when_something_goes_wrong(server: SearchServer) -> None:
    with pytest.raises(ZeroDivisionError), locked(server.client, "plone", wait=0):
        _ = 1 / 0
    assert held(server) == []


def test_who_waits_in_vain_is_told_who_has_it(server: SearchServer) -> None:
    host = os.uname().nodename
    with (
        locked(server.client, "plone", wait=0),
        pytest.raises(BusyError, match=f"plone is being .* by process {os.getpid()} on {host} since"),
        locked(server.client, "plone", wait=0.1),
    ):
        raise AssertionError("two hold it")


def test_of_two_publishes_the_second_waits(server: SearchServer) -> None:
    first_is_at_it, go_on = threading.Event(), threading.Event()

    class Slow(Documents):
        def documents(self, ids):  # type: ignore[no-untyped-def]
            first_is_at_it.set()
            assert go_on.wait(10)
            return super().documents(ids)

    first = threading.Thread(target=Publisher(server).publish, args=("plone", Slow(numbered(5).content)))
    first.start()
    assert first_is_at_it.wait(10)
    with pytest.raises(BusyError):
        Publisher(server, wait=0).publish("plone", numbered(5, "two"))
    Publisher(server, wait=0).publish("django", numbered(3))
    second = threading.Thread(target=Publisher(server).publish, args=("plone", numbered(6, "two")))
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert len(ids(server, "plone")) == 6
    assert held(server) == []


def hold_until_killed(path: Path, ready: object) -> None:
    server = connect_embedded(path, "key")
    with locked(server.client, "plone", wait=0):
        ready.set()  # type: ignore[attr-defined]
        time.sleep(60)


def killed_holder(path: Path) -> None:
    """Leave a lock whose holder was killed."""
    ready = FORK.Event()
    process = FORK.Process(target=hold_until_killed, args=(path, ready))
    process.start()
    assert ready.wait(20)
    process.kill()
    process.join()


def test_the_lock_of_a_process_that_is_gone_is_taken_over_at_once(tmp_path: Path) -> None:
    killed_holder(tmp_path / "search.sqlite3")
    server = connect_embedded(tmp_path / "search.sqlite3", "key")
    assert held(server) == ["plone"]
    with locked(server.client, "plone", wait=0) as lock:
        lock.check()
    assert held(server) == []
    server.close()


def test_the_lock_of_a_dead_process_elsewhere_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_holder(tmp_path / "search.sqlite3")
    monkeypatch.setattr(locks, "_machine", lambda: "another machine")
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.5)
    server = connect_embedded(tmp_path / "search.sqlite3", "key")
    started = time.monotonic()
    with locked(server.client, "plone", wait=10):
        assert time.monotonic() - started > 0.5
    server.close()


def test_a_lock_that_is_renewed_does_not_pass(server: SearchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "RENEWAL_SECONDS", 0.05)
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.5)
    monkeypatch.setattr(locks, "_is_gone", lambda _held: False)
    with (
        locked(server.client, "plone", wait=0) as lock,
        pytest.raises(BusyError),
        locked(server.client, "plone", wait=1.2),
    ):
        lock.check()


def test_a_holder_that_was_cut_off_too_long_notices(server: SearchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.1)
    with locked(server.client, "plone", wait=0) as asleep, locked(server.client, "plone", wait=5) as awake:
        awake.check()
        with pytest.raises(BusyError, match="another process has begun to publish plone"):
            asleep.check()
        awake.check()


def test_of_many_who_find_a_dead_holder_one_gets_the_lock(tmp_path: Path) -> None:
    killed_holder(tmp_path / "search.sqlite3")
    server = connect_embedded(tmp_path / "search.sqlite3", "key")
    inside, most = [0], [0]
    guard = threading.Lock()

    def work() -> None:
        with locked(server.client, "plone", wait=30):
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            with guard:
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    server.close()
