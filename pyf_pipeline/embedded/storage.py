"""The SQLite file: tables, connections and transactions.

Readers see one committed state for as long as a `read()` lasts, however many processes write meanwhile (WAL). Writers
queue for the write lock (`BEGIN IMMEDIATE`, a busy timeout) and commit with `synchronous=FULL`: what was answered is on
disk.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

BUSY_TIMEOUT_SECONDS = 120.0
IDLE_CONNECTIONS = 8
CACHE_KIBIBYTES = 4000
WAL_BYTES = 64 * 1024 * 1024
FORMAT = 2
READABLE = (1, 2)
"""Format 1 has the places of words beside the documents that have them; both are read, and what is written is new."""

_TABLES = """
CREATE TABLE IF NOT EXISTS collections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    definition BLOB NOT NULL,
    metadata BLOB,
    next_seq INTEGER NOT NULL DEFAULT 0,
    num_documents INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS aliases (name TEXT PRIMARY KEY, collection_name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS api_keys (
    id INTEGER PRIMARY KEY,
    salt BLOB NOT NULL,
    digest BLOB NOT NULL,
    prefix TEXT NOT NULL,
    description TEXT NOT NULL,
    actions BLOB NOT NULL,
    collections BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    autodelete INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS sealed_keys (key_id INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    collection_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS documents_by_seq ON documents (collection_id, seq);
CREATE UNIQUE INDEX IF NOT EXISTS documents_by_id ON documents (collection_id, id);
CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id INTEGER NOT NULL,
    size INTEGER NOT NULL,
    seqs BLOB NOT NULL,
    dead BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS segments_of ON segments (collection_id);
CREATE TABLE IF NOT EXISTS parts (
    segment_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (segment_id, name, chunk)
);
CREATE TABLE IF NOT EXISTS standings (
    id INTEGER PRIMARY KEY,
    collection_id INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    changed INTEGER NOT NULL,
    UNIQUE (collection_id, field, value)
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS named (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (kind, name)
);
"""


class Storage:
    """One SQLite file, used from any number of threads and processes at once.

    Connections are kept for the next request that needs one; after a fork the child opens its own.

    Attributes:
        path: Where the file is; its folder is made if need be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._inherited: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._closed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            with self._connection() as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            with self.write() as connection:
                self._check_format(connection)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps other processes from setting up the file too: SQLite does not wait to change the journal mode."""
        with self.path.with_name(self.path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _check_format(self, connection: sqlite3.Connection) -> None:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute("INSERT OR IGNORE INTO settings VALUES ('format', ?)", (FORMAT,))
        (found,) = connection.execute("SELECT value FROM settings WHERE name = 'format'").fetchone()
        if found not in READABLE:
            message = f"{self.path} was written in format {found}; this version reads format {FORMAT}"
            raise RuntimeError(f"{message}: use a new file, or the version that wrote it")
        connection.execute("UPDATE settings SET value = ? WHERE name = 'format'", (FORMAT,))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise RuntimeError(f"the index {self.path} is closed")
            if self._owner != os.getpid():
                # The parent's connections must not be closed here, so they are kept.
                self._inherited += self._idle
                self._idle, self._owner = [], os.getpid()
            if self._idle:
                return self._idle.pop()
        return self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < IDLE_CONNECTIONS and self._owner == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one committed state until the block ends."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A connection that alone may write; commits when the block ends, and nothing at all if it raises."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def copy_to(self, target: Path) -> None:
        """Writes the committed state into another file, which takes the place of one that is there."""
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".part")
        partial.unlink(missing_ok=True)
        with self._connection() as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
        partial.replace(target)

    def compact(self) -> None:
        """Rewrites the file without the space that deleted rows took; waits for the writers before it."""
        with self._connection() as connection:
            connection.execute("VACUUM")

    def close(self) -> None:
        """Closes the file; requests under way may end, others are refused."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
