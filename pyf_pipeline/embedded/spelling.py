"""The words of the fields that may stand for the words of a query: the same, longer ones, misspelt ones.

How many typos each word of the query may have at one time is a plan. For a plan the words near each word are looked up
in the searched fields one after another, the better ones first, and no word twice. The last word is looked for where
the one before it is: in the fields that have that most often, and among the documents that have it.
"""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pyf_pipeline.embedded import trie
from pyf_pipeline.embedded.arrays import BoolArray, IntArray
from pyf_pipeline.embedded.nearby import Range, near_ranges
from pyf_pipeline.embedded.view import View


@dataclass(frozen=True, slots=True)
class SearchField:
    """A field that is searched, with its weight (15 at most) and its own settings."""

    name: str
    weight: int
    num_typos: int = 2
    prefix: bool = True
    infix: str = "off"


@dataclass(frozen=True, slots=True)
class QueryToken:
    """A word that was asked for; `prefix`: words that begin with it will do."""

    value: bytes
    prefix: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What may stand for each token under a plan.

    Attributes:
        words: Per token, as far as words were found.
        impossible: The token at whose number of typos there is no word; None where there is none such.
    """

    words: list[list[bytes]]
    impossible: int | None = None


@dataclass(slots=True)
class Speller:
    """Looks up words for one list of tokens.

    Attributes:
        connection: Sees the view's version.
        view: Its fields know the words.
        fields: The searched ones, the heaviest first.
        tokens: What was asked for.
        limit: How many words are enough for a token.
        frequency: Whether words of more documents are better; else those of documents that are sorted first.
        filtered: The documents of a filter, outside of which no word is of use; None for all.
        is_whole: Whether no word of the query was left out; only then the last word is looked for by the one before.
        near: Where words near others are in the fields; what is found out is put in.
    """

    connection: sqlite3.Connection
    view: View
    fields: Sequence[SearchField]
    tokens: Sequence[QueryToken]
    limit: int
    frequency: bool
    filtered: BoolArray | None
    is_whole: bool
    near: dict[tuple[bytes, int, bool], list[list[Range]]]
    _known: dict[tuple[bytes, int], list[bytes]] = field(default_factory=dict)

    def choices(self, plan: Sequence[int]) -> Choices:
        """The words for each token where each is to have so many typos."""
        taken: set[bytes] = set()
        found: list[list[bytes]] = []
        for place, (token, typos) in enumerate(zip(self.tokens, plan, strict=True)):
            words = self._known.get((token.value, typos))
            if words is None:
                follows = self.is_whole and 0 < place == len(self.tokens) - 1
                after = found[-1][0] if follows else None
                if after is not None and not self._fields_with(after):
                    return Choices(found)
                words = self._words(token, typos, after, taken)
            if not words:
                return Choices(found, impossible=place)
            found.append(words)
        return Choices(found)

    def _words(self, token: QueryToken, typos: int, after: bytes | None, taken: set[bytes]) -> list[bytes]:
        words: list[bytes] = []
        for each, before in self._places(after):
            if typos > each.num_typos:
                continue
            new = self._words_in(each, token, typos, before, taken)
            words += new
            if new:
                # What the first field with any word has is what is known of them from then on.
                self._known.setdefault((token.value, typos), list(words))
                if len(words) >= self.limit:
                    break
        return words

    def _places(self, after: bytes | None) -> Iterator[tuple[SearchField, bytes | None]]:
        """The fields to look in, and whether only beside the word before."""
        if after is not None:
            yield from ((each, after) for each in self._fields_with(after))
        if after is None or len(self.fields) > 1:
            yield from ((each, None) for each in self.fields)

    def _fields_with(self, word: bytes) -> list[SearchField]:
        """The fields that have a word, those with the most documents first."""
        counts = {each: self.view.document_count(self.connection, each.name, word) for each in self.fields}
        return sorted((each for each in self.fields if counts[each]), key=lambda each: -counts[each])

    def _words_in(
        self, each: SearchField, token: QueryToken, typos: int, before: bytes | None, taken: set[bytes]
    ) -> list[bytes]:
        if typos == 0 and not (each.prefix and token.prefix):
            # The word itself and nothing else.
            if token.value in taken or not self.view.document_count(self.connection, each.name, token.value):
                return []
            taken.add(token.value)
            return [token.value]
        known = self.view.vocabulary(self.connection, each.name)
        ranges = self._ranges(token.value, typos, prefix=each.prefix and token.prefix)[self.fields.index(each)]
        return trie.near(
            known.terms, ranges, token.value, self.limit, self._selection(each.name, before), taken=taken,
            itself=typos == 0,
        )  # fmt: skip

    def _ranges(self, word: bytes, typos: int, *, prefix: bool) -> list[list[Range]]:
        """The ranges of near terms in each of the fields, looked for in all of them at once."""
        key = (word, typos, prefix)
        if key not in self.near:
            known = [self.view.vocabulary(self.connection, each.name) for each in self.fields]
            self.near[key] = near_ranges(known, word, typos, prefix=prefix)
        return self.near[key]

    def _selection(self, name: str, before: bytes | None) -> trie.Selection:
        """Which of a field's words are of use, and which are better."""
        useful = self.filtered
        if before is not None and len(beside := self._documents(name, before)):
            useful = np.zeros(self.view.size, dtype=bool)
            useful[beside] = True if self.filtered is None else self.filtered[beside]

        def count(term: bytes) -> int:
            return self.view.document_count(self.connection, name, term)

        def allowed(term: bytes) -> bool:
            if useful is None:
                return count(term) > 0
            return bool(useful[self._documents(name, term)].any())

        def exists(term: bytes) -> bool:
            return count(term) > 0

        default = self.view.schema.by_name.get(self.view.schema.default_sorting_field)
        if self.frequency:
            return trie.Selection(allowed, exists, worth=lambda term: float(count(term)))
        if default is None or default.is_string:
            return trie.Selection(allowed, exists)
        values = self.view.numbers(self.connection, default).values
        return trie.Selection(
            allowed, exists, worth=lambda term: _highest(values, self._documents(name, term)), inner=math.inf
        )

    def _documents(self, name: str, term: bytes) -> IntArray:
        return self.view.postings(self.connection, name, term).documents


def _highest(values: IntArray, documents: IntArray) -> float:
    return float(np.max(values[documents])) if len(documents) else -math.inf
