"""Which words of a hit answered the query, and the stretch of text about them."""

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
        places = sorted(p for p in match.places if p != NOWHERE)
        scan = _Scan(self.options, item, text, places, len(self.last_token))
        scan.run()
        if not scan.ranges:
            return None
        tokens: list[str] = []
        tokenizer = item.analyser.tokenizer
        snippet = self._painted(text, scan.ranges, (scan.start, scan.end), tokenizer, tokens)
        value = self._painted(text, scan.ranges, (0, len(text) - 1), tokenizer, []) if item.full else None
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


@dataclass(slots=True)
class _Scan:
    """One pass over a text's words: which ranges to mark, and where the snippet begins and ends."""

    options: HighlightOptions
    item: FieldWords
    text: str
    places: list[int]
    prefix_length: int
    ranges: dict[int, int] = field(default_factory=dict)
    start: int = 0
    end: int = 0
    _next: int = 0
    _before: deque[int] = field(default_factory=deque)
    _hits: set[str] = field(default_factory=set)
    _found_first: bool = False
    _everywhere: bool = False

    def run(self) -> None:
        self.end = max(0, len(self.text) - 1)
        # Words outside the best window are marked too in short texts, and where all of a text is shown.
        length = len(self.text.encode()) if self.text[:1].isascii() else len(self.text)
        self._everywhere = self.item.full or length < self.options.snippet_threshold * 6
        self._before = deque(maxlen=self.options.affix_tokens + 1)
        number = -1
        for number, span in enumerate(self.item.analyser.spans(self.text)):
            self._word(number, span)
            if self._is_done(number):
                break
        if number <= self.options.snippet_threshold - 1:
            self.start, self.end = 0, len(self.text) - 1

    def _word(self, number: int, span: Span) -> None:
        word, start, end = span
        if not self._found_first:
            self._before.append(start)
        in_window = (self._found_first and word in self._hits) or (
            self._next < len(self.places) and self.places[self._next] == number
        )
        if in_window or (self._everywhere and word in self.item.words):
            self.ranges[start] = self._marked_end(word, start, end)
            self._hits.add(word)
            if in_window:
                self._advance()
        elif self.item.infix and len(self.text) < 100 and self.item.infix in word:
            self.ranges[start] = end
            self._hits.add(word)
        if self.places and number >= self.places[-1] + self.options.affix_tokens and self.end == len(self.text) - 1:
            self.end = end

    def _advance(self) -> None:
        current = self.places[self._next] if self._next < len(self.places) else -1
        self._next += 1
        while self._next < len(self.places) and self.places[self._next] == current:
            self._next += 1
        if not self._found_first:
            self.start = self._before[0]
        self._found_first = True

    def _is_done(self, number: int) -> bool:
        if self.item.full or self._next < len(self.places) or number < self.options.snippet_threshold:
            return False
        return number >= (self.places[-1] if self.places else 0) + self.options.affix_tokens

    def _marked_end(self, word: str, start: int, end: int) -> int:
        """The end of what is marked: of a word found by its beginning, only that beginning."""
        asked = self.item.words.get(word)
        if asked is None or not asked.prefix or asked.root_length >= len(word.encode()):
            return end
        text, place = self.text, start
        letters = prefix_letters = 0
        prefix_end = start
        while place <= end:
            ascii_letter = text[place].isascii()
            place += 1
            if ascii_letter and (place >= len(text) or self.item.analyser.tokenizer.skips(text[place])):
                continue
            letters += 1
            prefix_letters += letters <= self.prefix_length
            if letters == self.prefix_length:
                prefix_end = place - 1
        whole = letters - prefix_letters <= 2 and asked.typos != 0
        return end if whole else prefix_end
