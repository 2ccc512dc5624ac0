"""The metadata of single releases, for profiles that publish one document per release."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyf_pipeline.catalog.model import ProjectDocument, Release
from pyf_pipeline.pypi.http import Http, PyPIError
from pyf_pipeline.pypi.projects import fetch_release


def missing_releases(document: ProjectDocument, stored: set[str]) -> list[Release]:
    """The releases of a project whose metadata is not stored; one without files has none worth having."""
    return [r for r in document.releases if r.upload_timestamp and r.version not in stored]


def fetch_releases(
    http: Http, wanted: Iterable[tuple[str, str]], *, concurrency: int
) -> Iterator[tuple[str, str, dict[str, Any] | str]]:
    """Fetch releases concurrently: (project, version, `info`, or the reason why there is none), in order.

    Args:
        http: How PyPI is asked.
        wanted: Pairs of a normalised project name and a version.
        concurrency: How many requests are under way at once.
    """

    def fetch(pair: tuple[str, str]) -> tuple[str, str, dict[str, Any] | str]:
        name, version = pair
        try:
            info = fetch_release(http, name, version)
        except PyPIError as error:
            return name, version, str(error)
        return name, version, "PyPI lists the release but does not have it" if info is None else info

    with ThreadPoolExecutor(concurrency, thread_name_prefix="pypi") as pool:
        yield from pool.map(fetch, wanted)
