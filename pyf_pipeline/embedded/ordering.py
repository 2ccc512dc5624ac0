"""Heap and sort as the C++ standard library (libstdc++) does them, so that ties fall as they fall in Typesense.

Which ten of thirty equally good words a prefix is expanded to depends on nothing but these two algorithms.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_SMALL = 16


class Heap(Generic[T]):
    """A priority queue over (value, item) in which an equal newcomer rises to the top."""

    def __init__(self) -> None:
        self._items: list[tuple[float, T]] = []

    def __len__(self) -> int:
        return len(self._items)

    def push(self, value: float, item: T) -> None:
        """Adds an item."""
        self._items.append((value, item))
        self._rise(len(self._items) - 1, (value, item))

    def pop(self) -> T:
        """Removes and gives the item on top."""
        items = self._items
        top = items[0]
        last = items.pop()
        if items:
            self._sink(last)
        return top[1]

    def _rise(self, hole: int, entry: tuple[float, T]) -> None:
        items = self._items
        while hole > 0 and items[(hole - 1) // 2][0] <= entry[0]:
            items[hole] = items[(hole - 1) // 2]
            hole = (hole - 1) // 2
        items[hole] = entry

    def _sink(self, entry: tuple[float, T]) -> None:
        items, hole, child = self._items, 0, 0
        length = len(items)
        while child < (length - 1) // 2:
            child = 2 * (child + 1)
            if items[child][0] <= items[child - 1][0]:
                child -= 1
            items[hole] = items[child]
            hole = child
        if length % 2 == 0 and child == (length - 2) // 2:
            child = 2 * (child + 1)
            items[hole] = items[child - 1]
            hole = child - 1
        self._rise(hole, entry)


def sorted_descending(items: Sequence[T], value: Callable[[T], float]) -> list[T]:
    """The items by falling value; up to 16 keep their order among equals, more are shuffled as `std::sort` does."""
    entries = [(value(i), i) for i in items]
    if len(entries) > _SMALL:
        _partition_all(entries, 0, len(entries))
    entries.sort(key=lambda e: -e[0])
    return [i for _, i in entries]


def _partition_all(entries: list[tuple[float, T]], first: int, last: int) -> None:
    """The quicksort part: leaves runs of at most 16 to be sorted by insertion, which is stable."""
    while last - first > _SMALL:
        cut = _partition(entries, first, last)
        _partition_all(entries, cut, last)
        last = cut


def _partition(entries: list[tuple[float, T]], first: int, last: int) -> int:
    middle = first + (last - first) // 2
    _median_to_first(entries, first, first + 1, middle, last - 1)
    pivot, low, high = entries[first][0], first + 1, last
    while True:
        while entries[low][0] > pivot:
            low += 1
        high -= 1
        while pivot > entries[high][0]:
            high -= 1
        if low >= high:
            return low
        entries[low], entries[high] = entries[high], entries[low]
        low += 1


def _median_to_first(entries: list[tuple[float, T]], target: int, a: int, b: int, c: int) -> None:
    def before(x: int, y: int) -> bool:
        return entries[x][0] > entries[y][0]

    if before(a, b):
        chosen = b if before(b, c) else c if before(a, c) else a
    else:
        chosen = a if before(a, c) else c if before(b, c) else b
    entries[target], entries[chosen] = entries[chosen], entries[target]


_BUCKETS = (13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229, 172933, 351061, 712697, 1447153)


def bucket_order(keys: Sequence[int]) -> list[int]:
    """The order in which a `std::unordered_map` gives back integers that were put in in this order.

    In it Typesense numbers the values of a facet, and those numbers decide between equally frequent values.
    """
    order: list[int] = []
    done = 0
    for size in _BUCKETS:
        some = keys[done:size]
        order = _filled([*order, *some], size)
        done = size
        if done >= len(keys):
            return order
    return order


def _filled(keys: Sequence[int], size: int) -> list[int]:
    """One more bucket comes to the front of the list, and one more key to the front of its bucket."""
    buckets: dict[int, list[int]] = {}
    for key in keys:
        buckets.setdefault(key % size, []).append(key)
    return [key for bucket in reversed(buckets.values()) for key in reversed(bucket)]


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
