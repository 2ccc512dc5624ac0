"""Which words of a hit answered the query, and the stretch of text about them."""

import functools
import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from pyf_pipeline.embedded.analysis import Analyser
from pyf_pipeline.embedded.scoring import places_by_element
from pyf_pipeline.embedded.tokens import Span, Tokenizer
from pyf_pipeline.embedded.windows import NOWHERE, Match, best_window

MAX_TEXTS = 5
"""Of a list, so many texts at most are shown in `highlights`."""


@dataclass(frozen=True, slots=True)
class HighlightOptions:
    """The search parameters that matter here, with Typesense's defaults."""

    start_tag: str = "<mark>"
    end_tag: str = "</mark>"
    affix_tokens: int = 4
    snippet_threshold: int = 30


@dataclass(frozen=True, slots=True)
class QueryWord:
    """A word to be marked; `prefix`: its first `root_length` letters were asked for.

    `places` are its occurrences in each document that is shown and has it.
    """

    places: dict[int, list[int]]
    prefix: bool
    root_length: int
    typos: int


@dataclass(slots=True)
class FieldWords:
    """A field to be highlighted, with the words that may be in it.

    Attributes:
        words: By their form in the index.
        analyser: What takes the field's texts apart.
        infix: The piece of a word that was asked for, where words are searched by pieces; "" otherwise.
        full: Whether the whole text is wanted too.
    """

    name: str
    words: dict[str, QueryWord]
    analyser: Analyser
    full: bool = False
    infix: str = ""
    documents: set[int] = field(init=False)

    def __post_init__(self) -> None:
        """Gathers the documents that have any of the words."""
        self.documents = set().union(*(word.places for word in self.words.values()))


@dataclass(slots=True)
class Marked:
    """One text with its words marked."""

    snippet: str
    value: str | None
    tokens: list[str]
    score: int = 0
    element: int = 0


@dataclass(frozen=True, slots=True)
class Highlighter:
    """Highlights hits of one search.

    Attributes:
        last_token: The query's last word, as it is looked for.
    """

    options: HighlightOptions
    last_token: str

    def field(self, item: FieldWords, document: int, value: Any) -> tuple[Any, dict[str, Any] | None, int]:
        """A field's part of `highlight` (None: nothing to mark), its entry in `highlights`, and its score."""
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(t, str) for t in texts):
            return None, None, 0
        matches = self._matches(item, document, texts)
        marked = {
            e: found for e, m in matches.items() if e < len(texts) and (found := self._mark(item, texts[e], m, e))
        }
        if not marked:
            return None, None, 0
        ranked = sorted(marked.values(), key=lambda f: -f.score)[:MAX_TEXTS]
        if not isinstance(value, list):
            return _shown(marked[0], texts[0], full=item.full), _entry(item.name, ranked[0]), ranked[0].score
        parts = [_shown(marked.get(i), text, full=item.full) for i, text in enumerate(texts)]
        return parts, _list_entry(item.name, ranked, full=item.full), ranked[0].score

    def _matches(self, item: FieldWords, document: int, texts: list[str]) -> dict[int, Match]:
        if item.infix:
            return {i: Match(places=[]) for i, t in enumerate(texts) if len(t) < 100 and item.infix in t.lower()}
        found = places_by_element([w.places[document] for w in item.words.values() if document in w.places])
        return {element: best_window(places) for element, places in sorted(found.items())}

    def _mark(self, item: FieldWords, text: str, match: Match, element: int) -> Marked | None:
        places = sorted({p for p in match.places if p != NOWHERE})
        reading = _Reading(self.options, item, text, places, len(self.last_token))
        words = reading.words()
        marks, first = reading.marks(words)
        if not marks:
            return None
        tokens: list[str] = []
        tokenizer = item.analyser.tokenizer
        snippet = self._painted(text, marks, reading.bounds(words, first), tokenizer, tokens)
        value = self._painted(text, marks, (0, len(text) - 1), tokenizer, []) if item.full else None
        return Marked(snippet, value, tokens, _score(match, len(match.places)), element)

    def _painted(
        self, text: str, ranges: dict[int, int], part: tuple[int, int], tokenizer: Tokenizer, tokens: list[str]
    ) -> str:
        pieces, (start, end) = [], part
        for low in sorted(ranges):
            if low < start or low > end:
                continue
            high = _without_trailing(text, ranges[low], tokenizer)
            if high < low:
                continue
            pieces += [text[start:low], self.options.start_tag, text[low : high + 1], self.options.end_tag]
            tokens.append(text[low : high + 1])
            start = high + 1
        return "".join([*pieces, text[start : end + 1]])


def _without_trailing(text: str, end: int, tokenizer: Tokenizer) -> int:
    while end >= 0 and tokenizer.skips(text[end]):
        end -= 1
    return end


def _score(match: Match, unique: int) -> int:
    return unique << 40 | match.words << 32 | 254 << 24 | (100 - match.distance & 255) << 16 | match.exact << 8


def _shown(found: Marked | None, text: str, *, full: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "matched_tokens": found.tokens if found else [],
        "snippet": found.snippet if found else text,
    }
    if full:
        shown["value"] = found.value if found else text
    return shown


def _entry(name: str, found: Marked) -> dict[str, Any]:
    entry = {"field": name, "matched_tokens": found.tokens, "snippet": found.snippet}
    return {**entry, "value": found.value} if found.value else entry


def _list_entry(name: str, found: list[Marked], *, full: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "field": name, "indices": [f.element for f in found], "matched_tokens": [f.tokens for f in found],
        "snippets": [f.snippet for f in found],
    }  # fmt: skip
    return {**entry, "values": [f.value for f in found]} if full else entry


@dataclass(frozen=True)
class _Reading:
    """A text read word by word, as far as it matters for its snippet; all of it where all is wanted.

    Attributes:
        places: The words of the best window, by their numbers, each once.
        prefix_length: How many letters of a word that goes on after the query's are marked.
    """

    options: HighlightOptions
    item: FieldWords
    text: str
    places: list[int]
    prefix_length: int

    @property
    def _last(self) -> int:
        """The last word that is sure to be in the snippet, if there are as many."""
        return (self.places[-1] if self.places else 0) + self.options.affix_tokens

    def words(self) -> list[Span]:
        """The text's words."""
        enough = None if self.item.full else max(self.options.snippet_threshold, self._last) + 1
        return list(itertools.islice(self.item.analyser.spans(self.text), enough))

    def marks(self, words: list[Span]) -> tuple[dict[int, int], int]:
        """What is to be marked: by its first character the last one; and the first word of the best window."""
        to_come = deque(self.places)
        marks: dict[int, int] = {}
        seen: set[str] = set()
        first = -1
        for number, (word, start, end) in enumerate(words):
            # From the window on, a word that was marked before takes the place of the next one that is due.
            due = bool(to_come) and to_come[0] == number
            if due or (first >= 0 and word in seen):
                first = number if first < 0 else first
                marks[start] = self._marked_end(word, start, end)
                if to_come:
                    to_come.popleft()
            elif self._is_everywhere and word in self.item.words:
                marks[start] = self._marked_end(word, start, end)
            elif self._is_infix(word):
                marks[start] = end
            else:
                continue
            seen.add(word)
        return marks, first

    def bounds(self, words: list[Span], first: int) -> tuple[int, int]:
        """The first and the last character of the snippet: some words on either side of the window."""
        final = len(self.text) - 1
        if len(words) <= self.options.snippet_threshold:
            return 0, final
        start = words[max(first - self.options.affix_tokens, 0)][1] if first >= 0 else 0
        return start, words[self._last][2] if self.places and self._last < len(words) else max(final, 0)

    @functools.cached_property
    def _is_everywhere(self) -> bool:
        """Whether words outside the best window are marked too: in short texts, and where all of a text is shown."""
        length = len(self.text.encode()) if self.text[:1].isascii() else len(self.text)
        return self.item.full or length < self.options.snippet_threshold * 6

    def _is_infix(self, word: str) -> bool:
        return bool(self.item.infix) and len(self.text) < 100 and self.item.infix in word

    def _marked_end(self, word: str, start: int, end: int) -> int:
        """The end of what is marked: of a word found by its beginning, only that beginning."""
        asked = self.item.words.get(word)
        if asked is None or not asked.prefix or asked.root_length >= len(word.encode()):
            return end
        letters = [place for place in range(start, end + 1) if not self._is_passed_over(place)]
        if asked.typos and len(letters) - self.prefix_length <= 2:
            return end
        return letters[self.prefix_length - 1] if len(letters) >= self.prefix_length else start

    def _is_passed_over(self, place: int) -> bool:
        """Whether a letter does not count: one of ASCII at the end of the text, or before what is dropped."""
        text = self.text
        at_end = place + 1 >= len(text)
        return text[place].isascii() and (at_end or self.item.analyser.tokenizer.skips(text[place + 1]))
