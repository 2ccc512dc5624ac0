"""What ingesting needs to be remembered between runs, as protocols: whoever starts a run brings a store that has it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.pypi.index import Snapshots
from pyf_pipeline.pypi.pace import Ledger, OwnLedger


class Answer(Protocol):
    """An answer of XML-RPC that is kept."""

    @property
    def serial(self) -> int:
        """The index's serial when it was given."""

    @property
    def asked_at(self) -> int:
        """When it was given, in epoch seconds."""

    @property
    def names(self) -> frozenset[str]:
        """Normalised names."""


class Knowledge(Protocol):
    """What is known of projects' classifiers."""

    def put(self, classified: Mapping[str, tuple[int, Iterable[str]]]) -> None:
        """Keep (serial, classifiers) by normalised name, unless something later is known."""

    def serials(self, names: Iterable[str]) -> dict[str, int]:
        """The serial at which projects were classified."""

    def carrying(self, wanted: Iterable[str]) -> set[str]:
        """The projects last seen to carry a classifier or one below it."""

    def discovery(self, classifier: str) -> Answer | None:
        """The kept answer of XML-RPC for a classifier."""

    def put_discovery(self, classifier: str, serial: int, names: Iterable[str]) -> None:
        """Keep an answer of XML-RPC, given at an index serial."""


class Documents(Protocol):
    """Where project documents are kept."""

    def put(self, documents: Iterable[ProjectDocument]) -> None:
        """Keep documents."""

    def serials(self, names: Iterable[str]) -> dict[str, int]:
        """The serials of the documents kept."""

    def read(self, names: Iterable[str]) -> Iterator[ProjectDocument]:
        """The documents kept, in the order asked for."""


class ReleaseDocuments(Protocol):
    """Where the metadata of single releases is kept."""

    def put(self, name: str, version: str, info: Mapping[str, Any]) -> None:
        """Keep a release's metadata."""

    def put_missing(self, name: str, version: str, serial: int) -> None:
        """Keep that PyPI did not have a release when its project was at a serial."""

    def versions(self, name: str, serial: int) -> set[str]:
        """The versions of a project that are kept, or were missing when it was at this serial."""


@dataclass(frozen=True)
class Memory:
    """What is remembered between runs; with a ledger that is not shared, each process has a budget of calls alone."""

    documents: Documents
    releases: ReleaseDocuments
    knowledge: Knowledge
    snapshots: Snapshots
    ledger: Ledger = field(default_factory=OwnLedger)
