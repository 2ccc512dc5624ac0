"""How often projects were downloaded, one row for each project that was ever asked for, shared by all profiles."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, Row, select

from pyf_pipeline.catalog.model import DownloadRecord, Downloads
from pyf_pipeline.store.database import downloads, in_chunks, reading, upsert, writing


class DownloadRecords:
    """Records by the project's normalised name."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get_many(self, names: Iterable[str]) -> dict[str, DownloadRecord]:
        """The records that there are, by name."""
        found: dict[str, DownloadRecord] = {}
        with reading(self._engine) as connection:
            for chunk in in_chunks(names):
                rows = connection.execute(select(downloads).where(downloads.c.name.in_(chunk)))
                found.update((row.name, _record(row)) for row in rows)
        return found

    def put(self, record: DownloadRecord) -> None:
        """Keep a record in place of the project's last one; durable when it returns."""
        figures = record.downloads
        row = {
            "name": record.name,
            "asked_at": record.asked_at,
            "answered_at": record.answered_at,
            "known": record.known,
            **{field: getattr(figures, field, None) for field in ("last_day", "last_week", "last_month", "updated")},
        }
        with writing(self._engine) as connection:
            upsert(connection, downloads, [row])


def _record(row: Row[Any]) -> DownloadRecord:
    figures = None
    if row.updated is not None:
        figures = Downloads(row.last_day, row.last_week, row.last_month, row.updated)
    return DownloadRecord(row.name, row.asked_at, row.answered_at, row.known, figures)
