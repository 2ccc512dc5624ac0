"""Values of documents by field, as arrays: what is filtered, sorted, counted and grouped by."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import orjson

from pyf_pipeline.embedded.arrays import AnyArray, BoolArray, IntArray, offsets_of, pack, spread, unpack
from pyf_pipeline.embedded.ordering import bucket_order
from pyf_pipeline.embedded.schema import Field
from pyf_pipeline.embedded.tokens import sort_form
from pyf_pipeline.embedded.validation import float_text, wrapped_int64

MAX_FACET_BYTES = 100


@dataclass(frozen=True, slots=True)
class Numbers:
    """A field's numbers: document d has `values[starts[d]:starts[d + 1]]`; booleans are 0 and 1."""

    starts: IntArray
    values: AnyArray

    def counts(self) -> IntArray:
        """How many values each document has."""
        return np.diff(self.starts)

    def owners(self) -> IntArray:
        """Whose each value is."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int64), self.counts())


@dataclass(frozen=True, slots=True)
class Labels:
    """A field's texts as numbers into `names`: document d has `codes[starts[d]:starts[d + 1]]`."""

    names: list[str]
    starts: IntArray
    codes: AnyArray

    def counts(self) -> IntArray:
        """How many values each document has."""
        return np.diff(self.starts)

    def owners(self) -> IntArray:
        """Whose each value is."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int64), self.counts())


def number_type(field: Field) -> Any:
    """The numpy type that holds a field's numbers as the server holds them."""
    if field.is_float:
        return np.float32
    return np.int64


def build_numbers(field: Field, values: list[Any]) -> Numbers:
    """The column of documents whose values (None where absent) are these."""
    rows = [[] if v is None else v if field.is_array else [v] for v in values]
    starts = offsets_of(np.fromiter((len(r) for r in rows), dtype=np.int64, count=len(rows)))
    flat = [x for r in rows for x in r]
    if not field.is_float:
        flat = [wrapped_int64(int(x)) for x in flat]
    with np.errstate(over="ignore"):
        return Numbers(starts, np.array(flat, dtype=number_type(field)))


def build_labels(texts: list[list[str]], seqs: Sequence[int]) -> Labels:
    """The column of documents that have these texts; the texts are numbered in the order in which Typesense does."""
    starts = offsets_of(np.fromiter((len(r) for r in texts), dtype=np.int64, count=len(texts)))
    numbers: dict[str, int] = {}
    having = {int(seq): found for seq, found in zip(seqs, texts, strict=True) if found}
    for seq in bucket_order(list(having)):
        for text in having[seq]:
            numbers.setdefault(text, len(numbers))
    codes = np.array([numbers[t] for r in texts for t in r], dtype=np.int32)
    return Labels(list(numbers), starts, codes)


def facet_texts(value: Any, field: Field) -> list[str]:
    """The texts by which a field's value is counted: strings cut to 100 bytes, numbers as they are shown."""
    if value is None:
        return []
    text = _cut if field.is_string else partial(number_text, field)
    return [text(v) for v in value] if field.is_array else [text(value)]


def number_text(field: Field, value: Any) -> str:
    """A number or truth value as a facet shows it."""
    if field.is_bool:
        return "true" if value else "false"
    return float_text(value) if field.is_float else str(wrapped_int64(int(value)))


def _cut(text: str) -> str:
    if len(text) * 4 <= MAX_FACET_BYTES:
        return text
    raw = text.encode()
    return text if len(raw) <= MAX_FACET_BYTES else raw[:MAX_FACET_BYTES].decode(errors="ignore")


def sort_texts(value: Any) -> list[str]:
    """The text by which a value is sorted, in a list that is empty where there is none."""
    text = sort_form(value) if isinstance(value, str) else ""
    return [text] if text else []


def pack_numbers(column: Numbers) -> bytes:
    """The column as bytes."""
    return pack(counts=column.counts().astype(np.uint32), values=column.values)


def unpack_numbers(block: bytes) -> Numbers:
    """The column of `pack_numbers`."""
    found = unpack(block)
    return Numbers(offsets_of(found["counts"]), found["values"])


def pack_labels(column: Labels) -> bytes:
    """The column as bytes."""
    names = np.frombuffer(orjson.dumps(column.names), dtype=np.uint8)
    return pack(counts=column.counts().astype(np.uint32), codes=column.codes, names=names)


def unpack_labels(block: bytes) -> Labels:
    """The column of `pack_labels`."""
    found = unpack(block)
    return Labels(orjson.loads(found["names"].tobytes()), offsets_of(found["counts"]), found["codes"])


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a segment's documents go among those of a view: `target[d]` for document d, -1 where it is dead."""

    target: IntArray
    total: int

    @property
    def alive(self) -> BoolArray:
        """Which documents go anywhere."""
        return self.target >= 0


def gather_numbers(parts: list[tuple[Numbers | None, Placement]], total: int, kind: Any) -> Numbers:
    """Segments' columns as one over the view's documents."""
    starts, order = _gathered([(p.starts if p else None, w) for p, w in parts], total)
    values = np.concatenate([p.values for p, _ in parts if p] or [np.zeros(0, dtype=kind)])
    return Numbers(starts, values[order])


def gather_labels(parts: list[tuple[Labels | None, Placement]], total: int) -> Labels:
    """Segments' columns as one over the view's documents; names are numbered anew."""
    starts, order = _gathered([(p.starts if p else None, w) for p, w in parts], total)
    numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    codes = [np.zeros(0, dtype=np.int32)]
    for part, _ in parts:
        if part:
            new = np.fromiter(map(numbers.__getitem__, part.names), dtype=np.int32, count=len(part.names))
            codes.append(new[part.codes] if len(new) else part.codes)
    return Labels(list(numbers), starts, np.concatenate(codes)[order])


def _gathered(parts: list[tuple[IntArray | None, Placement]], total: int) -> tuple[IntArray, IntArray]:
    """For every view document how many values it has, and where they are in the parts' values put together."""
    counts = np.zeros(total, dtype=np.int64)
    source = np.zeros(total, dtype=np.int64)
    base = 0
    for starts, placement in parts:
        if starts is None:
            continue
        alive = placement.alive
        target = placement.target[alive]
        counts[target] = np.diff(starts)[alive]
        source[target] = base + starts[:-1][alive]
        base += int(starts[-1])
    return offsets_of(counts), spread(source, counts)
