"""The state of the stand-in pypistats: how often projects were downloaded, limits on calls, and the truth for tests."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pyf_pipeline_tests.world.ecosystem import popularity
from pyf_pipeline_tests.world.names import normalise

# Of the projects of an ecosystem, so many were not downloaded by anybody for half a year.
_FORGOTTEN_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Counts:
    """How often a project was downloaded in the last day, week and month."""

    last_day: int
    last_week: int
    last_month: int


@dataclass(slots=True)
class FixedWindow:
    """So many calls of a client in a window, which begins with the first call; one over the limit is counted, too."""

    amount: int
    seconds: int
    calls: int = 0
    reset_at: float = 0.0

    def hit(self, now: float) -> bool:
        """Count a call; whether it is within the limit."""
        if now >= self.reset_at:
            self.calls, self.reset_at = 0, now + self.seconds
        self.calls += 1
        return self.calls <= self.amount

    @property
    def remaining(self) -> int:
        return max(0, self.amount - self.calls)


@dataclass(slots=True)
class Limits:
    """The limits on the calls of a client, as the library that pypistats uses keeps them.

    Attributes:
        windows: The limits, the shortest window first.
    """

    windows: list[FixedWindow] = field(default_factory=list)

    def hit(self, now: float) -> tuple[bool, FixedWindow | None]:
        """Count a call; whether it is let through, and the limit of which the answer tells."""
        failed = [window for window in self.windows if not window.hit(now)]
        return not failed, (failed or self.windows or [None])[0]


class PyPIStats:
    """The counts, changeable from any thread.

    Args:
        seed: What counts are drawn from.
        exists: Tells whether there is a project of a normalised name.
        stars: Gives the stars of a project's repository; None where there is none.
    """

    def __init__(self, seed: int, exists: Callable[[str], bool], stars: Callable[[str], int | None]) -> None:
        self._lock = threading.RLock()
        self._seed = seed
        self._exists = exists
        self._stars = stars
        self._counts: dict[str, Counts | None] = {}
        self._amounts: tuple[int | None, int | None] = (5, 30)
        self._limits: dict[str, Limits] = {}

    def truth(self, name: str) -> Counts | None:
        """The counts of a project; None where pypistats does not know it."""
        name = normalise(name)
        with self._lock:
            if name not in self._counts and self._exists(name):
                self._counts[name] = self._draw(name)
            return self._counts.get(name)

    def set(self, name: str, last_day: int, last_week: int, last_month: int) -> Counts:
        """Set the counts of a project."""
        with self._lock:
            self._counts[normalise(name)] = counts = Counts(last_day, last_week, last_month)
            return counts

    def forget(self, name: str) -> None:
        """Have a project's downloads be too long ago to be kept."""
        with self._lock:
            self._counts[normalise(name)] = None

    def limit(self, per_second: int | None = 5, per_minute: int | None = 30) -> None:
        """Set the limits on the calls of a client, None for no limit; what was counted is forgotten."""
        with self._lock:
            self._amounts = per_second, per_minute
            self._limits.clear()

    def hit(self, client: str) -> tuple[bool, FixedWindow | None]:
        """Count a call of a client; whether it is let through, and the limit of which the answer tells."""
        with self._lock:
            amounts = zip(self._amounts, (1, 60), strict=True)
            fresh = Limits([FixedWindow(amount, seconds) for amount, seconds in amounts if amount is not None])
            return self._limits.setdefault(client, fresh).hit(time.time())

    def _draw(self, name: str) -> Counts | None:
        rng = random.Random(f"{self._seed}/downloads/{name}")
        if rng.random() < _FORGOTTEN_SHARE:
            return None
        stars = self._stars(name)
        month = int((popularity(rng) if stars is None else stars) * rng.uniform(10, 90)) + rng.randint(0, 60)
        week = int(month * rng.uniform(0.18, 0.28))
        return Counts(int(week * rng.uniform(0.08, 0.2)), week, month)
