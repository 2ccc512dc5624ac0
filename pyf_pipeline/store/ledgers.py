"""Entries that several processes change in turn, such as the calls that were made to a limited service."""

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import Engine, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pyf_pipeline.store.database import ledgers, writing


class Ledgers:
    """One entry for each service."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def update(self, service: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Replace an entry by what a function makes of it, in one transaction that nobody else comes between.

        Args:
            service: Whose entry.
            change: Gives the new entry; given an empty one where there is none yet. It must not use the store.

        Returns:
            The new entry.
        """
        with writing(self._engine) as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            # So that there is a row to lock, also for the two that come first.
            connection.execute(dialect.insert(ledgers).values(service=service, entry="{}").on_conflict_do_nothing())
            mine = ledgers.c.service == service
            before = orjson.loads(connection.scalars(select(ledgers.c.entry).where(mine).with_for_update()).one())
            after = change(before)
            if after != before:
                connection.execute(update(ledgers).where(mine).values(entry=orjson.dumps(after).decode()))
        return after
