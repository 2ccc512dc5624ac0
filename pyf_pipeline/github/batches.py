"""Which repositories are asked for next, and how many at once: as many as are answered reliably."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping

from pyf_pipeline.github.answers import Answer
from pyf_pipeline.github.links import RepositoryName

LARGEST = 100
# Successes in a row before a larger query is tried again: GitHub charges extra for those that time out.
PROOF = 3
# How often a repository is asked for that gets no answer while others do, or when it is asked for by itself.
TRIES = 3


class BatchSize:
    """A size that halves with trouble and grows again with success.

    Attributes:
        current: What to ask for next.
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self.current = largest
        self._largest = largest
        self._proven = 0

    def shrink(self, failed: int) -> None:
        """After a query of this size did not succeed."""
        self.current = max(1, failed // 2)
        self._proven = 0

    def grow(self) -> None:
        """After a query succeeded."""
        self._proven += 1
        if self._proven >= PROOF and self.current < self._largest:
            self.current = min(self._largest, self.current * 2)
            self._proven = 0


class Batches:
    """The repositories that are yet to be asked for; those that get no answer come again, but not for ever."""

    def __init__(self, names: Iterable[RepositoryName], size: BatchSize) -> None:
        self._queue = deque(names)
        self._size = size
        self._tries: Counter[RepositoryName] = Counter()

    def __bool__(self) -> bool:
        return bool(self._queue)

    def next(self, at_most: int) -> list[RepositoryName]:
        """The next batch; empty when all is done."""
        count = min(self._size.current, at_most, len(self._queue))
        return [self._queue.popleft() for _ in range(count)]

    def failed(self, batch: list[RepositoryName], reason: str) -> list[Answer]:
        """A query brought nothing: ask for half as many; give a repository up that failed by itself."""
        self._size.shrink(len(batch))
        if len(batch) > 1:
            self._queue.extendleft(reversed(batch))
            return []
        return self._later_or_never({batch[0]: reason})

    def succeeded(
        self, batch: list[RepositoryName], unanswered: Mapping[RepositoryName, str], *, too_large: bool
    ) -> list[Answer]:
        """A query was answered, maybe in part: what is missing comes again, or is given up."""
        if too_large and len(batch) > 1:
            self._size.shrink(len(batch))
            self._queue.extend(unanswered)
            return []
        self._size.grow()
        return self._later_or_never(unanswered)

    def _later_or_never(self, unanswered: Mapping[RepositoryName, str]) -> list[Answer]:
        self._tries.update(unanswered.keys())
        self._queue.extend(name for name in unanswered if self._tries[name] < TRIES)
        return [
            Answer(name, "unanswered", detail=reason)
            for name, reason in unanswered.items()
            if self._tries[name] >= TRIES
        ]
