"""PyPI's index: every project with its serial, which is how changes are seen.

The simple index in its JSON form (PEP 691) with PyPI's `_last-serial` extension.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.pypi.http import Http, PyPIError, UnusableAnswerError
from pyf_pipeline.pypi.transport import Reply

CONTENT_TYPE = "application/vnd.pypi.simple.v1+json"

# An index that lost more than this share of the projects, and more than so many of them, is not believed.
LOST_SHARE = 0.2
LOST_PROJECTS = 20

# Parsed piece by piece, as all of it at once costs ten times the memory of what is kept of it.
PIECE_BYTES = 1_000_000


class IndexShrunkError(PyPIError):
    """The index lacks so many projects that were there the last time that nothing should be concluded from it."""


class Snapshots(Protocol):
    """Where the last index is kept, so that an unchanged one need not be sent again."""

    def summary(self, url: str) -> tuple[str, int, int] | None:
        """The entity tag, the number of projects and the highest serial of the index kept for an address."""

    def get(self, url: str) -> dict[str, int] | None:
        """The serials kept for an address."""

    def put(self, url: str, etag: str, serials: dict[str, int]) -> None:
        """Keep an index for an address."""


@dataclass(frozen=True)
class Index:
    """Every project's serial at one time.

    Attributes:
        serials: The serial of each project, by normalised name.
        age: Seconds for which it had been in a cache on the way when it came.
        outdated: Whether PyPI's answer was older than the index that is kept, so that this is the kept one.
        serial: The highest of the serials: up to there the index knows everything that happened.
    """

    serials: dict[str, int]
    age: int = 0
    outdated: bool = False
    serial: int = field(init=False)

    def __post_init__(self) -> None:
        """Find the highest serial."""
        object.__setattr__(self, "serial", max(self.serials.values(), default=0))

    def moved_since(self, serial: int) -> list[str]:
        """The projects that changed after a serial, by name."""
        return sorted(name for name, last in self.serials.items() if last > serial)


def fetch_index(http: Http, snapshots: Snapshots, *, allow_shrink: bool = False) -> Index:
    """The index as it is now; where it has not changed since the last time, it is not sent again.

    Args:
        http: How PyPI is asked.
        snapshots: Where the last index is kept.
        allow_shrink: Believe an index that lost much of what was there the last time.

    Raises:
        IndexShrunkError: It lost over a fifth of its projects since the last time, and that is not allowed.
        PyPIError: It cannot be had.
    """
    url = f"{http.base_url}/simple/"
    etag, count, serial = snapshots.summary(url) or ("", 0, 0)

    def kept(age: int, *, outdated: bool = False) -> Index:
        serials = snapshots.get(url)
        if serials is None:
            raise UnusableAnswerError("not modified, but nothing is kept")
        return Index(serials, age, outdated)

    def read(response: Reply) -> Index:
        age = _age(response)
        if response.status == 304:
            return kept(age)
        index = Index(parse_index(response.body), age)
        if not allow_shrink:
            _check_loss(count, len(index.serials))
        if index.serial < serial:
            del index
            return kept(age, outdated=True)
        # Without an entity tag it is kept as well, to compare the next one with.
        snapshots.put(url, response.headers.get("ETag", ""), index.serials)
        return index

    headers = {"Accept": CONTENT_TYPE} | ({"If-None-Match": etag} if etag else {})
    return http.ask("/simple/", read, headers=headers, expected=(200, 304))


def parse_index(body: bytes) -> dict[str, int]:
    """The serial of each project, by normalised name.

    Raises:
        UnusableAnswerError: The body is not an index with serials.
    """
    try:
        return _serials(_pieces(body))
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError, ValueError):
        # Written in another way than PyPI does, or not an index: read as a whole it tells.
        pass
    try:
        return _serials([orjson.loads(body)["projects"]])
    except orjson.JSONDecodeError:
        raise UnusableAnswerError("the index is not JSON") from None
    except (LookupError, TypeError, AttributeError, ValueError):
        raise UnusableAnswerError("the index has no projects with names and serials") from None


def _serials(pieces: Iterable[list[dict[str, Any]]]) -> dict[str, int]:
    serials: dict[str, int] = {}
    for projects in pieces:
        names = _normalised([project["name"] for project in projects])
        serials.update(zip(names, [project["_last-serial"] for project in projects], strict=True))
    if not all(type(serial) is int for serial in serials.values()):
        raise TypeError("a serial is a number")
    return serials


def _pieces(body: bytes) -> Iterator[list[dict[str, Any]]]:
    """The index's projects, some at a time, where they are written as PyPI writes them."""
    start = body.index(b'"projects":[{') + len(b'"projects":[')
    end = body.rindex(b"}]") + 1
    if orjson.loads(body[:start] + body[end:])["projects"]:
        raise ValueError("the list of projects is not where it seemed to be")
    while end - start > PIECE_BYTES and (cut := body.find(b"},{", start + PIECE_BYTES, end)) > 0:
        yield orjson.loads(b"[" + body[start : cut + 1] + b"]")
        start = cut + 2
    yield orjson.loads(b"[" + body[start:end] + b"]")


def _normalised(names: list[str]) -> list[str]:
    """Names by PEP 503, all of them in a few passes over one text."""
    text = "\n".join(names).lower().replace("_", "-").replace(".", "-")
    while "--" in text:
        text = text.replace("--", "-")
    found = text.split("\n")
    return found if len(found) == len(names) else [normalise(name) for name in names]


def _check_loss(before: int, now: int) -> None:
    lost = before - now
    if lost > LOST_PROJECTS and lost > LOST_SHARE * before:
        raise IndexShrunkError(
            f"PyPI's index fell from {before} to {now} projects, which it never does, so nothing is concluded from it "
            "and nothing is removed. Run again later; if it is right, let it through with allow_shrink"
        )


def _age(response: Reply) -> int:
    """Seconds since the answer left its origin (RFC 9111, `Age`)."""
    age = response.headers.get("Age", "")
    return int(age) if age.isdigit() else 0
