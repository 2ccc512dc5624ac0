"""One search, from its parameters to the answer."""

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pyf_pipeline.embedded import grouping
from pyf_pipeline.embedded.arrays import BoolArray, IntArray, in_all
from pyf_pipeline.embedded.catalogue import Collection
from pyf_pipeline.embedded.errors import bad_request
from pyf_pipeline.embedded.evaluation import Evaluator, documents_of
from pyf_pipeline.embedded.facets import Counter, check_facet_query, parse_facets
from pyf_pipeline.embedded.filters import Condition, parse_filter
from pyf_pipeline.embedded.hits import Presenter
from pyf_pipeline.embedded.matching import FoundToken, Matcher
from pyf_pipeline.embedded.names import expanded
from pyf_pipeline.embedded.params import SearchParams, check_paging, first_hit, parse_params
from pyf_pipeline.embedded.postings import Postings, Runs, phrase_documents
from pyf_pipeline.embedded.queries import Query, parse_query
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.selection import Ranking, Scores
from pyf_pipeline.embedded.sorting import GROUP_FOUND, TEXT_MATCH, Sort, Sorter, parse_sorts
from pyf_pipeline.embedded.spelling import QueryToken, SearchField
from pyf_pipeline.embedded.stopwords import stopwords_of
from pyf_pipeline.embedded.view import View
from pyf_pipeline.embedded.wholes import unsigned
from pyf_pipeline.embedded.wordings import MAX_WEIGHT

WILDCARD_SCORE = 100
PHRASE_SCORE = 100_000
BUCKETED = 250
"""Of how many hits at most `buckets` makes parts."""


@dataclass(slots=True)
class Found:
    """What a search found.

    Attributes:
        matched: Which documents are hits.
        scores: Their text match scores, or what those are at most.
        tokens: The words that led to them.
        pending: Where scores are found out; None where all are what they are.
    """

    matched: BoolArray
    scores: IntArray
    tokens: dict[bytes, FoundToken]
    pending: Scores | None = None

    def settle(self) -> None:
        """Finds out the scores of all hits."""
        if self.pending is not None:
            self.pending.settle(np.flatnonzero(self.matched))
            self.pending = None


def run_search(
    connection: sqlite3.Connection, collection: Collection, view: View, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer to a search; raises `ApiError`."""
    started = time.perf_counter()
    params = parse_params(values, view.size)
    answer = Search(connection, collection, view, params).answer()
    if "search_time_ms" not in params.projection.exclude:
        answer["search_time_ms"] = int((time.perf_counter() - started) * 1000)
    return answer


@dataclass(slots=True)
class Search:
    """A search over one view; the connection sees the view's version."""

    connection: sqlite3.Connection
    collection: Collection
    view: View
    params: SearchParams

    def answer(self) -> dict[str, Any]:
        """Runs it."""
        params, schema = self.params, self.view.schema
        fields = search_fields(params, schema)
        group_fields = _group_fields(params, schema)
        condition = parse_filter(params.filter_by, schema)
        requests = parse_facets(params.facet_by, schema)
        facet_query = check_facet_query(params.facet_query, requests)
        check_paging(params)
        sorts = parse_sorts(params.sort_by, schema, wildcard=params.query == "*", grouped=bool(group_fields))
        query = self._query(fields)
        mask = self._mask(condition) if condition is not None else None
        groups = self._groups(group_fields)
        pinned = self._pinned(mask)
        found = self._find(fields, query, mask, groups, pinned)
        for document in pinned:
            found.matched[document] = True
        hits = np.flatnonzero(found.matched)
        presenter = Presenter(
            self.connection, self.view, params, query, found.tokens,
            scores=found.scores if any(s.name == TEXT_MATCH for s in sorts) else None, pinned=set(pinned),
            heaviest=fields[0].name if fields else "",
        )  # fmt: skip
        answer = self._frame(hits, groups)
        low, high = first_hit(params), first_hit(params) + params.per_page
        ranking = self._ranking(sorts, found, groups)
        if groups is None:
            order = ranking.best(hits, high + len(pinned)).tolist()
            answer["hits"] = presenter.hits(_with_pinned([d for d in order if d not in pinned], pinned)[low:high])
        else:
            shown = grouping.top_groups(ranking, hits, groups, params.group_limit, high + len(pinned))
            answer["grouped_hits"] = presenter.groups(grouping.page(shown, pinned, groups, low, high), group_fields)
        counter = Counter(
            self.connection, self.view, found.matched, groups,
            everything=query.is_wildcard and not query.phrases and condition is None,
            options=replace(params.facets, query_field=facet_query[0], query=facet_query[1]),
        )  # fmt: skip
        answer["facet_counts"] = [c for r in requests if (c := counter.count(r)) is not None]
        return answer

    def _mask(self, condition: Condition) -> BoolArray:
        return Evaluator(self.connection, self.view, self.params.filter_candidates).mask(condition)

    def _query(self, fields: list[SearchField]) -> Query:
        """What is looked for, read as the texts of the heaviest field are."""
        analyser = self.view.analyser(self.connection, fields[0].name if fields else "")
        query = parse_query(self.params.query, analyser.tokenizer, pre_segmented=self.params.pre_segmented)
        if self.params.stopwords:
            query = query.without(stopwords_of(self.connection, self.params.stopwords))
        return query.stemmed(analyser.stem) if analyser.stem else query

    def _frame(self, hits: IntArray, groups: IntArray | None) -> dict[str, Any]:
        params = self.params
        answer: dict[str, Any] = {
            "found": len(hits) if groups is None else grouping.count_groups(groups[hits]),
            "request_params": {
                "collection_name": self.collection.schema.name, "first_q": params.query,
                "per_page": params.per_page, "q": params.query,
            },
            "search_cutoff": False,
        }  # fmt: skip
        if groups is not None:
            answer["found_docs"] = len(hits)
        if "out_of" not in params.projection.exclude:
            answer["out_of"] = self.view.size
        if not params.page and params.offset:
            answer["offset"] = params.offset
        else:
            answer["page"] = max(params.page, 1)
        return answer

    def _groups(self, fields: list[Field]) -> IntArray | None:
        if not fields:
            return None
        return grouping.group_numbers(
            self.connection, self.view, fields, missing_together=self.params.group_missing_values
        )

    def _pinned(self, mask: BoolArray | None) -> dict[int, int]:
        """The documents that are pinned to places (counted from 1), in the order of the places."""
        wanted: list[tuple[str, int]] = []
        for part in self.params.pinned_hits.split(","):
            name, colon, place = part.strip().rpartition(":")
            if not part.strip():
                continue
            number = unsigned(place.strip())
            if not colon or number is None:
                raise bad_request("Pinned hits are not in expected format.")
            wanted.append((name.strip(), number))
        known = documents_of(self.connection, self.view, [n for n, _ in wanted])
        placed = [(known[n], p) for n, p in wanted if n in known]
        if mask is not None and self.params.filter_curated_hits:
            placed = [(d, p) for d, p in placed if mask[d]]
        return dict(sorted(placed, key=lambda e: e[1]))

    # -- finding ------------------------------------------------------------------------------------------------------

    def _find(
        self,
        fields: list[SearchField],
        query: Query,
        mask: BoolArray | None,
        groups: IntArray | None,
        pinned: dict[int, int],
    ) -> Found:
        size = self.view.size
        hidden = documents_of(self.connection, self.view, self.params.hidden_hits)
        curated = [*hidden.values(), *pinned]
        allowed = mask.copy() if mask is not None else np.ones(size, dtype=bool)
        allowed[curated] = False
        for phrase in query.exclude:
            for each in fields:
                allowed[self._phrase(each.name, phrase)] = False
        filtered, scores = mask, np.full(size, WILDCARD_SCORE, dtype=np.int64)
        if query.phrases:
            phrase_scores = self._phrases(fields, query)
            allowed &= phrase_scores > 0
            filtered = allowed
            scores = phrase_scores
        if query.is_wildcard:
            return Found(allowed, scores, {})
        if not query.include:
            return Found(np.zeros(size, dtype=bool), scores, {})
        matcher = Matcher(
            self.connection, self.view, fields,
            replace(self.params.match, frequency=not self.view.schema.default_sorting_field), allowed=allowed,
            filtered=filtered, groups=groups, curated=bool(curated),
        )  # fmt: skip
        tokens = [QueryToken(w.encode(), i == len(query.include) - 1) for i, w in enumerate(query.include)]
        matcher.run(tokens)
        self._infix(fields, query, matcher, allowed)
        return Found(matcher.matched, matcher.scores, matcher.found_tokens, matcher)

    def _phrase(self, name: str, phrase: list[str]) -> IntArray:
        def runs(postings: Postings, documents: IntArray) -> Runs:
            return self.view.runs(self.connection, name, postings, documents)

        return phrase_documents(runs, [self.view.postings(self.connection, name, w.encode()) for w in phrase])

    def _phrases(self, fields: list[SearchField], query: Query) -> IntArray:
        """For documents that have the phrases (all that are in a field at all, in one field) what that is worth."""
        scores = np.zeros(self.view.size, dtype=np.int64)
        for each in fields:
            found = [d for p in query.phrases if len(d := self._phrase(each.name, p))]
            if found:
                documents = in_all(found)
                scores[documents] = np.maximum(scores[documents], PHRASE_SCORE + each.weight)
        return scores

    def _infix(self, fields: list[SearchField], query: Query, matcher: Matcher, allowed: BoolArray) -> None:
        piece = query.include[0].encode()
        for each in fields:
            if each.infix != "always" and not (each.infix == "fallback" and not matcher.matched.any()):
                continue
            if not self.view.schema.by_name[each.name].infix:
                raise bad_request(
                    f"Could not find `{each.name}` in the infix index. Make sure to enable infix search "
                    "by specifying `infix: true` in the schema."
                )
            found = np.zeros(self.view.size, dtype=bool)
            for term in self.view.lexicon(self.connection, each.name).terms:
                if self._has_piece(term, piece):
                    found[self.view.postings(self.connection, each.name, term).documents] = True
            new = found & allowed & ~matcher.matched
            matcher.scores[new] = WILDCARD_SCORE
            matcher.matched |= new

    def _has_piece(self, term: bytes, piece: bytes) -> bool:
        start = term.find(piece)
        before, after = self.params.max_extra
        return 0 <= start <= before and len(term) - start - len(piece) <= after

    # -- ordering -----------------------------------------------------------------------------------------------------

    def _ranking(self, sorts: list[Sort], found: Found, groups: IntArray | None) -> Ranking:
        """The order of hits; text match scores are found out as they are needed, where the best ones are."""
        scored = [s for s in sorts if s.name == TEXT_MATCH]
        if any(s.buckets or s.bucket_size or not s.descending for s in scored):
            found.settle()
        ranking = Ranking(self._keys(sorts, found, groups), found.pending if scored else None)
        return self._by_buckets(ranking, sorts, found, groups)

    def _keys(self, sorts: list[Sort], found: Found, groups: IntArray | None) -> list[IntArray]:
        sorter = Sorter(self.connection, self.view)
        keys = []
        for sort in sorts:
            if sort.name == GROUP_FOUND and groups is not None:
                sizes = grouping.group_sizes(groups, found.matched)
                keys.append(sizes if sort.descending else -sizes)
            elif sort.name == TEXT_MATCH and sort.descending:
                keys.append(found.scores)  # the array itself, as it changes when scores are found out
            else:
                keys.append(sorter.key(sort, found.scores))
        return keys

    def _by_buckets(self, ranking: Ranking, sorts: list[Sort], found: Found, groups: IntArray | None) -> Ranking:
        """Cuts the best hits into parts of one length, taken to match alike, and lets the other keys decide in each."""
        hits = np.flatnonzero(found.matched)
        length, bounded = _buckets(sorts, len(hits))
        if not length:
            return ranking
        best = ranking.best(hits, bounded)
        scores = np.zeros_like(found.scores)
        scores[best] = -(np.arange(len(best)) // length)
        leads = np.zeros(self.view.size, dtype=np.int64)
        leads[best] = 1
        inside = [np.where(leads, key, 0) for key in self._keys(sorts, replace(found, scores=scores), groups)]
        return Ranking([leads, *inside, *(np.where(leads, 0, key) for key in ranking.keys)])


def _buckets(sorts: list[Sort], found: int) -> tuple[int, int]:
    """How many hits are put together as matching alike (0: none), and of how many hits, the best."""
    sort = next((s for s in sorts if s.name == TEXT_MATCH and (s.buckets or s.bucket_size)), None)
    if sort is None:
        return 0, found
    if sort.buckets:
        return min(found, BUCKETED) // sort.buckets, min(found, BUCKETED)
    return (sort.bucket_size if sort.bucket_size <= found else 0), found


def _with_pinned(documents: list[int], pinned: dict[int, int]) -> list[int]:
    """The hits with the pinned ones put in at their places, or at the end where there are not as many."""
    placed = list(documents)
    for document, place in pinned.items():
        placed.insert(max(place - 1, 0), document)
    return placed


def search_fields(params: SearchParams, schema: Schema) -> list[SearchField]:
    """The fields of `query_by` with their settings, the heaviest first; raises `ApiError`."""
    found: list[tuple[str, int | None, int]] = []
    for i, name in enumerate(params.query_by):
        if name == "id":
            raise bad_request("Cannot use `id` as a query by field.")
        weight = params.settings.weights[i] if params.settings.weights else None
        found += [(n, weight, i) for n in expanded(name, schema, strings_only=True)]
    for name, _, _ in found:
        if not schema.by_name[name].index:
            raise bad_request(f"Field `{name}` is marked as a non-indexed field in the schema.")
    return [
        SearchField(
            name,
            weight,
            _at(params.settings.num_typos, i),
            _at(params.settings.prefix, i),
            _at(params.settings.infix, i),
        )
        for name, weight, i in _weighted(found)
    ]


def _at(values: list[Any], i: int) -> Any:
    return values[i] if i < len(values) else values[0]


def _weighted(found: list[tuple[str, int | None, int]]) -> list[tuple[str, int, int]]:
    """Weights as they count: as given where they fall and are small, else by their order alone."""
    if not found or found[0][1] is None:
        return [(name, max(0, MAX_WEIGHT - i), at) for i, (name, _, at) in enumerate(found)]
    given = [(name, w or 0, at) for name, w, at in found]
    weights = [w for _, w, _ in given]
    if weights == sorted(weights, reverse=True) and max(weights) <= MAX_WEIGHT:
        return given
    ranked = sorted(given, key=lambda g: -g[1])
    bounded = MAX_WEIGHT
    result = []
    for i, (name, weight, at) in enumerate(ranked):
        if i and weight != ranked[i - 1][1]:
            bounded = max(0, bounded - 1)
        result.append((name, bounded, at))
    return result


def _group_fields(params: SearchParams, schema: Schema) -> list[Field]:
    names = [n for g in params.group_by for n in ([g] if g == "id" else expanded(g, schema, strings_only=False))]
    for name in names:
        if name == "id":
            raise bad_request("Cannot use `id` as a group by field.")
        if not schema.by_name[name].facet:
            raise bad_request(f"Group by field `{name}` should be a facet field.")
    return [schema.by_name[n] for n in names]
