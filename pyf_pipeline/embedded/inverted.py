"""Which documents have which words, and where: the inverted index of one field of one segment, as it is stored.

Three kinds of parts belong to a field: its terms, sorted; in chunks of whole terms which documents have them and how
often; and, apart, as most searches need few of them, the places. An occurrence of a term is one 32-bit number: bit 31
says that it is the last word of its text, bits 16 to 30 are the place of the text in its list, the low 16 bits the
place of the word in its text. Where all texts are short and alone, half of the bits do.
"""

import bisect
import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyf_pipeline.embedded.arrays import (
    AnyArray,
    IntArray,
    offsets_of,
    pack,
    pack_texts,
    spread,
    unpack,
    unpack_texts,
)
from pyf_pipeline.embedded.segments import read_part
from pyf_pipeline.embedded.tokens import SURELY_SHORT, cut

CHUNK_BYTES = 128 * 1024
MERGED_TOGETHER = 250_000
LAST = 1 << 31
PLACE = 0xFFFF
ELEMENT = 0x7FFF
SHORT_LAST, SHORT_PLACE = 1 << 15, 0x7FFF


@dataclass(frozen=True, slots=True)
class TermPostings:
    """All postings of one field.

    Term i has the postings `starts[i]:starts[i + 1]`, posting j the occurrences
    `occurrence_starts[j]:occurrence_starts[j + 1]`.
    """

    terms: list[bytes]
    starts: IntArray
    documents: AnyArray
    occurrence_starts: IntArray
    occurrences: AnyArray


def term_postings(tokens: list[str], documents: AnyArray, occurrences: AnyArray) -> TermPostings:
    """Turns tokens in document order around into terms with postings; of long ones only the beginning counts."""
    numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    ids = np.fromiter(map(numbers.__getitem__, tokens), dtype=np.int64, count=len(tokens))
    if max(map(len, numbers), default=0) > SURELY_SHORT:
        forms = [cut(token) for token in numbers]
        terms = sorted(set(forms))
        places = {term: place for place, term in enumerate(terms)}
        rank = np.array([places[form] for form in forms], dtype=np.int64)
    else:
        # In the order of their bytes, which is the one of their characters.
        terms = sorted(numbers)
        rank = np.empty(len(terms), dtype=np.int64)
        rank[np.fromiter(map(numbers.__getitem__, terms), dtype=np.int64, count=len(terms))] = np.arange(len(terms))
    return _grouped([term.encode() for term in terms], rank[ids], documents, occurrences)


def _grouped(terms: list[bytes], term_of: IntArray, documents: AnyArray, occurrences: AnyArray) -> TermPostings:
    """Groups occurrences (each with its term and document, documents ascending) by term and document."""
    order = stable_order(term_of)
    by_term, by_document = term_of[order], documents[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (by_term[1:] != by_term[:-1]) | (by_document[1:] != by_document[:-1])
    heads = np.flatnonzero(first)
    return TermPostings(
        terms=terms,
        starts=np.searchsorted(by_term[heads], np.arange(len(terms) + 1)).astype(np.int64),
        documents=by_document[heads].astype(np.uint32),
        occurrence_starts=np.append(heads, len(order)).astype(np.int64),
        occurrences=occurrences[order].astype(np.uint32),
    )


def stable_order(numbers: IntArray) -> IntArray:
    """The indices by rising numbers (below 2**31), equal ones in their order; sorts values, which is what is fast."""
    keyed = (numbers.astype(np.int64) << 32) | np.arange(len(numbers), dtype=np.int64)
    keyed.sort()
    return keyed & 0xFFFFFFFF


def merge_postings(parts: list[TermPostings], renumbered: list[IntArray]) -> TermPostings:
    """Several segments' postings as one; `renumbered[k][d]` is document d of part k in the new one, -1 if dead.

    One stretch of the alphabet after another, as merging takes several times the memory of what is merged.
    """
    merged = [_merged(stretch, renumbered) for stretch in _stretches(parts)]
    offsets = np.cumsum([0, *(len(m.documents) for m in merged)])
    places = np.cumsum([0, *(len(m.occurrences) for m in merged)])
    return TermPostings(
        terms=[term for m in merged for term in m.terms],
        starts=np.concatenate([*(m.starts[:-1] + o for m, o in zip(merged, offsets, strict=False)), offsets[-1:]]),
        documents=_joined([m.documents for m in merged], np.uint32),
        occurrence_starts=np.concatenate(
            [*(m.occurrence_starts[:-1] + p for m, p in zip(merged, places, strict=False)), places[-1:]]
        ),
        occurrences=_joined([m.occurrences for m in merged], np.uint32),
    )


def _stretches(parts: list[TermPostings]) -> Iterator[list[TermPostings]]:
    """The parts cut at the same terms, so that there is not much in each cut."""
    largest = max(parts, key=lambda p: len(p.occurrences))
    count = sum(len(p.occurrences) for p in parts) // MERGED_TOGETHER + 1
    ends = largest.occurrence_starts[largest.starts]
    cuts = np.searchsorted(ends, [len(largest.occurrences) * i // count for i in range(1, count)])
    terms = [largest.terms[c] for c in dict.fromkeys(cuts.tolist()) if c < len(largest.terms)]
    places = [[0, *(bisect.bisect_left(p.terms, t) for t in terms), len(p.terms)] for p in parts]
    for n in range(len(terms) + 1):
        yield [_cut(p, at[n], at[n + 1]) for p, at in zip(parts, places, strict=True)]


def _cut(postings: TermPostings, low: int, high: int) -> TermPostings:
    first, last = int(postings.starts[low]), int(postings.starts[high])
    bounds = postings.occurrence_starts[first : last + 1]
    return TermPostings(
        terms=postings.terms[low:high],
        starts=postings.starts[low : high + 1] - first,
        documents=postings.documents[first:last],
        occurrence_starts=bounds - bounds[0],
        occurrences=postings.occurrences[bounds[0] : bounds[-1]],
    )


def _merged(parts: list[TermPostings], renumbered: list[IntArray]) -> TermPostings:
    terms = sorted({t for p in parts for t in p.terms})
    number = {t: i for i, t in enumerate(terms)}
    own = [np.fromiter(map(number.__getitem__, p.terms), dtype=np.int32, count=len(p.terms)) for p in parts]
    term_of = np.concatenate([np.repeat(o, np.diff(p.starts)) for o, p in zip(own, parts, strict=True)])
    documents = np.concatenate([new.astype(np.int32)[p.documents] for p, new in zip(parts, renumbered, strict=True)])
    alive = np.flatnonzero(documents >= 0)
    if not _one_after_another(renumbered):
        alive = alive[stable_order(documents[alive])]
    alive = alive[stable_order(term_of[alive])]
    used, starts = np.unique(term_of[alive], return_index=True)
    documents = documents[alive].astype(np.uint32)
    lengths = np.concatenate([np.diff(p.occurrence_starts) for p in parts])[alive]
    bases = np.cumsum([0, *(int(p.occurrence_starts[-1]) for p in parts)])
    sources = np.concatenate([p.occurrence_starts[:-1] + b for p, b in zip(parts, bases, strict=False)])[alive]
    occurrences = np.concatenate([p.occurrences for p in parts])
    return TermPostings(
        terms=[terms[i] for i in used],
        starts=np.append(starts, len(alive)).astype(np.int64),
        documents=documents,
        occurrence_starts=offsets_of(lengths),
        occurrences=occurrences[spread(sources, lengths)],
    )


def _one_after_another(renumbered: list[IntArray]) -> bool:
    """Whether each part's documents all come before the next one's, so that its postings do too."""
    bounds = [(int(alive.min()), int(alive.max())) for new in renumbered if len(alive := new[new >= 0])]
    return all(a[1] < b[0] for a, b in itertools.pairwise(bounds))


def write_postings(connection: sqlite3.Connection, segment: int, field: str, postings: TermPostings) -> None:
    """Stores a field's terms as one part and its postings as chunks, each of whole terms, their places apart."""
    counts = np.diff(postings.starts)
    occurrence_counts = (
        postings.occurrence_starts[postings.starts[1:]] - postings.occurrence_starts[postings.starts[:-1]]
    )
    chunk_of = _chunks(counts * 8 + occurrence_counts * 4)
    dictionary = pack(
        terms=pack_texts(postings.terms), count=np.array([len(postings.terms)]), documents=counts.astype(np.uint32),
        chunk=chunk_of.astype(np.uint32),
    )  # fmt: skip
    rows: list[tuple[int, str, int, bytes]] = [(segment, f"terms:{field}", 0, dictionary)]
    bounds = [0, *(np.flatnonzero(np.diff(chunk_of)) + 1).tolist(), len(chunk_of)] if len(chunk_of) else []
    for chunk, (low, high) in enumerate(itertools.pairwise(bounds)):
        documents, places = _chunk_blocks(postings, low, high)
        rows += [(segment, f"postings:{field}", chunk, documents), (segment, f"places:{field}", chunk, places)]
    connection.executemany("INSERT INTO parts VALUES (?, ?, ?, ?)", rows)


def _chunks(sizes: IntArray) -> IntArray:
    """Which chunk each term goes into, given how many bytes it needs."""
    if not len(sizes):
        return np.zeros(0, dtype=np.int64)
    raw = (np.cumsum(sizes) - sizes) // CHUNK_BYTES
    return np.cumsum(np.append(0, raw[1:] != raw[:-1]))


def _chunk_blocks(postings: TermPostings, low: int, high: int) -> tuple[bytes, bytes]:
    first, last = int(postings.starts[low]), int(postings.starts[high])
    bounds = postings.occurrence_starts[first : last + 1]
    documents = pack(
        first=np.array([low]),
        starts=(postings.starts[low : high + 1] - first).astype(np.uint32),
        documents=narrowed(postings.documents[first:last]),
        lengths=narrowed(np.diff(bounds)),
    )
    return documents, pack(occurrences=shortened(postings.occurrences[bounds[0] : bounds[-1]]))


def narrowed(numbers: AnyArray) -> AnyArray:
    """Numbers from 0 upwards in as few bytes each as the greatest needs."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def shortened(occurrences: AnyArray) -> AnyArray:
    """Occurrences in half as many bits, where that loses nothing."""
    if ((occurrences & ~np.uint32(LAST)) > SHORT_PLACE).any():
        return occurrences
    return ((occurrences >> 16 & SHORT_LAST) | (occurrences & SHORT_PLACE)).astype(np.uint16)


def lengthened(occurrences: AnyArray) -> AnyArray:
    """Occurrences in 32 bits, however they are stored."""
    if occurrences.dtype != np.uint16:
        return occurrences
    wide = occurrences.astype(np.uint32)
    return (wide & SHORT_LAST) << 16 | wide & SHORT_PLACE


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of terms with their postings, as read back; term `first + i` has the postings `starts[i]:starts[i + 1]`.

    Posting j has the occurrences `occurrence_starts[j]:occurrence_starts[j + 1]` of the chunk's places.
    """

    first: int
    starts: AnyArray
    documents: AnyArray
    occurrence_starts: AnyArray

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return int(self.starts.nbytes + self.documents.nbytes + self.occurrence_starts.nbytes)


def read_chunk(connection: sqlite3.Connection, segment: int, field: str, chunk: int) -> Chunk:
    """One chunk of a field's postings, without their places."""
    found = _read(connection, segment, f"postings:{field}", chunk)
    if "occurrences" in found:  # as format 1 has it: copied, so that the places are let go
        starts, documents = found["occurrence_starts"].copy(), found["documents"].copy()
        return Chunk(int(found["first"][0]), found["starts"].copy(), documents, starts)
    starts = offsets_of(found["lengths"]).astype(np.uint32)
    return Chunk(int(found["first"][0]), found["starts"], found["documents"], starts)


def read_places(connection: sqlite3.Connection, segment: int, field: str, chunk: int) -> AnyArray:
    """The occurrences of a chunk's postings, to be made longer where they are used."""
    data = read_part(connection, segment, f"places:{field}", chunk)
    if data is not None:
        return unpack(data)["occurrences"]
    # As format 1 has it: beside the documents.
    return _read(connection, segment, f"postings:{field}", chunk)["occurrences"]


def _read(connection: sqlite3.Connection, segment: int, part: str, chunk: int) -> dict[str, AnyArray]:
    data = read_part(connection, segment, part, chunk)
    if data is None:
        raise RuntimeError(f"segment {segment} lacks chunk {chunk} of `{part}`: the file is damaged")
    return unpack(data)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A field's terms in one segment, with how many documents each is in and where its postings are."""

    terms: list[bytes]
    documents: AnyArray
    chunk: AnyArray


def read_dictionary(connection: sqlite3.Connection, segment: int, field: str) -> Dictionary | None:
    """A field's terms in a segment, or None where the segment has none."""
    data = read_part(connection, segment, f"terms:{field}")
    if data is None:
        return None
    found = unpack(data)
    return Dictionary(unpack_texts(found["terms"], int(found["count"][0])), found["documents"], found["chunk"])


def read_postings(connection: sqlite3.Connection, segment: int, field: str) -> TermPostings | None:
    """All postings of a field in a segment, for merging."""
    dictionary = read_dictionary(connection, segment, field)
    if dictionary is None:
        return None
    count = int(dictionary.chunk[-1]) + 1 if len(dictionary.chunk) else 0
    chunks = [read_chunk(connection, segment, field, c) for c in range(count)]
    places = [lengthened(read_places(connection, segment, field, c)) for c in range(count)]
    return TermPostings(
        terms=dictionary.terms,
        starts=offsets_of(dictionary.documents),
        documents=_joined([c.documents for c in chunks], np.uint32),
        occurrence_starts=offsets_of(_joined([np.diff(c.occurrence_starts) for c in chunks], np.uint32)),
        occurrences=_joined(places, np.uint32),
    )


def _joined(arrays: list[AnyArray], dtype: Any) -> AnyArray:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=dtype)
