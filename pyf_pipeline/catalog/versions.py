"""Versions: which is newer, and what they are made of.

PyPI calls that release the latest which is not a pre-release and stands highest in PEP 440's order; versions that are
older than PEP 440 and do not follow it stand below all others, in the order that setuptools used to give them.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from packaging.version import Version

INT32_MAX = 2**31 - 1

_LEGACY, _PRERELEASE, _FINAL = "0", "1", "2"
_STAGES = {"a": "1", "b": "2", "rc": "3"}
_DEV_ONLY, _NO_STAGE = "0", "4"
_END, _TEXT, _NUMBER = "0", "1", "2"

_LEGACY_PARTS = re.compile(r"([0-9]+|[a-z]+|\.|-)")
_LEGACY_NAMES = {"pre": "c", "preview": "c", "-": "final-", "rc": "c", "dev": "@"}
_LEADING_NUMBERS = re.compile(r"\D*?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)", re.ASCII | re.DOTALL)


class VersionParts(NamedTuple):
    """What a version is made of; numbers beyond 32 bits, as versions made of a date have them, become the largest one.

    Attributes:
        major: The first number of the release.
        minor: The second, 0 where there is none.
        bugfix: The third, 0 where there is none.
        postfix: All that follows, in normal form: "rc1" in 6.0rc1, "4.post1" in 1.2.3.4-1, "" in 1.2.3.
        is_prerelease: Whether it is a development release, an alpha, a beta or a release candidate.
    """

    major: int
    minor: int
    bugfix: int
    postfix: str
    is_prerelease: bool


def sortable(version: str) -> str:
    """A text for a version, such that sorting the texts sorts the versions as PyPI looks for the latest.

    Every final release stands above every pre-release, and every pre-release above what is not PEP 440; within these,
    PEP 440's order holds. Versions that PEP 440 deems equal get the same text. It is made of lower-case ASCII letters
    and digits only, because Typesense sorts texts with all else left out.
    """
    parsed = _parse(version)
    if parsed is None:
        return _LEGACY + _legacy_key(version)
    return (_PRERELEASE if parsed.is_prerelease else _FINAL) + _key(parsed)


def parts(version: str) -> VersionParts:
    """What a version is made of. One that is not PEP 440 is read as far as its first three numbers go."""
    parsed = _parse(version)
    if parsed is None:
        return _legacy_parts(version)
    major, minor, bugfix = (min(number, INT32_MAX) for number in (*parsed.release, 0, 0)[:3])
    release = ".".join(map(str, parsed.release[:3]))
    without_epoch = str(parsed).partition("!")[2] or str(parsed)
    postfix = without_epoch.removeprefix(release).removeprefix(".")
    return VersionParts(major, minor, bugfix, postfix, parsed.is_prerelease)


def newest_first(versions: Iterable[str]) -> list[str]:
    """Versions with the one that PyPI calls the latest in front; equal ones in the order of their texts."""
    return sorted(sorted(versions), key=sortable, reverse=True)


def _parse(version: str) -> Version | None:
    try:
        return Version(version)
    except ValueError:
        # Either it is not PEP 440, or it has a number of more digits than Python converts.
        return None


def _key(version: Version) -> str:
    """PEP 440's order as a text; each part ends before it could be mistaken for the start of the next."""
    release = list(version.release)
    while release and release[-1] == 0:
        release.pop()
    stage = _NO_STAGE if version.post is not None or version.dev is None else _DEV_ONLY
    if version.pre is not None:
        stage = _STAGES[version.pre[0]] + _number(version.pre[1])
    post = "0" if version.post is None else "1" + _number(version.post)
    dev = "1" if version.dev is None else "0" + _number(version.dev)
    return _number(version.epoch) + "".join(map(_number, release)) + stage + post + dev + _local(version.local)


def _local(local: str | None) -> str:
    if local is None:
        return ""
    texts = (_NUMBER + _number(int(s)) if s.isdecimal() else _TEXT + _text(s) for s in local.split("."))
    return "1" + "".join(texts) + _END


def _number(number: int) -> str:
    """A natural number such that the order of the texts is that of the numbers: its length as a letter, its digits."""
    return _digits(str(number))


def _digits(digits: str) -> str:
    length = len(digits)
    # Numbers of up to 25 digits take one letter; longer ones say "z", and then their length in the same manner.
    return ("z" + _number(length) if length > 25 else chr(ord("a") + length - 1)) + digits


def _text(text: str) -> str:
    """A text in letters only, two for a byte, so that a digit can end it and a shorter text sorts before a longer."""
    return "".join(chr(ord("a") + (b >> 4)) + chr(ord("a") + (b & 15)) for b in text.encode("utf-8", "replace")) + _END


def _legacy_key(version: str) -> str:
    """The order of setuptools before PEP 440: texts before numbers, and `1-alpha` before `1` before `1-patch`."""
    found: list[str] = []
    for piece in [*_LEGACY_PARTS.split(version.lower()), "final"]:
        part = _LEGACY_NAMES.get(piece, piece)
        if not part or part == ".":
            continue
        if part.isascii() and part.isdecimal():
            found.append(_NUMBER + _digits(part.lstrip("0") or "0"))
            continue
        if part < "final":
            _drop_trailing(found, _TEXT + _text("final-"))
        _drop_trailing(found, _NUMBER + _digits("0"))
        found.append(_TEXT + _text(part))
    return "".join(found) + _END


def _drop_trailing(found: list[str], part: str) -> None:
    while found and found[-1] == part:
        found.pop()


def _legacy_parts(version: str) -> VersionParts:
    match = _LEADING_NUMBERS.fullmatch(version)
    if match is None:
        return VersionParts(0, 0, 0, version, is_prerelease=False)
    # More than ten digits are beyond 32 bits, and may be more than Python converts.
    major, minor, bugfix = (
        INT32_MAX if len(n or "") > 10 else min(int(n or 0), INT32_MAX) for n in match.group(1, 2, 3)
    )
    return VersionParts(major, minor, bugfix, match[4].lstrip(".-_ "), is_prerelease=False)
