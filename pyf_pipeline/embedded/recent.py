"""Things that take memory, kept as long as there is room: those asked for least lately go first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar


class Sized(Protocol):
    """Something of which it is known how much memory it takes."""

    @property
    def nbytes(self) -> Any:
        """How much memory it takes."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)

OVERHEAD = 500
"""Bytes that an entry takes beside what is in it, about."""


class Recent(Generic[K, V]):
    """The values last asked for, up to a number of bytes. Safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[K, V] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of a key; made where it is not held, by two at once if need be."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        found = make()
        with self._lock:
            if key not in self._held:
                self._held[key] = found
                self._bytes += found.nbytes + OVERHEAD
            while self._bytes > self._limit and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                self._bytes -= dropped.nbytes + OVERHEAD
        return found
