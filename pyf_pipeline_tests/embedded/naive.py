"""What a search has to find, worked out document by document with nothing but Python's own comparisons."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

SEPARATORS = ".-_/"
WORDS = ["form", "forms", "format", "grid", "image", "event", "events", "theme", "mail", "mails", "queue", "cache"]
LABELS = ["Plone 6.0", "Plone 6.1", "Plone", "Django 5.2", "Django", "Flask"]
FIELDS: list[dict[str, Any]] = [
    {"name": "name", "type": "string", "facet": True, "sort": True},
    {"name": "summary", "type": "string", "optional": True},
    {"name": "labels", "type": "string[]", "facet": True},
    {"name": "stars", "type": "int64", "facet": True, "optional": True},
    {"name": "marks", "type": "int32[]", "facet": True, "optional": True},
    {"name": "score", "type": "float", "optional": True},
    {"name": "yanked", "type": "bool", "facet": True},
]


def documents(rnd: random.Random, count: int) -> list[Document]:
    """Made-up documents with values of every kind, some of them absent."""
    made = []
    for number in range(count):
        document: Document = {
            "id": f"d{number}", "name": rnd.choice(SEPARATORS).join(rnd.choices(WORDS, k=rnd.randint(1, 3))),
            "labels": rnd.sample(LABELS, rnd.randint(0, 4)), "yanked": rnd.random() < 0.3,
        }  # fmt: skip
        if rnd.random() < 0.8:
            document["summary"] = " ".join(rnd.choices(WORDS, k=rnd.randint(1, 40)))
        if rnd.random() < 0.7:
            document["stars"] = rnd.choice([0, 1, 5, 5, 10, 100, -7])
            document["score"] = rnd.choice([0.5, 1.25, 2.0, 99.75, -3.5])
        if rnd.random() < 0.6:
            document["marks"] = rnd.sample(range(6), rnd.randint(1, 3))
        made.append(document)
    return made


def words(text: str) -> list[str]:
    """The words of an ASCII text."""
    return re.sub(f"[{re.escape(SEPARATORS)}]", " ", text.lower()).split()


def texts(document: Document, name: str) -> list[str]:
    """A field's texts as a list, however many there are."""
    value = document.get(name, [])
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


@dataclass(frozen=True)
class Filter:
    """A filter's text and what it means."""

    text: str
    holds: Callable[[Document], bool]


def _numbers(rnd: random.Random) -> Filter:
    name = rnd.choice(["stars", "score", "marks"])
    low, high = sorted(rnd.sample([-7, 0, 1, 2, 3, 5, 10, 100], 2))
    tests: list[tuple[str, Callable[[Any], bool]]] = [
        (f"{name}:>{low}", lambda v: v > low), (f"{name}:<={high}", lambda v: v <= high),
        (f"{name}:={low}", lambda v: v == low), (f"{name}:{low}", lambda v: v == low),
        (f"{name}:[{low}..{high}]", lambda v: low <= v <= high),
        (f"{name}:=[{low}, {high}]", lambda v: v in {low, high}),
        (f"{name}:[<{low}, >={high}]", lambda v: v < low or v >= high),
    ]  # fmt: skip
    text, test = rnd.choice(tests)
    if rnd.random() < 0.2:
        return Filter(f"{name}:!={low}", lambda d: not any(v == low for v in _values(d, name)))
    return Filter(text, lambda d: any(test(v) for v in _values(d, name)))


def _values(document: Document, name: str) -> Iterable[Any]:
    value = document.get(name, [])
    return value if isinstance(value, list) else [value]


def _labels(rnd: random.Random) -> Filter:
    some = rnd.sample(LABELS, rnd.randint(1, 2))
    listed = "[" + ",".join(f"`{s}`" for s in some) + "]" if len(some) > 1 or rnd.random() < 0.3 else some[0]
    if rnd.random() < 0.3:
        return Filter(f"labels:!={listed}", lambda d: not set(some) & set(d["labels"]))
    if rnd.random() < 0.5:
        return Filter(f"labels:={listed}", lambda d: bool(set(some) & set(d["labels"])))
    return Filter(f"labels:{listed}", lambda d: any(_together(d["labels"], words(s)) for s in some))


def _together(values: list[str], wanted: list[str]) -> bool:
    """Whether the words are all in the field, be it in different texts of it."""
    return set(wanted) <= {w for v in values for w in words(v)}


def _names(rnd: random.Random) -> Filter:
    word = rnd.choice(WORDS)
    if rnd.random() < 0.3:
        return Filter(f"name:!{word}", lambda d: word not in words(d["name"]))
    if rnd.random() < 0.5:
        return Filter(f"name:={word}", lambda d: words(d["name"]) == [word])
    return Filter(f"name: {word}", lambda d: word in words(d["name"]))


def _others(rnd: random.Random) -> Filter:
    wanted = rnd.random() < 0.5
    some = [f"d{rnd.randrange(100)}" for _ in range(8)]
    return rnd.choice(
        [
            Filter(f"yanked:{str(wanted).lower()}", lambda d: d["yanked"] is wanted),
            Filter(f"yanked:!={str(wanted).lower()}", lambda d: d["yanked"] is not wanted),
            Filter(f"id:=[{','.join(some)}]", lambda d: d["id"] in some),
            Filter(f"id:!={some[0]}", lambda d: d["id"] != some[0]),
        ]
    )


def filters(rnd: random.Random, depth: int = 2) -> Filter:
    """A random filter. `&&` and `||` bind alike and from the left, so that what is combined stands in parentheses."""
    if not depth or rnd.random() < 0.4:
        return rnd.choice([_numbers, _labels, _names, _others])(rnd)
    left, right = filters(rnd, depth - 1), filters(rnd, depth - 1)
    if rnd.random() < 0.5:
        return Filter(f"({left.text}) && ({right.text})", lambda d: left.holds(d) and right.holds(d))
    return Filter(f"({left.text}) || ({right.text})", lambda d: left.holds(d) or right.holds(d))


@dataclass(frozen=True)
class Question:
    """What is looked for: every word in one of the fields, the last one by its beginning where `prefix`."""

    q: str
    fields: list[str]
    prefix: bool
    excluded: str = ""
    wanted: list[str] = field(default_factory=list)

    def holds(self, document: Document) -> bool:
        """Whether a document is to be found."""
        there = [w for name in self.fields for text in texts(document, name) for w in words(text)]
        if self.excluded and self.excluded in there:
            return False
        last = len(self.wanted) - 1
        return all(
            any(t.startswith(w) if self.prefix and i == last else t == w for t in there)
            for i, w in enumerate(self.wanted)
        )


def questions(rnd: random.Random) -> Question:
    """A random question."""
    fields = rnd.sample(["name", "summary", "labels"], rnd.randint(1, 3))
    if rnd.random() < 0.4:
        return Question("*", fields, prefix=False)
    wanted = rnd.sample(WORDS, rnd.randint(1, 2))
    prefix = rnd.random() < 0.5
    if prefix:
        wanted[-1] = wanted[-1][: rnd.randint(2, 4)]
        # A word that one part of a query has found is not found again by the beginning that is another part.
        wanted = [w for w in wanted[:-1] if not w.startswith(wanted[-1])] + wanted[-1:]
    excluded = rnd.choice(WORDS) if rnd.random() < 0.3 else ""
    q = " ".join(wanted) if not excluded else f"-{excluded} {' '.join(wanted)}"
    return Question(q, fields, prefix, excluded, wanted)


SORTS = [
    "stars:desc",
    "stars:asc",
    "score:desc",
    "name:asc",
    "name:desc",
    "yanked:desc",
    "stars(missing_values: first):asc",
]


def sort_key(document: Document, sort: str) -> tuple[int, Any]:
    """The key of one of `SORTS`, the lowest first: without a value at the end unless it is to come first."""
    name, _, direction = sort.replace("(missing_values: first)", "").partition(":")
    value = document.get(name)
    if value is None:
        return (0 if "first" in sort else 2, 0)
    if isinstance(value, str):
        folded = "".join(c for c in value.lower() if c.isalnum() or c == " ")
        return (1, [ord(c) * (1 if direction == "asc" else -1) for c in folded] + ([] if direction == "asc" else [1]))
    return (1, value if direction == "asc" else -value)


def counts(found: list[Document], name: str) -> dict[str, int]:
    """How many documents have each value."""
    return dict(
        Counter(text.lower() if text in {"True", "False"} else text for d in found for text in set(texts(d, name)))
    )
