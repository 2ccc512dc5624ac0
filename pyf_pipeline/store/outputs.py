"""What asset partitions hold: one Parquet file each, in a folder or in object storage."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pyf_pipeline.store.files import Files, Folder, StoredFile

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
        """Use a folder, or a prefix in object storage such as `s3://bucket/prefix`.

        Raises:
            StorageError: The package for such a storage is not installed.
        """
        self._files = _open(url)

    def check(self) -> None:
        """Make sure that outputs can be stored, before there are any.

        Raises:
            StorageError: They cannot.
        """
        self._files.check()

    def exists(self, asset: str, partition: str) -> bool:
        """Whether the partition was ever written."""
        return self._files.exists(_name(asset, partition))

    def write(self, asset: str, partition: str, rows: pa.RecordBatchReader | pa.Table) -> Written:
        """Store a partition's complete content; until it is complete, whatever was there stays.

        Rows are written as they come, so that a reader over a generator needs no more memory than a batch.

        Raises:
            StorageError: They cannot be stored.
        """
        name = _name(asset, partition)
        with self._files.replacing(name) as stream:
            count = _write_parquet(stream, rows)
            size = stream.tell()
        return Written(self._files.address(name), count, size)

    def rows(self, asset: str, partition: str) -> "StoredRows":
        """The rows of a partition, to be read when they are needed.

        Raises:
            OutputMissingError: The partition was never written.
        """
        file = self._files.current(_name(asset, partition))
        if file is None:
            raise OutputMissingError(
                f"there is no output of {asset} for partition {partition!r} at "
                f"{self._files.address(_name(asset, partition))}: materialise {asset} for this "
                f"partition first, for instance with `dagster asset materialize --select {asset} "
                f"--partition {partition}`"
            )
        return StoredRows(file)

    def remove(self, asset: str, partition: str) -> None:
        """Remove a partition, which need not be there."""
        self._files.remove(_name(asset, partition))


@dataclass(frozen=True)
class StoredRows:
    """What one partition holds. Every read starts at the first row and needs no more memory than a batch.

    All reads are of the same content, whatever is stored in its place meanwhile.

    Attributes:
        file: The Parquet file.
    """

    file: StoredFile

    @property
    def schema(self) -> pa.Schema:
        """The schema, with the metadata that was written with it."""
        with self.file.open() as stream:
            return pq.read_schema(stream)

    def __len__(self) -> int:
        """How many rows there are."""
        with self.file.open() as stream:
            return int(pq.read_metadata(stream).num_rows)

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows, a batch at a time; all columns, or those named."""
        with self.file.open() as stream, pq.ParquetFile(stream) as file:
            yield from file.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns)

    def table(self, columns: list[str] | None = None) -> pa.Table:
        """All rows at once; all columns, or those named."""
        # By one thread: the threads of `pq.read_table` now and then abort a process that ends soon after.
        with self.file.open() as stream, pq.ParquetFile(stream) as file:
            return file.read(columns=columns, use_threads=False)


def _write_parquet(stream: object, rows: pa.RecordBatchReader | pa.Table) -> int:
    reader = rows.to_reader(ROWS_AT_ONCE) if isinstance(rows, pa.Table) else rows
    count = 0
    with pq.ParquetWriter(stream, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def _name(asset: str, partition: str) -> str:
    return f"{asset}/{partition}.parquet"


def _open(url: str) -> Files:
    if "://" not in url or url.startswith("file://"):
        return Folder(url.removeprefix("file://"))
    # What speaks to object storage takes its time to import.
    from pyf_pipeline.store.objects import Bucket  # noqa: PLC0415

    return Bucket(url)
