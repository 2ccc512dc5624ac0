"""PyPI's JSON documents of projects and releases, and the files in them."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

# Public addresses in answers. Nothing listens there: a client has no business with them.
SITE = "https://pypi.example"
FILES = "https://files.pypi.example"


class ReleaseView(Protocol):
    """What a document says of a release."""

    version: str
    time: float
    yanked: bool
    reason: str
    files: int
    classifiers: tuple[str, ...]


def project_url(name: str) -> str:
    return f"{SITE}/project/{name}/"


def release_url(name: str, version: str) -> str:
    return f"{SITE}/project/{name}/{version}/"


def files(name: str, normalised: str, release: ReleaseView, requires_python: Any) -> list[dict[str, Any]]:
    """The entries of a release's files, by PyPI's JSON API."""
    kinds = (True, False)[2 - release.files :]
    return [_file(name, normalised, release, requires_python, wheel=wheel) for wheel in kinds]


def _file(name: str, normalised: str, release: ReleaseView, requires_python: Any, *, wheel: bool) -> dict[str, Any]:
    stem = f"{normalised.replace('-', '_')}-{release.version}"
    filename = f"{stem}-py3-none-any.whl" if wheel else f"{stem}.tar.gz"
    digest = hashlib.blake2b(filename.encode()).hexdigest()
    path = f"{digest[64:66]}/{digest[66:68]}/{digest[68:128]}"
    moment = datetime.fromtimestamp(release.time, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "comment_text": "",
        "digests": {"blake2b_256": digest[64:], "md5": digest[:32], "sha256": digest[32:96]},
        "downloads": -1,
        "filename": filename,
        "has_sig": False,
        "md5_digest": digest[:32],
        "packagetype": "bdist_wheel" if wheel else "sdist",
        "python_version": "py3" if wheel else "source",
        "requires_python": requires_python if isinstance(requires_python, str) and requires_python else None,
        "size": 4_000 + int(digest[:5], 16),
        "upload_time": moment,
        "upload_time_iso_8601": f"{moment}.{int(release.time * 1000) % 1000:03d}000Z",
        "url": f"{FILES}/packages/{path}/{filename}",
        "yanked": release.yanked,
        "yanked_reason": release.reason or None,
    }


def document(
    name: str,
    normalised: str,
    *,
    serial: int,
    shown: ReleaseView,
    info: dict[str, Any],
    releases: Sequence[ReleaseView] | None,
) -> dict[str, Any]:
    """The answer of `/pypi/<name>/json`, or of `/pypi/<name>/<version>/json` where `releases` is None."""
    python = info.get("requires_python")
    complete = {
        **info,
        "classifiers": info.get("classifiers", list(shown.classifiers)),
        "name": name,
        "package_url": project_url(name),
        "project_url": project_url(name),
        "release_url": release_url(name, shown.version),
        "version": shown.version,
        "yanked": shown.yanked,
        "yanked_reason": shown.reason or None,
    }
    result: dict[str, Any] = {
        "info": complete,
        "last_serial": serial,
        "ownership": {"organization": None, "roles": [{"role": "Owner", "user": "someone"}]},
    }
    if releases is not None:
        by_version = {release.version: files(name, normalised, release, python) for release in releases}
        result["releases"] = {version: by_version[version] for version in sorted(by_version)}
        result["urls"] = by_version[shown.version]
    else:
        result["urls"] = files(name, normalised, shown, python)
    result["vulnerabilities"] = []
    return result


def simple_detail(normalised: str, serial: int, releases: Sequence[ReleaseView]) -> dict[str, Any]:
    """The answer of `/simple/<name>/` by PEP 691 and PEP 700."""
    entries = [
        {
            "core-metadata": False,
            "data-dist-info-metadata": False,
            "filename": entry["filename"],
            "hashes": {"sha256": entry["digests"]["sha256"]},
            "provenance": None,
            "requires-python": None,
            "size": entry["size"],
            "upload-time": entry["upload_time_iso_8601"],
            "url": entry["url"],
            "yanked": (release.reason or True) if release.yanked else False,
        }
        for release in releases
        for entry in files(normalised, normalised, release, None)
    ]
    return {
        "alternate-locations": [],
        "files": entries,
        "meta": {"_last-serial": serial, "api-version": "1.4"},
        "name": normalised,
        "versions": [release.version for release in releases if release.files],
    }
