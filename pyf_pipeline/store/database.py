"""The store's tables, and how a database is opened, read and written by several processes at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

BUSY_SECONDS = 60

metadata = MetaData()

project_documents = Table(
    "project_documents",
    metadata,
    Column("name", String, primary_key=True),
    Column("serial", BigInteger, primary_key=True),
    Column("fetched_at", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False, comment="zlib over JSON: info and releases"),
)

release_documents = Table(
    "release_documents",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("document", LargeBinary, nullable=False, comment="zlib over JSON: the release's own info"),
)

classifications = Table(
    "classifications",
    metadata,
    Column("name", String, primary_key=True),
    Column("serial", BigInteger, nullable=False),
    Column("classifiers", Text, nullable=False, comment="one a line, a line break before and after each"),
)

discoveries = Table(
    "discoveries",
    metadata,
    Column("classifier", String, primary_key=True),
    Column("serial", BigInteger, nullable=False, comment="the index's serial when PyPI was asked"),
    Column("asked_at", BigInteger, nullable=False),
    Column("names", LargeBinary, nullable=False, comment="zlib over JSON: normalised names"),
)

indexes = Table(
    "indexes",
    metadata,
    Column("url", String, primary_key=True),
    Column("etag", String, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("serial", BigInteger, nullable=False, comment="the highest one"),
    Column("projects", LargeBinary, nullable=False, comment="zlib over JSON: normalised names, and their serials"),
)

ledgers = Table(
    "ledgers",
    metadata,
    Column("service", String, primary_key=True, comment="a limited service's address"),
    Column("entry", Text, nullable=False, comment="JSON: when it was called, and how often it may be"),
)

missing_releases = Table(
    "missing_releases",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("serial", BigInteger, nullable=False, comment="the project's serial when PyPI did not have the release"),
)

repositories = Table(
    "repositories",
    metadata,
    Column("key", String, primary_key=True, comment="owner/name as it was asked for, in lower case"),
    Column("checked_at", BigInteger, nullable=False),
    Column("entry", Text, nullable=False, comment="JSON: the cache entry"),
)

downloads = Table(
    "downloads",
    metadata,
    Column("name", String, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger, nullable=False, comment="0 where there never was an answer"),
    Column("known", Boolean, nullable=False, comment="whether pypistats knew the project then"),
    Column("last_day", BigInteger, comment="this and the next three: null where there never were figures"),
    Column("last_week", BigInteger),
    Column("last_month", BigInteger),
    Column("updated", BigInteger),
)

Index("classifications_by_serial", classifications.c.serial)


class StoreError(RuntimeError):
    """The store cannot be used; the text names the setting and what to do."""


def open_database(url: str) -> Engine:
    """Connect to the store's database and create what is missing of its tables.

    SQLite runs in write-ahead mode, so that readers and a writer of several processes do not block each other; a
    second writer waits its turn.

    Args:
        url: An SQLAlchemy address, `sqlite:///…` or `postgresql://…`.

    Raises:
        StoreError: The address is not usable, or nothing answers there.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            # From version 2.1 on SQLAlchemy would take another driver than the one that Dagster brings.
            parsed = parsed.set(drivername="postgresql+psycopg2")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args=_connect_args(parsed.get_backend_name()))
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        _create_tables(engine)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, OperationalError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StoreError(f"PYF_STORE_URL: the store cannot be opened: {reason}") from error
    return engine


def _create_tables(engine: Engine) -> None:
    """Under a lock, since processes that start together would each try to create the same tables."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7092026)")
        metadata.create_all(connection)


def _connect_args(backend: str) -> dict[str, Any]:
    return {"timeout": BUSY_SECONDS} if backend == "sqlite" else {"connect_timeout": 10}


def _prepare_sqlite(engine: Engine) -> None:
    """Take transactions into our own hands: the driver would begin them late and never as writers."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A transaction that reads first and writes later cannot wait for its turn; one that says so at once can.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading, outside any transaction."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed at the end, or rolled back where an exception leaves it."""
    with engine.begin() as connection:
        yield connection


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, unless_older: str | None = None
) -> None:
    """Insert rows, replacing those whose primary key is there already.

    Args:
        connection: A transaction.
        table: Where to.
        rows: What.
        unless_older: A column by whose value a row is told to be older than the one that is there, and is not taken.
    """
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    newer = None if unless_older is None else statement.excluded[unless_older] >= table.c[unless_older]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others, where=newer), list(rows))


def in_chunks(values: Iterable[str], size: int = 5_000) -> Iterator[list[str]]:
    """Lists of at most `size` values: SQLite binds 32,766 a statement, PostgreSQL 65,535."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk
