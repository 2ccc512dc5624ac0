"""Markdown that is nested so deeply that HTML parsers take minutes or gigabytes over it.

The HTML standard's parsing algorithm looks through all open elements for many a tag, and opens every formatting element
that was left open anew in each paragraph: both grow with the square of the source.
"""

import re

DEEPEST_BLOCKS = 100
DEEPEST_TAGS = 1_000
MOST_REOPENED = 1_000_000

# What opens block quotes and lists at the start of a line, unless the line is nothing but a thematic break.
_MARKERS = re.compile(
    r"^(?![ \t]*(?:(?:-[ \t]*)+|(?:\*[ \t]*)+)$)(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))+",
    re.MULTILINE | re.ASCII,
)
_MARKER = re.compile(r"[->+*.)]")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b", re.IGNORECASE | re.ASCII)

_FORMATTING = frozenset(
    ("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
)
# Elements that hold nothing, or that the next one of their kind closes.
_SHALLOW = frozenset(
    ("area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p",
     "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr")
)  # fmt: skip


def is_excessive(source: str) -> bool:
    """Whether a Markdown source is nested beyond what a person writes, so that it should not be parsed."""
    deepest = max((len(_MARKER.findall(found[0])) for found in _MARKERS.finditer(source)), default=0)
    return deepest > DEEPEST_BLOCKS or _tags_are_excessive(source)


def _tags_are_excessive(source: str) -> bool:
    open_tags = open_formatting = most_formatting = 0
    for tag in _TAG.finditer(source):
        name, step = tag[2].lower(), -1 if tag[1] else 1
        if name in _FORMATTING:
            open_formatting = max(0, open_formatting + step)
            most_formatting = max(most_formatting, open_formatting)
        elif name not in _SHALLOW:
            open_tags = max(0, open_tags + step)
            if open_tags > DEEPEST_TAGS:
                return True
    return most_formatting > DEEPEST_TAGS or most_formatting * source.count("\n") > MOST_REOPENED
