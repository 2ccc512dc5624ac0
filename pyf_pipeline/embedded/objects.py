"""Objects within documents, for a filter that is about one of them as a whole, such as `parts.{name:=x && size:>3}`."""

import bisect
import sqlite3
from typing import Any, Protocol

import numpy as np

from pyf_pipeline.embedded.analysis import Analyser
from pyf_pipeline.embedded.arrays import IntArray
from pyf_pipeline.embedded.building import postings_of
from pyf_pipeline.embedded.columns import Numbers, build_numbers
from pyf_pipeline.embedded.documents import bodies
from pyf_pipeline.embedded.flatten import value_at
from pyf_pipeline.embedded.inverted import TermPostings
from pyf_pipeline.embedded.labelled import LabelWords
from pyf_pipeline.embedded.nearby import Vocabulary
from pyf_pipeline.embedded.postings import NO_POSTINGS, Postings, Runs, nowhere
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.view import View


class Filterable(Protocol):
    """What filters are evaluated over."""

    @property
    def schema(self) -> Schema: ...  # noqa: D102 - as of a `View`

    @property
    def size(self) -> int: ...  # noqa: D102

    def numbers(self, connection: sqlite3.Connection, fld: Field) -> Numbers: ...  # noqa: D102

    def postings(self, connection: sqlite3.Connection, name: str, term: bytes) -> Postings: ...  # noqa: D102

    def runs(self, connection: sqlite3.Connection, name: str, postings: Postings, documents: IntArray) -> Runs: ...  # noqa: D102

    def document_count(self, connection: sqlite3.Connection, name: str, term: bytes) -> int: ...  # noqa: D102

    def vocabulary(self, connection: sqlite3.Connection, name: str) -> Vocabulary: ...  # noqa: D102

    def analyser(self, connection: sqlite3.Connection, name: str) -> Analyser: ...  # noqa: D102

    def label_words(self, connection: sqlite3.Connection, fld: Field) -> LabelWords | None: ...  # noqa: D102


class ObjectsView:
    """Objects that stand at `parent` in some documents, each as if it were a document of its own."""

    def __init__(self, view: View, objects: list[dict[str, Any]], parent: str) -> None:
        self.schema = view.schema
        self.size = len(objects)
        self._view = view
        self._objects = objects
        self._skipped = len(parent) + 1
        self._words: dict[str, TermPostings] = {}

    def _values(self, fld: Field) -> list[Any]:
        found = [value_at(o, fld.name[self._skipped :]) for o in self._objects]
        listed = [[v] if fld.is_array and v is not None and not isinstance(v, list) else v for v in found]
        return [v if v is not None and fld.holds(v) else None for v in listed]

    def numbers(self, connection: sqlite3.Connection, fld: Field) -> Numbers:  # noqa: ARG002 - as of a `View`
        """A field's numbers."""
        return build_numbers(fld, self._values(fld))

    def analyser(self, connection: sqlite3.Connection, name: str) -> Analyser:
        """What takes a field's texts apart."""
        return self._view.analyser(connection, name)

    def label_words(self, connection: sqlite3.Connection, fld: Field) -> LabelWords | None:  # noqa: ARG002 - as of a `View`
        """Nothing, as objects are not counted."""
        return None

    def _terms(self, connection: sqlite3.Connection, name: str) -> TermPostings:
        if name not in self._words:
            fld = self.schema.by_name[name]
            self._words[name], _ = postings_of(self.analyser(connection, name), fld, self._values(fld))
        return self._words[name]

    def vocabulary(self, connection: sqlite3.Connection, name: str) -> Vocabulary:
        """A field's terms."""
        return Vocabulary(self._terms(connection, name).terms)

    def postings(self, connection: sqlite3.Connection, name: str, term: bytes) -> Postings:
        """Where a term is in a field."""
        held = self._terms(connection, name)
        i = bisect.bisect_left(held.terms, term)
        if i == len(held.terms) or held.terms[i] != term:
            return NO_POSTINGS
        low, high = int(held.starts[i]), int(held.starts[i + 1])
        bounds = held.occurrence_starts[low : high + 1]
        runs = Runs(bounds - bounds[0], held.occurrences[bounds[0] : bounds[-1]])
        return Postings(held.documents[low:high].astype(np.int64), runs.lengths, held=runs)

    def document_count(self, connection: sqlite3.Connection, name: str, term: bytes) -> int:
        """In how many objects a field has a term."""
        return len(self.postings(connection, name, term))

    def runs(
        self,
        connection: sqlite3.Connection,  # noqa: ARG002 - as of a `View`
        name: str,  # noqa: ARG002
        postings: Postings,
        documents: IntArray,
    ) -> Runs:
        """The occurrences of a field's term in each of some objects."""
        return postings.runs(nowhere, documents)


def objects_of(
    connection: sqlite3.Connection, view: View, documents: IntArray, parent: str
) -> tuple[list[dict[str, Any]], IntArray]:
    """The objects at `parent` in documents of a view, and which of these documents each is in."""
    objects: list[dict[str, Any]] = []
    owners: list[int] = []
    for i, body in enumerate(bodies(connection, view.collection, view.seqs[documents])):
        value = value_at(body, parent)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                objects.append(each)
                owners.append(i)
    return objects, np.array(owners, dtype=np.int64)
