from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from trove_classifiers import sorted_classifiers

from pyf_pipeline.catalog.facets import (
    Found,
    development_status,
    framework_versions,
    known_versions,
    python_versions,
    topics,
)


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
    assert framework_versions(classifiers) == Found(expected, "classifiers" if expected else "")


@pytest.mark.parametrize(
    ("requires_dist", "expected"),
    [
        (["Django>=4.2,<5.1"], ["Django 4.2", "Django 5.0"]),
        (["django (>=3.2,<4.2)"], ["Django 3.2", "Django 4.0", "Django 4.1"]),
        (["Django>=4.2.3,<4.3"], ["Django 4.2"]),
        (["Django>4.2.3,<4.2.5"], ["Django 4.2"]),
        (["Django==4.2.*"], ["Django 4.2"]),
        (["Django==4.2.7"], ["Django 4.2"]),
        (["Django~=4.1"], ["Django 4.1", "Django 4.2"]),
        (["Django>=4.1,!=4.2.*,<5.1"], ["Django 4.1", "Django 5.0"]),
        (["Django>=4.2.*,<5"], ["Django 4.2"]),
        (["Django>=5.0a1,<5.1"], ["Django 5.0"]),
        (["Products.CMFPlone>=5.2,<6"], ["Plone 5.2", "Plone 5.3"]),
        (["flask>=2.2,<3.1"], ["Flask 2.2", "Flask 2.3", "Flask 3.0"]),
        (["wagtail>=5.2,<7"], ["Wagtail 5", "Wagtail 6"]),
        (["Django>=4.2,<5; python_version >= '3.8'", "Django>=5.0,<5.1; python_version >= '3.10'"],
         ["Django 4.2", "Django 5.0"]),
        (["Django<5"], []),
        (["Django"], []),
        (["Django!=4.0"], []),
        (["Django>=4.2,<5; extra == 'test'"], []),
        (["Django @ https://x.example/django.zip"], []),
        (["django-filter>=4.2", "plone.api>=2", "requests>=2"], []),
        (["Django>=4.2,<5 ???", "", ";;", "Django>=>4", ">=4.2", "[django]"], []),
        (["Django>=banana"], []),
        (["Django>=99"], []),
    ],
)  # fmt: skip
def test_framework_versions_of_requirements(requires_dist: list[str], expected: list[str]) -> None:
    found = framework_versions(["Framework :: Django"], requires_dist)
    assert found == Found(expected, "requires_dist" if expected else "")


def test_classifiers_outrank_requirements() -> None:
    found = framework_versions(["Framework :: Django :: 4.2"], ["Django>=3.2"])
    assert found == Found(["Django 4.2"], "classifiers")


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
    found = python_versions(["Programming Language :: Python", "Topic :: Software Development", *classifiers])
    assert found == Found(expected, "classifiers" if expected else "")


@pytest.mark.parametrize(
    ("requires_python", "expected"),
    [
        (">=3.9,<3.12", ["3.9", "3.10", "3.11"]),
        (">=3.9.1, <3.11", ["3.9", "3.10"]),
        (">= 3.9.*, < 3.11", ["3.9", "3.10"]),
        ("~=3.9,<3.11", ["3.9", "3.10"]),
        ("==3.9.*", ["3.9"]),
        (">=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,<3.6", ["2.7", "3.4", "3.5"]),
        (">3.9,<3.10.2", ["3.9", "3.10"]),
        ("<4", []),
        ("3.9", []),
        ("^3.9", []),
        ("", []),
        (">=4", []),
        ("python 3", []),
        (">=3.9 and <3.12", []),
    ],
)
def test_python_versions_of_requirements(requires_python: str, expected: list[str]) -> None:
    found = python_versions(["Programming Language :: Python :: 3"], requires_python)
    assert found == Found(expected, "requires_python" if expected else "")


def test_no_python_that_is_not_out_is_promised() -> None:
    found = python_versions([], ">=3.9").values
    assert found[0] == "3.9"
    assert found == list(known_versions()[1])[-len(found) :]  # type: ignore[call-overload]


@given(st.integers(0, 15), st.integers(0, 20), st.sampled_from([">=", ">", "==", "~="]))
def test_an_allowed_python_is_one_that_an_installer_takes(minor: int, patch: int, operator: str) -> None:
    text = f"{operator}3.{minor}.{patch}"
    allowed = SpecifierSet(text)
    for version in python_versions([], text).values:
        assert any(f"{version}.{n}" in allowed for n in range(23)), (text, version)


@pytest.mark.parametrize(
    ("classifiers", "expected"),
    [
        (["Development Status :: 5 - Production/Stable"], "5 - Production/Stable"),
        (["Development Status :: 3 - Alpha", "Development Status :: 4 - Beta"], "4 - Beta"),
        (["Development Status :: 7 - Inactive", "Development Status :: 6 - Mature"], "7 - Inactive"),
        (["Development Status", "Development Status :: Beta", "Development Status :: 4", "4 - Beta"], ""),
        ([], ""),
    ],
)
def test_development_status(classifiers: list[str], expected: str) -> None:
    assert development_status(classifiers) == expected


@pytest.mark.parametrize(
    ("classifiers", "expected"),
    [
        (["Topic :: Internet :: WWW/HTTP :: WSGI", "Topic :: Internet"],
         ["Internet", "Internet :: WWW/HTTP", "Internet :: WWW/HTTP :: WSGI"]),
        (["Topic :: Utilities", "Topic :: Communications"], ["Communications", "Utilities"]),
        (["Topic", "Topic :: ", "Topics :: X", "Framework :: Plone", "Topic ::  :: X"], []),
    ],
)  # fmt: skip
def test_topics(classifiers: list[str], expected: list[str]) -> None:
    assert topics(classifiers) == expected


SAID = st.lists(st.sampled_from(sorted_classifiers), max_size=8)


@given(SAID, st.randoms(use_true_random=False))
def test_classifiers_say_the_same_in_any_order_and_more_of_them_say_more(said: list[str], chance: Random) -> None:
    shuffled = chance.sample(said, len(said))
    for facet in (lambda c: framework_versions(c).values, lambda c: python_versions(c).values, topics):
        found = facet(said)
        assert facet(shuffled) == facet(said * 2) == found
        assert all(set(facet(said[:end])) <= set(found) for end in range(len(said)))
    assert development_status(shuffled) == development_status(said)


@given(SAID)
def test_every_topic_and_every_version_of_a_classifier_is_found(said: list[str]) -> None:
    for classifier in said:
        first, *names = classifier.split(" :: ")
        if first == "Topic":
            assert " :: ".join(names) in topics(said)
        if first == "Framework" and len(names) == 2 and names[1].replace(".", "").isdigit():
            assert " ".join(names) in framework_versions(said).values


@given(st.lists(st.text()), st.lists(st.text()), st.text())
def test_whatever_is_said_no_value_is_empty_or_comes_twice(
    classifiers: list[str], requires_dist: list[str], requires_python: str
) -> None:
    classifiers += [f"Topic :: {text}" for text in classifiers] + [f"Framework :: {text}" for text in classifiers]
    requires_dist += [f"Django{text}" for text in requires_dist]
    for values in (
        topics(classifiers),
        framework_versions(classifiers, requires_dist).values,
        python_versions(classifiers, requires_python).values,
    ):
        assert all(values)
        assert len(set(values)) == len(values)
