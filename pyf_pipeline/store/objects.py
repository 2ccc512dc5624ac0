"""Files in object storage, such as S3: objects in a bucket, below a prefix.

A folder can rename, and keeps what is being read; object storage can do neither. There an object appears when all of it
has been sent, and is read in parts, each of which is asked for by itself. S3 is told with each which version the first
one was of, so that an object that is replaced meanwhile is read again from its start instead of being mixed from two.
"""

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

import fsspec

from pyf_pipeline.store.files import StorageAwayError, StorageError, StoredFile

# What is sent or read at once, and how many such parts of a file are sent at the same time: their product is the memory
# that it takes.
PART_BYTES = 8 * 2**20
PARTS_AT_ONCE = 4

# One run at a time is at work on a profile: what is replaced more often than this while it is read has another trouble.
READ_ATTEMPTS = 10

_LASTING = {errno.EINVAL, errno.ENOSYS, errno.EPERM, getattr(errno, "EREMCHG", errno.ENOENT)}


class Bucket:
    """Objects below a prefix."""

    def __init__(self, url: str) -> None:
        """Use a prefix of a bucket, such as `s3://bucket/prefix`.

        Raises:
            StorageError: The package for this kind of storage is not installed, or there is no such kind.
        """
        self._url = url.rstrip("/")
        try:
            # A remembered list of objects would hide what other processes have written since.
            self._fs, self._root = cast("tuple[Any, str]", fsspec.url_to_fs(self._url, use_listings_cache=False))
        except (ImportError, ValueError) as error:
            package = "pip install 'pyf-pipeline[s3]', or s3fs" if url.startswith("s3:") else str(error)
            raise StorageError(f"PYF_STORAGE_URL: {self._url} needs a package that is missing: {package}") from error

    def check(self) -> None:
        """Make sure that the bucket is there and lets us in; other storage than S3 shows when it is used.

        Raises:
            StorageError: It is not, or does not.
        """
        if "s3" in self._fs.protocol:
            bucket, _, prefix = self._root.partition("/")
            with self._explained():
                self._fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1)

    def address(self, name: str) -> str:
        """Where an object is."""
        return f"{self._url}/{name}"

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        return self.version(name) is not None

    def current(self, name: str) -> StoredFile | None:
        """An object; it is fetched when it is read first, as it is by then."""
        version = self.version(name)
        return None if version is None else _FetchedFile(self, name, version)

    def version(self, name: str) -> str | None:
        """What tells an object as it is now from what it was and will be; None where there is none.

        Raises:
            StorageError: The bucket is not there, or cannot be asked.
        """
        try:
            with self._explained():
                state = self._fs.info(self._path(name))
        except StorageError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            self.check()
            return None
        return None if state["type"] != "file" else _version(state)

    @contextmanager
    def replacing(self, name: str) -> Iterator[BinaryIO]:
        """Write to a file of this machine, which is sent at the end."""
        with tempfile.NamedTemporaryFile(prefix="pyf-", suffix=".part") as stream:
            yield cast("BinaryIO", stream)
            stream.flush()
            with self._explained():
                self._fs.put_file(stream.name, self._path(name), chunksize=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

    def remove(self, name: str) -> None:
        """Remove an object, which need not be there."""
        if self.exists(name):
            with self._explained():
                self._fs.rm_file(self._path(name))

    def fetch(self, name: str, target: IO[bytes]) -> None:
        """Have one version of an object in a file, the whole of it.

        Raises:
            StorageError: It cannot be read, or is there no more.
        """
        for _ in range(READ_ATTEMPTS):
            try:
                if self._copy(name, target):
                    return
            except StorageError as error:
                if not _is_replaced(error.__cause__):
                    raise
            target.seek(0)
            target.truncate()
        raise StorageAwayError(f"{self.address(name)} was replaced each of the {READ_ATTEMPTS} times it was read")

    def _copy(self, name: str, target: IO[bytes]) -> bool:
        """Copy an object part by part; returns whether all parts were of one version."""
        version = self.version(name)
        if version is None:
            raise StorageError(f"{self.address(name)} was removed before it could be read")
        with self._explained():
            source = self._fs.open(self._path(name), "rb", block_size=PART_BYTES, cache_type="none")
        with source:
            while part := self._read(source):
                target.write(part)
            target.flush()
            # Not every service heeds the version that it is told with each part.
            return source.size <= PART_BYTES or self.version(name) == version

    def _read(self, source: IO[bytes]) -> bytes:
        with self._explained():
            return source.read(PART_BYTES)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Have errors name the setting and what to do. What services and their clients say holds no secrets."""
        try:
            yield
        except _troubles() as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> StorageError:
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
        if isinstance(error, PermissionError) or "Credentials" in type(error).__name__:
            return StorageError(
                f"PYF_STORAGE_URL: {self._url} does not let us in ({reason}): check AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL where the service is not Amazon's, and that the key may do "
                "s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject"
            )
        if isinstance(error, FileNotFoundError):
            return StorageError(f"PYF_STORAGE_URL: {self._url}: {reason}: make the bucket, or correct the address")
        if _is_passing(error):
            return StorageAwayError(f"PYF_STORAGE_URL: {self._url} cannot be reached: {reason}")
        return StorageError(f"PYF_STORAGE_URL: {self._url} cannot be used: {reason}")


class _FetchedFile(StoredFile):
    """A copy of an object on this machine; it has no name, so that nothing is left of it."""

    def __init__(self, bucket: Bucket, name: str, version: str) -> None:
        super().__init__(bucket.address(name), version)
        self._bucket = bucket
        self._name = name

    def _fetch(self) -> int:
        with tempfile.TemporaryFile(prefix="pyf-") as copy:
            self._bucket.fetch(self._name, copy)
            return os.dup(copy.fileno())


def _version(state: Mapping[str, Any]) -> str:
    """What tells an object from others of its name: two of the same content do not differ in their tags."""
    return " ".join(str(state[key]) for key in ("ETag", "etag", "LastModified", "created", "size") if state.get(key))


def _is_replaced(error: BaseException | None) -> bool:
    """Whether a part was refused as it is another version's than the parts before it (`FileExpired` of s3fs)."""
    return isinstance(error, OSError) and error.errno == errno.EBUSY


def _troubles() -> tuple[type[Exception], ...]:
    """What can go wrong on the way to a service, as far as the packages for it are installed."""
    try:
        from aiohttp import ClientError  # noqa: PLC0415 - only those who use S3 have them
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    except ImportError:
        return (OSError,)
    return (OSError, BotoCoreError, ClientError)


def _is_passing(error: Exception) -> bool:
    """Whether it may be gone in a minute: a service that is away is, an address that cannot be is not."""
    if isinstance(error, OSError):
        return error.errno not in _LASTING
    # Of its own errors, botocore has those of the way below these two.
    return any(kind.__name__ in {"ConnectionError", "HTTPClientError", "ClientError"} for kind in type(error).__mro__)
