"""The store as a whole."""

from dataclasses import dataclass

from sqlalchemy import Engine

from pyf_pipeline.store.classifications import Classifications
from pyf_pipeline.store.database import open_database
from pyf_pipeline.store.documents import ProjectDocuments, ReleaseDocuments
from pyf_pipeline.store.downloads import DownloadRecords
from pyf_pipeline.store.indexes import IndexSnapshots
from pyf_pipeline.store.ledgers import Ledgers


@dataclass(frozen=True)
class Store:
    """What is remembered between runs, shared by all profiles and by several processes at once."""

    engine: Engine
    documents: ProjectDocuments
    releases: ReleaseDocuments
    knowledge: Classifications
    snapshots: IndexSnapshots
    ledgers: Ledgers
    downloads: DownloadRecords

    @classmethod
    def open(cls, url: str) -> "Store":
        """Open the store at an SQLAlchemy address, creating what is missing.

        Raises:
            StoreError: It cannot be opened.
        """
        engine = open_database(url)
        return cls(
            engine,
            ProjectDocuments(engine),
            ReleaseDocuments(engine),
            Classifications(engine),
            IndexSnapshots(engine),
            Ledgers(engine),
            DownloadRecords(engine),
        )

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
