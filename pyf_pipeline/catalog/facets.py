"""What a package says of itself in forms that people filter by: frameworks, Pythons, topics, status."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from trove_classifiers import sorted_classifiers

from pyf_pipeline.catalog.classifiers import SEPARATOR
from pyf_pipeline.catalog.names import normalise

CLASSIFIERS = "classifiers"
REQUIRES_DIST = "requires_dist"
REQUIRES_PYTHON = "requires_python"

_NUMERIC = re.compile(r"\d{1,9}(\.\d{1,9})*", re.ASCII)
_WITH_MINOR = re.compile(r"\d{1,9}\.\d{1,9}", re.ASCII)
_PYTHON = SEPARATOR.join(("Programming Language", "Python", ""))
_TOPIC = "Topic" + SEPARATOR
_STATUS = re.compile(r"Development Status :: (\d - \S.*)", re.ASCII)

# Frameworks whose distribution has the version that the classifiers speak of.
_DISTRIBUTIONS = {
    "aws-cdk-lib": "AWS CDK", "django": "Django", "django-cms": "Django CMS", "flask": "Flask",
    "jupyterlab": "Jupyter JupyterLab", "litestar": "Litestar", "odoo": "Odoo", "plone": "Plone",
    "products-cmfplone": "Plone", "pydantic": "Pydantic", "wagtail": "Wagtail", "zope": "Zope",
}  # fmt: skip
# There are no classifiers for the versions of these.
_WITHOUT_CLASSIFIERS = {
    "Flask": ("0.8", "0.9", "0.10", "0.11", "0.12", "1.0", "1.1", "2.0", "2.1", "2.2", "2.3", "3.0", "3.1"),
}
_DISTRIBUTION = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EXTRA = re.compile(r"\bextra\s*==|==\s*['\"][^'\"]*['\"]\s*==\s*extra\b")
_LOWER_BOUNDS = frozenset((">=", ">", "==", "~=", "==="))
# `>=3.6.*` was never defined, but tools took it for `>=3.6` for years.
_WILDCARD_BOUND = re.compile(r"([<>]=?\s*[\d.]*?)\.\*", re.ASCII)
_HIGHEST = 999_999


class Found(NamedTuple):
    """Values of a facet, and what they were read from.

    Attributes:
        values: The values; none where nothing is said.
        source: "classifiers"; or "requires_dist" or "requires_python", where classifiers say nothing and the values
            are what the requirements allow; "" where there are no values.
    """

    values: list[str]
    source: str


def framework_versions(classifiers: Iterable[str], requires_dist: Iterable[str] = ()) -> Found:
    """The versions of frameworks that a package says it works with, such as "Plone 6.0" or "Django CMS 4.1".

    By framework, and within one by version.
    """
    found: set[tuple[str, str]] = set()
    for classifier in classifiers:
        first, *names = classifier.split(SEPARATOR)
        if first == "Framework" and len(names) > 1 and _NUMERIC.fullmatch(names[-1]):
            found.add((" ".join(names[:-1]), names[-1]))
    if found:
        return Found(_named(found), CLASSIFIERS)
    allowed = _named({pair for requirement in requires_dist for pair in _allowed_frameworks(requirement)})
    return Found(allowed, REQUIRES_DIST if allowed else "")


def python_versions(classifiers: Iterable[str], requires_python: str = "") -> Found:
    """The versions of Python that a package says it works with, such as "3.12", the oldest first.

    A version without its minor number, as in `Programming Language :: Python :: 3`, says too little to filter by.
    """
    found = {c.removeprefix(_PYTHON) for c in classifiers if c.startswith(_PYTHON)}
    said = sorted(filter(_WITH_MINOR.fullmatch, found), key=lambda version: (Version(version), version))
    if said:
        return Found(said, CLASSIFIERS)
    specifiers = _specifiers(requires_python)
    allowed = [] if specifiers is None else [version for version in _known_pythons() if _allows(specifiers, version)]
    return Found(allowed, REQUIRES_PYTHON if allowed else "")


def development_status(classifiers: Iterable[str]) -> str:
    """How far a package is, such as "5 - Production/Stable"; the highest where several are given, "" for none."""
    return max((found[1] for c in classifiers if (found := _STATUS.fullmatch(c))), default="")


def topics(classifiers: Iterable[str]) -> list[str]:
    """What a package is about, such as "Internet :: WWW/HTTP", each with those above it, which stand for all below."""
    found: set[str] = set()
    for classifier in classifiers:
        names = classifier.removeprefix(_TOPIC).split(SEPARATOR) if classifier.startswith(_TOPIC) else []
        found.update(SEPARATOR.join(names[:end]) for end in range(1, len(names) + 1) if all(names))
    return sorted(found)


def known_versions() -> list[object]:
    """All that the fallbacks know: where this changes, with a release of `trove-classifiers`, what they give may."""
    return [sorted(_known_frameworks().items()), _known_pythons()]


def _named(found: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name} {version}" for name, version in sorted(found, key=lambda f: (f[0].casefold(), Version(f[1]), f))]


def _allowed_frameworks(requirement: str) -> list[tuple[str, str]]:
    """The versions of a framework that a requirement allows; none unless it names the lowest."""
    name = _DISTRIBUTION.match(requirement)
    framework = _DISTRIBUTIONS.get(normalise(name[1])) if name else None
    if framework is None:
        return []
    try:
        parsed = Requirement(_WILDCARD_BOUND.sub(r"\1", requirement))
    except InvalidRequirement:
        return []
    if parsed.url or (parsed.marker and _EXTRA.search(str(parsed.marker))):
        return []
    specifiers = _specifiers(str(parsed.specifier))
    if specifiers is None:
        return []
    return [(framework, v) for v in _known_frameworks().get(framework, ()) if _allows(specifiers, v)]


def _specifiers(text: str) -> SpecifierSet | None:
    """The specifiers of a text; None where it is none, or names no lower bound, by which it says too little."""
    try:
        found = SpecifierSet(_WILDCARD_BOUND.sub(r"\1", text))
    except InvalidSpecifier:
        return None
    return found if any(specifier.operator in _LOWER_BOUNDS for specifier in found) else None


def _allows(specifiers: SpecifierSet, series: str) -> bool:
    """Whether some final version of a series, such as "4.2", is allowed."""
    numbers = tuple(map(int, series.split(".")))
    candidates = {f"{series}.0", f"{series}.{_HIGHEST}"}
    # Between two bounds there may be nothing but what lies right beside one of them.
    for specifier in specifiers:
        try:
            version = Version(specifier.version.removesuffix(".*"))
        except InvalidVersion:
            continue
        if version.release[: len(numbers)] == numbers:
            release = ".".join(map(str, version.release))
            candidates |= {str(version), release, f"{release}.1"}
    return any(specifiers.contains(candidate, prereleases=False) for candidate in candidates)


@cache
def _known_frameworks() -> Mapping[str, tuple[str, ...]]:
    """The versions of frameworks; where some have a minor number, those without stand for no version of their own."""
    found: dict[str, set[str]] = {name: set(versions) for name, versions in _WITHOUT_CLASSIFIERS.items()}
    for classifier in sorted_classifiers:
        first, *names = classifier.split(SEPARATOR)
        if first == "Framework" and len(names) > 1 and _NUMERIC.fullmatch(names[-1]):
            found.setdefault(" ".join(names[:-1]), set()).add(names[-1])
    return {name: tuple(sorted(_most_exact(versions), key=Version)) for name, versions in found.items()}


def _most_exact(versions: set[str]) -> set[str]:
    return {version for version in versions if "." in version} or versions


@cache
def _known_pythons() -> tuple[str, ...]:
    """The released versions of Python: classifiers are there a year early, so that the newest one is not out yet."""
    found = (c.removeprefix(_PYTHON) for c in sorted_classifiers if c.startswith(_PYTHON))
    return tuple(sorted(filter(_WITH_MINOR.fullmatch, found), key=Version)[:-1])
