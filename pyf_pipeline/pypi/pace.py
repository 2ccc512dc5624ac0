"""How often a limited service may be called: one budget for all runs and processes that share a store.

PyPI's XML-RPC counts the calls of a client in moving windows and tells of them in the fields of
draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy: "name";q=<calls>;w=<seconds>, …` for what is allowed and
`RateLimit: "name";r=<calls left>;t=<seconds>, …` for what is left. Earlier drafts wrote `<calls>;w=<seconds>`.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

# What PyPI allowed when its maintainers last said; in force until an answer says otherwise.
WINDOWS = ((2, 1.0), (30, 60.0))

# PyPI may count a call first and then refuse it where no other one would fit, so the last of a window is not used.
RESERVE = 1
# Clocks are not quite alike.
LONGER = 1.02
# A call whose answer nobody has seen by then was made by a process that is gone.
UNDERWAY_SECONDS = 30.0
# More calls than that are neither made nor remembered, whatever is allowed.
MOST_CALLS = 1_000
HOLD_MAX_SECONDS = 300.0

State = dict[str, Any]


class Ledger(Protocol):
    """Where the calls are kept, shared by whoever calls."""

    def update(self, service: str, change: Callable[[State], State]) -> State:
        """Replace a service's entry by what `change` makes of it, with nobody else in between; gives the new one."""


class OwnLedger:
    """A ledger of this process alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[str, State] = {}

    def update(self, service: str, change: Callable[[State], State]) -> State:
        """See `Ledger`."""
        with self._lock:
            self._entries[service] = change(self._entries.get(service, {}))
            return self._entries[service]


@dataclass(frozen=True)
class Pace:
    """Lets calls through as often as a service allows.

    Attributes:
        service: What the budget is for: the service's address.
        ledger: Where it is kept.
        now: The time in epoch seconds, as several processes have to agree on it.
        sleep: How waiting is done.
        windows: (calls, seconds) that are in force until an answer says otherwise; by default PyPI's.
    """

    service: str
    ledger: Ledger = field(default_factory=OwnLedger)
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    windows: tuple[tuple[int, float], ...] = WINDOWS

    @contextmanager
    def call(self, until: float | None = None) -> Iterator[None]:
        """Make one call inside, which begins as soon as it is allowed and is counted.

        A service counts a call somewhere between its sending and its answer. So while it is under way it counts as made
        now, and from then on as made when the answer came: however long it takes, no two are closer than they may be.

        Args:
            until: When to have given up waiting for one's turn, in epoch seconds; by default never.

        Raises:
            TimeoutError: It is not allowed before that.
        """
        while (pause := self._reserve()) > 0:
            if until is not None and self.now() + pause > until:
                raise TimeoutError(f"the next call is allowed in {pause:.0f} seconds")
            self.sleep(pause)
        sent = self.now()
        try:
            yield
        finally:
            self.ledger.update(self.service, lambda state: _answered(state, sent, self.now()))

    def heed(self, headers: Mapping[str, str]) -> None:
        """Go by what an answer says of the limits."""
        windows = list(_windows(headers.get("RateLimit-Policy", "")))
        exhausted = _exhausted(headers.get("RateLimit", ""))

        def change(state: State) -> State:
            return {**state, "windows": windows} if windows else state

        if windows:
            self.ledger.update(self.service, change)
        if exhausted:
            self.hold(exhausted)

    def hold(self, seconds: float) -> None:
        """Have nobody call for so many seconds, at most five minutes."""
        until = self.now() + min(seconds, HOLD_MAX_SECONDS)
        self.ledger.update(self.service, lambda state: {**state, "not_before": max(until, state.get("not_before", 0))})

    def _reserve(self) -> float:
        """Count a call and give 0, or give the seconds after which to try again."""
        now = self.now()
        pause = 0.0

        def change(state: State) -> State:
            nonlocal pause
            state, pause = _look(state, now, self.windows)
            return state if pause > 0 else {**state, "underway": [*state["underway"], now]}

        self.ledger.update(self.service, change)
        return pause


def _look(state: State, now: float, unsaid: tuple[tuple[int, float], ...]) -> tuple[State, float]:
    """The entry without what no longer matters, and the seconds to wait before another call."""
    in_force = [(int(calls), float(seconds)) for calls, seconds in state.get("windows") or unsaid]
    windows = [(max(1, min(calls - RESERVE, MOST_CALLS)), seconds * LONGER) for calls, seconds in in_force]
    longest = max(seconds for _, seconds in windows)
    # A time in the future is that of a clock that was set back; it must not stop us for as long as that.
    made = [at for at in state.get("made", ()) if now - longest < at <= now + longest][-MOST_CALLS:]
    underway = [at for at in state.get("underway", ()) if now - UNDERWAY_SECONDS < at <= now + longest]
    counted = [*made, *(now for _ in underway)]
    owed = [counted[-calls] + seconds - now for calls, seconds in windows if len(counted) >= calls]
    held = state.get("not_before", 0.0) - now
    pause = max(*owed, 0.0, held if held <= HOLD_MAX_SECONDS else 0.0, 0.0)
    return {**state, "made": made, "underway": underway}, pause


def _answered(state: State, sent: float, now: float) -> State:
    """The entry where a call that was under way has come back."""
    underway = sorted(state.get("underway", ()), key=lambda at: abs(at - sent))
    return {**state, "underway": sorted(underway[1:]), "made": sorted([*state.get("made", ()), now])}


def _windows(policy: str) -> Iterator[tuple[int, float]]:
    """(calls, seconds) of each policy; one without a window, or for anything but calls, is not ours to keep."""
    for item, parameters in _items(policy):
        calls = parameters.get("q", item)
        seconds = parameters.get("w", "")
        if calls.isdigit() and seconds.isdigit() and int(seconds) and parameters.get("qu", "requests") == "requests":
            yield int(calls), float(seconds)


def _exhausted(limits: str) -> float:
    """Seconds until there is room again, where a limit says that there is none."""
    waits = [float(parameters.get("t") or 1) * LONGER for _, parameters in _items(limits) if parameters.get("r") == "0"]
    return max(waits, default=0.0)


def _items(value: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The members of a structured field's list (RFC 9651) with their parameters, as texts without quotation marks."""
    for member in re.findall(r'((?:"[^"]*"|[^,"])+)', value):
        item, *rest = (part.strip() for part in re.findall(r'((?:"[^"]*"|[^;"])+)', member))
        pairs = (part.partition("=") for part in rest)
        yield item.strip('"'), {key.strip(): text.strip().strip('"') for key, _, text in pairs}
