"""Hits as the answer shows them: the document's wanted parts, its score, its highlighted words."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyf_pipeline.embedded.arrays import IntArray
from pyf_pipeline.embedded.documents import bodies
from pyf_pipeline.embedded.errors import ApiError
from pyf_pipeline.embedded.flatten import value_at
from pyf_pipeline.embedded.highlight import FieldWords, Highlighter, QueryWord
from pyf_pipeline.embedded.matching import FoundToken
from pyf_pipeline.embedded.names import expanded
from pyf_pipeline.embedded.params import SearchParams
from pyf_pipeline.embedded.queries import Query
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.view import View


@dataclass(slots=True)
class Presenter:
    """Presents the hits of one search.

    Attributes:
        tokens: The words that led to hits.
        scores: The text match scores; None where hits are not sorted by them.
        pinned: The hits that were put where they are.
        heaviest: The field by which the query is read; "" where none is searched.
    """

    connection: sqlite3.Connection
    view: View
    params: SearchParams
    query: Query
    tokens: dict[bytes, FoundToken]
    scores: IntArray | None
    pinned: set[int]
    heaviest: str = ""
    _first_word: str = field(init=False)
    _items: list[FieldWords] = field(default_factory=list)
    _highlighter: Highlighter | None = field(init=False)

    def __post_init__(self) -> None:
        """Finds out whether anything is to be highlighted."""
        words = self.view.analyser(self.connection, self.heaviest).words(self.params.query)
        wanted = bool(words) and self.params.query != "*"
        self._highlighter = Highlighter(self.params.highlight, words[-1]) if wanted else None
        self._first_word = words[0] if wanted else ""

    def hits(self, documents: list[int]) -> list[dict[str, Any]]:
        """The hits of these documents."""
        self._prepare(documents)
        found = bodies(self.connection, self.view.collection, self.view.seqs[documents]) if documents else []
        return [self._hit(d, body) for d, body in zip(documents, found, strict=True)]

    def groups(self, shown: list[tuple[list[int], int]], fields: list[Field]) -> list[dict[str, Any]]:
        """Groups of hits, each with the values that it shares."""
        self._prepare([d for documents, _ in shown for d in documents])
        answer = []
        for documents, count in shown:
            found = bodies(self.connection, self.view.collection, self.view.seqs[documents])
            values = [v for f in fields if (v := value_at(found[0], f.name)) is not None]
            hits = [self._hit(d, body) for d, body in zip(documents, found, strict=True)]
            answer.append({"found": count, "group_key": values, "hits": hits})
        return answer

    def _hit(self, document: int, body: dict[str, Any]) -> dict[str, Any]:
        shown, entries = self._highlight(document, body)
        hit: dict[str, Any] = {"document": self.params.projection.apply(body), "highlight": shown}
        if self.params.highlight_v1:
            hit["highlights"] = entries
        if document in self.pinned:
            hit["curated"] = True
        elif self.scores is not None:
            score = int(self.scores[document])
            hit["text_match"] = score
            hit["text_match_info"] = score_parts(score, self.params.match.weighing.match_type, len(self.query.include))
        return hit

    # -- highlighting -------------------------------------------------------------------------------------------------

    def _prepare(self, documents: list[int]) -> None:
        """Finds out what is to be highlighted in these documents."""
        if self._highlighter is None:
            return
        schema = self.view.schema
        full = set(_expanded(self.params.highlight_full_fields, schema))
        if self.params.highlight_fields:
            names = _expanded(self.params.highlight_fields, schema)
        else:
            names = [n for n in _expanded(self.params.query_by, schema) if self.params.projection.keeps(n)]
        infixed = any(i != "off" for i in self.params.settings.infix)
        shown = np.array(sorted(documents), dtype=np.int64)
        self._items = [
            FieldWords(
                n, self._words_in(n, shown), self.view.analyser(self.connection, n), full=n in full,
                infix=self._first_word if infixed and schema.by_name[n].infix else "",
            )
            for n in names
        ]  # fmt: skip

    def _words_in(self, name: str, documents: IntArray) -> dict[str, QueryWord]:
        """The words to be marked that some of the documents have in a field."""
        if not self.view.schema.by_name[name].is_string:
            return {}
        tokens = dict(self.tokens)
        for word in [*self.query.include, *(w for p in self.query.phrases for w in p)]:
            raw = word.encode()
            tokens.setdefault(raw, FoundToken(raw, prefix=False, root_length=len(raw), typos=0))
        found = {}
        for raw, token in tokens.items():
            postings = self.view.postings(self.connection, name, raw)
            holders = documents[postings.find(documents)[1]]
            if len(holders):
                runs = self.view.runs(self.connection, name, postings, holders)
                occurrences, bounds = runs.values.tolist(), runs.starts.tolist()
                places = {d: occurrences[bounds[i] : bounds[i + 1]] for i, d in enumerate(holders.tolist())}
                found[raw.decode(errors="ignore")] = QueryWord(places, token.prefix, token.root_length, token.typos)
        return found

    def _highlight(self, document: int, body: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        if self._highlighter is None:
            return {}, []
        shown: dict[str, Any] = {}
        entries: list[tuple[int, int, dict[str, Any]]] = []
        for i, item in enumerate(self._items):
            value = value_at(body, item.name) if item.infix or document in item.documents else None
            if value is None:
                continue
            part, entry, score = self._highlighter.field(item, document, value)
            if part is None or entry is None:
                continue
            if item.name in body:
                shown[item.name] = part
                entries.append((-score, i, entry))
            else:
                _put(shown, body, item.name.split("."), part)
        return shown, [e for _, _, e in sorted(entries, key=lambda x: x[:2])]


def _expanded(names: list[str], schema: Schema) -> list[str]:
    found: list[str] = []
    for name in names:
        try:
            found += [n for n in expanded(name, schema, strings_only=False) if n not in found]
        except ApiError:  # a name that is no field's is not highlighted
            continue
    return found


def _put(shown: dict[str, Any], body: Any, path: list[str], part: Any) -> None:
    """Puts a nested field's part where the field is in its document; the parts of a list of objects one to each."""
    place = shown
    for i, key in enumerate(path[:-1]):
        body = body.get(key) if isinstance(body, dict) else None
        if isinstance(body, list):
            parts = iter(part if isinstance(part, list) else [part])
            last = path[i + 1 :]
            place[key] = [_wrapped(last, next(parts)) if _has(o, last) else {} for o in body]
            return
        place = place.setdefault(key, {})
    place[path[-1]] = part


def _has(value: Any, path: list[str]) -> bool:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return isinstance(value, str)


def _wrapped(path: list[str], part: Any) -> dict[str, Any]:
    for key in reversed(path):
        part = {key: part}
    found: dict[str, Any] = part
    return found


def score_parts(score: int, match_type: str, tokens: int) -> dict[str, Any]:
    """What a text match score is made of."""
    by_weight = match_type != "max_score"
    matched = score >> 59 & 0xF
    best = score >> (3 if by_weight else 11) & (1 << 48) - 1
    return {
        "best_field_score": str(best), "best_field_weight": score >> (51 if by_weight else 3) & 0xFF,
        "fields_matched": score & 7, "num_tokens_dropped": int(np.int64(tokens) - matched), "score": str(score),
        "tokens_matched": matched, "typo_prefix_score": 255 - (score >> (27 if by_weight else 35) & 0xFF),
    }  # fmt: skip
