"""Outputs in a folder and in object storage: what holds for both."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from pyf_pipeline.store.files import StorageError
from pyf_pipeline.store.outputs import OutputMissingError, Outputs, StoredRows
from pyf_pipeline_tests.objectstore import ObjectStore

SCHEMA = pa.schema([("n", pa.int64())])


def reader(numbers: Iterator[int] | range) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(SCHEMA, (pa.record_batch([[n]], schema=SCHEMA) for n in numbers))


def numbers(rows: StoredRows) -> list[int]:
    return [n for batch in rows.batches() for n in batch["n"].to_pylist()]


@pytest.fixture(params=["folder", "s3"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Outputs]:
    """Opens the same outputs again and again, as each process and each tick does."""
    url = str(tmp_path / "storage")
    if request.param == "s3":
        service: ObjectStore = request.getfixturevalue("on_s3")
        url = f"s3://{service.bucket()}/some/prefix"
    return lambda: Outputs(url)


@pytest.fixture
def outputs(make: Callable[[], Outputs]) -> Outputs:
    return make()


def test_rows_are_read_as_often_as_wanted(outputs: Outputs) -> None:
    written = outputs.write("asset", "plone", reader(range(700)))
    rows = outputs.rows("asset", "plone")
    assert written.rows == len(rows) == 700
    assert written.path == rows.file.address
    assert written.bytes == len(rows.file.open().read())
    for _ in range(2):
        assert numbers(rows) == list(range(700))
    assert rows.table(["n"]).num_rows == 700


def test_metadata_of_the_schema_survives(outputs: Outputs) -> None:
    outputs.write("asset", "plone", pa.table({"n": [1]}, SCHEMA.with_metadata({b"key": b"value"})))
    assert outputs.rows("asset", "plone").schema.metadata[b"key"] == b"value"


def test_a_partition_without_rows_is_not_a_missing_one(outputs: Outputs) -> None:
    outputs.write("asset", "plone", reader(range(0)))
    assert len(outputs.rows("asset", "plone")) == 0
    assert not outputs.exists("asset", "flask")
    assert not outputs.exists("asset", "plo")


def test_a_write_that_fails_leaves_what_was_there(outputs: Outputs) -> None:
    outputs.write("asset", "plone", reader(range(3)))

    def broken() -> Iterator[int]:
        yield 7
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        outputs.write("asset", "plone", reader(broken()))
    assert numbers(outputs.rows("asset", "plone")) == [0, 1, 2]


def test_a_partition_that_was_never_written_says_how_to_write_it(outputs: Outputs) -> None:
    with pytest.raises(OutputMissingError, match="dagster asset materialize --select asset --partition plone"):
        outputs.rows("asset", "plone")


def test_what_others_write_replace_and_remove_is_seen_at_once(make: Callable[[], Outputs]) -> None:
    here, there = make(), make()
    assert not here.exists("asset", "plone")
    there.write("asset", "plone", reader(range(2)))
    assert here.exists("asset", "plone")
    first = here.rows("asset", "plone")
    there.write("asset", "plone", reader(range(5)))
    second = here.rows("asset", "plone")
    assert numbers(second) == [0, 1, 2, 3, 4]
    assert first.file.version != second.file.version
    assert here.rows("asset", "plone").file.version == second.file.version
    there.remove("asset", "plone")
    there.remove("asset", "plone")
    assert not here.exists("asset", "plone")


def test_a_reader_goes_on_with_what_it_has_begun(outputs: Outputs) -> None:
    outputs.write("asset", "plone", reader(range(1200)))
    rows = outputs.rows("asset", "plone")
    batches = rows.batches()
    found = next(batches)["n"].to_pylist()
    outputs.write("asset", "plone", reader(range(5000, 5003)))
    found += [n for batch in batches for n in batch["n"].to_pylist()]
    assert found == numbers(rows) == list(range(1200))
    assert len(rows) == 1200
    assert numbers(outputs.rows("asset", "plone")) == [5000, 5001, 5002]


def test_two_passes_at_once_do_not_disturb_each_other(outputs: Outputs) -> None:
    outputs.write("asset", "plone", reader(range(1200)))
    rows = outputs.rows("asset", "plone")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: numbers(rows), range(2))
    assert first == second == list(range(1200))
    pairs = zip(rows.batches(), rows.batches(), strict=True)
    assert all(one.equals(other) for one, other in pairs)


def test_whoever_reads_among_writers_reads_one_of_them(make: Callable[[], Outputs]) -> None:
    """Each writer has a number and a size of its own: a mixture would show, if it could be read at all."""
    sizes, reads, writes_per_read = {1: 300, 2: 900}, 15, 3
    turns = threading.Semaphore(0)

    def write(number: int) -> None:
        outputs = make()
        for _ in range(reads * writes_per_read):
            turns.acquire()
            outputs.write("asset", "plone", pa.table({"n": [number] * sizes[number]}, SCHEMA))

    outputs = make()
    outputs.write("asset", "plone", pa.table({"n": [1] * sizes[1]}, SCHEMA))
    seen = []
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, number) for number in sizes]
        for _ in range(reads):
            turns.release(len(sizes) * writes_per_read)
            seen.append(numbers(outputs.rows("asset", "plone")))
        for writer in writers:
            writer.result()
    seen.append(numbers(outputs.rows("asset", "plone")))
    assert all(found == [found[0]] * sizes[found[0]] for found in seen)


def test_a_folder_keeps_no_rubbish(tmp_path: Path) -> None:
    outputs = Outputs(str(tmp_path / "storage"))
    outputs.write("asset", "plone", reader(range(3)))
    with pytest.raises(RuntimeError):
        outputs.write("asset", "plone", reader(_broken()))
    assert [path.name for path in (tmp_path / "storage" / "asset").iterdir()] == ["plone.parquet"]


def _broken() -> Iterator[int]:
    yield 7
    raise RuntimeError("the source broke off")


def test_a_folder_that_cannot_be_used_is_told_before_there_is_anything_to_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"PYF_STORAGE_URL: .*file/storage cannot be used: Not a directory"):
        Outputs(str(tmp_path / "file" / "storage")).check()
    Outputs(str(tmp_path / "new" / "storage")).check()
    assert (tmp_path / "new" / "storage").is_dir()


def test_a_folder_may_be_named_as_an_address(tmp_path: Path) -> None:
    Outputs(f"file://{tmp_path}/storage").write("asset", "plone", reader(range(2)))
    assert numbers(Outputs(str(tmp_path / "storage")).rows("asset", "plone")) == [0, 1]


def test_another_object_storage_takes_the_same_road() -> None:
    outputs = Outputs("memory://bucket/prefix")
    outputs.check()
    outputs.write("asset", "plone", reader(range(3)))
    outputs.write("asset", "plone", reader(range(2)))
    assert outputs.exists("asset", "plone")
    assert numbers(outputs.rows("asset", "plone")) == [0, 1]
    outputs.remove("asset", "plone")
    assert not outputs.exists("asset", "plone")
