"""Files that are replaced whole and read whole, wherever they are.

Whoever reads a file has one version of it, from its first byte to its last and as often as they like, whatever takes
its place meanwhile. Whoever replaces one does so at once and at the end: killed before, they have changed nothing.
"""

import io
import os
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol
from weakref import finalize


class StorageError(RuntimeError):
    """Outputs cannot be stored or read; the text names the setting and what to do."""


class StorageAwayError(StorageError, ConnectionError):
    """Outputs cannot be stored or read at the moment; the text says why."""


class StoredFile(ABC):
    """One version of a file, held for as long as this object is.

    Attributes:
        address: Where the file is.
        version: What tells this version from those before and after it.
    """

    def __init__(self, address: str, version: str) -> None:
        self.address = address
        self.version = version
        self._holding = threading.Lock()
        self._descriptor: int | None = None

    def open(self) -> io.BufferedReader:
        """Its bytes from the first one on. Several may read at once, each from a position of their own.

        Raises:
            StorageError: It cannot be read.
        """
        return io.BufferedReader(_View(self, self._held()))

    def _held(self) -> int:
        with self._holding:
            if self._descriptor is None:
                self._descriptor = self._fetch()
                finalize(self, os.close, self._descriptor)
            return self._descriptor

    @abstractmethod
    def _fetch(self) -> int:
        """A descriptor of a file that nobody will change any more."""


class Files(Protocol):
    """Files by name; a name may have folders in it."""

    def check(self) -> None:
        """Make sure that files can be kept here, before there is one to be kept.

        Raises:
            StorageError: They cannot.
        """

    def address(self, name: str) -> str:
        """Where a file is."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def current(self, name: str) -> StoredFile | None:
        """A file as it is now; None where there is none."""

    def replacing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """What is written in the context is the file once the context has ended, unless an exception ends it."""

    def remove(self, name: str) -> None:
        """Remove a file, which need not be there."""


class Folder:
    """Files in a folder, which may be shared by machines."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def check(self) -> None:
        """Make sure that the folder is there, and can be written to.

        Raises:
            StorageError: It is not, or cannot.
        """
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"PYF_STORAGE_URL: {self._path} cannot be used: {error.strerror}") from error
        if not os.access(self._path, os.W_OK | os.X_OK):
            raise StorageError(f"PYF_STORAGE_URL: {self._path} cannot be written to")

    def address(self, name: str) -> str:
        """Where a file is."""
        return str(self._path / name)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self._path / name).exists()

    def current(self, name: str) -> StoredFile | None:
        """A file as it is now: it stays readable when another takes its name."""
        try:
            return _OpenedFile(self._path / name)
        except FileNotFoundError:
            return None

    @contextmanager
    def replacing(self, name: str) -> Iterator[BinaryIO]:
        """Write beside the file, and rename at the end."""
        target = self._path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            Path(part).replace(target)
        finally:
            Path(part).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file, which need not be there."""
        (self._path / name).unlink(missing_ok=True)


class _OpenedFile(StoredFile):
    """A file of a folder. It is opened when it is met, as later it may be another one."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), "")
        self._path = path
        state = os.fstat(self._held())
        self.version = f"{state.st_ino}-{state.st_mtime_ns}-{state.st_size}"

    def _fetch(self) -> int:
        return os.open(self._path, os.O_RDONLY)


class _View(io.RawIOBase):
    """A descriptor's bytes by a position of its own, which `os.dup` would not give it."""

    def __init__(self, file: StoredFile, descriptor: int) -> None:
        # Whoever reads holds the file, and with it the descriptor.
        self._file = file
        self._descriptor = descriptor
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(whence)
        self._position = offset + (os.fstat(self._descriptor).st_size if base is None else base)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # Buffer has no name before Python 3.12
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count
