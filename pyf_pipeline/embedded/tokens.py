"""Words of a text as Typesense counts them: lower case, accents folded, punctuation dropped.

A character is part of a word where it is a letter or digit (or listed in `symbols_to_index`), ends one where it is a
space, a line feed or one of `token_separators`, and is otherwise left out as if it were not there. Characters outside
ASCII become their closest ASCII spelling where there is one; where there is none they stay as they are, case included.
In a locale other than the default one they keep their accents, and are lower case too.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

MAX_TOKEN_BYTES = 100
SURELY_SHORT = MAX_TOKEN_BYTES // 4
"""So many characters take no more bytes than that."""

_SPELLINGS = {
    "ß": "ss", "ẞ": "SS", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L", "ł": "l",
    "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "TH", "þ": "th", "Ħ": "H", "ħ": "h", "\u0131": "i", "Ŧ": "T",
    "ŧ": "t", "ĸ": "q", "Ŋ": "N", "ŋ": "n", "\u017f": "s", "ƒ": "f", "€": "EUR", "™": "TM", "©": "C", "®": "R",
    "\u00d7": "x", "µ": "u", "£": "GBP", "¢": "c", "¥": "yen",
}  # fmt: skip


def spelling(character: str) -> str:
    """The ASCII letters and digits that stand for a character, or the character itself where there are none."""
    if character in _SPELLINGS:
        return _SPELLINGS[character]
    category = unicodedata.category(character)
    if category[0] in "PZ" or category in {"Sm", "Cf"}:
        return ""
    decomposed = unicodedata.normalize("NFKD", character)
    plain = "".join(c for c in decomposed if c.isascii() and c.isalnum())
    rest = [c for c in decomposed if not c.isascii() and not unicodedata.combining(c)]
    return plain if plain and not rest else character


class _Table(dict[int, str | None]):
    """A `str.translate` table that learns characters outside ASCII as it meets them."""

    def __init__(self, *, keeps_accents: bool) -> None:
        super().__init__()
        self._form = _accented if keeps_accents else _folded

    def __missing__(self, point: int) -> str:
        self[point] = form = self._form(chr(point))
        return form


def _folded(character: str) -> str:
    plain = spelling(character)
    return plain.lower() if character != plain else character


def _accented(character: str) -> str:
    return character.lower() if unicodedata.category(character)[0] in "LMN" else ""


Span = tuple[str, int, int]
"""A word, and in a text its first and last character; dropped characters in it and after it belong to it."""


class Tokenizer:
    """Splits texts by one collection's symbols and separators. Safe to share between threads."""

    def __init__(
        self, symbols: tuple[str, ...] = (), separators: tuple[str, ...] = (), *, keeps_accents: bool = False
    ) -> None:
        self.symbols = frozenset(symbols)
        self.separators = frozenset(separators) - self.symbols
        self.keeps_accents = keeps_accents
        self._table = _Table(keeps_accents=keeps_accents)
        for point in range(128):
            character = chr(point)
            if character.isalnum() or character in self.symbols:
                self._table[point] = character.lower()
            elif character in " \n" or character in self.separators:
                self._table[point] = " "
            else:
                self._table[point] = None
        kept = "".join(re.escape(chr(p)) for p in range(128) if self._table[p] not in {None, " "})
        ending = "".join(re.escape(chr(p)) for p in range(128) if self._table[p] == " ")
        self._word = re.compile(f"[{kept}\\x80-\U0010ffff][^{ending}]*")

    def with_symbols(self, *more: str) -> "Tokenizer":
        """The same tokeniser with more characters that are part of words."""
        symbols = tuple(sorted(self.symbols.union(more)))
        return tokenizer_for(symbols, tuple(sorted(self.separators)), keeps_accents=self.keeps_accents)

    def words(self, text: str) -> list[str]:
        """The words of a text in order, each cut to 100 bytes."""
        found = self.uncut(text)
        return found if max(map(len, found), default=0) <= SURELY_SHORT else [cut(w) for w in found]

    def uncut(self, text: str) -> list[str]:
        """The words as long as they are, for whoever cuts those that are different alone."""
        return list(filter(None, text.translate(self._table).split(" ")))

    def normalise(self, text: str) -> str:
        """The text folded, its separators turned into spaces."""
        return text.translate(self._table)

    def skips(self, character: str) -> bool:
        """Whether a character is ASCII and no part of a word."""
        return character.isascii() and not character.isalnum() and character not in self.symbols

    def spans(self, text: str) -> Iterator[Span]:
        """The words of a text with their places."""
        for found in self._word.finditer(text):
            piece = found[0]
            start, end = found.span()
            if piece.isascii() and piece.isalnum():
                word = piece.lower()
            else:
                word = piece.translate(self._table)
                # What comes first may be dropped too, outside ASCII.
                while start < end and not self._table[ord(text[start])]:
                    start += 1
            if word:
                yield word if len(word) <= SURELY_SHORT else cut(word), start, end - 1


def cut(word: str) -> str:
    """A word, or as much of it as is indexed."""
    raw = word.encode()
    return word if len(raw) <= MAX_TOKEN_BYTES else raw[:MAX_TOKEN_BYTES].decode(errors="ignore")


@functools.lru_cache(maxsize=256)
def tokenizer_for(symbols: tuple[str, ...], separators: tuple[str, ...], *, keeps_accents: bool = False) -> Tokenizer:
    """The tokeniser of these symbols and separators, made once."""
    return Tokenizer(symbols, separators, keeps_accents=keeps_accents)


SORT_TOKENIZER = Tokenizer(symbols=(" ",))


def sort_form(text: str) -> str:
    """The form in which texts are compared when sorting: folded, spaces kept, punctuation dropped."""
    lines = (SORT_TOKENIZER.normalise(line) for line in text.split("\n"))
    return next((line for line in lines if line), "")[:2000]
