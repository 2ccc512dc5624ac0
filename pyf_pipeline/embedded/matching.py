"""From the words of a query to scored documents: prefixes, typos, dropped and split words.

The order of attempts is Typesense's: every combination of typo counts over the words, cheapest first, until enough is
found; for each, the best few words near each query word, in every combination; each combination is looked up across
all fields together.
"""

import itertools
import math
import sqlite3
from dataclasses import dataclass, field

import numpy as np

from pyf_pipeline.embedded import trie
from pyf_pipeline.embedded.arrays import BoolArray, IntArray
from pyf_pipeline.embedded.respelling import Respeller
from pyf_pipeline.embedded.scoring import FieldTokens, Rules, field_scores
from pyf_pipeline.embedded.view import Postings, View

MAX_TYPOS = 2
COMBINATIONS = 10
COMBINATIONS_EXHAUSTIVE = 10_000
MAX_WEIGHT = 15


@dataclass(frozen=True, slots=True)
class SearchField:
    """A field that is searched, with its weight (15 at most) and its own settings."""

    name: str
    weight: int
    num_typos: int = 2
    prefix: bool = True
    infix: str = "off"


@dataclass(frozen=True, slots=True)
class QueryToken:
    """A word that was asked for; `prefix`: words that begin with it will do."""

    value: bytes
    prefix: bool


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A word that stands for one asked for."""

    value: bytes
    prefix: bool
    root_length: int
    typos: int


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """The search parameters that matter here, with Typesense's defaults."""

    typo_tokens_threshold: int = 1
    drop_tokens_threshold: int = 1
    max_candidates: int = 10
    min_len_1typo: int = 4
    min_len_2typo: int = 7
    exhaustive: bool = False
    split_join: str = "fallback"
    match_type: str = "max_score"
    count_fields: bool = True
    typos_in_numbers: bool = True
    typos_in_mixed: bool = True
    drop_mode: str = "right_to_left"
    drop_both_limit: int = 1000
    frequency: bool = False
    rules: Rules = field(default_factory=Rules)


@dataclass(slots=True)
class Matcher:
    """Collects matches over a view.

    Attributes:
        allowed: The documents that may match; None for all.
        filtered: Whether `allowed` comes of a filter, so that words outside it are not tried.
        groups: The group of each document where results are grouped.
        curated: Whether hits are pinned or hidden (no typos are tried then when nothing is found).
        scores: Per document its best text match score.
        matched: Which documents match.
        found_tokens: The words that led to matches.
    """

    connection: sqlite3.Connection
    view: View
    fields: list[SearchField]
    options: MatchOptions
    allowed: BoolArray | None = None
    filtered: BoolArray | None = None
    groups: IntArray | None = None
    curated: bool = False
    scores: IntArray = field(init=False)
    matched: BoolArray = field(init=False)
    found_tokens: dict[bytes, FoundToken] = field(default_factory=dict)
    _tried: set[tuple[bytes, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Nothing has matched yet."""
        self.scores = np.zeros(self.view.size, dtype=np.int64)
        self.matched = np.zeros(self.view.size, dtype=bool)

    def run(self, tokens: list[QueryToken]) -> None:
        """Searches for the tokens; where too little is found, joined, split and with tokens dropped."""
        if self.filtered is not None and not self.filtered.any():
            return
        self._search(tokens, [])
        if self.options.split_join == "always" or (self.options.split_join == "fallback" and not self.matched.any()):
            self._split_and_join(tokens)
        self._drop(tokens)

    def _count(self) -> int:
        return int(np.count_nonzero(self.matched))

    def _groups_found(self) -> int:
        return self._count() if self.groups is None else len(np.unique(self.groups[self.matched]))

    def _postings(self, name: str, term: bytes) -> Postings:
        return self.view.postings(self.connection, name, term)

    # -- words near a word ------------------------------------------------------------------------------------------

    def _search(self, tokens: list[QueryToken], dropped: list[QueryToken]) -> None:
        """Tries typo counts over the tokens, from none upwards, until enough is found."""
        costs = [list(range(self._most_typos(t.value) + 1)) for t in tokens]
        limit = COMBINATIONS_EXHAUSTIVE if self.options.exhaustive else COMBINATIONS
        cache: dict[tuple[bytes, int], list[bytes]] = {}
        n = 0
        while n < min(limit, math.prod(len(c) for c in costs) if len(costs) <= 30 else 1):
            chosen = next(itertools.islice(itertools.product(*costs), n, None))
            candidates, failed = self._candidates(tokens, chosen, dropped, cache)
            if failed is not None:
                costs[failed].remove(chosen[failed])
                if not costs[failed]:
                    return
                n = -1
            elif len(candidates) == len(tokens):
                self._try_all(tokens, candidates, chosen, dropped)
            if self._enough():
                return
            n += 1

    def _enough(self) -> bool:
        found = self._groups_found()
        threshold = self.options.typo_tokens_threshold
        return not self.options.exhaustive and (found >= threshold or (found == 0 and self.curated))

    def _most_typos(self, word: bytes) -> int:
        if not self.options.typos_in_numbers and word.isdigit():
            return 0
        if not self.options.typos_in_mixed and not word.isalpha() and not word.isdigit() and word.isalnum():
            return 0
        if len(word) < self.options.min_len_1typo:
            return 0
        return 1 if len(word) < self.options.min_len_2typo else MAX_TYPOS

    def _candidates(
        self,
        tokens: list[QueryToken],
        costs: tuple[int, ...],
        dropped: list[QueryToken],
        cache: dict[tuple[bytes, int], list[bytes]],
    ) -> tuple[list[list[bytes]], int | None]:
        """The words that may stand for each token at these costs, or the index of a token that has none."""
        taken: set[bytes] = set()
        found: list[list[bytes]] = []
        for i, (token, cost) in enumerate(zip(tokens, costs, strict=True)):
            words = cache.get((token.value, cost))
            if words is None:
                previous = found[-1][0] if i and i == len(tokens) - 1 and not dropped else None
                collected = self._near(token, cost, previous, taken, cache)
                if collected is None:
                    return found, None
                words = collected
            if not words:
                return found, i
            found.append(words)
        return found, None

    def _near(
        self,
        token: QueryToken,
        cost: int,
        previous: bytes | None,
        taken: set[bytes],
        cache: dict[tuple[bytes, int], list[bytes]],
    ) -> list[bytes] | None:
        """Words near a token; those that go on from the previous word in its own fields first. None: it has none."""
        rounds: list[tuple[list[SearchField], bytes | None]] = [(self.fields, None)]
        if previous is not None:
            popular = self._popular_fields(previous)
            if not popular:
                return None
            rounds = [(popular, previous)]
            if len(self.fields) > 1:
                rounds.append((self.fields, None))
        words: list[bytes] = []
        for fields, before in rounds:
            for each in fields:
                if cost > each.num_typos:
                    continue
                new = self._near_in(each, token, cost, before, taken)
                words += new
                if new:
                    cache.setdefault((token.value, cost), list(words))
                if new and len(words) >= self.options.max_candidates:
                    return words
        return words

    def _near_in(
        self, each: SearchField, token: QueryToken, cost: int, before: bytes | None, taken: set[bytes]
    ) -> list[bytes]:
        previous = self._postings(each.name, before) if before is not None else None
        continuing = previous if previous is not None and len(previous.documents) else None

        def allowed(term: bytes) -> bool:
            documents = self._postings(each.name, term).documents
            if continuing is not None:
                documents = np.intersect1d(documents, continuing.documents, assume_unique=True)
            if self.filtered is not None:
                return bool(self.filtered[documents].any())
            return bool(len(documents))

        def exists(term: bytes) -> bool:
            return bool(len(self._postings(each.name, term).documents))

        return trie.near(
            self.view.vocabulary(self.connection, each.name), token.value, cost, self.options.max_candidates,
            self._selection(each.name, allowed, exists), prefix=each.prefix and token.prefix, taken=taken,
        )  # fmt: skip

    def _selection(self, name: str, allowed: trie.Test, exists: trie.Test) -> trie.Selection:
        """Words by how many documents they are in, or by the default sorting field, where a text is worth nothing."""
        if self.options.frequency:
            return trie.Selection(allowed, exists, worth=lambda t: float(len(self._postings(name, t).documents)))
        default = self.view.schema.by_name.get(self.view.schema.default_sorting_field)
        if default is None or default.is_string:
            return trie.Selection(allowed, exists)
        values = self.view.numbers(self.connection, default).values
        return trie.Selection(
            allowed, exists, worth=lambda t: _highest(values, self._postings(name, t).documents), inner=math.inf
        )

    def _popular_fields(self, word: bytes) -> list[SearchField]:
        """The fields that have a word, those with the most documents first."""
        counted = [(len(self._postings(f.name, word).documents), f) for f in self.fields]
        return [f for n, f in sorted(counted, key=lambda c: -c[0]) if n]

    # -- combinations of words ----------------------------------------------------------------------------------------

    def _try_all(
        self, tokens: list[QueryToken], candidates: list[list[bytes]], costs: tuple[int, ...], dropped: list[QueryToken]
    ) -> None:
        limit = self.options.max_candidates
        if len(self.fields) != 1 or not self.fields[0].prefix:
            limit = max(COMBINATIONS, limit)
        # The first token varies fastest.
        combinations = itertools.islice(itertools.product(*candidates[::-1]), limit)
        for combination in combinations:
            words = combination[::-1]
            if words in self._tried:
                continue
            self._tried.add(words)
            found = [_found(t, w, c) for t, w, c in zip(tokens, words, costs, strict=True)]
            self._match(found, dropped, sum(2 * f.typos + f.prefix for f in found))

    def _match(self, tokens: list[FoundToken], dropped: list[QueryToken], cost: int) -> None:
        """Scores the documents that have all the tokens, each in whichever field."""
        postings = [[self._usable(f, t) for f in self.fields] for t in tokens]
        postings = [row for row in postings if any(len(p.documents) for p in row)]
        if not postings:
            return
        documents = self._in_all(postings)
        if not len(documents):
            return
        also = [[self._postings(f.name, t.value) for f in self.fields] for t in dropped]
        score, any_token = self._field_scores(postings + also, documents, tokens, cost)
        length = len(tokens) + any_token[len(postings) :].sum(axis=0)
        total = (np.minimum(length, 15) << 59) | score
        self.scores[documents] = np.where(self.matched[documents], np.maximum(self.scores[documents], total), total)
        self.matched[documents] = True
        for token in tokens:
            self.found_tokens.setdefault(token.value, token)

    def _usable(self, each: SearchField, token: FoundToken) -> Postings:
        if token.typos > each.num_typos or (token.prefix and not each.prefix):
            return self._postings(each.name, b"")
        return self._postings(each.name, token.value)

    def _in_all(self, postings: list[list[Postings]]) -> IntArray:
        mask = self.allowed.copy() if self.allowed is not None else np.ones(self.view.size, dtype=bool)
        for row in postings:
            here = np.zeros(self.view.size, dtype=bool)
            for found in row:
                here[found.documents] = True
            mask &= here
        return np.flatnonzero(mask)

    def _field_scores(
        self, postings: list[list[Postings]], documents: IntArray, tokens: list[FoundToken], cost: int
    ) -> tuple[IntArray, IntArray]:
        """The score below the token count, and per token whether each document has it in any field."""
        best = np.zeros(len(documents), dtype=np.int64)
        weight = np.zeros(len(documents), dtype=np.int64)
        total = np.zeros(len(documents), dtype=np.int64)
        fields = np.zeros(len(documents), dtype=np.int64)
        has = np.zeros((len(postings), len(documents)), dtype=np.int64)
        for i, each in enumerate(self.fields):
            located = FieldTokens.locate([row[i] for row in postings], documents)
            has |= located.at >= 0
            scores = field_scores(
                located, cost, is_array=self.view.schema.by_name[each.name].is_array,
                verbatim=cost == 0 and len(tokens) == 1, rules=self.options.rules,
            )  # fmt: skip
            better = scores > best
            if self.options.match_type == "max_weight":
                better = (scores > 0) & (each.weight > weight)
            best[better], weight[better] = scores[better], each.weight
            total += scores * each.weight
            fields += scores > 0
        return self._aggregated(best, weight, total, fields), has

    def _aggregated(self, best: IntArray, weight: IntArray, total: IntArray, fields: IntArray) -> IntArray:
        counted = np.minimum(fields, 7) if self.options.count_fields else np.zeros_like(fields)
        bounded = np.minimum(weight, MAX_WEIGHT)
        if self.options.match_type == "max_weight":
            return (bounded << 51) | (best << 3) | counted
        if self.options.match_type == "sum_score":
            return (total << 3) | counted
        return (best << 11) | (bounded << 3) | counted

    # -- fewer words, other words -------------------------------------------------------------------------------------

    def _drop(self, tokens: list[QueryToken]) -> None:
        """Leaves words out, one more at a time, until enough is found: from one end, then from the other."""
        both = self.options.drop_mode == "both_sides" and len(tokens) <= self.options.drop_both_limit
        from_right = self.options.drop_mode != "left_to_right"
        for direction_from_right in (from_right, not from_right):
            for count in range(1, len(tokens)):
                if not (self.options.exhaustive or both or self._count() < self.options.drop_tokens_threshold):
                    return
                kept = tokens[: len(tokens) - count] if direction_from_right else tokens[count:]
                gone = tokens[len(tokens) - count :] if direction_from_right else tokens[:count]
                self._search(list(kept), list(gone))

    def _split_and_join(self, tokens: list[QueryToken]) -> None:
        """Words written apart or together by mistake: the first field that knows better decides."""
        values = [t.value for t in tokens]
        for each in self.fields:
            other = Respeller(self.connection, self.view, each.name).respelt(values)
            if other:
                self._search([QueryToken(w, i == len(other) - 1) for i, w in enumerate(other)], [])
                return


def _found(token: QueryToken, word: bytes, typos: int) -> FoundToken:
    longer = token.prefix and len(word) > len(token.value) + typos
    return FoundToken(word, longer, len(token.value), typos)


def _highest(values: IntArray, documents: IntArray) -> float:
    return float(values[documents].max()) if len(documents) else -math.inf
