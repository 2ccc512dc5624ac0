"""Putting hits together that share the values of some fields."""

import sqlite3

import numpy as np

from pyf_pipeline.embedded.arrays import BoolArray, IntArray
from pyf_pipeline.embedded.columns import Labels
from pyf_pipeline.embedded.facets import number_labels
from pyf_pipeline.embedded.schema import Field
from pyf_pipeline.embedded.view import View


def group_numbers(
    connection: sqlite3.Connection, view: View, fields: list[Field], *, missing_together: bool
) -> IntArray:
    """A number for each document, the same for those with the same values in the same order.

    Args:
        connection: Sees the view's version.
        view: The documents.
        fields: By which they are grouped.
        missing_together: Whether those without any value form a group; else each is one of its own.
    """
    kind = "groups" if missing_together else "groups, missing apart"
    names = "\n".join(f.name for f in fields)
    return view.memo(kind, names, lambda: _numbered(connection, view, fields, missing_together=missing_together))


def _numbered(connection: sqlite3.Connection, view: View, fields: list[Field], *, missing_together: bool) -> IntArray:
    numbers = np.zeros(view.size, dtype=np.int64)
    empty = np.ones(view.size, dtype=bool)
    for field in fields:
        labels = view.facet_labels(connection, field) if field.is_string else number_labels(connection, view, field)
        own = _own_numbers(labels)
        empty &= labels.counts() == 0
        _, numbers = np.unique(numbers * (int(own.max(initial=0)) + 1) + own, return_inverse=True)
    if not missing_together:
        numbers[empty] = view.size + np.flatnonzero(empty)
    return numbers.astype(np.int64)


def _own_numbers(labels: Labels) -> IntArray:
    counts = labels.counts()
    if (counts <= 1).all():
        own = np.zeros(len(counts), dtype=np.int64)
        own[counts == 1] = labels.codes + 1
        return own
    known: dict[bytes, int] = {}
    raw = np.ascontiguousarray(labels.codes)
    return np.array(
        [
            known.setdefault(raw[low:high].tobytes(), len(known))
            for low, high in zip(labels.starts[:-1], labels.starts[1:], strict=True)
        ],
        dtype=np.int64,
    )


def group_sizes(groups: IntArray, matched: BoolArray) -> IntArray:
    """For each document how many hits its group has."""
    _, compact = np.unique(groups, return_inverse=True)
    sizes: IntArray = np.bincount(compact[matched], minlength=int(compact.max(initial=0)) + 1)[compact]
    return sizes.astype(np.int64)


def top_groups(order: IntArray, groups: IntArray, limit: int) -> list[tuple[list[int], int]]:
    """Groups in the order of their best hits: the best `limit` hits of each, and how many it has."""
    of_hits = groups[order]
    found: dict[int, list[int]] = {}
    counts: dict[int, int] = {}
    for document, group in zip(order.tolist(), of_hits.tolist(), strict=True):
        counts[group] = counts.get(group, 0) + 1
        held = found.setdefault(group, [])
        if len(held) < limit:
            held.append(document)
    return [(documents, counts[group]) for group, documents in found.items()]


def page(
    shown: list[tuple[list[int], int]], pinned: dict[int, int], groups: IntArray, low: int, high: int
) -> list[tuple[list[int], int]]:
    """One page of groups, those of pinned hits moved to their places."""
    if pinned:
        moved = {int(groups[d]) for d in pinned}
        rest = [g for g in shown if int(groups[g[0][0]]) not in moved]
        for document, place in pinned.items():
            rest.insert(max(place - 1, 0), ([document], 1))
        shown = rest
    return shown[low:high]
