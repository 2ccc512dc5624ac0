"""The stems of words, by the rules of their language: Snowball's (https://snowballstem.org), as in Typesense."""

import functools
import threading
from collections.abc import Callable

import snowballstemmer

Stem = Callable[[str], str]

WORDS_KEPT = 65_536

_LANGUAGES = {
    "": "english", "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french",
    "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


def has_stems(locale: str) -> bool:
    """Whether there are rules for a locale's language."""
    return locale in _LANGUAGES


@functools.cache
def stem_of(locale: str) -> Stem:
    """What gives the stem of a word of a locale, one for which `has_stems`. Safe to share between threads."""
    stemmer = snowballstemmer.stemmer(_LANGUAGES[locale])
    lock = threading.Lock()

    @functools.lru_cache(maxsize=WORDS_KEPT)
    def stem(word: str) -> str:
        with lock:  # a stemmer keeps the word that it is at
            return str(stemmer.stemWord(word))

    return stem
