"""The best documents by several keys, without ordering all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pyf_pipeline.embedded.arrays import IntArray

AHEAD = 100
"""So many more than are wanted are looked at in the first round."""


PEELED = 3
"""So many of a key's highest values are taken one after another before the rest is parted."""


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
        """The best of some documents, at most so many, in their order."""
        count = min(count, len(documents))
        if not count:
            return documents[:0]
        if self.pending is None:
            return self._leading(documents, count)
        ahead = AHEAD
        while True:
            # Scores only fall when they are found out: what leads with a score that is known stays ahead of the rest.
            leading = self._leading(documents, min(count + ahead, len(documents)))
            if not len(self.pending.unsettled(leading[:count])):
                return leading[:count]
            self.pending.settle(leading)
            ahead *= 2

    def _leading(self, documents: IntArray, count: int) -> IntArray:
        """The same by the keys as they are now."""
        taken, rest, missing = [], documents, count
        for key in self.keys:
            if len(rest) <= missing:
                break
            values = key[rest]
            for _ in range(PEELED):
                # Common words tell few documents apart, and to find that out is faster than to part them all.
                tied = values == values.max()
                number = int(np.count_nonzero(tied))
                if number >= missing:
                    break
                taken.append(rest[tied])
                rest, values, missing = rest[~tied], values[~tied], missing - number
            else:
                least = np.partition(values, len(rest) - missing)[len(rest) - missing]
                taken.append(rest[values > least])
                tied, missing = values == least, missing - len(taken[-1])
            rest = rest[tied]
        found = np.concatenate([*taken, rest[len(rest) - missing :]])
        return found[np.lexsort([found, *(key[found] for key in reversed(self.keys))])[::-1]]
