"""Single projects and releases from PyPI's JSON API."""

import json
import time
from typing import Any
from urllib.parse import quote

import orjson

from pyf_pipeline.catalog.model import MalformedProjectError, ProjectDocument
from pyf_pipeline.catalog.parsing import parse_project
from pyf_pipeline.pypi.http import Http, StaleAnswerError, UnusableAnswerError
from pyf_pipeline.pypi.transport import Reply


def fetch_project(http: Http, name: str, *, minimum_serial: int = 0, version: str = "") -> ProjectDocument | None:
    """Ask once for a project's document by its normalised name; None where PyPI has no such project (any more).

    Args:
        http: How PyPI is asked.
        name: The normalised name: any other spelling costs a redirect.
        minimum_serial: The serial that the index named; an older answer is stale.
        version: A release that it is known to have, if any; an answer without it is stale.

    Raises:
        StaleAnswerError: The answer is older than what is known already.
        PassingError: No usable answer came, and asking again may help.
        PyPIError: No usable answer came.
    """

    def read(response: Reply) -> ProjectDocument | None:
        if response.status == 404:
            return None
        header = response.headers.get("X-PyPI-Last-Serial", "")
        try:
            document = parse_project(
                decode(response.body),
                name=name,
                header_serial=int(header) if header.isdigit() else None,
                fetched_at=int(time.time()),
            )
        except MalformedProjectError as error:
            raise UnusableAnswerError(str(error)) from None
        if document.serial < minimum_serial:
            raise StaleAnswerError(f"{name}: the answer is of serial {document.serial}, not {minimum_serial}", document)
        if version and all(release.version != version for release in document.releases):
            raise StaleAnswerError(f"{name}: the answer does not have release {version} yet", document)
        return document

    return http.ask_once(f"/pypi/{name}/json", read, expected=(200, 404))


def fetch_release(http: Http, name: str, version: str) -> dict[str, Any] | None:
    """Ask once for the `info` of one release; None where PyPI has no such release (any more).

    Raises:
        PassingError: No usable answer came, and asking again may help.
        PyPIError: No usable answer came.
    """

    def read(response: Reply) -> dict[str, Any] | None:
        if response.status == 404:
            return None
        payload = decode(response.body)
        info = payload.get("info") if isinstance(payload, dict) else None
        if not isinstance(info, dict):
            raise UnusableAnswerError("the release has no info")
        return info

    quoted = quote(version, safe="")
    return http.ask_once(f"/pypi/{name}/{quoted}/json", read, expected=(200, 404))


def decode(body: bytes) -> object:
    """A JSON body, whose texts may hold lone surrogates: those become U+FFFD, as no store takes them.

    Raises:
        UnusableAnswerError: The body is not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
        return json.loads(text.encode("utf-8", "replace"))
    except ValueError:
        raise UnusableAnswerError("the answer is not JSON") from None
