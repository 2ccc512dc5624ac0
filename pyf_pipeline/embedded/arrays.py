"""Numpy arrays and lists of texts as bytes, and back without a copy."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
AnyArray = npt.NDArray[Any]

MANY = 16
"""In so many times as many numbers each is looked up; in fewer all are gone through."""

_ALIGN = 8


def pack(**arrays: AnyArray) -> bytes:
    """Named arrays as one block: a JSON header with types and lengths, then the raw numbers, aligned."""
    header = orjson.dumps([[name, a.dtype.str, len(a)] for name, a in arrays.items()])
    pieces = [len(header).to_bytes(4, "little"), header]
    place = 4 + len(header)
    for array in arrays.values():
        gap = -place % _ALIGN
        raw = np.ascontiguousarray(array).tobytes()
        pieces += [b"\0" * gap, raw]
        place += gap + len(raw)
    return b"".join(pieces)


def unpack(block: bytes) -> dict[str, AnyArray]:
    """The arrays of `pack`, read-only, sharing the block's memory."""
    length = int.from_bytes(block[:4], "little")
    place = 4 + length
    found = {}
    for name, kind, count in orjson.loads(block[4:place]):
        place += -place % _ALIGN
        dtype = np.dtype(kind)
        found[name] = np.frombuffer(block, dtype=dtype, count=count, offset=place)
        place += dtype.itemsize * count
    return found


def pack_texts(texts: list[bytes]) -> AnyArray:
    """Texts without zero bytes as one array of bytes."""
    return np.frombuffer(b"\0".join(texts), dtype=np.uint8) if texts else np.zeros(0, dtype=np.uint8)


def unpack_texts(raw: AnyArray, count: int) -> list[bytes]:
    """The texts of `pack_texts`, of which there are `count`."""
    return raw.tobytes().split(b"\0") if count else []


def offsets_of(counts: AnyArray) -> IntArray:
    """Where each run starts and the last one ends, given how long each is."""
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    counts.cumsum(out=offsets[1:])
    return offsets


def spread(starts: AnyArray, lengths: AnyArray) -> IntArray:
    """The indices start, start + 1, … of every run, one after another."""
    lengths = lengths.astype(np.int64, copy=False)
    ends = lengths.cumsum()
    if not len(ends) or not ends[-1]:
        return np.zeros(0, dtype=np.int64)
    indices: IntArray = (starts - (ends - lengths)).repeat(lengths)
    indices += np.arange(len(indices), dtype=np.int64)
    return indices


def distinct(numbers: AnyArray) -> AnyArray:
    """The numbers, ascending, each once; by sorting, which is several times as fast as `np.unique`."""
    ordered = np.sort(numbers)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))] if len(ordered) else ordered


def contained(numbers: AnyArray, among: AnyArray) -> BoolArray:
    """Which numbers are among others; those are sorted."""
    if not len(among):
        return np.zeros(len(numbers), dtype=bool)
    at = among.searchsorted(numbers)
    at[at == len(among)] = 0
    found: BoolArray = among[at] == numbers
    return found


def common(some: IntArray, others: IntArray) -> IntArray:
    """What two arrays hold both; they are sorted and hold nothing twice."""
    few, many = sorted((some, others), key=len)
    if len(few) * MANY < len(many):
        return few[contained(few, many)]
    both: IntArray = np.concatenate([few, many])
    both.sort(kind="stable")  # which merges what is sorted already
    twice: IntArray = both[:-1][both[1:] == both[:-1]]
    return twice


def in_all(arrays: Iterable[IntArray]) -> IntArray:
    """What all arrays hold, which are sorted and hold nothing twice; nothing where there are none."""
    by_length = sorted(arrays, key=len)
    found = by_length[0] if by_length else np.zeros(0, dtype=np.int64)
    for other in by_length[1:]:
        found = common(found, other)
    return found
