"""JSON as the API writes it (keys sorted, no spaces) and as it complains about it."""

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson

MAX_DEPTH = 64
TOO_DEEP = f"Bad JSON: nested deeper than {MAX_DEPTH} levels."

_LITERALS = ("true", "false", "null")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LITERAL_START = re.compile(r"[a-zA-Z]")


def dumps(value: Any) -> str:
    """The value as compact JSON with sorted keys."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # it reads whole numbers beyond 64 bits that it will not write
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def loads(text: str | bytes) -> Any:
    """The value of a JSON text; raises `orjson.JSONDecodeError` (a ValueError)."""
    return orjson.loads(text)


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects are nested deeper than is taken; goes down level by level, however deep it is."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return (v for v in value.values() if isinstance(v, dict | list) and v)
    if isinstance(value, list):
        return (v for v in value if isinstance(v, dict | list) and v)
    return ()


def parse_error(text: str) -> str:
    """Where and why a text is not JSON, worded as the server's own parser words it."""
    place, why = _first_fault(text)
    line = text.count("\n", 0, place) + 1
    column = place - (text.rfind("\n", 0, place) + 1) + 1
    return f"[json.exception.parse_error.101] parse error at line {line}, column {column}: {why}"


def _first_fault(text: str) -> tuple[int, str]:
    stripped = text.lstrip(" \t\r\n")
    start = len(text) - len(stripped)
    if not stripped:
        return len(text), (
            "syntax error while parsing value - unexpected end of input; expected '[', '{', or a literal"
        )
    if _LITERAL_START.match(stripped):
        return _literal_fault(text, start)
    return _deep_fault(text)


def _literal_fault(text: str, start: int) -> tuple[int, str]:
    """A word that is none of true, false and null: the fault is its first wrong letter."""
    word = next((w for w in _LITERALS if w[0] == text[start]), "")
    wrong = start
    while wrong < len(text) and wrong - start < len(word) and text[wrong] == word[wrong - start]:
        wrong += 1
    read = text[start : wrong + 1]
    return wrong, f"syntax error while parsing value - invalid literal; last read: '{read}'"


def _deep_fault(text: str) -> tuple[int, str]:
    """A fault inside an object or array: what our parser says, at its place."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = min(error.pos, len(text))
        if place >= len(text):
            return place, "syntax error while parsing value - unexpected end of input"
        return place, f"syntax error while parsing value - invalid literal; last read: '{text[: place + 1][-20:]}'"
    return 0, "syntax error"
