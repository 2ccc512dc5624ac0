"""Trove classifiers: which exist, which lie below which, and whether a project carries one."""

import difflib
import functools
from collections.abc import Iterable

from trove_classifiers import all_classifiers

SEPARATOR = " :: "


def expand(classifier: str) -> tuple[str, ...]:
    """A classifier and all known ones below it, deprecated ones included, as old releases still carry those.

    `Framework :: Plone` covers `Framework :: Plone :: 6.0`, but not `Framework :: PloneX`. One that is not known is
    given back alone.
    """
    below = classifier + SEPARATOR
    return (classifier, *(known for known in _sorted() if known.startswith(below)))


def carries(classifiers: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether one of a project's classifiers is a wanted one or lies below it.

    This goes by the text alone, so it also finds classifiers that are newer than the list this was installed with.
    """
    prefixes = tuple(classifier + SEPARATOR for classifier in wanted)
    return any((classifier + SEPARATOR).startswith(prefixes) for classifier in classifiers)


def is_known(classifier: str) -> bool:
    """Whether PyPI knows the classifier, or knew it before it was deprecated."""
    return classifier in all_classifiers


def nearest(classifier: str, n: int = 3) -> list[str]:
    """At most `n` known classifiers that look most like a given one, the likeliest first."""
    by_folded = {known.casefold(): known for known in _sorted()}
    close = difflib.get_close_matches(classifier.strip().casefold(), by_folded, n=n, cutoff=0.5)
    return [by_folded[folded] for folded in close]


@functools.cache
def _sorted() -> tuple[str, ...]:
    return tuple(sorted(all_classifiers))
