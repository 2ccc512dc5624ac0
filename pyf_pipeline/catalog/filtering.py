"""Which of the candidates belong to a profile now, by what their current metadata says."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pyf_pipeline.catalog.classifiers import carries
from pyf_pipeline.catalog.model import MalformedProjectError, Package, ProjectDocument
from pyf_pipeline.catalog.parsing import package_from, package_from_release, reasons


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that belongs to the profile but cannot be made a package of.

    Attributes:
        id: What its document's id would be, as far as that is known.
        reason: Why it cannot.
    """

    id: str
    reason: str


@dataclass(frozen=True)
class Membership:
    """What makes a project a member of a profile.

    Attributes:
        classifiers: It carries one of these, or one below.
        packages: Or it is one of these, by normalised name.
        excludes: Unless it is one of these.
    """

    classifiers: Collection[str]
    packages: Collection[str] = ()
    excludes: Collection[str] = ()

    def covers(self, document: ProjectDocument) -> bool:
        """Whether a project, as its current metadata describes it, is a member."""
        if document.name in self.excludes:
            return False
        if document.name in self.packages:
            return True
        classifiers = document.info.get("classifiers")
        texts = [c for c in classifiers if isinstance(c, str)] if isinstance(classifiers, list) else []
        return carries(texts, self.classifiers)


def latest_package(document: ProjectDocument) -> Package | Rejected:
    """A project's latest release as a package, or why that cannot be."""
    try:
        return package_from(document)
    except (ValidationError, MalformedProjectError) as error:
        return Rejected(document.name, reasons(error))


def release_packages(document: ProjectDocument, infos: Mapping[str, Mapping[str, Any]]) -> Iterator[Package | Rejected]:
    """Each of a project's releases as a package, or why that cannot be.

    Args:
        document: The project.
        infos: The releases' own `info`, by version; releases without one are left out, as they have no files.
    """
    for release in document.releases:
        if release.version not in infos:
            continue
        try:
            yield package_from_release(document, {"info": infos[release.version]})
        except (ValidationError, MalformedProjectError) as error:
            yield Rejected(f"{document.name}-{release.version}", reasons(error))


def split(outcomes: Iterable[Package | Rejected]) -> tuple[list[Package], dict[str, str]]:
    """The packages, and the reasons of those that are none, by id."""
    packages: list[Package] = []
    rejected: dict[str, str] = {}
    for outcome in outcomes:
        if isinstance(outcome, Package):
            packages.append(outcome)
        else:
            rejected[outcome.id] = outcome.reason
    return packages, rejected
