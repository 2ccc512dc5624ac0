import pytest

from pyf_pipeline.catalog.facets import framework_versions, python_versions


@pytest.mark.parametrize(
    ("classifiers", "expected"),
    [
        (["Framework :: Plone :: 6.0", "Framework :: Plone :: 5.2"], ["Plone 5.2", "Plone 6.0"]),
        (["Framework :: Django :: 5.2", "Framework :: Django :: 5.10"], ["Django 5.2", "Django 5.10"]),
        (["Framework :: Plone :: 6.0", "Framework :: Django :: 4"], ["Django 4", "Plone 6.0"]),
        (["Framework :: Django CMS :: 4.1", "Framework :: Django :: 5.2"], ["Django 5.2", "Django CMS 4.1"]),
        (["Framework :: Plone :: 6.0", "Framework :: Plone :: 6.0"], ["Plone 6.0"]),
        (["Framework :: Plone :: Addon", "Framework :: Plone", "Framework :: Plone :: Core"], []),
        (["Framework :: 3", "Framework", "", "Plone :: 6.0", "Framework :: Plone :: 6.0.dev1"], []),
        (["Framework :: Plone :: ٦"], []),
        ([], []),
    ],
)
def test_framework_versions(classifiers: list[str], expected: list[str]) -> None:
    assert framework_versions(classifiers) == expected


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["3.12", "3.9", "2.7"], ["2.7", "3.9", "3.12"]),
        (["3", "2"], []),
        (["3 :: Only", "Implementation :: CPython", "3.13", "3.13"], ["3.13"]),
        ([], []),
    ],
)
def test_python_versions(versions: list[str], expected: list[str]) -> None:
    classifiers = [f"Programming Language :: Python :: {version}" for version in versions]
    assert (
        python_versions(["Programming Language :: Python", "Topic :: Software Development", *classifiers]) == expected
    )
