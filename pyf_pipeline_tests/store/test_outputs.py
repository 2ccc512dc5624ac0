from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pyf_pipeline.store.outputs import OutputMissingError, Outputs

SCHEMA = pa.schema([("n", pa.int64())])


def reader(numbers: Iterator[int] | range) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(SCHEMA, (pa.record_batch([[n]], schema=SCHEMA) for n in numbers))


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(str(tmp_path / "storage"))


def test_rows_are_read_as_often_as_wanted(outputs: Outputs) -> None:
    written = outputs.write("asset", "plone", reader(range(1200)))
    rows = outputs.rows("asset", "plone")
    assert written.rows == len(rows) == 1200
    assert written.bytes == Path(written.path).stat().st_size
    for _ in range(2):
        assert [n for batch in rows.batches() for n in batch["n"].to_pylist()] == list(range(1200))
    assert rows.table(["n"]).num_rows == 1200


def test_metadata_of_the_schema_survives(outputs: Outputs) -> None:
    outputs.write("asset", "plone", pa.table({"n": [1]}, SCHEMA.with_metadata({b"key": b"value"})))
    assert outputs.rows("asset", "plone").schema.metadata[b"key"] == b"value"


def test_a_partition_without_rows_is_not_a_missing_one(outputs: Outputs) -> None:
    outputs.write("asset", "plone", reader(range(0)))
    assert len(outputs.rows("asset", "plone")) == 0
    assert not outputs.exists("asset", "flask")


def test_a_write_that_fails_leaves_what_was_there_and_no_rubbish(outputs: Outputs, tmp_path: Path) -> None:
    outputs.write("asset", "plone", reader(range(3)))

    def broken() -> Iterator[int]:
        yield 7
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        outputs.write("asset", "plone", reader(broken()))
    assert outputs.rows("asset", "plone").table()["n"].to_pylist() == [0, 1, 2]
    assert [path.name for path in (tmp_path / "storage" / "asset").iterdir()] == ["plone.parquet"]


def test_a_partition_that_was_never_written_says_how_to_write_it(outputs: Outputs) -> None:
    with pytest.raises(OutputMissingError, match="dagster asset materialize --select asset --partition plone"):
        outputs.rows("asset", "plone")


def test_object_storage_takes_the_same_road() -> None:
    outputs = Outputs("memory://bucket/prefix")
    outputs.write("asset", "plone", reader(range(3)))
    outputs.write("asset", "plone", reader(range(2)))
    assert outputs.exists("asset", "plone")
    assert outputs.rows("asset", "plone").table()["n"].to_pylist() == [0, 1]
