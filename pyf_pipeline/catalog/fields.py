"""The odd forms in which PyPI's `info` fields come, brought into one form each.

PyPI documents a type for every field, but keeps what old tools uploaded: null, "" and "UNKNOWN" for nothing, a text
for a list and a list for a text. Limits keep a mistake, such as a licence pasted as a summary, from flooding the index.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

LINE = 2_000
PARAGRAPHS = 20_000
DESCRIPTION = 10_000_000
URL = 2_000
WORD = 200
ENTRIES = 5_000

# NUL, which PostgreSQL does not store, and lone surrogates, which have no UTF-8 form.
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_AROUND_KEYWORDS = " \t\r\n\"'`[]()"


def clean(text: str) -> str:
    """A text without the characters that cannot be stored."""
    return _UNUSABLE.sub("", text)


def text(value: object, limit: int = PARAGRAPHS) -> str:
    """A text that may run over several lines; "" for nothing, whatever form nothing takes."""
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, (text(entry, limit) for entry in value[:ENTRIES])))[:limit]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    cleaned = clean(str(value))
    return "" if cleaned.strip() in {"", "UNKNOWN"} else cleaned[:limit]


def line(value: object, limit: int = LINE) -> str:
    """A text on one line."""
    return _SPACE.sub(" ", text(value)).strip()[:limit]


def address(value: object) -> str:
    """A URL as the project spells it; "" for one that is too long to be one, as a shortened one leads elsewhere."""
    found = line(value, URL + 1)
    return found if len(found) <= URL else ""


def lines(value: object) -> tuple[str, ...]:
    """A list of texts, each once, in the order given; a single text is taken for one entry a line."""
    if isinstance(value, str):
        value = clean(value).splitlines()
    if not isinstance(value, list | tuple):
        return ()
    return _unique(line(entry) for entry in value[:ENTRIES])


def keywords(value: object) -> tuple[str, ...]:
    """Keywords from a list, or from a text that separates them by commas, semicolons or else by spaces."""
    if isinstance(value, list | tuple):
        return _unique(word for entry in value[:ENTRIES] for word in _split_keywords(text(entry), by_space=False))
    return _unique(_split_keywords(text(value), by_space=True))


def urls(value: object) -> dict[str, str]:
    """Labelled URLs from a mapping, or from a list of texts of the form `Label, URL`."""
    if isinstance(value, str):
        value = clean(value).splitlines()
    if isinstance(value, list | tuple):
        value = dict(_labelled(line(entry)) for entry in value[:ENTRIES])
    if not isinstance(value, Mapping):
        return {}
    return _addresses(value)


def _addresses(value: Mapping[Any, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for label, url in list(value.items())[:ENTRIES]:
        key, target = line(label, WORD), address(url)
        if key and target:
            found.setdefault(key, target)
    return found


def _labelled(entry: str) -> tuple[str, str]:
    label, comma, url = entry.partition(",")
    return (label.strip(), url.strip()) if comma else (entry, entry)


def _split_keywords(found: str, *, by_space: bool) -> Iterable[str]:
    separators = next((s for s in (",", ";", "\n") if s in found), " " if by_space else "\n")
    words = found.split() if separators == " " else found.split(separators)
    return (_SPACE.sub(" ", word).strip(_AROUND_KEYWORDS)[:WORD] for word in words[:ENTRIES])


def _unique(entries: Iterable[str]) -> tuple[str, ...]:
    first_spellings: dict[str, str] = {}
    for entry in entries:
        if entry:
            first_spellings.setdefault(entry.casefold(), entry)
    return tuple(first_spellings.values())
