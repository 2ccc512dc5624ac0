"""The best documents by several keys, without ordering all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pyf_pipeline.embedded.arrays import IntArray

AHEAD = 100
"""So many more than are wanted are looked at in the first round."""

POOL = 1_000
"""Among so many more than are wanted they are looked for at first."""


class Scores(Protocol):
    """Scores of which some may not be known yet, only what they are at most."""

    scores: IntArray

    def unsettled(self, documents: IntArray) -> IntArray:
        """Those of the documents of which only is known what their scores are at most."""

    def settle(self, documents: IntArray) -> None:
        """Finds out the scores of some documents."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order of documents.

    Attributes:
        keys: Per document; the greater is better, the first decides before the second, and of equals the newer is
            better. One of them may be the `scores` of `pending`.
        pending: Scores that are to be found out where they matter; None where all keys are what they are.
    """

    keys: Sequence[IntArray]
    pending: Scores | None = None

    def best(self, documents: IntArray, count: int) -> IntArray:
        """The best of some documents, which are in ascending order: at most so many, the best first."""
        count = min(count, len(documents))
        if not count:
            return documents[:0]
        if self.pending is None:
            return self._leading(documents, count)
        size = POOL
        while (found := self._best_of(self.pending, documents, count, size)) is None:
            size *= 8
        return found

    def _best_of(self, pending: Scores, documents: IntArray, count: int, size: int) -> IntArray | None:
        """The same, looked for among those that may be the best; None where these turn out to be too few.

        To find the leading ones of all documents takes longer than to look at some more of their scores.
        """
        pool = self._leading(documents, min(count + size, len(documents)))
        least = self._place(int(pool[-1])) if len(pool) < len(documents) else None
        pool = np.sort(pool)
        ahead = AHEAD
        while True:
            # Scores only fall when they are found out: what leads with a score that is known stays ahead of the rest.
            leading = self._leading(pool, min(count + ahead, len(pool)))
            if not len(pending.unsettled(leading[:count])):
                ahead_of_all = least is None or self._place(int(leading[count - 1])) >= least
                return leading[:count] if ahead_of_all else None
            if least is not None and len(leading) == len(pool):
                return None
            pending.settle(leading)
            ahead *= 2

    def _place(self, document: int) -> tuple[float, ...]:
        """What a document is compared by; the greater comes first."""
        return (*(key[document].item() for key in self.keys), document)

    def _leading(self, documents: IntArray, count: int) -> IntArray:
        """The same of documents in ascending order, by the keys as they are now."""
        taken, rest, missing = [], documents, count
        for key in self.keys:
            if len(rest) <= missing:
                break
            values = key[rest]
            tied = values == values.max()
            if np.count_nonzero(tied) >= missing:
                # Common words tell few documents apart, and to find that out is much faster than to part them.
                rest = rest[tied]
                continue
            least = np.partition(values, len(rest) - missing)[len(rest) - missing]
            taken.append(rest[values > least])
            rest, missing = rest[values == least], missing - len(taken[-1])
        found = np.concatenate([*taken, rest[len(rest) - missing :]])
        return found[np.lexsort([found, *(key[found] for key in reversed(self.keys))])[::-1]]
