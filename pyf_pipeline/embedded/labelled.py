"""Values of a facet by their words: what is exactly so is found among the values, where those are few."""

from collections.abc import Callable, Iterable

import numpy as np

from pyf_pipeline.embedded.arrays import IntArray
from pyf_pipeline.embedded.columns import MAX_FACET_BYTES, Labels

FEW_LABELS = 10_000
_CUT_BYTES = MAX_FACET_BYTES - 3
"""A label may have been cut if it is as long as that: before a character that would not have fitted."""

Words = tuple[bytes, ...]


class LabelWords:
    """The labels of a field by their words.

    Attributes:
        labels: The labels, not more than a few thousand different ones.
    """

    def __init__(self, labels: Labels, words: Callable[[str], Iterable[str]]) -> None:
        self.labels = labels
        self._owners = labels.owners()
        self._by_words: dict[Words, list[int]] = {}
        self._cut: list[Words] = []
        for code, name in enumerate(labels.names):
            found = tuple(word.encode() for word in words(name))
            if len(name.encode()) >= _CUT_BYTES:
                self._cut.append(found)
            self._by_words.setdefault(found, []).append(code)

    def documents(self, words: Words, *, whole: bool) -> IntArray | None:
        """The documents with a value of these words, or (not `whole`) that begins with them.

        None where that cannot be told, as a value that was cut may be meant.
        """
        length = len(words)
        if any(found[:-1] == words[: max(len(found) - 1, 0)] for found in self._cut):
            return None
        if whole:
            codes = self._by_words.get(words, [])
        else:
            codes = [code for found, some in self._by_words.items() if found[:length] == words for code in some]
        meant = np.zeros(len(self.labels.names), dtype=bool)
        meant[codes] = True
        having = np.zeros(len(self.labels.starts) - 1, dtype=bool)
        having[self._owners[meant[self.labels.codes]]] = True
        documents: IntArray = having.nonzero()[0]
        return documents
