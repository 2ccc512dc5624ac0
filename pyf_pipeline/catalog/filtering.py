"""Which of the candidates belong to a profile now, by what their current metadata says."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pyf_pipeline.catalog.classifiers import carries
from pyf_pipeline.catalog.model import MalformedProjectError, Package, ProjectDocument
from pyf_pipeline.catalog.parsing import package_from, package_from_release, reasons


def classifiers_of(document: ProjectDocument) -> list[str]:
    """The classifiers of a project's latest release; whatever is not a text is not one."""
    classifiers = document.info.get("classifiers")
    if not isinstance(classifiers, list):
        return []
    return [value for value in classifiers if isinstance(value, str)]


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
        return carries(classifiers_of(document), self.classifiers)


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
