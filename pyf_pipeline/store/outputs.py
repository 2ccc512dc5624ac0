"""What asset partitions hold: one Parquet file each, in a folder or in object storage."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

ROWS_AT_ONCE = 500


class OutputMissingError(LookupError):
    """An asset partition that is read was never written; the text says which, and how to write it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one write left behind.

    Attributes:
        path: The file's full address.
        rows: Its rows.
        bytes: Its size.
    """

    path: str
    rows: int
    bytes: int


class Outputs:
    """The stored outputs of asset partitions."""

    def __init__(self, url: str) -> None:
        """Use a folder, or a prefix in any storage that fsspec knows, such as `s3://bucket/prefix`."""
        self._root = UPath(url)

    def path(self, asset: str, partition: str) -> UPath:
        """Where the output of an asset's partition is stored."""
        return self._root / asset / f"{partition}.parquet"

    def exists(self, asset: str, partition: str) -> bool:
        """Whether the partition was ever written."""
        return bool(self.path(asset, partition).exists())

    def write(self, asset: str, partition: str, rows: pa.RecordBatchReader | pa.Table) -> Written:
        """Store a partition's complete content; until it is complete, whatever was there stays.

        Rows are written as they come, so that a reader over a generator needs no more memory than a batch.
        """
        target = self.path(asset, partition)
        local = target.protocol in {"", "file", "local"}
        if local:
            target.parent.mkdir(parents=True, exist_ok=True)
        folder = str(target.parent) if local else None
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{partition}-", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                count = _write_parquet(stream, rows)
                stream.flush()
                os.fsync(stream.fileno())
            size = Path(name).stat().st_size
            if local:
                Path(name).replace(str(target))
            else:
                target.fs.put_file(name, target.path)
        finally:
            Path(name).unlink(missing_ok=True)
        return Written(str(target), count, size)

    def rows(self, asset: str, partition: str) -> "StoredRows":
        """The rows of a partition, to be read when they are needed.

        Raises:
            OutputMissingError: The partition was never written.
        """
        path = self.path(asset, partition)
        if not path.exists():
            raise OutputMissingError(
                f"there is no output of {asset} for partition {partition!r} at {path}: materialise {asset} for this "
                f"partition first, for instance with `dagster asset materialize --select {asset} "
                f"--partition {partition}`"
            )
        return StoredRows(path)


@dataclass(frozen=True)
class StoredRows:
    """What one partition holds. Every read starts at the first row and needs no more memory than a batch.

    Attributes:
        path: The Parquet file.
    """

    path: UPath

    @property
    def schema(self) -> pa.Schema:
        """The schema, with the metadata that was written with it."""
        with self.path.open("rb") as stream:
            return pq.read_schema(stream)

    def __len__(self) -> int:
        """How many rows there are."""
        with self.path.open("rb") as stream:
            return int(pq.read_metadata(stream).num_rows)

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows, a batch at a time; all columns, or those named."""
        with self.path.open("rb") as stream, pq.ParquetFile(stream) as file:
            yield from file.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns)

    def table(self, columns: list[str] | None = None) -> pa.Table:
        """All rows at once; all columns, or those named."""
        with self.path.open("rb") as stream:
            return pq.read_table(stream, columns=columns)


def _write_parquet(stream: object, rows: pa.RecordBatchReader | pa.Table) -> int:
    reader = rows.to_reader(ROWS_AT_ONCE) if isinstance(rows, pa.Table) else rows
    count = 0
    with pq.ParquetWriter(stream, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count
