"""PyPI's answers into project documents, and those into packages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from pyf_pipeline.catalog import fields
from pyf_pipeline.catalog.model import MalformedProjectError, Package, ProjectDocument, Release
from pyf_pipeline.catalog.names import normalise

_LONGEST_REASON = 300


def parse_project(payload: object, *, name: str, header_serial: int | None, fetched_at: int) -> ProjectDocument:
    """A project from the answer of PyPI's JSON API, `GET /pypi/<name>/json`.

    Args:
        payload: The answer's decoded body.
        name: The project asked for, normalised.
        header_serial: What the answer's `X-PyPI-Last-Serial` header says, if it has one. Where the body says something
            else the lower one is taken, so that a document never passes for newer than it is.
        fetched_at: When the answer came, in epoch seconds.

    Raises:
        MalformedProjectError: The answer is not what the API documents, or speaks of another project.
    """
    if not isinstance(payload, Mapping):
        raise MalformedProjectError(f"the answer is {_kind(payload)}, not an object")
    info = payload.get("info")
    if not isinstance(info, Mapping):
        raise MalformedProjectError(f"info is {_kind(info)}, not an object")
    _check_name(info, name)
    releases = payload.get("releases")
    if releases is None:
        # The API is free to drop `releases`; `urls` then has the files of the release that `info` describes.
        releases = {str(info.get("version") or ""): payload.get("urls") or []}
    if not isinstance(releases, Mapping):
        raise MalformedProjectError(f"releases is {_kind(releases)}, not an object")
    return ProjectDocument(
        name=name,
        serial=_serial(payload.get("last_serial"), header_serial),
        info=dict(info),
        releases=tuple(_release(version, files) for version, files in releases.items() if fields.clean(version)),
        fetched_at=fetched_at,
    )


def package_from(document: ProjectDocument) -> Package:
    """A project's latest release as a package, which goes by the project's name.

    Raises:
        MalformedProjectError: The document has no version, or speaks of another project.
        pydantic.ValidationError: A field cannot be brought into form.
    """
    return _package(document, document.info, identifier=document.name)


def package_from_release(document: ProjectDocument, release_payload: Mapping[str, Any]) -> Package:
    """One release of a project as a package, which goes by `<project>-<version>`.

    Args:
        document: The project.
        release_payload: The answer of `GET /pypi/<name>/<version>/json`, of which only `info` is looked at.

    Raises:
        MalformedProjectError: The answer has no `info` or no version, or speaks of another project.
        pydantic.ValidationError: A field cannot be brought into form.
    """
    info = release_payload.get("info")
    if not isinstance(info, Mapping):
        raise MalformedProjectError(f"info is {_kind(info)}, not an object")
    return _package(document, info, identifier=f"{document.name}-{_version(info)}")


def reasons(error: ValidationError | MalformedProjectError) -> str:
    """Why something is no package, in one line for an operator: each field with what is wrong about it."""
    if isinstance(error, ValidationError):
        found = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'package'}: {e['msg']}" for e in error.errors())
    else:
        found = str(error)
    return " ".join(fields.clean(found).split())[:_LONGEST_REASON]


def _package(document: ProjectDocument, info: Mapping[str, Any], *, identifier: str) -> Package:
    _check_name(info, document.name)
    version = _version(info)
    release = next((r for r in document.releases if r.version == version), Release(version=version))
    yanked = release.yanked or info.get("yanked") is True
    return Package(
        id=identifier,
        project=document.name,
        name=fields.clean(info["name"]).strip(),
        version=version,
        summary=fields.line(info.get("summary")),
        description=fields.text(info.get("description"), fields.DESCRIPTION),
        description_content_type=fields.line(info.get("description_content_type"), fields.WORD),
        classifiers=fields.lines(info.get("classifiers")),
        keywords=fields.keywords(info.get("keywords")),
        # PEP 639: a project has one or the other, and where it has both the expression is the exact one.
        license=fields.line(info.get("license_expression")) or fields.text(info.get("license")).strip(),
        license_expression=fields.line(info.get("license_expression")),
        author=fields.line(info.get("author")),
        author_email=fields.line(info.get("author_email")),
        maintainer=fields.line(info.get("maintainer")),
        maintainer_email=fields.line(info.get("maintainer_email")),
        requires_python=fields.line(info.get("requires_python")),
        requires_dist=fields.lines(info.get("requires_dist")),
        platform=fields.line(info.get("platform")),
        home_page=fields.address(info.get("home_page")),
        docs_url=fields.address(info.get("docs_url")),
        package_url=fields.address(info.get("package_url")),
        project_url=fields.address(info.get("project_url")),
        release_url=fields.address(info.get("release_url")),
        project_urls=fields.urls(info.get("project_urls")),
        yanked=yanked,
        yanked_reason=(fields.line(info.get("yanked_reason")) or release.yanked_reason) if yanked else "",
        upload_timestamp=release.upload_timestamp,
        releases=document.releases,
        last_serial=document.serial,
    )


def _check_name(info: Mapping[str, Any], name: str) -> None:
    said = info.get("name")
    if not isinstance(said, str):
        raise MalformedProjectError(f"info.name is {_kind(said)}, not a text")
    if normalise(fields.clean(said).strip()) != name:
        raise MalformedProjectError(f"info.name is {said[:100]!a}, not the project asked for, {name}")


def _version(info: Mapping[str, Any]) -> str:
    version = info.get("version")
    if not isinstance(version, str) or not fields.clean(version).strip():
        raise MalformedProjectError(f"info.version is {_kind(version)}, not a version")
    return fields.clean(version).strip()


def _serial(said: object, header: int | None) -> int:
    found = [s for s in (said, header) if isinstance(s, int) and not isinstance(s, bool) and 0 < s < 2**63]
    if not found:
        raise MalformedProjectError("the answer has no last_serial")
    return min(found)


def _release(version: str, files: object) -> Release:
    listed = [f for f in files if isinstance(f, Mapping)] if isinstance(files, list) else []
    yanked = bool(listed) and all(f.get("yanked") is True for f in listed)
    return Release(
        version=fields.clean(version),
        upload_timestamp=_first_upload(listed),
        yanked=yanked,
        yanked_reason=next(filter(None, (fields.line(f.get("yanked_reason")) for f in listed)), "") if yanked else "",
    )


def _first_upload(files: list[Mapping[str, Any]]) -> int:
    times = [t for f in files if isinstance(t := f.get("upload_time_iso_8601") or f.get("upload_time"), str)]
    if not times:
        return 0
    try:
        # PyPI writes all of them in one form, so that the least text is the first time.
        first = datetime.fromisoformat(min(times))
    except ValueError:
        return 0
    # `upload_time` names no zone; it is UTC.
    return max(0, int((first if first.tzinfo else first.replace(tzinfo=UTC)).timestamp()))


def _kind(value: object) -> str:
    if value is None:
        return "missing"
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return "empty" if value == "" else names.get(type(value), f"a {type(value).__name__}")
