"""Putting hits together that share the values of some fields."""

import itertools
import sqlite3

import numpy as np

from pyf_pipeline.embedded.arrays import BoolArray, IntArray, distinct
from pyf_pipeline.embedded.columns import Labels
from pyf_pipeline.embedded.facets import number_labels
from pyf_pipeline.embedded.schema import Field
from pyf_pipeline.embedded.selection import Ranking
from pyf_pipeline.embedded.view import View

FEW_MEMBERS = 10_000
"""Groups of so many hits together are put in order at once."""


def group_numbers(
    connection: sqlite3.Connection, view: View, fields: list[Field], *, missing_together: bool
) -> IntArray:
    """A number for each document, from 0, the same for those with the same values in the same order.

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
        numbers = _from_zero(numbers * (int(own.max(initial=0)) + 1) + own)
    if not missing_together:
        numbers[empty] = view.size + np.flatnonzero(empty)
    return _from_zero(numbers)


def _from_zero(numbers: IntArray) -> IntArray:
    """The same numbers without gaps."""
    return np.searchsorted(distinct(numbers), numbers).astype(np.int64)


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


def count_groups(groups: IntArray) -> int:
    """How many groups there are."""
    return int(np.count_nonzero(np.bincount(groups)))


def group_sizes(groups: IntArray, matched: BoolArray) -> IntArray:
    """For each document how many hits its group has."""
    sizes: IntArray = np.bincount(groups[matched], minlength=int(groups.max(initial=0)) + 1)[groups]
    return sizes.astype(np.int64)


def top_groups(
    ranking: Ranking, hits: IntArray, groups: IntArray, limit: int, count: int
) -> list[tuple[list[int], int]]:
    """Groups in the order of their best hits, at most `count`: the best `limit` hits of each, and how many it has."""
    sizes = np.bincount(groups[hits], minlength=1)
    order, wanted = hits[:0], 2 * count
    held: dict[int, list[int]] = {}
    while count and len(order) < len(hits) and len(held) < count:
        order = ranking.best(hits, wanted)
        held = _by_group(order, groups)
        wanted *= 4
    shown = dict(itertools.islice(held.items(), count))
    lacking = [g for g, documents in shown.items() if len(documents) < min(limit, int(sizes[g]))]
    if lacking:
        shown |= _best_of_each(ranking, hits[np.isin(groups[hits], lacking)], groups, limit)
    return [(documents[:limit], int(sizes[g])) for g, documents in shown.items()]


def _by_group(order: IntArray, groups: IntArray) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for document, group in zip(order.tolist(), groups[order].tolist(), strict=True):
        found.setdefault(group, []).append(document)
    return found


def _best_of_each(ranking: Ranking, members: IntArray, groups: IntArray, limit: int) -> dict[int, list[int]]:
    """The best members of each group: of a few all at once, of many group by group."""
    if len(members) <= FEW_MEMBERS:
        return _by_group(ranking.best(members, len(members)), groups)
    of = groups[members]
    return {int(g): ranking.best(members[of == g], limit).tolist() for g in distinct(of)}


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
