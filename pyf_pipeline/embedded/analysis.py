"""How a field's texts become words: by its symbols, separators and locale, and where it says so, to their stems."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from pyf_pipeline.embedded.dictionaries import roots_of
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.stemming import Stem, stem_of
from pyf_pipeline.embedded.tokens import Span, Tokenizer, tokenizer_for


@dataclass(frozen=True, slots=True)
class Analyser:
    """Takes the texts of one field apart, and the queries that are made of it."""

    tokenizer: Tokenizer
    stem: Stem | None = None

    def words(self, text: str) -> list[str]:
        """The words of a text as they are indexed and looked for."""
        found = self.tokenizer.words(text)
        return found if self.stem is None else [self.stem(w) for w in found]

    def spans(self, text: str) -> Iterator[Span]:
        """The same words with their places in the text."""
        spans = self.tokenizer.spans(text)
        return spans if self.stem is None else ((self.stem(word), start, end) for word, start, end in spans)


def analyser_of(connection: sqlite3.Connection, schema: Schema, field: Field | None) -> Analyser:
    """The analyser of a field, or of what belongs to none; in a transaction, as it may need a dictionary."""
    symbols = (field.symbols_to_index if field else ()) or schema.symbols_to_index
    separators = (field.token_separators if field else ()) or schema.token_separators
    tokenizer = tokenizer_for(symbols, separators, keeps_accents=field is not None and field.locale not in {"", "en"})
    return Analyser(tokenizer, _stem(connection, field) if field else None)


def _stem(connection: sqlite3.Connection, field: Field) -> Stem | None:
    if field.stem_dictionary:
        roots = roots_of(connection, field.stem_dictionary)
        return lambda word: roots.get(word, word)
    return stem_of(field.locale) if field.stem else None
