"""Which documents fulfil a filter: a truth value for each document of a view."""

import sqlite3
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pyf_pipeline.embedded import filters, trie
from pyf_pipeline.embedded.arrays import BoolArray, IntArray, distinct, in_all
from pyf_pipeline.embedded.columns import Numbers
from pyf_pipeline.embedded.errors import bad_request
from pyf_pipeline.embedded.inverted import ELEMENT, LAST, PLACE
from pyf_pipeline.embedded.nearby import near_ranges
from pyf_pipeline.embedded.objects import Filterable, ObjectsView, objects_of
from pyf_pipeline.embedded.params import FILTER_CANDIDATES
from pyf_pipeline.embedded.postings import Runs
from pyf_pipeline.embedded.schema import Field
from pyf_pipeline.embedded.view import View

OBJECTS_TOGETHER = 1000
"""Of how many documents objects are held at once."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates filters over one view; the connection sees the view's version.

    Attributes:
        candidates: How many words a prefix stands for.
    """

    connection: sqlite3.Connection
    view: Filterable
    candidates: int = FILTER_CANDIDATES

    def mask(self, condition: filters.Condition) -> BoolArray:
        """Which documents fulfil a condition; raises `ApiError` where a value holds no word."""
        if isinstance(condition, filters.Combination):
            left, right = self.mask(condition.left), self.mask(condition.right)
            return left & right if condition.operator == "&&" else left | right
        found = self._plain(condition)
        return ~found if condition.negated else found

    def _plain(self, condition: filters.Condition) -> BoolArray:
        if isinstance(condition, filters.IdCondition):
            return self._ids(condition)
        if isinstance(condition, filters.NumberCondition):
            return self._numbers(condition)
        if isinstance(condition, filters.BoolCondition):
            return self._bools(condition)
        if isinstance(condition, filters.TextCondition):
            return self._texts(condition)
        if isinstance(condition, filters.ObjectCondition):
            return self._objects(condition)
        raise TypeError(condition)

    def _none(self) -> BoolArray:
        return np.zeros(self.view.size, dtype=bool)

    def _field(self, name: str) -> Field:
        return self.view.schema.by_name[name]

    def _ids(self, condition: filters.IdCondition) -> BoolArray:
        if "*" in condition.ids:
            return ~self._none()
        if not isinstance(self.view, View):
            raise TypeError(condition)
        found = documents_of(self.connection, self.view, condition.ids)
        mask = self._none()
        mask[list(found.values())] = True
        return mask

    def _numbers(self, condition: filters.NumberCondition) -> BoolArray:
        field = self._field(condition.field)
        column = self.view.numbers(self.connection, field)
        equal = [_number(field, text) for comparator, text in condition.comparisons if comparator == filters.EQUALS]
        mask = self._holders(column, np.isin(column.values, np.array(equal, dtype=column.values.dtype)))
        pairs = deque(c for c in condition.comparisons if c[0] != filters.EQUALS)
        while pairs and not mask.all():
            comparator, text = pairs.popleft()
            value = _number(field, text)
            if comparator == filters.NOT_EQUALS:
                mask |= ~self._holders(column, column.values == value)
            elif comparator != filters.RANGE:
                mask |= self._holders(column, _COMPARE[comparator](column.values, value))
            elif pairs:
                upper = _number(field, pairs.popleft()[1])
                mask |= self._holders(column, (column.values >= value) & (column.values <= upper))
        return mask

    def _bools(self, condition: filters.BoolCondition) -> BoolArray:
        column = self.view.numbers(self.connection, self._field(condition.field))
        return self._holders(column, np.isin(column.values, np.array(condition.values, dtype=np.int64)))

    def _holders(self, column: Numbers, hits: BoolArray) -> BoolArray:
        """The documents of which at least one value is a hit."""
        if len(hits) == self.view.size and (column.counts() == 1).all():
            return hits
        mask = self._none()
        mask[column.owners()[hits]] = True
        return mask

    def _texts(self, condition: filters.TextCondition) -> BoolArray:
        field = self._field(condition.field)
        mask = self._none()
        for value in condition.values:
            mask[self._text(field, value, exact=condition.exact)] = True
        return mask

    def _text(self, field: Field, value: str, *, exact: bool) -> IntArray:
        prefix = len(value) > 1 and value.endswith("*")
        analyser = self.view.analyser(self.connection, field.name)
        words = analyser.words(value.removesuffix("*") if prefix else value)
        if not words:
            raise bad_request(f"Error with filter field `{field.name}`: Filter value cannot be empty.")
        tokens = [w.encode() for w in words]
        if not prefix:
            return self._sequence(field, tokens, exact=exact, whole=True)
        variants = [[*tokens[:-1], last] for last in self._expansions(field, tokens)]
        found = [self._sequence(field, v, exact=exact, whole=False) for v in variants]
        return distinct(np.concatenate([np.zeros(0, dtype=np.int64), *found]))

    def _expansions(self, field: Field, tokens: list[bytes]) -> list[bytes]:
        known = self.view.vocabulary(self.connection, field.name)
        before = self.view.postings(self.connection, field.name, tokens[-2]) if len(tokens) > 1 else None

        def allowed(term: bytes) -> bool:
            if before is None:
                return self.view.document_count(self.connection, field.name, term) > 0
            documents = self.view.postings(self.connection, field.name, term).documents
            return len(in_all([documents, before.documents])) > 0

        (ranges,) = near_ranges([known], tokens[-1], 0, prefix=True)
        return trie.near(
            known.terms, ranges, tokens[-1], self.candidates, trie.Selection(allowed, allowed),
            taken=set(tokens[:-1]), itself=True,
        )  # fmt: skip

    def _sequence(self, field: Field, tokens: list[bytes], *, exact: bool, whole: bool) -> IntArray:
        """The documents with all tokens; if `exact`, in a text that begins with them, and if `whole`, ends there."""
        labelled = self.view.label_words(self.connection, field) if exact else None
        known = labelled.documents(tuple(tokens), whole=whole) if labelled else None
        if known is not None:
            return known
        found = [self.view.postings(self.connection, field.name, t) for t in tokens]
        documents = in_all(p.documents for p in found)
        if not exact or not len(documents):
            return documents
        keys = []
        for i, postings in enumerate(found):
            runs = self.view.runs(self.connection, field.name, postings, documents)
            keys.append(_placed(documents, runs, i, last=whole and i == len(tokens) - 1))
        return distinct(in_all(keys) >> 16)

    def _objects(self, condition: filters.ObjectCondition) -> BoolArray:
        """The documents of which one object fulfils the condition; only those are looked at that may have one."""
        mask = self._none()
        if not isinstance(self.view, View):
            raise TypeError(condition)
        documents = np.flatnonzero(self._possible(condition.inner))
        for low in range(0, len(documents), OBJECTS_TOGETHER):
            some = documents[low : low + OBJECTS_TOGETHER]
            objects, owners = objects_of(self.connection, self.view, some, condition.parent)
            inside = ObjectsView(self.view, objects, condition.parent)
            mask[some[owners[Evaluator(self.connection, inside, self.candidates).mask(condition.inner)]]] = True
        return mask

    def _possible(self, condition: filters.Condition) -> BoolArray:
        """The documents that may have such an object: all where it says what is not, else as if they were one."""
        if isinstance(condition, filters.Combination):
            left, right = self._possible(condition.left), self._possible(condition.right)
            return left & right if condition.operator == "&&" else left | right
        unequal = isinstance(condition, filters.NumberCondition) and any(
            c == filters.NOT_EQUALS for c, _ in condition.comparisons
        )
        return ~self._none() if condition.negated or unequal else self._plain(condition)


def _placed(documents: IntArray, runs: Runs, place: int, *, last: bool) -> IntArray:
    """Where a term is at a place in a text, as document * 65536 + number of the text."""
    hits = (runs.values & PLACE) == place
    if last:
        hits &= (runs.values & LAST) != 0
    owners = np.repeat(documents, runs.lengths)[hits]
    return distinct((owners << 16) | ((runs.values[hits] >> 16) & ELEMENT).astype(np.int64))


_COMPARE = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def _number(field: Field, text: str) -> np.float32 | int:
    with np.errstate(over="ignore"):
        return np.float32(text) if field.is_float else int(text)


def documents_of(connection: sqlite3.Connection, view: View, ids: Iterable[str]) -> dict[str, int]:
    """Which document of the view has which `id`; ids that no document has are left out."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, int] = {}
    for low in range(0, len(wanted), 500):
        some = wanted[low : low + 500]
        marks = ",".join("?" * len(some))
        query = f"SELECT id, seq FROM documents WHERE collection_id = ? AND id IN ({marks})"  # noqa: S608 - only marks
        for name, seq in connection.execute(query, (view.collection, *some)):
            found[name] = int(np.searchsorted(view.seqs, seq))
    return found
