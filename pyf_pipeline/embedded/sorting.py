"""`sort_by`: the keys by which hits are ordered, the greatest first."""

import sqlite3
from dataclasses import dataclass, replace

import numpy as np

from pyf_pipeline.embedded.arrays import AnyArray, IntArray
from pyf_pipeline.embedded.decay import Decay, parse_decay
from pyf_pipeline.embedded.errors import ApiError, UnsupportedError, bad_request, not_found
from pyf_pipeline.embedded.evaluation import Evaluator
from pyf_pipeline.embedded.filters import parse_filter
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.view import View
from pyf_pipeline.embedded.wholes import unsigned

TEXT_MATCH, GROUP_FOUND, EVAL, SEQUENCE, RANDOM = "_text_match", "_group_found", "_eval", "_seq_id", "_rand"
MAX_SORTS = 3
MAX_EVALS = 100
HIGHEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Sort:
    """One key.

    Attributes:
        name: A field, or one of the names with an underscore.
        descending: The direction.
        missing: Where documents without a value go: "first", "last", or "" for as Typesense sees fit.
        evals: For `_eval`: conditions with what each is worth.
        buckets: For `_text_match`: into how many equal parts the hits are cut before other keys decide; 0 for none.
        bucket_size: The same by how many hits are in each part.
        seed: For `_rand`: hits come in the same order by the same seed; None for another order each time.
        decay: For a number: what it is worth by how far it is from another.
    """

    name: str
    descending: bool
    missing: str = ""
    evals: tuple[tuple[str, int], ...] = ()
    buckets: int = 0
    bucket_size: int = 0
    seed: int | None = None
    decay: Decay | None = None


def parse_sorts(text: str, schema: Schema, *, wildcard: bool, grouped: bool) -> list[Sort]:
    """The keys of `sort_by` with those that are implied added; raises `ApiError`."""
    parts = _split(text)
    if len(parts) > MAX_SORTS:
        raise bad_request(f"Only upto {MAX_SORTS} sort fields are allowed.")
    sorts = [_parse(p, schema, grouped=grouped) for p in parts]
    if sum(s.name == EVAL for s in sorts) > 1:
        raise ApiError(422, "Only one sorting eval expression is allowed.")
    if not sorts:
        sorts = [] if wildcard else [Sort(TEXT_MATCH, descending=True)]
        default = schema.default_sorting_field
        sorts.append(Sort(default or SEQUENCE, descending=True))
    if not wildcard and len(sorts) < MAX_SORTS and all(s.name != TEXT_MATCH for s in sorts):
        sorts.append(Sort(TEXT_MATCH, descending=True))
    return sorts


def _split(text: str) -> list[str]:
    parts, depth, buffer, ticked = [], 0, "", False
    for character in text:
        ticked ^= character == "`"
        if not ticked:
            depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0 and not ticked:
            parts.append(buffer)
            buffer = ""
        else:
            buffer += character
    return [p for part in [*parts, buffer] if (p := part.strip())]


def _parse(part: str, schema: Schema, *, grouped: bool) -> Sort:
    if part.startswith(RANDOM) and part.endswith(")"):
        part += ":desc"  # the one that needs no direction
    expression, colon, order = part.rpartition(":")
    if not colon or not expression.strip() or ")" in order:
        raise bad_request("Parameter `sort_by` is malformed.")
    expression, order = expression.strip(), order.strip().upper()
    if expression.startswith("$"):
        raise UnsupportedError("Sorting by fields of another collection")
    name, bracket, inner = expression.partition("(")
    if bracket and not inner.endswith(")"):
        raise bad_request("Parameter `sort_by` is malformed.")
    name, inner = name.strip(), inner[:-1] if bracket else ""
    if name == GROUP_FOUND and not grouped:
        raise not_found("group_by parameters should not be empty when using sort_by group_found")
    sort = _special_sort(name, inner, schema) if name.startswith("_") else None
    if sort is None:
        sort = _field_sort(name, inner, schema, has_options=bool(bracket))
    if order not in {"ASC", "DESC"}:
        raise bad_request(f"Order for field` {name}` should be either ASC or DESC.")
    return replace(sort, descending=order == "DESC")


def _special_sort(name: str, inner: str, schema: Schema) -> Sort | None:
    """The key of a name that no field has; None where it is a field's."""
    if name in {"_vector_distance", "_vector_query"}:
        raise UnsupportedError(f"Sorting by `{name}`")
    if name == EVAL:
        return Sort(EVAL, descending=True, evals=_evals(inner, schema))
    if name == RANDOM:
        return Sort(RANDOM, descending=True, seed=_seed(inner))
    if name == TEXT_MATCH:
        return _bucketed(inner) if inner else Sort(TEXT_MATCH, descending=True)
    return Sort(GROUP_FOUND, descending=True) if name == GROUP_FOUND else None


def _field_sort(name: str, inner: str, schema: Schema, *, has_options: bool) -> Sort:
    field = schema.searchable.get(name)
    if field is None or (not has_options and (not field.sort or not field.index)):
        raise not_found(f"Could not find a field named `{name}` in the schema for sorting.")
    missing = ""
    decay = parse_decay(field, inner) if has_options and "origin" in inner else None
    if has_options and not decay:
        key, colon, value = inner.partition(":")
        missing = value.strip()
        if not colon or key.strip() != "missing_values" or missing not in {"first", "last", "normal"}:
            raise bad_request(f"Bad syntax for sorting field `{name}`")
    if not field.sort or not field.index:
        raise not_found(f"Could not find a field named `{name}` in the schema for sorting.")
    return Sort(name, descending=True, missing="" if missing == "normal" else missing, decay=decay)


def _bucketed(inner: str) -> Sort:
    key, colon, value = inner.partition(":")
    key = key.strip()
    if not colon or key not in {"buckets", "bucket_size"}:
        raise bad_request("Invalid sorting parameter passed for _text_match.")
    number = unsigned(value.strip())
    if number is None:
        raise bad_request(f"Invalid value passed for _text_match `{key}` configuration.")
    if key == "buckets":
        return Sort(TEXT_MATCH, descending=True, buckets=number)
    return Sort(TEXT_MATCH, descending=True, bucket_size=number)


def _seed(inner: str) -> int | None:
    text = inner.strip()
    seed = unsigned(text, largest=2**64)
    if text and seed is None:
        raise bad_request("Only positive integer seed value is allowed for _rand().")
    return seed


def _evals(inner: str, schema: Schema) -> tuple[tuple[str, int], ...]:
    inner = inner.strip()
    if not inner:
        raise bad_request("The eval expression in sort_by is empty.")
    found: list[tuple[str, int]] = []
    if inner.startswith("[") and inner.endswith("]"):
        for part in _split(inner[1:-1]):
            condition, _, score = part.strip().rpartition(":")
            worth = unsigned(score.strip())
            condition = condition.rstrip()
            if worth is None or not condition.startswith("(") or not condition.endswith(")"):
                raise bad_request("Parameter `sort_by` is malformed.")
            found.append((condition[1:-1], worth))
    else:
        found.append((inner, 1))
    if len(found) > MAX_EVALS:
        raise bad_request(f"The eval expression in sort_by has too many conditions. Maximum allowed: {MAX_EVALS}.")
    for condition, _ in found:
        _check_eval(condition, schema)
    return tuple(found)


def _check_eval(condition: str, schema: Schema) -> None:
    try:
        parsed = parse_filter(condition, schema)
    except UnsupportedError:
        raise
    except ApiError:
        raise bad_request("Error parsing eval expression in sort_by clause.") from None
    if parsed is None:
        raise bad_request("The eval expression in sort_by is empty.")


@dataclass(frozen=True, slots=True)
class Sorter:
    """Computes keys over a view: greater is better."""

    connection: sqlite3.Connection
    view: View

    def key(self, sort: Sort, text_scores: IntArray) -> IntArray:
        """The key of every document."""
        if sort.name == TEXT_MATCH:
            return _directed(text_scores, sort)
        if sort.name in {SEQUENCE, GROUP_FOUND}:
            return _directed(np.arange(self.view.size, dtype=np.int64), sort)
        if sort.name == RANDOM:
            return np.random.default_rng(sort.seed).permutation(self.view.size).astype(np.int64)
        if sort.name == EVAL:
            return _directed(self._eval(sort), sort)
        field = self.view.schema.by_name[sort.name]
        return self._texts(field, sort) if field.is_string else self._numbers(field, sort)

    def _eval(self, sort: Sort) -> IntArray:
        evaluator = Evaluator(self.connection, self.view)
        worth = np.zeros(self.view.size, dtype=np.int64)
        for condition, score in reversed(sort.evals):
            parsed = parse_filter(condition, self.view.schema)
            if parsed is not None:
                worth[evaluator.mask(parsed)] = score
        return worth

    def _texts(self, field: Field, sort: Sort) -> IntArray:
        """Ranks; a document without text goes to the end when ascending and to the front when descending."""
        ranks = self.view.sort_ranks(self.connection, field)
        keys = _directed(ranks, sort)
        keys[ranks == 0] = HIGHEST if _missing_first(sort, default=sort.descending) else -HIGHEST
        return keys

    def _numbers(self, field: Field, sort: Sort) -> IntArray:
        """Numbers as sortable integers; a document without one goes to the end unless told otherwise."""
        column = self.view.numbers(self.connection, field)
        has = column.counts() > 0
        keys = np.full(self.view.size, HIGHEST if sort.missing == "first" else -HIGHEST, dtype=np.int64)
        values = column.values[column.starts[:-1][has]]
        if sort.decay:
            whole = sortable_floats(sort.decay.worth(values).astype(np.float32))
        else:
            whole = sortable_floats(values) if field.is_float else values.astype(np.int64)
        keys[has] = _directed(whole, sort)
        return keys


def _missing_first(sort: Sort, *, default: bool) -> bool:
    return default if not sort.missing else sort.missing == "first"


def _directed(values: IntArray, sort: Sort) -> IntArray:
    return values.copy() if sort.descending else -values


def sortable_floats(values: AnyArray) -> IntArray:
    """Integers in the order of the floats."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.int32)
    return np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
