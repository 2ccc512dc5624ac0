import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

import pytest

from pyf_pipeline.search.workers import Lost, work

SLEEPS = 3600


def double(number: int) -> int:
    return 2 * number


def dangerous(item: str) -> str:
    """What a library in C might do to its process."""
    if item == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "hang":
        time.sleep(SLEEPS)
    if item == "eat":
        return str(len(bytearray(2**42)))
    if item == "exit":
        os._exit(3)
    return f"{item} in {os.getpid()}"


def pid(_: int) -> int:
    return os.getpid()


def test_results_come_in_order_and_none_is_missing() -> None:
    assert list(work(double, range(100), processes=2)) == [(n, 2 * n) for n in range(100)]


def test_nothing_to_do() -> None:
    assert list(work(double, [], processes=2)) == []


def test_work_is_done_in_other_processes() -> None:
    found = {result for _, result in work(pid, range(100), processes=2)}
    assert os.getpid() not in found
    assert 1 <= len(found) <= 2


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("crash", "SIGSEGV"),
        ("hang", "it took more than 0.5 s"),
        ("exit", "exit code 3"),
        ("eat", "exit code 1"),
    ],
)
def test_only_the_item_that_does_harm_is_lost(harm: str, reason: str) -> None:
    items = ["a", harm, "b", "c", harm]
    found = dict(enumerate(result for _, result in work(dangerous, items, processes=2, seconds=0.5)))
    for place in (1, 4):
        lost = found[place]
        assert isinstance(lost, Lost)
        assert reason in lost.reason
    assert [str(found[place]).split()[0] for place in (0, 2, 3)] == ["a", "b", "c"]


def test_items_are_read_only_as_they_are_needed() -> None:
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        for number in range(10_000):
            read = number
            yield number

    results = work(double, items(), processes=2)
    assert next(results) == (0, 0)
    assert read < 200
    results.close()


def test_whoever_stops_early_leaves_no_worker_behind() -> None:
    results = work(pid, range(1000), processes=2)
    workers = {next(results)[1] for _ in range(40)}
    results.close()
    for worker in workers:
        assert isinstance(worker, int)
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_an_error_while_items_are_read_is_the_readers() -> None:
    def items() -> Iterator[int]:
        yield 1
        fail()

    with pytest.raises(LookupError, match="no more"):
        list(work(double, items(), processes=1))


def fail() -> NoReturn:
    raise LookupError("no more")


PARENT = """
import sys, time
from pyf_pipeline.search.workers import work
from pyf_pipeline_tests.search.test_workers import pid
results = work(pid, range(1000), processes=1)
print(next(results)[1], flush=True)
time.sleep(3600)
"""


def test_a_worker_does_not_outlive_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 10
    while _runs(worker) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _runs(worker)


def _runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as stat:  # noqa: PTH123 - a Path says no more
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
