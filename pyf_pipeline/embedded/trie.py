"""The best words near a word, over a sorted list of terms read as a radix tree.

A node is a range of the list that shares a prefix; nothing is built. `nearby` says which ranges are near enough; here
it is decided which terms of them are taken where there are more than are wanted.
"""

import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pyf_pipeline.embedded.nearby import Range
from pyf_pipeline.embedded.ordering import Heap, sorted_descending


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
    terms: list[bytes],
    ranges: Sequence[Range],
    word: bytes,
    limit: int,
    selection: Selection,
    *,
    taken: set[bytes],
    itself: bool,
) -> list[bytes]:
    """The best terms of ranges that are near a word.

    Args:
        terms: All of them, sorted.
        ranges: Where the near ones are, in the order in which they are looked through.
        word: What was asked for.
        limit: How many terms at most.
        selection: Which are of use, and which are better.
        taken: Terms that were found already and are left out; those found now are added.
        itself: Whether the word itself comes first where it is a term.
    """
    found: list[bytes] = []
    for low, high in ranges:
        _collect(terms, Node(low, high), word, limit * 4, selection, taken=taken, found=found)
    found = sorted_descending(found, selection.worth)
    if itself and word not in taken:
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
