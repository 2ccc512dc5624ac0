"""Patterns that collections and keys bring along, for names: regular expressions that are sure to come to an end.

A pattern may take ages over a short name where what is repeated can repeat in itself, or has alternatives. Such ones
are not taken, nor those of many repetitions, and a name that is longer than any real one is never meant.
"""

import functools
import re

MAX_NAME = 256
MAX_REPETITIONS = 3

_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|*+{]|.", re.DOTALL)


@functools.lru_cache(maxsize=1000)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern; raises `re.error` where it is none, or one that may take ages."""
    found = re.compile(pattern)
    repetitions = 0
    simple = [True]
    closed = True
    for part in _PART.findall(pattern):
        if part == "(":
            simple.append(True)
        elif part == ")" and len(simple) > 1:
            closed = simple.pop()
            simple[-1] &= closed
            continue
        elif part in {"*", "+", "{"}:
            repetitions += 1
            simple[-1] = False
            if not closed:
                raise re.error("what is repeated may not hold repetitions or alternatives itself", pattern)
        elif part == "|":
            simple[-1] = False
        closed = True
    if repetitions > MAX_REPETITIONS:
        raise re.error(f"more than {MAX_REPETITIONS} repetitions", pattern)
    return found


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern means a name; one that is no pattern, or may take ages, means none."""
    if len(name) > MAX_NAME:
        return False
    try:
        return compiled(pattern).fullmatch(name) is not None
    except re.error:
        return False
