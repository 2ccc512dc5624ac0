"""PyPI's index: every project with its serial, which is how changes are seen.

The simple index in its JSON form (PEP 691) with PyPI's `_last-serial` extension.
"""

import re
from typing import Protocol

import orjson
import requests

from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.pypi.http import Http, UnusableAnswerError

CONTENT_TYPE = "application/vnd.pypi.simple.v1+json"

_NORMALISED = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*").fullmatch


class Snapshots(Protocol):
    """Where the last index is kept, so that an unchanged one need not be sent again."""

    def etag(self, url: str) -> str | None:
        """The entity tag of the index kept for an address."""

    def get(self, url: str) -> tuple[str, dict[str, int]] | None:
        """The entity tag and the serials kept for an address."""

    def put(self, url: str, etag: str, serials: dict[str, int]) -> None:
        """Keep an index for an address."""


class Index:
    """Every project's serial at one time.

    Attributes:
        serials: The serial of each project, by normalised name.
        serial: The highest of them: up to there the index knows everything that happened.
    """

    def __init__(self, serials: dict[str, int]) -> None:
        self.serials = serials
        self.serial = max(serials.values(), default=0)

    def moved_since(self, serial: int) -> list[str]:
        """The projects that changed after a serial, by name."""
        return sorted(name for name, last in self.serials.items() if last > serial)


def fetch_index(http: Http, snapshots: Snapshots) -> Index:
    """The index as it is now; where it has not changed since the last time, it is not sent again.

    Raises:
        PyPIError: It cannot be had.
    """
    url = f"{http.base_url}/simple/"
    etag = snapshots.etag(url)

    def read(response: requests.Response) -> Index:
        if response.status_code == 304:
            kept = snapshots.get(url)
            if kept is None:
                raise UnusableAnswerError("not modified, but nothing is kept")
            return Index(kept[1])
        serials = parse_index(response.content)
        if tag := response.headers.get("ETag"):
            snapshots.put(url, tag, serials)
        return Index(serials)

    headers = {"Accept": CONTENT_TYPE} | ({"If-None-Match": etag} if etag else {})
    return http.ask("/simple/", read, headers=headers, expected=(200, 304))


def parse_index(body: bytes) -> dict[str, int]:
    """The serial of each project, by normalised name.

    Raises:
        UnusableAnswerError: The body is not an index with serials.
    """
    try:
        projects = orjson.loads(body)["projects"]
        pairs = [(project["name"], project["_last-serial"]) for project in projects]
    except orjson.JSONDecodeError:
        raise UnusableAnswerError("the index is not JSON") from None
    except (KeyError, TypeError):
        raise UnusableAnswerError("the index has no projects with names and serials") from None
    # Normalising 700,000 names takes seconds, and most of them are normalised already.
    return {name if _NORMALISED(name) else normalise(name): serial for name, serial in pairs}
