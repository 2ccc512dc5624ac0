"""Counting hits by the values of a field."""

import itertools
import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyf_pipeline.embedded.arrays import AnyArray, BoolArray, IntArray, distinct
from pyf_pipeline.embedded.columns import Labels, Numbers, number_text
from pyf_pipeline.embedded.errors import ApiError, UnsupportedError, bad_request, not_found
from pyf_pipeline.embedded.nearby import Vocabulary, near_ranges
from pyf_pipeline.embedded.ordering import bucket_order
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.tokens import Tokenizer
from pyf_pipeline.embedded.view import View

FEW_VALUES = 250
MANY_HITS = 1000
MANY_DOCUMENTS = 10_000
MAX_FACETS = 250


@dataclass(frozen=True, slots=True)
class Range:
    """A named span of numbers: from `low`, up to but without `high`."""

    label: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FacetRequest:
    """One field of `facet_by`.

    Attributes:
        by_name: "" for the most frequent first, else "asc" or "desc" by value.
        sort_field: Another field by which values are ordered, in the direction `by_name`.
        wildcard: Whether it was meant by a pattern; it is left out then where nothing is counted.
    """

    field: str
    ranges: tuple[Range, ...] = ()
    by_name: str = ""
    sort_field: str = ""
    wildcard: bool = False


def parse_facets(text: str, schema: Schema) -> list[FacetRequest]:
    """The fields of `facet_by`; raises `ApiError`."""
    found: list[FacetRequest] = []
    for part in _split(text):
        if part.startswith("$"):
            raise UnsupportedError("Faceting by fields of another collection")
        found += _requests(part, schema)
    if len(found) > MAX_FACETS:
        raise bad_request(f"Parameter `facet_by` has too many fields. Maximum allowed: {MAX_FACETS}.")
    return found


def _split(text: str) -> list[str]:
    """Splits at commas outside parentheses."""
    parts, depth, buffer = [], 0, ""
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(buffer)
            buffer = ""
        else:
            buffer += character
    if depth:
        raise bad_request("Invalid facet format.")
    return [p for part in [*parts, buffer] if (p := part.strip())]


def _requests(part: str, schema: Schema) -> list[FacetRequest]:
    name, bracket, inner = part.partition("(")
    name = name.strip()
    if "*" in name:
        if bracket:
            raise bad_request("Pattern faceting takes no options.")
        fields = [f for f in schema.searchable.values() if f.facet and f.name.startswith(name.partition("*")[0])]
        if not fields:
            raise not_found(f"Could not find a facet field for `{name}` in the schema.")
        return [FacetRequest(f.name, wildcard=True) for f in fields]
    field = schema.searchable.get(name)
    if field is None or not field.facet:
        raise not_found(f"Could not find a facet field named `{name}` in the schema.")
    if not bracket:
        return [FacetRequest(name)]
    if not inner.endswith(")"):
        raise bad_request("Invalid facet format.")
    return [_with_options(field, inner[:-1], schema)]


def _with_options(field: Field, text: str, schema: Schema) -> FacetRequest:
    head, _, rest = text.partition(":")
    if head.strip().lower() == "sort_by":
        name, _, order = rest.rpartition(":")
        name, order = name.strip(), order.strip().lower()
        if order in {"asc", "desc"} and name and not any(c.isspace() or c == ":" for c in name):
            return _sorted_by(field, name, order, schema)
    if not field.is_number or field.is_array:
        raise bad_request("Range facet is restricted to only integer and float fields.")
    return FacetRequest(field.name, ranges=_ranges(text))


def _sorted_by(field: Field, name: str, order: str, schema: Schema) -> FacetRequest:
    if name.lower() == "_alpha":
        return FacetRequest(field.name, by_name=order)
    if name not in schema.searchable or not schema.searchable[name].sort:
        raise not_found(f"Could not find a sort field named `{name}` in the schema.")
    return FacetRequest(field.name, by_name=order, sort_field=name)


def _ranges(text: str) -> tuple[Range, ...]:
    """Ranges such as `low:[0, 10], high:[10, ]`."""
    found: list[Range] = []
    *parts, rest = text.split("]")
    for i, part in enumerate(parts):
        label, bracket, bounds = part.partition("[")
        if i and label.lstrip()[:1] == ",":
            label = label.lstrip()[1:]
        elif i:
            raise bad_request("Error splitting the facet range values.")
        label, colon, blank = label.rpartition(":")
        low, comma, high = bounds.partition(",")
        label = label.strip()
        if not (bracket and colon and comma and label) or blank.strip() or set(label) & set(":[,") or "," in high:
            raise bad_request("Error splitting the facet range values.")
        found.append(Range(label, _bound(low.strip(), -np.inf), _bound(high.strip(), np.inf)))
    if rest.lstrip() not in {"", ","} or (text and not parts):
        raise bad_request("Error splitting the facet range values.")
    ordered = sorted(found, key=lambda r: r.low)
    if any(a.high > b.low for a, b in itertools.pairwise(ordered)):
        raise bad_request("Ranges in range facet syntax should be continous.")
    return tuple(ordered)


def _bound(text: str, default: float) -> float:
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise bad_request("Facet range value is not valid.") from None


@dataclass(frozen=True, slots=True)
class FacetOptions:
    """How many values are shown, of which (a facet query), and how thoroughly they are counted."""

    max_values: int = 10
    query_field: str = ""
    query: str = ""
    query_typos: int = 2
    strategy: str = "automatic"
    start_tag: str = "<mark>"
    end_tag: str = "</mark>"


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts the hits of one search.

    Attributes:
        hits: Which documents are hits.
        groups: The group of each document where results are grouped: groups are counted then, not documents.
        everything: Whether the search was for `*` without a filter.
    """

    connection: sqlite3.Connection
    view: View
    hits: BoolArray
    groups: IntArray | None
    everything: bool
    options: FacetOptions

    def count(self, request: FacetRequest) -> dict[str, Any] | None:
        """A field's part of `facet_counts`, or None where a pattern meant it and nothing is counted."""
        field = self.view.schema.by_name[request.field]
        if request.ranges:
            return self._ranges(request, field)
        labels = self._labels(field)
        by_value_index = self._by_value_index(request, labels)
        codes, owners = self._counted(field, labels, all_of_them=self.everything and by_value_index)
        counts = self._totals(labels, codes, owners)
        order = self._order(request, labels, counts, (codes, owners), by_value_index=by_value_index)
        matching = self._matching(field, labels, order)
        if matching is not None:
            order = [c for c in order if c in matching]
        if by_value_index:
            order = order[: self._examined()]
            if not request.by_name:
                order.sort(key=lambda c: -counts[c])
        if request.wildcard and not order:
            return None
        chosen = order[: self.options.max_values]
        if not request.by_name:
            chosen.sort(key=lambda c: _rank(labels.names[c], int(counts[c])))
        shown = [
            self._value(labels.names[c], int(counts[c]), matching[c] if matching is not None else None) for c in chosen
        ]
        stats: dict[str, float] = {"total_values": len(order)}
        if field.is_number:
            stats |= self._stats(field, {labels.names[c]: int(counts[c]) for c in order} if by_value_index else None)
        return {"counts": shown, "field_name": request.field, "sampled": False, "stats": stats}

    def _labels(self, field: Field) -> Labels:
        if field.is_string:
            return self.view.facet_labels(self.connection, field)
        return number_labels(self.connection, self.view, field)

    def _counted(self, field: Field, labels: Labels, *, all_of_them: bool) -> tuple[IntArray, IntArray]:
        """The values of the hits or of all documents and whose they are, a value at most once for each document."""
        codes, owners = self._owned(field.name, labels)
        if all_of_them:
            return codes, owners
        mask = self.hits[owners]
        return codes[mask], owners[mask]

    def _owned(self, name: str, labels: Labels) -> tuple[IntArray, IntArray]:
        return self.view.memo("values", name, lambda: _owned(labels))

    def _totals(self, labels: Labels, codes: IntArray, owners: IntArray) -> IntArray:
        if self.groups is not None:
            width = int(self.groups.max(initial=0)) + 1
            codes = distinct(codes * width + self.groups[owners]) // width
        return np.bincount(codes, minlength=len(labels.names))

    def _order(
        self,
        request: FacetRequest,
        labels: Labels,
        counts: IntArray,
        counted: tuple[IntArray, IntArray],
        *,
        by_value_index: bool,
    ) -> list[int]:
        """The values that were counted, in the order in which they are shown."""
        found = np.flatnonzero(counts).tolist()
        if request.sort_field:
            best = self._sort_values(request.sort_field, *counted, len(labels.names))
            return sorted(found, key=lambda c: best[c], reverse=request.by_name == "desc")
        if request.by_name:
            return sorted(found, key=lambda c: labels.names[c].encode(), reverse=request.by_name == "desc")
        if not by_value_index:
            return sorted(found, key=lambda c: (-counts[c], -c))
        known = self.view.standings(self.connection, request.field)
        changed = {c: known[name].changed for c in found if (name := labels.names[c]) in known}
        total = self.view.memo("totals", request.field, lambda: np.bincount(self._owned(request.field, labels)[0]))
        return sorted(found, key=lambda c: (-total[c], changed.get(c, c)))

    def _sort_values(self, name: str, codes: IntArray, owners: IntArray, count: int) -> IntArray:
        field = self.view.schema.by_name[name]
        if field.is_string:
            values = self.view.sort_ranks(self.connection, field)[owners]
        else:
            column = self.view.numbers(self.connection, field)
            padded = np.append(column.values, 0)
            values = padded[np.minimum(column.starts[:-1], len(column.values))][owners]
        last = np.zeros(count, dtype=values.dtype)
        last[codes] = values
        return last

    def _by_value_index(self, request: FacetRequest, labels: Labels) -> bool:
        """Whether Typesense would look through the most frequent values only, instead of through all hits."""
        if self.options.strategy not in {"automatic", "top_values"} or not self._has_value_index(labels):
            return False
        if self.options.strategy == "top_values":
            return True
        if self.groups is not None or request.sort_field:
            return False
        hits = int(np.count_nonzero(self.hits))
        many = hits > MANY_HITS and (len(labels.names) < FEW_VALUES or hits * 2 > self.view.size)
        return self.everything or many or bool(request.by_name)

    def _has_value_index(self, labels: Labels) -> bool:
        """A large collection has none of a field that few documents have, or nearly each with a value of its own."""
        if self.view.size < MANY_DOCUMENTS:
            return True
        having = int(np.count_nonzero(labels.counts()))
        return having >= MANY_DOCUMENTS and len(labels.names) <= 0.8 * self.view.size

    def _examined(self) -> int:
        return self.options.max_values * (1 if self.everything else 2)

    def _matching(self, field: Field, labels: Labels, order: list[int]) -> dict[int, dict[str, int]] | None:
        """The values that the facet query finds, each with the words to mark; None where there is no such query."""
        if not self.options.query or self.options.query_field != field.name:
            return None
        words = {code: set(self._tokenizer.words(labels.names[code])) for code in order}
        known = Vocabulary(sorted({w.encode() for some in words.values() for w in some}))
        asked = self._tokenizer.words(self.options.query)
        marks = [self._near(known, word, prefix=i == len(asked) - 1) for i, word in enumerate(asked)]
        together = {word: length for each in marks for word, length in each.items()}
        return {c: together for c, some in words.items() if marks and all(some & each.keys() for each in marks)}

    def _near(self, known: Vocabulary, word: str, *, prefix: bool) -> dict[str, int]:
        """The words near one of the facet query, at as few typos as may be, and how much of each is to be marked."""
        raw = word.encode()
        most = min(self.options.query_typos, 0 if len(raw) < 4 else 1 if len(raw) < 7 else 2)
        for cost in range(most + 1):
            (ranges,) = near_ranges([known], raw, cost, prefix=prefix)
            found = [known.terms[i].decode() for low, high in ranges for i in range(low, high)]
            if found:
                return {f: len(word) if f.startswith(word) else len(f) for f in found}
        return {}

    @property
    def _tokenizer(self) -> Tokenizer:
        return self.view.analyser(self.connection, self.options.query_field).tokenizer

    def _value(self, name: str, count: int, marks: dict[str, int] | None) -> dict[str, Any]:
        shown = self._marked(name, marks) if marks else name
        return {"count": count, "highlighted": shown, "value": name}

    def _marked(self, name: str, marks: dict[str, int]) -> str:
        pieces, place = [], 0
        for word, start, last in self._tokenizer.spans(name):
            if word not in marks:
                continue
            end = last + 1 if marks[word] == len(word) else start + marks[word]
            pieces += [name[place:start], self.options.start_tag, name[start:end], self.options.end_tag]
            place = end
        return "".join([*pieces, name[place:]])

    def _hit_values(self, field: Field) -> Any:
        column = self.view.numbers(self.connection, field)
        return column.values[self.hits[column.owners()]]

    def _stats(self, field: Field, examined: dict[str, int] | None) -> dict[str, float]:
        """Figures over the hits' values; of the sum only what was looked at counts, and for groups it counts twice."""
        values = self._hit_values(field).astype(np.float64)
        if not len(values):
            return {}
        total, number = float(values.sum()), len(values)
        if examined is not None:
            total, number = sum(float(v) * n for v, n in examined.items()), sum(examined.values())
        return {
            "avg": total / number if number else 0.0, "max": float(values.max()), "min": float(values.min()),
            "sum": total * (1 if self.groups is None else 2),
        }  # fmt: skip

    def _ranges(self, request: FacetRequest, field: Field) -> dict[str, Any]:
        column = self.view.numbers(self.connection, field)
        owners = column.owners()
        hit = self.hits[owners]
        values, owners = column.values[hit], owners[hit]
        counts: list[dict[str, Any]] = []
        for each in request.ranges:
            inside = owners[(values >= each.low) & (values < each.high)]
            number = len(inside) if self.groups is None else len(distinct(self.groups[inside]))
            if number:
                counts.append({"count": number, "highlighted": "", "value": each.label})
        counts.sort(key=lambda c: (-c["count"], c["value"]))
        stats = {**self._stats(field, None), "total_values": len(counts)}
        return {
            "counts": counts[: self.options.max_values],
            "field_name": request.field,
            "sampled": False,
            "stats": stats,
        }


def _rank(value: str, count: int) -> tuple[int, int, list[int]]:
    """Where a value stands among those that are shown: of equally frequent ones the shortest first, then the last."""
    raw = value.encode()
    return -count, len(raw), [-byte for byte in raw]


def _owned(labels: Labels) -> tuple[IntArray, IntArray]:
    """All values and whose they are, by document; one that a document has twice counts once."""
    codes, owners = labels.codes.astype(np.int64), labels.owners()
    if (labels.counts() > 1).any():
        keys = distinct(owners * (len(labels.names) + 1) + codes)
        owners, codes = np.divmod(keys, len(labels.names) + 1)
    return codes, owners


def number_labels(connection: sqlite3.Connection, view: View, field: Field) -> Labels:
    """A field's numbers or truth values as texts."""

    def make() -> Labels:
        column = view.numbers(connection, field)
        values, codes = np.unique(column.values, return_inverse=True)
        order = _number_order(connection, view, field, column, values)
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        return Labels([number_text(field, v) for v in values[order]], column.starts, place[codes])

    return view.memo("number labels", field.name, make)


def _number_order(
    connection: sqlite3.Connection, view: View, field: Field, column: Numbers, values: AnyArray
) -> list[int]:
    """How Typesense numbers a field's values: 64-bit integers as they come, all others by their own bits."""
    if field.is_float:
        return [int(i) for i in np.argsort(values.view(np.uint32), kind="stable")]
    if not field.type.startswith("int64"):
        return list(range(len(values)))
    known = view.standings(connection, field.name)
    texts = [number_text(field, v) for v in values]
    if all(t in known for t in texts):
        return sorted(range(len(texts)), key=lambda i: known[texts[i]].came)
    having = np.flatnonzero(column.counts())
    rank = {int(v): i for i, v in enumerate(values)}
    seen: dict[int, None] = {}
    position = {int(view.seqs[d]): int(d) for d in having}
    for seq in bucket_order(list(position)):
        document = position[seq]
        for value in column.values[column.starts[document] : column.starts[document + 1]].tolist():
            seen.setdefault(rank[value])
    return list(seen)


def check_facet_query(text: str, requests: list[FacetRequest]) -> tuple[str, str]:
    """(field, words) of `facet_query`; raises `ApiError`."""
    if not text:
        return "", ""
    name, colon, query = text.partition(":")
    if not colon:
        raise bad_request("Facet query must be in the `facet_field: value` format.")
    if not requests:
        raise bad_request("The `facet_query` parameter is supplied without a `facet_by` parameter.")
    name, query = name.strip(), query.strip()
    if query and all(r.field != name for r in requests):
        raise ApiError(400, f"Facet query refers to a facet field `{name}` that is not part of `facet_by` parameter.")
    return (name, query) if query else ("", "")
