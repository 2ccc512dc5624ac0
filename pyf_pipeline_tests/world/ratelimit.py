"""PyPI's rate limit on XML-RPC: moving windows per client, with the header fields that tell of them."""

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """So many calls in so many seconds."""

    name: str
    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call is let through, when the limit may reset otherwise, and the header fields of the answer."""

    allowed: bool
    resets_in: int | None
    headers: tuple[tuple[str, str], ...]


class RateLimiter:
    """Counts calls per client in moving windows.

    A window that has no room does not count a call, but the others do, as in the limiter that PyPI uses. `strict`
    follows PyPI's source to the letter: it counts a call and then asks whether there is room for another, so that the
    last call of every window is refused.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: tuple[Window, ...] = ()
        self._strict = False
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self.set(2, 30)

    def set(self, per_second: int | None, per_minute: int | None, *, strict: bool = False) -> None:
        """Set the limits, None for no limit; what was counted is forgotten."""
        named = (("xmlrpc.client-second", per_second, 1), ("xmlrpc.client-minute", per_minute, 60))
        with self._lock:
            self._windows = tuple(
                Window(name, amount, seconds) for name, amount, seconds in named if amount is not None
            )
            self._strict = strict
            self._calls.clear()

    def hit(self, client: str) -> Verdict:
        """Count a call of a client."""
        now = time.monotonic()
        with self._lock:
            acquired = [self._acquire(window, client, now) for window in self._windows]
            room = [self._remaining(window, client) > 0 for window in self._windows]
            allowed = all(room) if self._strict else all(acquired)
            return Verdict(allowed, self._resets_in(client, now), self._headers(client, now))

    def _acquire(self, window: Window, client: str, now: float) -> bool:
        calls = self._calls[window.name, client]
        while calls and calls[0] <= now - window.seconds:
            calls.popleft()
        if len(calls) >= window.amount:
            return False
        calls.append(now)
        return True

    def _remaining(self, window: Window, client: str) -> int:
        return window.amount - len(self._calls[window.name, client])

    def _reset(self, window: Window, client: str, now: float) -> float:
        calls = self._calls[window.name, client]
        return calls[0] + window.seconds - now if calls else 0.0

    def _resets_in(self, client: str, now: float) -> int | None:
        # The soonest of the exhausted windows, cut to whole seconds: PyPI's hint is that optimistic.
        waits = [self._reset(w, client, now) for w in self._windows if self._remaining(w, client) <= 0]
        return max(1, int(min(waits))) if waits else None

    def _headers(self, client: str, now: float) -> tuple[tuple[str, str], ...]:
        if not self._windows:
            return ()
        policy = ", ".join(f'"{w.name}";q={w.amount};w={w.seconds}' for w in self._windows)
        state = ", ".join(
            f'"{w.name}";r={max(0, self._remaining(w, client))};t={max(0, round(self._reset(w, client, now)))}'
            for w in self._windows
        )
        return ("RateLimit-Policy", policy), ("RateLimit", state)
