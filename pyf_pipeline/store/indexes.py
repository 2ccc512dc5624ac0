"""The last index that each PyPI answered with, so that an unchanged one need not be sent again."""

import time
import zlib
from collections.abc import Callable, Mapping

import orjson
from sqlalchemy import Engine, select

from pyf_pipeline.store.database import indexes, reading, upsert, writing


class IndexSnapshots:
    """One index for each address."""

    def __init__(self, engine: Engine, now: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._now = now

    def get(self, url: str) -> dict[str, int] | None:
        """The serials by normalised name, or None where nothing is kept."""
        with reading(self._engine) as connection:
            packed = connection.scalar(select(indexes.c.projects).where(indexes.c.url == url))
        if packed is None:
            return None
        names, serials = orjson.loads(zlib.decompress(packed))
        return dict(zip(names, serials, strict=True))

    def summary(self, url: str) -> tuple[str, int, int] | None:
        """The entity tag, the number of projects and the highest serial, without reading the index itself."""
        query = select(indexes.c.etag, indexes.c["count"], indexes.c.serial).where(indexes.c.url == url)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row[0], row[1], row[2])

    def put(self, url: str, etag: str, serials: Mapping[str, int]) -> None:
        """Keep an index in place of the one before it."""
        row = {
            "url": url,
            "etag": etag,
            "fetched_at": int(self._now()),
            "count": len(serials),
            "serial": max(serials.values(), default=0),
            "projects": zlib.compress(orjson.dumps([list(serials), list(serials.values())]), 1),
        }
        with writing(self._engine) as connection:
            upsert(connection, indexes, [row])
