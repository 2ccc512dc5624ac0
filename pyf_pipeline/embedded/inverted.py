"""Which documents have which words, and where: the inverted index of one field of one segment, as it is stored.

Three kinds of parts belong to a field: its terms, sorted; in chunks of whole terms which documents have them and how
often; and, apart, as most searches need few of them, the places. An occurrence of a term is one 32-bit number: bit 31
says that it is the last word of its text, bits 16 to 30 are the place of the text in its list, the low 16 bits the
place of the word in its text. Where all texts are short and alone, half of the bits do.
"""

import itertools
import sqlite3
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from pyf_pipeline.embedded.arrays import (
    AnyArray,
    IntArray,
    offsets_of,
    pack,
    pack_texts,
    unpack,
    unpack_texts,
)
from pyf_pipeline.embedded.segments import read_part
from pyf_pipeline.embedded.tokens import SURELY_SHORT, cut

CHUNK_BYTES = 128 * 1024
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


def write_postings(connection: sqlite3.Connection, segment: int, field: str, postings: TermPostings) -> None:
    """Stores a field's postings."""
    writer = PostingsWriter(connection, segment, field)
    writer.add(postings)
    writer.finish()


class PostingsWriter:
    """Stores a field's postings, given some of its terms after the other, in their order.

    The terms make one part; the postings are stored in chunks, each of whole terms, their places apart.
    """

    def __init__(self, connection: sqlite3.Connection, segment: int, field: str) -> None:
        self._connection = connection
        self._segment = segment
        self._field = field
        self._terms: list[bytes] = []
        self._counts: list[AnyArray] = [np.zeros(0, dtype=np.uint32)]
        self._chunk_of: list[IntArray] = [np.zeros(0, dtype=np.int64)]
        self._chunks = 0

    def add(self, postings: TermPostings) -> None:
        """Stores the postings of the next terms."""
        if not postings.terms:
            return
        counts = np.diff(postings.starts)
        occurrence_counts = np.diff(postings.occurrence_starts[postings.starts])
        chunk_of = _chunks(counts * 8 + occurrence_counts * 4)
        bounds = [0, *(np.flatnonzero(np.diff(chunk_of)) + 1).tolist(), len(chunk_of)]
        rows = []
        for number, (low, high) in enumerate(itertools.pairwise(bounds), self._chunks):
            documents, places = _chunk_blocks(postings, low, high, len(self._terms))
            rows.append((self._segment, f"postings:{self._field}", number, documents))
            rows.append((self._segment, f"places:{self._field}", number, places))
        self._connection.executemany("INSERT INTO parts VALUES (?, ?, ?, ?)", rows)
        self._terms += postings.terms
        self._counts.append(counts.astype(np.uint32))
        self._chunk_of.append(chunk_of + self._chunks)
        self._chunks += len(bounds) - 1

    def finish(self) -> None:
        """Stores the terms, after which they can be looked up."""
        dictionary = pack(
            terms=pack_texts(self._terms), count=np.array([len(self._terms)]),
            documents=np.concatenate(self._counts), chunk=np.concatenate(self._chunk_of).astype(np.uint32),
        )  # fmt: skip
        row = (self._segment, f"terms:{self._field}", 0, dictionary)
        self._connection.execute("INSERT INTO parts VALUES (?, ?, ?, ?)", row)


def _chunks(sizes: IntArray) -> IntArray:
    """Which chunk each term goes into, given how many bytes it needs."""
    if not len(sizes):
        return np.zeros(0, dtype=np.int64)
    raw = (np.cumsum(sizes) - sizes) // CHUNK_BYTES
    return np.cumsum(np.append(0, raw[1:] != raw[:-1]))


def _chunk_blocks(postings: TermPostings, low: int, high: int, before: int) -> tuple[bytes, bytes]:
    """A chunk of some terms, before which there are as many others, and its places."""
    first, last = int(postings.starts[low]), int(postings.starts[high])
    bounds = postings.occurrence_starts[first : last + 1]
    documents = pack(
        first=np.array([before + low]),
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
