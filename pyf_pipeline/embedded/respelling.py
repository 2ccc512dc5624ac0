"""Words written apart or together by mistake, and words that follow each other."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyf_pipeline.embedded.arrays import IntArray
from pyf_pipeline.embedded.view import Postings, View

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

    def _known(self, word: bytes) -> bool:
        return bool(len(self._postings(word).documents))

    def _split(self, word: bytes) -> list[bytes] | None:
        for cut in range(len(word) - 1, 0, -1):
            parts = [word[:cut], word[cut:]]
            if all(map(self._known, parts)) and len(phrase_documents([self._postings(p) for p in parts])):
                return parts
        return None

    def _together(self, words: Sequence[bytes]) -> bool:
        """Whether some document has all the words in the field."""
        counts = np.zeros(self.view.size, dtype=np.int64)
        distinct = set(words)
        for word in distinct:
            counts[self._postings(word).documents] += 1
        return bool((counts == len(distinct)).any())


def phrase_documents(postings: list[Postings]) -> IntArray:
    """The documents in which the terms follow each other in one text."""
    keys: IntArray | None = None
    for i, found in enumerate(postings):
        owners = np.repeat(np.asarray(found.documents, dtype=np.int64), np.diff(found.starts))
        possible = (found.occurrences & 0xFFFF) >= i
        places = (found.occurrences[possible] & 0x7FFFFFFF).astype(np.int64)
        shifted = ((owners[possible] << 31) | places) - i
        keys = shifted if keys is None else np.intersect1d(keys, shifted)
    return np.unique(keys >> 31) if keys is not None else np.zeros(0, dtype=np.int64)
