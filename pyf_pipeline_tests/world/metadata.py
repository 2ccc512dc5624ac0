"""Metadata as projects really write it: versions of all kinds, and `info` fields with all their oddities."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from packaging.version import InvalidVersion, Version

from pyf_pipeline_tests.world import names, texts
from pyf_pipeline_tests.world.topics import Topic


@dataclass(frozen=True, slots=True)
class License:
    """A licence in the three places where it may be stated."""

    text: str | None
    expression: str | None
    classifiers: tuple[str, ...]


LICENSES: tuple[License, ...] = (
    License("MIT", None, ("License :: OSI Approved :: MIT License",)),
    License("BSD", None, ("License :: OSI Approved :: BSD License",)),
    License("GPLv2", None, ("License :: OSI Approved :: GNU General Public License v2 (GPLv2)",)),
    License("Apache 2.0", None, ("License :: OSI Approved :: Apache Software License",)),
    License(None, None, ("License :: OSI Approved :: MIT License",)),
    License("", None, ("License :: OSI Approved :: BSD License",)),
    License(None, None, ()),
)
_EXPRESSIONS = ("MIT", "BSD-3-Clause", "Apache-2.0", "GPL-2.0-or-later", "MIT OR Apache-2.0", "LGPL-3.0-only")
_CONTENT_TYPES: dict[str, tuple[str | None, ...]] = {
    "md": (
        "text/markdown",
        "text/markdown",
        "text/markdown; charset=UTF-8",
        "text/markdown; charset=UTF-8; variant=GFM",
    ),
    "rst": (None, "", "text/x-rst", "text/x-rst; charset=UTF-8"),
    "txt": ("text/plain", "text/plain; charset=UTF-8", None),
}
_DISTRIBUTIONS = {
    "Plone": ("plone.api", "plone.restapi>=8", "Products.CMFPlone", "setuptools"),
    "Django": ("Django>=4.2", "asgiref", "sqlparse>=0.2"),
    "Flask": ("Flask>=2.3", "Werkzeug", "itsdangerous"),
}
_LEGACY = ("0.9-snapshot", "1.0-final-rc-x", "2004b", "1.0dev-r1234x", "pre-alpha", "0.1.monday")
_PRE_RELEASES = (("a1",), ("a1", "a2", "b1"), ("rc1",), ("b1", "rc1"), (".dev0",))
_FULL_LICENCE = "Permission is hereby given to use this software as you like.\n\n" + "\n".join(
    f"{n}. The authors of this made-up licence give no warranty of kind number {n}." for n in range(1, 15)
)


def versions(rng: random.Random, count: int, *, quirks: bool) -> list[str]:
    """So many versions in the order of their releases: final, pre-, post- and development releases, some with an epoch.

    With `quirks` the oldest may be no PEP 440 versions at all, and all may be pre-releases.
    """
    style = rng.random()
    if style < 0.12:
        result = _calendar_versions(rng, count)
    elif quirks and style < 0.16:
        result = [f"1.0{'a' if n < count / 2 else 'b'}{n + 1}" for n in range(count)]
    else:
        result = _semantic_versions(rng, count)
    if quirks and count > 3 and rng.random() < 0.04:
        result[0] = rng.choice(_LEGACY)
    if quirks and rng.random() < 0.02:
        result[-1] = f"1!{result[-1]}"
    return result


@lru_cache(100_000)
def order(version: str) -> tuple[Any, ...]:
    """PyPI's order of versions: by PEP 440, and what is no version below everything else."""
    try:
        return (1, Version(version), version)
    except InvalidVersion:
        return (0, version)


@lru_cache(100_000)
def is_prerelease(version: str) -> bool:
    """Whether PyPI takes a version for a pre-release; what is no version is none."""
    try:
        return Version(version).is_prerelease
    except InvalidVersion:
        return False


def current(known: Sequence[str], yanked: Sequence[bool]) -> int:
    """The place of the release that PyPI shows: unyanked first, final before pre-release, then the highest."""
    places = range(len(known))
    return max(places, key=lambda n: (not yanked[n], not is_prerelease(known[n]), order(known[n])))


def _calendar_versions(rng: random.Random, count: int) -> list[str]:
    year, month = rng.randint(2016, 2021), rng.randint(1, 12)
    result = []
    for _ in range(count):
        month += rng.randint(1, 3)
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
        result.append(f"{year}.{month}" if rng.random() < 0.7 else f"{year}.{month}.{rng.randint(1, 3)}")
    return result


def _semantic_versions(rng: random.Random, count: int) -> list[str]:
    major, minor, patch = rng.choice(((0, 1, 0), (0, 1, 0), (1, 0, 0), (2, 0, 0)))
    two_parts = rng.random() < 0.4
    result: list[str] = []
    while len(result) < count:
        base = f"{major}.{minor}" if two_parts and not patch else f"{major}.{minor}.{patch}"
        if not patch and rng.random() < 0.2:
            result += [f"{base}{tag}" for tag in rng.choice(_PRE_RELEASES)]
        result.append(base)
        if rng.random() < 0.04:
            result.append(f"{base}.post1")
        step = rng.random()
        if step < 0.6:
            patch += 1
        elif step < 0.93:
            minor, patch = minor + 1, 0
        else:
            major, minor, patch = major + 1, 0, 0
    return result[:count]


@dataclass(frozen=True, slots=True)
class Described:
    """What metadata is written about.

    Attributes:
        name: The project's name.
        framework: Its framework's short name, if it has one.
        topic: What it does.
        releases: (version, epoch seconds) of its releases up to the one described, the oldest first.
    """

    name: str
    framework: str | None
    topic: Topic
    releases: tuple[tuple[str, float], ...]


def info(rng: random.Random, described: Described, *, quirks: bool) -> dict[str, Any]:
    """`info` without name, version, classifiers and links."""
    framework, topic = described.framework, described.topic
    summary = rng.choice(topic.summaries).format(fw=framework or "Python")
    result = _plain_fields(rng, framework, topic, summary)
    history = tuple(
        (version, datetime.fromtimestamp(time, UTC).date().isoformat())
        for version, time in reversed(described.releases)
    )
    module = names.normalise(described.name).replace("-", "." if framework == "Plone" else "_")
    subject = texts.Subject(described.name, module, framework or "Python", topic, summary, history)
    result |= _description(rng, subject, quirks=quirks)
    if quirks and rng.random() < 0.12:
        for oddity in rng.sample(_ODDITIES, rng.randint(1, 2)):
            result |= oddity(rng)
    return result


def _plain_fields(rng: random.Random, framework: str | None, topic: Topic, summary: str) -> dict[str, Any]:
    person, address = names.person(rng)
    modern = rng.random() < 0.4
    if modern and rng.random() < 0.3:
        address = f'{person} <{address}>, "Core Team" <team@mail.example>'
    elif modern:
        address = f"{person} <{address}>"
    expression = rng.choice(_EXPRESSIONS) if modern and rng.random() < 0.6 else None
    keywords = [*rng.sample(topic.keywords, rng.randint(1, len(topic.keywords))), framework or "python"]
    return {
        "author": None if modern else person,
        "author_email": address,
        "bugtrack_url": None,
        "docs_url": None,
        "download_url": rng.choice((None, None, "", "UNKNOWN")),
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "dynamic": rng.choice((None, ["Author", "Description"])),
        "keywords": rng.choice((", ", " ", ",")).join(keywords),
        "license": None if expression else rng.choice(LICENSES).text,
        "license_expression": expression,
        "license_files": ["LICENSE.txt"] if expression else None,
        "maintainer": None if modern else rng.choice((None, "", names.person(rng)[0])),
        "maintainer_email": rng.choice((None, "", names.person(rng)[1])),
        "platform": rng.choice((None, "", "any", "UNKNOWN")),
        "provides_extra": rng.choice((None, ["test"])),
        "requires_dist": rng.choice((None, _requirements(rng, framework), _requirements(rng, framework))),
        "requires_python": rng.choice((None, ">=3.8", ">=3.9,<4", "!=3.0.*,>=2.7", ">=3.10", "")),
        "summary": summary,
        "yanked": False,
        "yanked_reason": None,
    }


def _requirements(rng: random.Random, framework: str | None) -> list[str]:
    known = _DISTRIBUTIONS.get(framework or "", ("click>=8", "packaging", "attrs"))
    return [*rng.sample(known, rng.randint(1, len(known))), 'pytest>=7; extra == "test"']


def _description(rng: random.Random, subject: texts.Subject, *, quirks: bool) -> dict[str, Any]:
    size = int(min(90_000, max(200, math.exp(rng.gauss(math.log(3_000), 0.9)))))
    if rng.random() < 0.01:
        size = rng.randint(100_000, 200_000)
    markup = rng.choice(("md", "md", "md", "rst", "rst", "txt"))
    text = texts.readme(rng, subject, markup, size)
    spoil = rng.random() if quirks else 1.0
    if spoil < 0.04 and markup != "rst":
        text = texts.with_hostile_html(rng, text)
    elif spoil < 0.12 and markup == "rst":
        text = texts.with_broken_rst(rng, text)
    return {"description": text, "description_content_type": rng.choice(_CONTENT_TYPES[markup])}


Oddity = Callable[[random.Random], dict[str, Any]]


def _of(key: str, *values: Any) -> Oddity:
    return lambda rng: {key: rng.choice(values)}


# Each takes a generator and gives the fields that it spoils.
_ODDITIES: tuple[Oddity, ...] = (
    _of("keywords", None, "", ["alpha", "beta"], "alpha; beta", ", ,", "a" * 300),
    _of("license", None, "", "UNKNOWN", _FULL_LICENCE, ["MIT", "BSD"], {"file": "LICENSE"}),
    _of("description_content_type", None, "", ["text/markdown"], "TEXT/MARKDOWN", "text/x-wiki"),
    _of("description", None, "", "UNKNOWN", "   \n\n"),
    _of("requires_dist", None, "", "alpha, beta", [], ["not a requirement @@", ""]),
    _of("summary", None, "", "UNKNOWN", "  padded  ", "x" * 512),
    _of("author", None, "", "UNKNOWN", ["Zoë", "José"]),
    _of("author_email", None, "", "UNKNOWN", "no address", ["a@mail.example"]),
    _of("platform", None, [], ["any"], "Linux; Windows"),
    _of("requires_python", None, "", "3.x", ">= 3.8.*", "python 3"),
    _of("docs_url", "", "UNKNOWN", "https://docs.example/old/"),
)
