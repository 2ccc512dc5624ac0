"""Misbehaviour on request: which answers are spoiled, how, and how often."""

import random
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

FaultKind = Literal[
    "status",
    "delay",
    "reset",
    "truncate",
    "html",
    "not_object",
    "info_null",
    "stale",
    "secondary",
    "xmlrpc_fault",
]

# Kinds that make sense on some routes only, and are never played elsewhere.
ROUTES_OF_KIND: dict[str, tuple[str, ...]] = {
    "info_null": ("project", "release"),
    "stale": ("project",),
    "secondary": ("graphql", "rest"),
    "xmlrpc_fault": ("xmlrpc",),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A way in which a server misbehaves.

    Attributes:
        kind: `status` (an error status), `delay` (late, then honest), `reset` (TCP RST), `truncate` (half of the
            body, then the connection closes), `html` (a page with status 200), `not_object` (a JSON list with 200),
            `info_null` (a project document whose `info` is null), `stale` (a project document of an older serial),
            `secondary` (GitHub's secondary rate limit), `xmlrpc_fault` (a fault that is not about limits).
        route: The route that it touches (`simple`, `project`, `release`, `xmlrpc`, `rss`, `graphql`, `rest`,
            `downloads`); None: all.
        match: A regular expression searched in the name asked for (else in the path); None: every request.
        share: The share of matching requests that are spoiled, drawn from a seeded generator for each name: the same
            ones whatever the order in which threads ask.
        times: How many answers are spoiled in all; None: no end.
        per_name: How many answers are spoiled for each name; None: no limit. 1 makes every first attempt fail.
        status: The status of a `status` fault, and of `secondary` (403 or 429).
        retry_after: Seconds for a Retry-After header; None: no header.
        retry_after_date: Whether Retry-After is an HTTP date instead of seconds.
        delay: Seconds that the answer is held back, with any kind.
    """

    kind: FaultKind
    route: str | None = None
    match: str | None = None
    share: float = 1.0
    times: int | None = None
    per_name: int | None = None
    status: int = 503
    retry_after: float | None = None
    retry_after_date: bool = False
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"unknown fault kind {self.kind!r}; known are {', '.join(get_args(FaultKind))}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, not {self.share}")
        if self.match is not None:
            re.compile(self.match)


class Faults:
    """The faults in force; may be changed from any thread while the servers answer."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._seed = seed
        self._active: list[Fault] = []
        self._generators: dict[str, random.Random] = {}
        self._played: Counter[int] = Counter()
        self._played_per_name: Counter[tuple[int, str]] = Counter()

    def add(self, fault: Fault) -> None:
        """Put a fault into force; the first that applies to a request is played."""
        with self._lock:
            self._active.append(fault)

    def clear(self) -> None:
        """Behave again, and start the generators anew."""
        with self._lock:
            self._active.clear()
            self._generators.clear()
            self._played.clear()
            self._played_per_name.clear()

    def choose(self, route: str, name: str, path: str) -> Fault | None:
        """The fault to play on a request, if any; counts it as played."""
        if not self._active:
            return None
        with self._lock:
            for index, fault in enumerate(self._active):
                if self._applies(index, fault, route, name, path):
                    self._played[index] += 1
                    self._played_per_name[index, name or path] += 1
                    return fault
        return None

    def _applies(self, index: int, fault: Fault, route: str, name: str, path: str) -> bool:
        if route not in ROUTES_OF_KIND.get(fault.kind, (route,)) or fault.route not in (None, route):
            return False
        if fault.match is not None and not re.search(fault.match, name or path):
            return False
        if fault.times is not None and self._played[index] >= fault.times:
            return False
        if fault.per_name is not None and self._played_per_name[index, name or path] >= fault.per_name:
            return False
        return fault.share >= 1 or self._generator(name).random() < fault.share

    def _generator(self, name: str) -> random.Random:
        if name not in self._generators:
            self._generators[name] = random.Random(f"{self._seed}/faults{name}")
        return self._generators[name]
