"""Words written apart or together by mistake."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pyf_pipeline.embedded.arrays import IntArray, in_all
from pyf_pipeline.embedded.postings import Postings, Runs, phrase_documents
from pyf_pipeline.embedded.view import View

CONSIDERED = 5
"""Of a long query only the first words are joined and split."""


@dataclass(frozen=True, slots=True)
class Respeller:
    """Finds other spellings of a query that a field knows."""

    connection: sqlite3.Connection
    view: View
    name: str

    def respelt(self, words: list[bytes]) -> list[bytes] | None:
        """The query with all words joined, two neighbours joined, or one word split; None where nothing is known."""
        joined = b"".join(words)
        if len(words) > 1 and self._known(joined):
            return [joined]
        considered = min(CONSIDERED, len(words))
        if considered > 2:
            for i in range(considered - 1):
                other = [*words[:i], words[i] + words[i + 1], *words[i + 2 :]]
                if self._together(other):
                    return other
        for i in range(considered):
            parts = self._split(words[i])
            if parts and self._together(other := [*words[:i], *parts, *words[i + 1 :]]):
                return other
        return None

    def _postings(self, word: bytes) -> Postings:
        return self.view.postings(self.connection, self.name, word)

    def _runs(self, postings: Postings, documents: IntArray) -> Runs:
        return self.view.runs(self.connection, self.name, postings, documents)

    def _known(self, word: bytes) -> bool:
        return self.view.document_count(self.connection, self.name, word) > 0

    def _split(self, word: bytes) -> list[bytes] | None:
        for cut in range(len(word) - 1, 0, -1):
            parts = [word[:cut], word[cut:]]
            if all(map(self._known, parts)) and len(phrase_documents(self._runs, [self._postings(p) for p in parts])):
                return parts
        return None

    def _together(self, words: Sequence[bytes]) -> bool:
        """Whether some document has all the words in the field."""
        return len(in_all([self._postings(word).documents for word in set(words)])) > 0
