"""What is known of GitHub repositories, one row for each, shared by all profiles."""

from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Engine, select

from pyf_pipeline.store.database import in_chunks, reading, repositories, upsert, writing


class Entry(Protocol):
    """What is kept of a repository."""

    @property
    def key(self) -> str:
        """The name under which it is kept."""

    @property
    def checked_at(self) -> int:
        """When GitHub was last asked, in epoch seconds."""

    def to_json(self) -> str:
        """The entry as text."""


EntryType = TypeVar("EntryType", bound=Entry)


class Repositories(Generic[EntryType]):
    """Entries of repositories by key."""

    def __init__(self, engine: Engine, read: Callable[[str], EntryType]) -> None:
        """Keep entries in a database.

        Args:
            engine: The store's database.
            read: Makes an entry of the text that its `to_json` gave.
        """
        self._engine = engine
        self._read = read

    def get_many(self, keys: Iterable[str]) -> dict[str, EntryType]:
        """The entries that there are, by key."""
        found: dict[str, EntryType] = {}
        with reading(self._engine) as connection:
            for chunk in in_chunks(keys):
                rows = connection.execute(select(repositories).where(repositories.c.key.in_(chunk)))
                found.update((row.key, self._read(row.entry)) for row in rows)
        return found

    def put_many(self, entries: Iterable[EntryType]) -> None:
        """Keep entries in one transaction, in place of those of the same keys."""
        # One statement may not touch a row twice, and of two answers the later one counts.
        rows = {e.key: {"key": e.key, "checked_at": e.checked_at, "entry": e.to_json()} for e in entries}
        with writing(self._engine) as connection:
            upsert(connection, repositories, list(rows.values()))
