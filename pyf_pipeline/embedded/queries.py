"""What stands in `q`: words to find, words and phrases to leave out, phrases to find."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from pyf_pipeline.embedded.stemming import Stem
from pyf_pipeline.embedded.tokens import Tokenizer

_Words = Callable[[str], list[str]]

WILDCARD = "*"
MINUS, QUOTE = "-", '"'


@dataclass(slots=True)
class Query:
    """A query taken apart; where there is nothing to find, `include` is the wildcard, or empty for no hits at all."""

    include: list[str] = field(default_factory=list)
    exclude: list[list[str]] = field(default_factory=list)
    phrases: list[list[str]] = field(default_factory=list)

    @property
    def is_wildcard(self) -> bool:
        """Whether no single word is looked for."""
        return self.include == [WILDCARD]

    def without(self, words: frozenset[str]) -> "Query":
        """The query without some words to find; nothing at all is looked for where there were no others."""
        return Query([w for w in self.include if w not in words], self.exclude, self.phrases)

    def stemmed(self, stem: Stem) -> "Query":
        """The query with the stems of its words."""
        if self.is_wildcard:
            return replace(self, exclude=_stems(self.exclude, stem), phrases=_stems(self.phrases, stem))
        return Query([stem(w) for w in self.include], _stems(self.exclude, stem), _stems(self.phrases, stem))


def _stems(phrases: list[list[str]], stem: Stem) -> list[list[str]]:
    return [[stem(w) for w in phrase] for phrase in phrases]


class _Sign(enum.Enum):
    """What a piece of a query is: a sign before words, words, or words with a quote after them."""

    NOT = enum.auto()
    OPENING = enum.auto()
    WORDS = enum.auto()
    ENDING = enum.auto()


def parse_query(text: str, tokenizer: Tokenizer, *, pre_segmented: bool = False) -> Query:
    """Reads `q` by a field's tokeniser, or where it is taken apart already, just at its spaces."""
    if text == WILDCARD:
        return Query(include=[WILDCARD])
    tokens = text.split() if pre_segmented else tokenizer.with_symbols(MINUS, QUOTE).words(text)
    reader = _Reader(_as_it_is if pre_segmented else tokenizer.words)
    for token in tokens:
        for sign, piece in _pieces(token, minus_is_letter=MINUS in tokenizer.symbols):
            reader.take(sign, piece)
    return reader.query()


def _as_it_is(token: str) -> list[str]:
    return [token] if token else []


def _pieces(token: str, *, minus_is_letter: bool) -> Iterator[tuple[_Sign, str]]:
    """A token's signs and words, in their order; a minus on its own means nothing."""
    if token.startswith(MINUS) and not minus_is_letter:
        token = token[1:]
        if not token:
            return
        yield _Sign.NOT, ""
    if token.startswith(QUOTE) and token != QUOTE:
        yield _Sign.OPENING, ""
        token = token[1:]
    yield _Sign.ENDING if token.endswith(QUOTE) else _Sign.WORDS, token


class _Reader:
    """Puts the pieces of a query together."""

    def __init__(self, words: _Words) -> None:
        self._words = words
        self._found = Query()
        self._phrase: list[str] | None = None
        self._excluding = False

    def take(self, sign: _Sign, piece: str) -> None:
        """Takes the next piece in. A quote on its own opens a phrase, if it does not end one."""
        ends = sign is _Sign.ENDING and self._phrase is not None
        if sign is _Sign.NOT:
            self._excluding = True
        elif sign is _Sign.OPENING or (piece == QUOTE and self._phrase is None):
            self._phrase = self._phrase or []
        for word in self._words(piece[:-1] if ends else piece):
            self._place(word)
        if ends and self._phrase is not None:
            (self._found.exclude if self._excluding else self._found.phrases).append(self._phrase)
            self._phrase, self._excluding = None, False

    def _place(self, word: str) -> None:
        if self._phrase is not None:
            self._phrase.append(word)
        elif self._excluding:
            self._found.exclude.append([word])
            self._excluding = False
        else:
            self._found.include.append(word)

    def query(self) -> Query:
        """What has been read; the words of a phrase that was not closed are words like any other."""
        if self._phrase and self._excluding:
            self._found.exclude.append(self._phrase)
        elif self._phrase:
            self._found.include += self._phrase
        self._found.include = self._found.include or [WILDCARD]
        return self._found
