"""Which projects carry which classifiers, as far as PyPI has been asked."""

import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Engine, func, or_, select

from pyf_pipeline.store.database import (
    classifications,
    discoveries,
    in_chunks,
    reading,
    upsert,
    writing,
)


@dataclass(frozen=True, slots=True)
class Discovery:
    """PyPI's answer to which projects have a release with a classifier.

    Attributes:
        serial: The index's serial when PyPI was asked; what moved later is not covered.
        asked_at: Epoch seconds.
        names: Normalised names.
    """

    serial: int
    asked_at: int
    names: frozenset[str]


class Classifications:
    """What is known of projects' classifiers, shared by all profiles."""

    def __init__(self, engine: Engine, now: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._now = now

    def put(self, classified: Mapping[str, tuple[int, Iterable[str]]]) -> None:
        """Remember the classifiers that projects carry at a serial: (serial, classifiers) by normalised name.

        What is known of a later serial stays.
        """
        rows = [
            {"name": name, "serial": serial, "classifiers": "".join(f"\n{value}" for value in values) + "\n"}
            for name, (serial, values) in classified.items()
        ]
        with writing(self._engine) as connection:
            upsert(connection, classifications, rows, unless_older="serial")

    def serials(self, names: Iterable[str]) -> dict[str, int]:
        """The serial at which each of these projects was classified, for those that were."""
        found: dict[str, int] = {}
        with reading(self._engine) as connection:
            for chunk in in_chunks(names):
                query = select(classifications.c.name, classifications.c.serial)
                rows = connection.execute(query.where(classifications.c.name.in_(chunk)))
                found.update((name, serial) for name, serial in rows)
        return found

    def carrying(self, wanted: Iterable[str]) -> set[str]:
        """The projects whose metadata was last seen to carry one of these classifiers or one below it."""
        text = classifications.c.classifiers
        matches = [
            or_(
                text.contains(f"\n{value}\n", autoescape=True),
                text.contains(f"\n{value} :: ", autoescape=True),
            )
            for value in wanted
        ]
        if not matches:
            return set()
        with reading(self._engine) as connection:
            return set(connection.scalars(select(classifications.c.name).where(or_(*matches))))

    def count(self) -> int:
        """How many projects are classified."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(classifications)) or 0

    def discovery(self, classifier: str) -> Discovery | None:
        """What PyPI last answered for a classifier."""
        query = select(discoveries).where(discoveries.c.classifier == classifier)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Discovery(row.serial, row.asked_at, frozenset(orjson.loads(zlib.decompress(row.names))))

    def put_discovery(self, classifier: str, serial: int, names: Iterable[str]) -> None:
        """Remember PyPI's answer for a classifier, given at an index serial, as of now."""
        row = {
            "classifier": classifier,
            "serial": serial,
            "asked_at": int(self._now()),
            "names": zlib.compress(orjson.dumps(sorted(names)), 1),
        }
        with writing(self._engine) as connection:
            upsert(connection, discoveries, [row])
