"""What stands in `q`: words to find, words and phrases to leave out, phrases to find."""

from collections.abc import Callable
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


@dataclass(slots=True)
class _State:
    excluding: bool = False
    in_phrase: bool = False
    phrase: list[str] = field(default_factory=list)


def parse_query(text: str, tokenizer: Tokenizer, *, pre_segmented: bool = False) -> Query:
    """Reads `q` by a field's tokeniser, or where it is taken apart already, just at its spaces."""
    if text == WILDCARD:
        return Query(include=[WILDCARD])
    query, state = Query(), _State()
    minus_is_letter = MINUS in tokenizer.symbols
    tokens = text.split() if pre_segmented else tokenizer.with_symbols(MINUS, QUOTE).words(text)
    words = _as_it_is if pre_segmented else tokenizer.words
    for token in tokens:
        _take(token, query, state, words, minus_is_letter=minus_is_letter)
    if state.phrase:
        if state.excluding:
            query.exclude.append(state.phrase)
        else:
            query.include += state.phrase
    if not query.include:
        query.include = [WILDCARD]
    return query


def _as_it_is(token: str) -> list[str]:
    return [token] if token else []


def _take(token: str, query: Query, state: _State, words: _Words, *, minus_is_letter: bool) -> None:
    if token == MINUS and not minus_is_letter:
        return
    if token.startswith("-") and not minus_is_letter:
        state.excluding = True
        token = token[1:]
    if len(token) > 1 and token.startswith('"'):
        state.in_phrase = True
        token = token[1:]
    ends = False
    if token.endswith('"'):
        if state.in_phrase:
            ends = True
            token = token[:-1]
        elif token == QUOTE:
            state.in_phrase = True
    for word in words(token):
        _place(word, query, state)
    if ends:
        (query.exclude if state.excluding else query.phrases).append(state.phrase)
        state.in_phrase = state.excluding = False
        state.phrase = []


def _place(word: str, query: Query, state: _State) -> None:
    if state.in_phrase:
        state.phrase.append(word)
    elif state.excluding:
        query.exclude.append([word])
        state.excluding = False
    else:
        query.include.append(word)
