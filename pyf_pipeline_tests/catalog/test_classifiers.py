import pytest
from hypothesis import given
from hypothesis import strategies as st
from trove_classifiers import all_classifiers, deprecated_classifiers

from pyf_pipeline.catalog.classifiers import carries, expand, is_known, nearest

KNOWN = st.sampled_from(sorted(all_classifiers))


def test_a_classifier_covers_itself_first_and_all_below() -> None:
    covered = expand("Framework :: Plone")
    assert covered[0] == "Framework :: Plone"
    assert {"Framework :: Plone :: 6.0", "Framework :: Plone :: Addon"} <= set(covered)
    assert len(covered) == len(set(covered))


def test_a_name_that_only_begins_alike_is_not_below() -> None:
    assert not any("Django CMS" in classifier for classifier in expand("Framework :: Django"))


def test_deprecated_classifiers_are_covered() -> None:
    below = "Framework :: Django CMS"
    deprecated = {classifier for classifier in deprecated_classifiers if classifier.startswith(below + " :: ")}
    assert deprecated
    assert deprecated <= set(expand(below))


def test_a_leaf_and_an_unknown_one_cover_themselves() -> None:
    assert expand("Framework :: Plone :: 6.0") == ("Framework :: Plone :: 6.0",)
    assert expand("Framework :: Nothing Like It") == ("Framework :: Nothing Like It",)


@pytest.mark.parametrize(
    ("classifiers", "expected"),
    [
        (["Framework :: Plone"], True),
        (["Framework :: Plone :: 6.0"], True),
        (["Framework :: Plone :: 99.9 :: Not Known Yet"], True),
        (["License :: OSI Approved", "Framework :: Plone :: Theme"], True),
        (["Framework :: PloneX"], False),
        (["Framework :: Plone CMS :: 6.0"], False),
        (["Framework"], False),
        (["Something :: Framework :: Plone"], False),
        ([], False),
    ],
)
def test_what_a_project_carries(classifiers: list[str], expected: bool) -> None:
    assert carries(classifiers, ["Framework :: Plone"]) is expected


def test_nothing_wanted_is_never_carried() -> None:
    assert not carries(["Framework :: Plone"], [])


def test_iterators_are_read_once() -> None:
    assert carries(iter(["Framework :: Flask", "Framework :: Plone"]), iter(["Framework :: X", "Framework :: Plone"]))


@given(KNOWN, KNOWN)
def test_expanding_and_carrying_agree(wanted: str, carried: str) -> None:
    assert carries([carried], [wanted]) is (carried in expand(wanted))


def test_what_is_known() -> None:
    assert is_known("Framework :: Plone :: 6.0")
    assert all(map(is_known, deprecated_classifiers))
    assert not is_known("framework :: plone")


@pytest.mark.parametrize(
    ("mistaken", "meant"),
    [
        ("Framework :: Plon", "Framework :: Plone"),
        ("framework :: plone", "Framework :: Plone"),
        ("Framework::Django", "Framework :: Django"),
        ("Framework :: Plone 6.0", "Framework :: Plone :: 6.0"),
        ("Framework :: flask ", "Framework :: Flask"),
    ],
)
def test_the_nearest_is_the_one_that_was_meant(mistaken: str, meant: str) -> None:
    assert nearest(mistaken)[0] == meant
    assert len(nearest(mistaken)) <= 3


def test_nothing_is_near_to_nonsense() -> None:
    assert nearest("0x1f4a9") == []
