"""How many repositories are asked for at once: as many as are answered reliably."""

LARGEST = 100
# Successes in a row before a larger query is tried again: GitHub charges extra for those that time out.
PROOF = 3


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
