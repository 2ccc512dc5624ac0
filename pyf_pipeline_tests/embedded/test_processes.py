"""Several processes over one file: beside each other, and killed at any point."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typesense

from pyf_pipeline_tests.embedded.conftest import client_of, definition

SIZE = 50


@contextmanager
def writer(path: Path, name: str, batches: int, size: int = SIZE) -> Iterator[subprocess.Popen[str]]:
    """A process that imports batches into the collection `c`."""
    module = "pyf_pipeline_tests.embedded.writer"
    arguments = [sys.executable, "-W", "ignore", "-m", module, str(path), "c", name, str(batches), str(size)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def batches_found(client: typesense.Client) -> Counter[str]:
    """How many documents of each batch a filter finds, batch by batch."""
    documents = client.collections["c"].documents
    found = documents.search(
        {"q": "*", "facet_by": "tags", "max_facet_values": 10_000, "facet_strategy": "exhaustive", "per_page": 0}
    )
    return Counter({c["value"]: c["count"] for c in found["facet_counts"][0]["counts"]})


def test_two_processes_write_while_a_third_reads(path: Path, client: typesense.Client) -> None:
    client.collections.create(definition("c"))
    with writer(path, "one", 12) as one, writer(path, "two", 12) as two:
        assert (line(one), line(two)) == ("ready", "ready")
        while one.poll() is None or two.poll() is None:
            sizes = batches_found(client)
            assert set(sizes.values()) <= {SIZE}, "a reader saw part of a batch"
        assert (one.wait(), two.wait()) == (0, 0)
    assert batches_found(client) == {f"{n}-{b}": SIZE for n in ("one", "two") for b in range(12)}
    assert client.collections["c"].retrieve()["num_documents"] == 24 * SIZE
    assert len(client.collections["c"].documents.export().splitlines()) == 24 * SIZE


@pytest.mark.parametrize("answered", [0, 3])
def test_a_killed_writer_leaves_whole_batches_and_all_that_were_answered(
    path: Path, client: typesense.Client, answered: int
) -> None:
    client.collections.create(definition("c"))
    with writer(path, "killed", 10_000) as process:
        assert line(process) == "ready"
        for batch in range(answered):
            assert line(process) == str(batch)
        process.kill()
        process.wait()
    sizes = batches_found(client)
    assert set(sizes.values()) <= {SIZE}
    assert {f"killed-{b}" for b in range(answered)} <= set(sizes)
    assert client.collections["c"].retrieve()["num_documents"] == sum(sizes.values())
    again = client.collections["c"].documents.import_([{"id": "after", "name": "after"}], {"action": "create"})
    assert again == [{"success": True}]
    assert client.collections["c"].documents.search({"q": "after", "query_by": "name"})["found"] == 1


def test_many_processes_may_find_no_file_and_make_it_at_once(path: Path) -> None:
    code = "import sys; from pyf_pipeline.embedded.service import Service; Service(sys.argv[1], admin_key='k')"
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(6)]
    assert [p.wait() for p in processes] == [0] * 6


def test_a_forked_child_uses_the_index_beside_its_parent(path: Path, client: typesense.Client) -> None:
    client.collections.create(definition("c"))
    child = os.fork()
    if child == 0:
        try:
            client.collections["c"].documents.create({"id": "child", "name": "child"})
        finally:
            os._exit(0)
    client.collections["c"].documents.create({"id": "parent", "name": "parent"})
    os.waitpid(child, 0)
    assert client.collections["c"].retrieve()["num_documents"] == 2


def test_what_one_process_commits_the_next_request_of_another_sees(path: Path, client: typesense.Client) -> None:
    client.collections.create(definition("c"))
    with writer(path, "seen", 3) as process:
        assert line(process) == "ready"
        for batch in range(3):
            assert line(process) == str(batch)
            assert batches_found(client)[f"seen-{batch}"] == SIZE


def test_a_search_sees_the_old_collection_or_the_new_but_nothing_else(path: Path, client: typesense.Client) -> None:
    for number in (1, 2):
        client.collections.create(definition(f"c-{number}"))
        lines = [{"id": str(i), "name": f"version {number}"} for i in range(number * 10)]
        client.collections[f"c-{number}"].documents.import_(lines, {"action": "create"})
    client.aliases.upsert("c", {"collection_name": "c-1"})
    seen: set[tuple[int, int]] = set()
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        documents = client_of(path).collections["c"].documents
        try:
            while not done.is_set():
                found = documents.search({"q": "version", "query_by": "name"})
                seen.add((found["found"], found["out_of"]))
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(40):
        client.aliases.upsert("c", {"collection_name": f"c-{2 - turn % 2}"})
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen <= {(10, 10), (20, 20)}
    assert seen
