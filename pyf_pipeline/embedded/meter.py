"""How many requests there were lately and how long they took: what `/stats.json` shows."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

WINDOW_SECONDS = 10.0
MOST_HELD = 100_000

KINDS = ("search", "import", "write", "delete")


@dataclass(frozen=True, slots=True)
class _Measured:
    at: float
    label: str
    kind: str
    milliseconds: float


class Meter:
    """Remembers the requests of the last ten seconds. Safe to share between threads."""

    def __init__(self) -> None:
        self._held: deque[_Measured] = deque(maxlen=MOST_HELD)
        self._lock = threading.Lock()

    def note(self, label: str, kind: str, seconds: float) -> None:
        """Takes a request in.

        Args:
            label: Method and path.
            kind: One of `KINDS`, or "" for one that is counted in the total alone.
            seconds: How long it took.
        """
        with self._lock:
            self._held.append(_Measured(time.monotonic(), label, kind, seconds * 1000))

    def figures(self) -> dict[str, Any]:
        """Rates and mean times, in the form of `/stats.json`."""
        since = time.monotonic() - WINDOW_SECONDS
        with self._lock:
            while self._held and self._held[0].at < since:
                self._held.popleft()
            recent = list(self._held)
        labels = {m.label for m in recent}
        shown: dict[str, Any] = {
            "latency_ms": {label: _mean([m for m in recent if m.label == label]) for label in sorted(labels)},
            "overloaded_requests_per_second": 0.0,
            "pending_write_batches": 0,
            "requests_per_second": {label: _rate([m for m in recent if m.label == label]) for label in sorted(labels)},
            "total_requests_per_second": _rate(recent),
        }
        for kind in KINDS:
            some = [m for m in recent if m.kind == kind]
            shown[f"{kind}_latency_ms"] = _mean(some)
            shown[f"{kind}_requests_per_second"] = _rate(some)
        return shown


def _mean(some: list[_Measured]) -> float:
    return round(sum(m.milliseconds for m in some) / len(some), 3) if some else 0.0


def _rate(some: list[_Measured]) -> float:
    return len(some) / WINDOW_SECONDS
