"""Words near a word: by prefix and by typos, over a sorted list of terms read as a radix tree.

A node is a range of the list that shares a prefix; nothing is built. The walk follows Typesense's adaptive radix tree:
the same distance (optimal string alignment), the same early accepts and rejects, the same order of visits.
"""

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyf_pipeline.embedded.ordering import Heap, sorted_descending

Row = list[int]
Rows = tuple[Row, Row]
"""The distances up to the letter before the last and up to the last."""

_STOP, _GO_ON, _TAKE = -1, 0, 1


@dataclass(frozen=True, slots=True)
class Node:
    """The terms `low:high`, which share their first `depth` bytes."""

    low: int
    high: int

    @property
    def is_leaf(self) -> bool:
        """Whether it is a single term."""
        return self.high - self.low == 1


def _shared(terms: list[bytes], node: Node) -> bytes:
    """What all terms of a node begin with (the end of a term counts as a zero byte)."""
    first, last = terms[node.low] + b"\0", terms[node.high - 1] + b"\0"
    length = 0
    limit = min(len(first), len(last))
    while length < limit and first[length] == last[length]:
        length += 1
    return first[:length]


def _children(terms: list[bytes], node: Node, depth: int) -> Iterator[tuple[int, Node]]:
    """The node's branches at a depth, by their byte, ascending."""
    low = node.low
    while low < node.high:
        term = terms[low]
        if len(term) == depth:
            yield 0, Node(low, low + 1)
            low += 1
            continue
        byte = term[depth]
        after = term[:depth] + bytes([byte + 1]) if byte < 255 else None
        high = node.high if after is None else bisect.bisect_left(terms, after, low, node.high)
        yield byte, Node(low, high)
        low = high


class _Walk:
    """One fuzzy search: collects the nodes all of whose terms are near enough."""

    def __init__(self, terms: list[bytes], word: bytes, low_cost: int, high_cost: int, *, prefix: bool) -> None:
        self.terms = terms
        self.query = word if prefix else word + b"\0"
        self.low_cost = low_cost
        self.high_cost = high_cost
        self.prefix = prefix
        self.found: list[Node] = []

    def run(self) -> list[Node]:
        if self.terms:
            row = list(range(len(self.query) + 1))
            root = Node(0, len(self.terms))
            if root.is_leaf:
                self._enter(0, (self.terms[0] + b"\0")[0], root, 0, (row, row))
            else:
                self._inside(0, 0, root, 0, (row, row))
        return self.found

    def _step(self, depth: int, before: int, byte: int, rows: Rows) -> tuple[int, Rows]:
        if not self.prefix or byte:
            rows = rows[1], self._distances(depth, before, byte, rows)
        return self._state(depth, before, byte, rows[1]), rows

    def _distances(self, depth: int, before: int, byte: int, rows: Rows) -> Row:
        query, (older, old) = self.query, rows
        row = [old[0] + 1] * (len(query) + 1)
        left = row[0]
        for column in range(1, len(query) + 1):
            best = old[column - 1] + (byte != query[column - 1])
            best = min(best, old[column] + 1, left + 1)
            if depth > 1 and column > 1 and byte == query[column - 2] and before == query[column - 1]:
                best = min(best, older[column - 2] + 1)
            row[column] = left = best
        return row

    def _state(self, index: int, before: int, byte: int, row: Row) -> int:
        if byte == 0:
            return self._state_at_end(index, row)
        length = len(self.query)
        cost = row[min(index + 1, length)]
        if self.prefix and index + 1 >= length and self.low_cost <= cost <= self.high_cost:
            return _TAKE
        if cost <= self.high_cost or self._may_recover(index, before, byte, cost):
            return _GO_ON
        return _STOP

    def _state_at_end(self, index: int, row: Row) -> int:
        length = len(self.query)
        if self.low_cost <= row[length] <= self.high_cost:
            return _TAKE
        surplus = length - index
        near = index > 5 and 0 < surplus <= self.high_cost
        return _TAKE if near and self.low_cost <= row[index] <= self.high_cost - 1 else _STOP

    def _may_recover(self, index: int, before: int, byte: int, cost: int) -> bool:
        """Whether a cost above the bound may fall again: the letters about this place say so."""
        query, length = self.query, len(self.query)
        if cost in {2, 3}:
            more = index + 1 < length and query[index + 1] == byte
            fewer = 0 < index <= length and query[index - 1] == byte
            if more or fewer:
                return True
        if cost in {3, 4}:
            extra = index + 2 < length and before == query[index + 1] and byte == query[index + 2]
            return extra or (1 < index < length + 2 and query[index - 2] == byte)
        return False

    def _enter(self, before: int, byte: int, node: Node, depth: int, rows: Rows) -> None:
        action, rows = self._step(depth, before, byte, rows)
        if action == _TAKE:
            self.found.append(node)
        elif action == _GO_ON:
            self._inside(byte, byte, node, depth + 1, rows)

    def _inside(self, before: int, last: int, node: Node, depth: int, rows: Rows) -> None:
        if node.is_leaf:
            self._leaf(before, node, depth, rows)
            return
        for byte in _shared(self.terms, node)[depth:]:
            action, rows = self._step(depth, before, byte, rows)
            if action != _GO_ON:
                if action == _TAKE:
                    self.found.append(node)
                return
            before = last = byte
            depth += 1
        for byte, child in reversed(list(_children(self.terms, node, depth))):
            self._enter(last, byte, child, depth, rows)

    def _leaf(self, before: int, node: Node, depth: int, rows: Rows) -> None:
        key = self.terms[node.low] + b"\0"
        end = min(len(key), len(self.query) + self.high_cost)
        if depth >= end:
            if self._state(depth, 0, 0, rows[1]) == _TAKE:
                self.found.append(node)
            return
        while depth < end:
            byte = key[depth]
            action, rows = self._step(depth, before, byte, rows)
            if action != _GO_ON:
                if action == _TAKE:
                    self.found.append(node)
                return
            before = byte
            depth += 1


Test = Callable[[bytes], bool]


def _nothing(_: bytes) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which terms are of use, and which are better.

    Attributes:
        allowed: Whether a term is of use at all.
        exists: Whether the word that was asked for, if it is a term, is in any document.
        worth: What a term is worth.
        inner: What a branch of the tree is worth while it is looked through.
    """

    allowed: Test
    exists: Test
    worth: Callable[[bytes], float] = _nothing
    inner: float = 0.0


def near(
    terms: list[bytes], word: bytes, cost: int, limit: int, selection: Selection, *, prefix: bool, taken: set[bytes]
) -> list[bytes]:
    """The terms at a distance of exactly `cost` from a word, the best first.

    Args:
        terms: Sorted.
        word: What was asked for.
        cost: How many typos.
        limit: How many terms at most.
        selection: Which are of use, and which are better.
        prefix: Whether a term may go on after the word.
        taken: Terms that were found already and are left out; those found now are added.
    """
    walk = _Walk(terms, word, cost, cost, prefix=prefix)
    found: list[bytes] = []
    for node in walk.run():
        _collect(terms, node, word, limit * 4, selection, taken=taken, found=found)
    found = sorted_descending(found, selection.worth)
    if cost == 0 and word not in taken:
        i = bisect.bisect_left(terms, word)
        if i < len(terms) and terms[i] == word and selection.exists(word):
            found.insert(0, word)
            taken.add(word)
    return found[:limit]


def _collect(
    terms: list[bytes],
    root: Node,
    word: bytes,
    limit: int,
    selection: Selection,
    *,
    taken: set[bytes],
    found: list[bytes],
) -> None:
    """Looks through a branch, the most promising part first, until enough is found."""
    heap: Heap[Node] = Heap()
    heap.push(0, root)
    while len(heap) and len(found) < limit:
        node = heap.pop()
        if node.is_leaf:
            term = terms[node.low]
            if term != word and term not in taken and selection.allowed(term):
                taken.add(term)
                found.append(term)
            continue
        depth = len(_shared(terms, node))
        for _, child in _children(terms, node, depth):
            heap.push(selection.worth(terms[child.low]) if child.is_leaf else selection.inner, child)


def with_prefix(terms: list[bytes], prefix: bytes) -> range:
    """The indices of the terms that begin so."""
    low = bisect.bisect_left(terms, prefix)
    high = bisect.bisect_left(terms, prefix + b"\xff" * 4, low)
    return range(low, high)
