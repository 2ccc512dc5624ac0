"""Numpy arrays and lists of texts as bytes, and back without a copy."""

from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
AnyArray = npt.NDArray[Any]

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
    np.cumsum(counts, out=offsets[1:])
    return offsets


def spread(starts: AnyArray, lengths: AnyArray) -> IntArray:
    """The indices start, start + 1, … of every run, one after another."""
    total = int(lengths.sum())
    if not total:
        return np.zeros(0, dtype=np.int64)
    ends = np.cumsum(lengths)
    base = np.repeat(np.asarray(starts, dtype=np.int64) - (ends - lengths), lengths)
    return base + np.arange(total, dtype=np.int64)
