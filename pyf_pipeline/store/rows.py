"""Projects and packages as rows of Arrow tables, and back."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa

from pyf_pipeline.catalog.model import Downloads, Package, ProjectDocument, Release, Repository

ROWS_PER_BATCH = 200

# Whether the rows come from a run over a part of the profile only: then what is missing is not known to be gone.
PARTIAL = b"pyf_pipeline.partial"

_RELEASE = pa.struct(
    [
        ("version", pa.string()),
        ("upload_timestamp", pa.int64()),
        ("yanked", pa.bool_()),
        ("yanked_reason", pa.string()),
    ]
)
_INFO_BY_VERSION = pa.list_(pa.struct([("version", pa.string()), ("info", pa.string())]))

PROJECT_SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("display_name", pa.string()),
        pa.field("last_serial", pa.int64(), nullable=False),
        pa.field("info", pa.string(), nullable=False),
        pa.field("releases", pa.list_(_RELEASE), nullable=False),
        pa.field("release_infos", _INFO_BY_VERSION),
        pa.field("fetched_at", pa.timestamp("s", tz="UTC"), nullable=False),
    ]
)

_TEXTS = pa.list_(pa.string())
_PACKAGE_TYPES: Mapping[str, pa.DataType] = {
    "classifiers": _TEXTS,
    "keywords": _TEXTS,
    "requires_dist": _TEXTS,
    "project_urls": pa.map_(pa.string(), pa.string()),
    "yanked": pa.bool_(),
    "upload_timestamp": pa.int64(),
    "releases": pa.list_(_RELEASE),
    "last_serial": pa.int64(),
}
_FRAME_TYPES: Mapping[str, str] = {
    "stars": "int64",
    "watchers": "int64",
    "open_issues": "int64",
    "updated": "int64",
    "archived": "bool",
    "fetched_at": "int64",
}

PACKAGE_SCHEMA = pa.schema(
    [pa.field(name, _PACKAGE_TYPES.get(name, pa.string()), nullable=False) for name in Package.model_fields]
)


def project_rows(
    documents: Iterable[ProjectDocument],
    *,
    partial: bool,
    release_infos: Callable[[str], dict[str, Any]] | None = None,
) -> pa.RecordBatchReader:
    """Projects as rows, made as they are read, so that only a batch of them is in memory.

    Args:
        documents: The projects.
        partial: Whether they come from a run over a part of the profile.
        release_infos: Gives the releases' own metadata by version, where every release is wanted.
    """

    def row(document: ProjectDocument) -> dict[str, Any]:
        infos = None if release_infos is None else release_infos(document.name)
        return {
            "name": document.name,
            "display_name": str(document.info.get("name") or document.name),
            "last_serial": document.serial,
            "info": _json(document.info),
            "releases": [release.model_dump() for release in document.releases],
            "release_infos": infos and [{"version": v, "info": _json(info)} for v, info in infos.items()],
            "fetched_at": datetime.fromtimestamp(document.fetched_at, UTC),
        }

    schema = PROJECT_SCHEMA.with_metadata({PARTIAL: str(partial).lower()})
    return pa.RecordBatchReader.from_batches(schema, _batches(map(row, documents), schema))


def projects(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[ProjectDocument, dict[str, Any] | None]]:
    """The projects of rows, each with its releases' own metadata by version where the rows hold it."""
    for batch in batches:
        for row in batch.to_pylist():
            releases = tuple(Release.model_construct(**release) for release in row["releases"])
            document = ProjectDocument(
                row["name"],
                row["last_serial"],
                orjson.loads(row["info"]),
                releases,
                int(row["fetched_at"].timestamp()),
            )
            infos = row["release_infos"]
            yield document, infos and {entry["version"]: orjson.loads(entry["info"]) for entry in infos}


@dataclass
class PackageRows:
    """Packages as rows that can be counted before they are read, and are read once.

    Attributes:
        schema: The schema, with what kind of run they come from.
        batches: The rows that have not been read yet.
    """

    schema: pa.Schema
    batches: deque[pa.RecordBatch]

    @classmethod
    def of(cls, packages: Iterable[Package], *, partial: bool) -> "PackageRows":
        """Make rows of packages."""
        schema = PACKAGE_SCHEMA.with_metadata({PARTIAL: str(partial).lower()})
        return cls(schema, deque(_batches((_package_row(package) for package in packages), schema)))

    def __len__(self) -> int:
        """How many rows have not been read yet."""
        return sum(batch.num_rows for batch in self.batches)

    def reader(self) -> pa.RecordBatchReader:
        """The rows. Each batch is let go of as it is read: whoever holds the reader afterwards holds no rows."""
        return pa.RecordBatchReader.from_batches(self.schema, self._drain())

    def _drain(self) -> Iterator[pa.RecordBatch]:
        while self.batches:
            yield self.batches.popleft()


def packages(batches: Iterable[pa.RecordBatch]) -> Iterator[Package]:
    """The packages of rows; they were validated when they were written, and are not validated again."""
    for batch in batches:
        for row in batch.to_pylist():
            row["project_urls"] = dict(row["project_urls"])
            row["releases"] = tuple(Release.model_construct(**release) for release in row["releases"])
            for name in ("classifiers", "keywords", "requires_dist"):
                row[name] = tuple(row[name])
            yield Package.model_construct(**row)


def repository_frame(by_project: Mapping[str, Repository]) -> pd.DataFrame:
    """The repositories of projects as a frame: one row for each, ordered by the project's name."""
    columns = [field.name for field in fields(Repository)]
    rows = [(project, *astuple(by_project[project])) for project in sorted(by_project)]
    frame = pd.DataFrame(rows, columns=["project", *columns])
    # A frame without rows has no types of its own, and the file needs the same ones every time.
    return frame.astype({name: _FRAME_TYPES.get(name, "string") for name in frame.columns})


def repositories_by_project(frame: pd.DataFrame | None) -> dict[str, Repository]:
    """The repositories of a frame by project; none where there is no frame."""
    if frame is None:
        return {}
    records: list[dict[str, Any]] = frame.drop(columns="project").to_dict("records")  # type: ignore[assignment]
    return {project: Repository(**record) for project, record in zip(frame["project"], records, strict=True)}


def download_frame(by_project: Mapping[str, Downloads]) -> pd.DataFrame:
    """The downloads of projects as a frame: one row for each, ordered by the project's name."""
    columns = [field.name for field in fields(Downloads)]
    rows = [(project, *astuple(by_project[project])) for project in sorted(by_project)]
    frame = pd.DataFrame(rows, columns=["project", *columns])
    return frame.astype({"project": "string", **dict.fromkeys(columns, "int64")})


def downloads_by_project(frame: pd.DataFrame | None) -> dict[str, Downloads]:
    """The downloads of a frame by project; none where there is no frame."""
    if frame is None:
        return {}
    records: list[dict[str, Any]] = frame.drop(columns="project").to_dict("records")  # type: ignore[assignment]
    return {project: Downloads(**record) for project, record in zip(frame["project"], records, strict=True)}


def is_partial(schema: pa.Schema) -> bool:
    """Whether rows with this schema come from a run over a part of the profile."""
    return (schema.metadata or {}).get(PARTIAL) == b"true"


def _package_row(package: Package) -> dict[str, Any]:
    row = package.model_dump()
    row["project_urls"] = list(package.project_urls.items())
    return row


def _batches(rows: Iterable[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, ROWS_PER_BATCH)):
        yield pa.RecordBatch.from_pylist(chunk, schema)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
