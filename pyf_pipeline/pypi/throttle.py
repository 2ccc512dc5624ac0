"""How many requests may be under way at once: fewer where PyPI shows that it is too many, more again when it is well.

The rule is TCP's: halve on trouble, add one for each round that went well.
"""

import threading
import time
from collections.abc import Callable

# Trouble counts as rising where the moving share of failed requests, over about 30 of them, passes this.
RISING_SHARE = 0.35
WEIGHT = 1 / 30


class Throttle:
    """The gate that all requests of a process go through."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.allowed = most
        self.slowed = 0
        self._now = now
        self._changed = threading.Condition()
        self._running = 0
        self._credit = 0
        self._trouble_share = 0.0
        self._resume_at = 0.0

    def enter(self) -> int:
        """Return as soon as a request may be sent; what is returned belongs to `leave`."""
        with self._changed:
            while (pause := self._owed()) is None or pause > 0:
                self._changed.wait(pause)
            self._running += 1
            return self.slowed

    def leave(self, entered: int, *, trouble: bool = False, too_many: bool = False) -> None:
        """Say how a request went.

        Args:
            entered: What `enter` returned. Requests sent before the last slowing do not slow it again.
            trouble: Whether PyPI failed to answer it.
            too_many: Whether PyPI said that there are too many.
        """
        with self._changed:
            self._running -= 1
            self._trouble_share += ((trouble or too_many) - self._trouble_share) * WEIGHT
            if (too_many or self._trouble_share > RISING_SHARE) and entered == self.slowed:
                self._slow()
            elif not (trouble or too_many):
                self._recover()
            self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Send nothing for so many seconds: who asks for a pause means the whole process, not one thread of it."""
        with self._changed:
            self._resume_at = max(self._resume_at, self._now() + seconds)

    def _owed(self) -> float | None:
        """Seconds until a request may be sent; None where one has to come back first."""
        if self._running >= self.allowed:
            return None
        return self._resume_at - self._now()

    def _slow(self) -> None:
        self.slowed += 1
        self.allowed = max(1, self.allowed // 2)
        self._credit = 0
        self._trouble_share = 0.0

    def _recover(self) -> None:
        self._credit += 1
        if self._credit >= self.allowed:
            self._credit = 0
            self.allowed = min(self.most, self.allowed + 1)
