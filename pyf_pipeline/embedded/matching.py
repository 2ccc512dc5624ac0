"""From the words of a query to the documents that match: prefixes, typos, dropped and split words.

Plans of how many typos each word may have are tried one after another, those with the fewest first, until enough is
found. Under a plan each word of the query has choices; their combinations, the wordings, are looked up across all
fields together. Where that finds too little, the query is tried with its words joined or split, and with words left
out.
"""

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pyf_pipeline.embedded.arrays import BoolArray, IntArray
from pyf_pipeline.embedded.nearby import Range
from pyf_pipeline.embedded.postings import NO_POSTINGS
from pyf_pipeline.embedded.respelling import Respeller
from pyf_pipeline.embedded.spelling import Choices, QueryToken, SearchField, Speller
from pyf_pipeline.embedded.view import View
from pyf_pipeline.embedded.wordings import Lookup, Row, Weighing, Wording, Words

MAX_TYPOS = 2
PLANS = 10
WORDINGS = 10
COMBINATIONS_EXHAUSTIVE = 10_000
LONG_QUERY = 30
"""Of a query of more words only the plan without typos is tried."""


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
    typos_in_numbers: bool = True
    typos_in_mixed: bool = True
    drop_mode: str = "right_to_left"
    drop_both_limit: int = 1000
    frequency: bool = False
    weighing: Weighing = field(default_factory=Weighing)


@dataclass(slots=True)
class Matcher:
    """Collects matches over a view.

    Attributes:
        allowed: The documents that may match; None for all.
        filtered: Whether `allowed` comes of a filter, so that words outside it are not tried.
        groups: The group of each document where results are grouped, counted from 0.
        curated: Whether hits are pinned or hidden (no typos are tried then when nothing is found).
        scores: Per document its best text match score, or what that is at most: see `settle`.
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
    _lookup: Lookup = field(init=False)
    _unsettled: BoolArray = field(init=False)
    _wordings: list[Wording] = field(default_factory=list)
    _tried: set[tuple[bytes, ...]] = field(default_factory=set)
    _near: dict[tuple[bytes, int, bool], list[list[Range]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing has matched yet."""
        self._lookup = Lookup(self.connection, self.view, self.fields, self.options.weighing, self.allowed)
        self.scores = np.zeros(self.view.size, dtype=np.int64)
        self.matched = np.zeros(self.view.size, dtype=bool)
        self._unsettled = np.zeros(self.view.size, dtype=bool)

    def run(self, tokens: list[QueryToken]) -> None:
        """Searches for the tokens; where too little is found, joined, split and with tokens dropped."""
        if self.filtered is not None and not self.filtered.any():
            return
        self._search(tokens, [])
        if self.options.split_join == "always" or (self.options.split_join == "fallback" and not self.matched.any()):
            self._split_and_join(tokens)
        self._drop(tokens)

    def unsettled(self, documents: IntArray) -> IntArray:
        """Those of the documents of which only is known what their scores are at most."""
        return documents[self._unsettled[documents]]

    def settle(self, documents: IntArray) -> None:
        """Finds out the scores of some documents."""
        wanted = self.unsettled(documents)
        if not len(wanted):
            return
        parts, owners = [], []
        for each in self._wordings:
            at, there = each.find(wanted)
            owners.append(there.nonzero()[0])
            parts.append((each, at[owners[-1]]))
        scores = np.zeros(len(wanted), dtype=np.int64)
        np.maximum.at(scores, np.concatenate(owners), self._lookup.totals(parts))
        self.scores[wanted] = scores
        self._unsettled[wanted] = False

    def _count(self) -> int:
        return int(np.count_nonzero(self.matched))

    # -- plans --------------------------------------------------------------------------------------------------------

    def _search(self, tokens: list[QueryToken], dropped: list[QueryToken]) -> None:
        """Tries plans until enough is found. A number of typos at which a token has no word is not planned again."""
        speller = Speller(
            self.connection, self.view, self.fields, tokens, self.options.max_candidates, self.options.frequency,
            self.filtered, is_whole=not dropped, near=self._near,
        )  # fmt: skip
        possible = [list(range(self._most_typos(t.value) + 1)) for t in tokens]
        while all(possible):
            impossible = self._try_plans(speller, possible, dropped)
            if impossible is None:
                return
            token, typos = impossible
            possible[token].remove(typos)
            if self._is_enough():
                return

    def _try_plans(
        self, speller: Speller, possible: list[list[int]], dropped: list[QueryToken]
    ) -> tuple[int, int] | None:
        """Tries plans from the first on; gives the token and number of typos that made one impossible, if any did."""
        limit = COMBINATIONS_EXHAUSTIVE if self.options.exhaustive else PLANS
        if len(possible) > LONG_QUERY:
            limit = 1
        for plan in itertools.islice(itertools.product(*possible), limit):
            choices = speller.choices(plan)
            if choices.impossible is not None:
                return choices.impossible, plan[choices.impossible]
            if len(choices.words) == len(plan):
                self._try_wordings(speller.tokens, choices, plan, dropped)
            if self._is_enough():
                return None
        return None

    def _is_enough(self) -> bool:
        if self.options.exhaustive:
            return False
        found = self._count() if self.groups is None else np.count_nonzero(np.bincount(self.groups[self.matched]))
        return bool(found >= self.options.typo_tokens_threshold or (found == 0 and self.curated))

    def _most_typos(self, word: bytes) -> int:
        if not self.options.typos_in_numbers and word.isdigit():
            return 0
        if not self.options.typos_in_mixed and not word.isalpha() and not word.isdigit() and word.isalnum():
            return 0
        if len(word) < self.options.min_len_1typo:
            return 0
        return 1 if len(word) < self.options.min_len_2typo else MAX_TYPOS

    # -- wordings -----------------------------------------------------------------------------------------------------

    def _try_wordings(
        self, tokens: Sequence[QueryToken], choices: Choices, plan: tuple[int, ...], dropped: list[QueryToken]
    ) -> None:
        limit = self.options.max_candidates
        if len(self.fields) != 1 or not self.fields[0].prefix:
            limit = max(WORDINGS, limit)
        for words in itertools.islice(_combinations(choices.words), limit):
            if words not in self._tried:
                self._tried.add(words)
                found = [_found(t, w, typos) for t, w, typos in zip(tokens, words, plan, strict=True)]
                self._match(found, dropped)

    def _match(self, tokens: list[FoundToken], dropped: list[QueryToken]) -> None:
        """Takes in the documents that have all the tokens, each in whichever field."""
        values = [*(t.value for t in tokens), *(t.value for t in dropped)]
        words = Words(
            required=[self._row(t) for t in tokens],
            optional=[[self.view.postings(self.connection, f.name, t.value) for f in self.fields] for t in dropped],
            cost=sum(2 * t.typos + t.prefix for t in tokens),
            repeated=len(set(values)) < len(values),
        )
        found = self._lookup.wording(words)
        if found is None:
            return
        self._wordings.append(found)
        self.scores[found.documents] = np.maximum(self.scores[found.documents], found.highest)
        self.matched[found.documents] = True
        self._unsettled[found.documents[found.uncertain]] = True
        for token in tokens:
            self.found_tokens.setdefault(token.value, token)

    def _row(self, token: FoundToken) -> Row:
        """A token's postings in each field; none where the field's own settings do not allow it."""
        return [
            NO_POSTINGS
            if token.typos > each.num_typos or (token.prefix and not each.prefix)
            else self.view.postings(self.connection, each.name, token.value)
            for each in self.fields
        ]

    # -- fewer words, other words -------------------------------------------------------------------------------------

    def _drop(self, tokens: list[QueryToken]) -> None:
        """Leaves words out, one more at a time, until enough is found: from one end, then from the other."""
        both = self.options.drop_mode == "both_sides" and len(tokens) <= self.options.drop_both_limit
        from_right = self.options.drop_mode != "left_to_right"
        for direction_from_right in (from_right, not from_right):
            longest = self._longest(tokens if direction_from_right else tokens[::-1])
            for count in range(1, len(tokens)):
                if not (self.options.exhaustive or both or self._count() < self.options.drop_tokens_threshold):
                    return
                left = len(tokens) - count
                if left > LONG_QUERY and (left > longest or self.matched.any()):
                    continue
                kept = tokens[: len(tokens) - count] if direction_from_right else tokens[count:]
                gone = tokens[len(tokens) - count :] if direction_from_right else tokens[:count]
                self._search(list(kept), list(gone))

    def _longest(self, tokens: list[QueryToken]) -> int:
        """How many tokens of a long query, from the first on, a document may have together.

        In a long query each word has as few typos as may be, so that one that is known stands for itself alone. And
        once one has found anything, it is not made shorter word by word.
        """
        together = np.ones(self.view.size, dtype=bool) if self.allowed is None else self.allowed.copy()
        for number, token in enumerate(tokens if len(tokens) > LONG_QUERY else []):
            row = self._row(FoundToken(token.value, prefix=False, root_length=len(token.value), typos=0))
            if token.prefix or not any(map(len, row)):
                if not token.prefix and not self._most_typos(token.value):
                    return number
                continue
            having = np.zeros(self.view.size, dtype=bool)
            for postings in row:
                having[postings.documents] = True
            together &= having
            if not together.any():
                return number
        return len(tokens)

    def _split_and_join(self, tokens: list[QueryToken]) -> None:
        """Words written apart or together by mistake: the first field that knows better decides."""
        values = [t.value for t in tokens]
        for each in self.fields:
            other = Respeller(self.connection, self.view, each.name).respelt(values)
            if other:
                self._search([QueryToken(w, i == len(other) - 1) for i, w in enumerate(other)], [])
                return


def _combinations(choices: list[list[bytes]]) -> Iterator[tuple[bytes, ...]]:
    """One word for each token; the first token's varies fastest."""
    return (words[::-1] for words in itertools.product(*choices[::-1]))


def _found(token: QueryToken, word: bytes, typos: int) -> FoundToken:
    longer = token.prefix and len(word) > len(token.value) + typos
    return FoundToken(word, longer, len(token.value), typos)
