"""Orders in which Typesense gives what its documentation leaves open: which of equals comes first.

They are as observed, always the same for the same input, and they show in answers: which ten of thirty equally good
words a prefix stands for, which of two equally frequent values of a facet is listed, how aliases are listed.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import numpy as np

from pyf_pipeline.embedded.arrays import AnyArray

T = TypeVar("T")

_SMALL = 16


class _Entry(Generic[T]):
    """An item in a heap; equal ones yield to whichever is compared with them."""

    __slots__ = ("item", "value")

    def __init__(self, value: float, item: T) -> None:
        self.value = value
        self.item = item

    def __lt__(self, other: "_Entry[T]") -> bool:
        return self.value >= other.value


class Heap(Generic[T]):
    """A priority queue in which an equal newcomer rises to the top."""

    def __init__(self) -> None:
        self._entries: list[_Entry[T]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, value: float, item: T) -> None:
        """Adds an item."""
        heapq.heappush(self._entries, _Entry(value, item))

    def pop(self) -> T:
        """Removes and gives the item of the greatest value."""
        return heapq.heappop(self._entries).item


def sorted_descending(items: Sequence[T], value: Callable[[T], float]) -> list[T]:
    """The items by falling value. Up to 16 equals keep their order; among more they lie as a quicksort leaves them."""
    entries = [(value(i), i) for i in items]
    pieces = [entries]
    settled: list[tuple[float, T]] = []
    while pieces:
        piece = pieces.pop()
        if len(piece) <= _SMALL:
            settled += piece
            continue
        cut = _exchanged(piece)
        pieces += [piece[cut:], piece[:cut]]
    settled.sort(key=lambda e: -e[0])
    return [i for _, i in settled]


def _exchanged(piece: list[tuple[float, T]]) -> int:
    """Brings the better part of a piece to its front, in place; gives where the other part begins.

    The pivot is the median of three, taken to the front. What is no better than it, looked for from the left, changes
    places with what is no worse, looked for from the right, until the two ways cross.
    """
    length = len(piece)
    median = sorted((length - 1, length // 2, 1), key=lambda i: -piece[i][0])[1]
    piece[0], piece[median] = piece[median], piece[0]
    pivot = piece[0][0]
    # Looked at only when their turn comes, as what was exchanged may be met again.
    no_better: Iterator[int] = (i for i in range(1, length) if piece[i][0] <= pivot)
    no_worse: Iterator[int] = (i for i in reversed(range(length)) if piece[i][0] >= pivot)
    for low, high in zip(no_better, no_worse, strict=False):
        if low >= high:
            return low
        piece[low], piece[high] = piece[high], piece[low]
    raise AssertionError("a median of three has another value on its either side")


_BUCKETS = (13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229, 172933, 351061, 712697, 1447153)
"""How many buckets a hash map of the C++ standard library has as it grows, as `bucket_count()` tells."""


def bucket_order(keys: Sequence[int] | AnyArray) -> list[int]:
    """The order in which such a map gives back integers, none twice, that were put in in this order.

    In it Typesense numbers the values of a facet, and those numbers decide between equally frequent values.
    """
    given = np.asarray(keys, dtype=np.uint64)
    order, done = given[:0], 0
    for size in _BUCKETS:
        order = _filled(np.concatenate([order, given[done:size]]), size)
        done = size
        if done >= len(given):
            break
    found: list[int] = np.concatenate([order, given[done:]]).tolist()
    return found


def _filled(keys: AnyArray, size: int) -> AnyArray:
    """One more bucket comes to the front of the list, and one more key to the front of its bucket."""
    bucket, number = (keys % np.uint64(size)).astype(np.int64), np.arange(len(keys), dtype=np.int64)
    first = np.zeros(size, dtype=np.int64)
    first[bucket[::-1]] = number[::-1]
    return keys[np.argsort(first[bucket] * max(len(keys), 1) + number)[::-1]]


_MASK = (1 << 64) - 1
_MULTIPLIER = (0xC6A4A793 << 32) + 0x5BD1E995
_SEED = 0xC70F6907


def text_hash(text: str) -> int:
    """`std::hash<std::string>` of libstdc++ (MurmurHash2, 64 bits)."""
    raw = text.encode()
    whole = len(raw) & ~7
    found = (_SEED ^ len(raw) * _MULTIPLIER) & _MASK
    for i in range(0, whole, 8):
        part = int.from_bytes(raw[i : i + 8], "little")
        found = ((found ^ _mixed(part * _MULTIPLIER & _MASK) * _MULTIPLIER & _MASK) * _MULTIPLIER) & _MASK
    if len(raw) > whole:
        found = ((found ^ int.from_bytes(raw[whole:], "little")) * _MULTIPLIER) & _MASK
    return _mixed(_mixed(found) * _MULTIPLIER & _MASK)


def _mixed(value: int) -> int:
    return value ^ (value >> 47)


def text_bucket_order(texts: Sequence[str]) -> list[str]:
    """The order in which a `std::unordered_map` gives back texts put in in this order."""
    by_hash = {text_hash(t): t for t in texts}
    return [by_hash[h] for h in bucket_order(list(by_hash))]


def text_table_order(texts: Sequence[str]) -> list[str]:
    """The order in which a table with open addressing, at most half full, gives back texts put in in this order."""
    size = 4
    while len(texts) > size // 2:
        size *= 2
    table: dict[int, str] = {}
    for text in texts:
        place, step = text_hash(text) % size, 0
        while place in table:
            step += 1
            place = (place + step) % size
        table[place] = text
    return [table[place] for place in sorted(table)]
