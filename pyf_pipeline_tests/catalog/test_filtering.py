from typing import Any

import pytest

from pyf_pipeline.catalog.filtering import Membership, Rejected, classifiers_of, latest_package, release_packages
from pyf_pipeline.catalog.model import Package, ProjectDocument, Release


def project(**info: Any) -> ProjectDocument:
    releases = (
        Release(version="1.0", upload_timestamp=5),
        Release(version="2.0", upload_timestamp=9),
        Release(version="3"),
    )
    return ProjectDocument("a-project", 7, {"name": "A.Project", "version": "2.0", **info}, releases, 0)


@pytest.mark.parametrize(
    ("classifiers", "member"),
    [
        (["Framework :: Plone"], True),
        (["Topic :: Utilities", "Framework :: Plone :: 6.0"], True),
        (["Framework :: Plone :: 99.0"], True),
        (["Framework :: PloneCMS"], False),
        ([], False),
        (None, False),
        ("Framework :: Plone", False),
        ([None, 3, "Framework :: Plone"], True),
    ],
)
def test_what_the_current_metadata_carries_decides(classifiers: Any, member: bool) -> None:
    assert Membership(["Framework :: Plone"]).covers(project(classifiers=classifiers)) is member


def test_names_count_beside_classifiers_and_excludes_before_both() -> None:
    document = project(classifiers=["Framework :: Plone"])
    assert Membership([], packages=["a-project"]).covers(project())
    assert not Membership([], packages=["another"]).covers(document)
    assert not Membership(["Framework :: Plone"], ["a-project"], ["a-project"]).covers(document)


def test_only_texts_are_classifiers() -> None:
    assert classifiers_of(project(classifiers=["a", None, ["b"]])) == ["a"]


def test_the_latest_release_is_a_package_or_says_why_not() -> None:
    package = latest_package(project(summary="what it is"))
    assert isinstance(package, Package)
    assert (package.id, package.project, package.name, package.version) == (
        "a-project",
        "a-project",
        "A.Project",
        "2.0",
    )
    rejected = latest_package(project(version=None))
    assert isinstance(rejected, Rejected)
    assert rejected.id == "a-project"
    assert "version" in rejected.reason


def test_every_release_with_metadata_of_its_own_is_a_package() -> None:
    infos: dict[str, dict[str, Any]] = {
        "1.0": {"name": "A.Project", "version": "1.0", "summary": "early"},
        "2.0": {"name": "A.Project", "version": None},
    }
    first, second = release_packages(project(), infos)
    assert isinstance(first, Package)
    assert (first.id, first.summary) == ("a-project-1.0", "early")
    assert isinstance(second, Rejected)
    assert second.id == "a-project-2.0"
