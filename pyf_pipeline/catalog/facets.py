"""What classifiers say in a form that people filter by."""

import re
from collections.abc import Iterable

from packaging.version import Version

from pyf_pipeline.catalog.classifiers import SEPARATOR

_NUMERIC = re.compile(r"\d{1,9}(\.\d{1,9})*", re.ASCII)
_WITH_MINOR = re.compile(r"\d{1,9}\.\d{1,9}", re.ASCII)


def framework_versions(classifiers: Iterable[str]) -> list[str]:
    """The versions of frameworks that a package says it works with, such as "Plone 6.0" or "Django CMS 4.1".

    By framework, and within one by version.
    """
    found: set[tuple[str, str]] = set()
    for classifier in classifiers:
        first, *names = classifier.split(SEPARATOR)
        if first == "Framework" and len(names) > 1 and _NUMERIC.fullmatch(names[-1]):
            found.add((" ".join(names[:-1]), names[-1]))
    return [f"{name} {version}" for name, version in sorted(found, key=lambda f: (f[0].casefold(), Version(f[1]), f))]


def python_versions(classifiers: Iterable[str]) -> list[str]:
    """The versions of Python that a package says it works with, such as "3.12", the oldest first.

    A version without its minor number, as in `Programming Language :: Python :: 3`, says too little to filter by.
    """
    prefix = SEPARATOR.join(("Programming Language", "Python", ""))
    found = {c.removeprefix(prefix) for c in classifiers if c.startswith(prefix)}
    return sorted(filter(_WITH_MINOR.fullmatch, found), key=lambda version: (Version(version), version))
