"""Who made a package, from the forms in which metadata names people.

`author` holds a name, several of them, or addresses; projects described by `pyproject.toml` have
`Name <address>, Name <address>` in `author_email` and nothing in `author`
(https://packaging.python.org/en/latest/specifications/pyproject-toml/#authors-maintainers).
"""

import re
from collections.abc import Iterable

LONGEST_NAME = 100
MOST_NAMES = 50

_ADDRESS = re.compile(
    r"<[^<>]*>|\(\s*[^()\s]+@[^()\s]+\s*\)|\S+@\S+|\S+ ?(?:\[at\]|\(at\)) ?\S+|https?://\S+", re.IGNORECASE
)
_QUOTED = re.compile(r'"([^"]*)"')
_BETWEEN = re.compile(r"\s*[,;&/|\n]\s*|\s+and\s+", re.IGNORECASE)
_AROUND = " \t\r\n\"'`()[]<>,;:-"
# "Example, Inc." is one, and so is "Doe, Jr.".
_BEFORE_SUFFIX = re.compile(
    r",\s*(?=(?:inc|llc|ltd|gmbh|s\.?r\.?l|s\.?a|b\.?v|co|corp|jr|sr|ph\.?\s?d|e\.?\s?v)\b\.?)", re.IGNORECASE
)
_NOBODY = frozenset(
    ("", "unknown", "none", "n/a", "na", "author", "authors", "contributors", "others", "et al", "et al.",
     "many others", "various", "your name", "the contributors", "its contributors", "individual contributors")
)  # fmt: skip
_COMMA = "\N{UNIT SEPARATOR}"


def authors(author: str, author_email: str, maintainer: str = "", maintainer_email: str = "") -> list[str]:
    """The people and organisations that a package is by, each once, as they spell themselves.

    Where the author's fields name nobody, those who maintain it are given. Addresses are left out.
    """
    return _names((author, author_email)) or _names((maintainer, maintainer_email))


def _names(fields: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for field in fields:
        # Commas within quotes and before "Inc." separate nothing.
        joined = _QUOTED.sub(lambda quoted: _in_order(quoted[1]), field)
        joined = _ADDRESS.sub(" , ", _BEFORE_SUFFIX.sub(_COMMA, joined))
        for part in _BETWEEN.split(joined):
            name = " ".join(part.replace(_COMMA, ", ").split()).strip(_AROUND)
            if name.casefold() not in _NOBODY and any(map(str.isalpha, name)):
                found.setdefault(name.casefold(), name[:LONGEST_NAME].strip())
    return list(found.values())[:MOST_NAMES]


def _in_order(quoted: str) -> str:
    """`Doe, Jane`, which only stands in quotes, as `Jane Doe`."""
    family, comma, given = quoted.partition(",")
    is_name = comma and "," not in given and not _BEFORE_SUFFIX.search(quoted)
    return f"{given.strip()} {family.strip()}" if is_name else quoted.replace(",", _COMMA)
