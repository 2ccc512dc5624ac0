"""Project and release documents, as PyPI gave them, by name and serial."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Engine, Row, and_, bindparam, delete, func, select

from pyf_pipeline.catalog.model import ProjectDocument, Release
from pyf_pipeline.store.database import (
    in_chunks,
    missing_releases,
    project_documents,
    reading,
    release_documents,
    upsert,
    writing,
)

# How many documents are held in memory at once where many are read.
READ_AHEAD = 200


class ProjectDocuments:
    """The documents of projects, shared by all profiles.

    Of each project the latest document is kept and the one before it: a repository link that the latest metadata
    has lost may still be needed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, documents: Iterable[ProjectDocument]) -> None:
        """Store documents in one transaction, replacing those of the same name and serial."""
        rows = [
            {"name": d.name, "serial": d.serial, "fetched_at": d.fetched_at, "document": _packed(d)} for d in documents
        ]
        if not rows:
            return
        table = project_documents
        newest = (
            select(table.c.serial)
            .where(table.c.name == bindparam("project"))
            .order_by(table.c.serial.desc())
            .limit(2)
            .scalar_subquery()
        )
        outdated = delete(table).where(and_(table.c.name == bindparam("project"), table.c.serial.not_in(newest)))
        with writing(self._engine) as connection:
            upsert(connection, table, rows)
            connection.execute(outdated, [{"project": row["name"]} for row in rows])

    def serials(self, names: Iterable[str]) -> dict[str, int]:
        """The latest stored serial of each project that has a document."""
        table = project_documents
        found: dict[str, int] = {}
        with reading(self._engine) as connection:
            for chunk in in_chunks(names):
                query = select(table.c.name, func.max(table.c.serial)).where(table.c.name.in_(chunk))
                found.update((name, serial) for name, serial in connection.execute(query.group_by(table.c.name)))
        return found

    def read(self, names: Iterable[str]) -> Iterator[ProjectDocument]:
        """The latest document of each project that has one, in the order asked for, a few at a time."""
        table = project_documents
        for chunk in in_chunks(names, READ_AHEAD):
            query = select(table).where(table.c.name.in_(chunk)).order_by(table.c.serial)
            with reading(self._engine) as connection:
                latest = {row.name: row for row in connection.execute(query)}
            yield from (_unpacked(latest[name]) for name in chunk if name in latest)

    def earlier(self, name: str) -> list[ProjectDocument]:
        """The stored documents of a project before its latest one, newest first."""
        query = select(project_documents).where(project_documents.c.name == name)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(project_documents.c.serial.desc())).all()
        return [_unpacked(row) for row in rows[1:]]


class ReleaseDocuments:
    """The `info` of single releases. It does not change once published, so each is stored once and for good."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, name: str, version: str, info: Mapping[str, Any]) -> None:
        """Store a release's `info`."""
        row = {"name": name, "version": version, "document": zlib.compress(orjson.dumps(info), 1)}
        with writing(self._engine) as connection:
            upsert(connection, release_documents, [row])

    def put_missing(self, name: str, version: str, serial: int) -> None:
        """Remember that PyPI did not have a release when its project was at a serial."""
        with writing(self._engine) as connection:
            upsert(connection, missing_releases, [{"name": name, "version": version, "serial": serial}])

    def versions(self, name: str, serial: int) -> set[str]:
        """The versions of a project that need not be asked for.

        They are those whose documents are stored, and those that PyPI did not have when the project was at this serial.
        """
        stored = select(release_documents.c.version).where(release_documents.c.name == name)
        missing = select(missing_releases.c.version).where(
            missing_releases.c.name == name, missing_releases.c.serial >= serial
        )
        with reading(self._engine) as connection:
            return set(connection.scalars(stored)) | set(connection.scalars(missing))

    def read(self, name: str) -> dict[str, dict[str, Any]]:
        """The stored `info` of a project's releases, by version."""
        query = select(release_documents).where(release_documents.c.name == name)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {row.version: orjson.loads(zlib.decompress(row.document)) for row in rows}


def _packed(document: ProjectDocument) -> bytes:
    content = {"info": document.info, "releases": [release.model_dump() for release in document.releases]}
    return zlib.compress(orjson.dumps(content), 1)


def _unpacked(row: Row[Any]) -> ProjectDocument:
    content = orjson.loads(zlib.decompress(row.document))
    releases = tuple(Release.model_construct(**release) for release in content["releases"])
    return ProjectDocument(row.name, row.serial, content["info"], releases, row.fetched_at)
