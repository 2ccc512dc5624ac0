import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import Version

from pyf_pipeline.catalog.versions import INT32_MAX, VersionParts, newest_first, parts, sortable

SMALL = st.integers(0, 12)
NUMBER = st.one_of(SMALL, st.integers(0, 10**40))
LOCAL = st.lists(st.one_of(NUMBER.map(str), st.from_regex(r"[a-z0-9]{1,4}", fullmatch=True)), min_size=1, max_size=3)


@st.composite
def versions(draw: st.DrawFn) -> str:
    """Versions of PEP 440 in all spellings, mostly of small numbers so that many are near each other."""
    epoch = draw(st.sampled_from(["", "", "", "0!", "1!", "20!"]))
    release = ".".join(map(str, draw(st.lists(NUMBER, min_size=1, max_size=5))))
    stage = draw(st.sampled_from(["", "", "a", "b", "rc", ".alpha-", "_c", "pre"]))
    pre = stage + (str(draw(SMALL)) if stage else "")
    post = draw(st.sampled_from(["", "", ".post", "-", "r", ".rev"]))
    post += str(draw(SMALL)) if post else ""
    dev = draw(st.sampled_from(["", "", ".dev", "_DEV"]))
    dev += str(draw(SMALL)) if dev else ""
    local = draw(st.one_of(st.just(""), st.just(""), LOCAL.map(lambda found: "+" + ".".join(found))))
    return epoch + release + pre + post + dev + local


@given(versions(), versions())
@example("1.0", "1.0.0")
@example("1.0rc1", "1.0")
@example("1.9", "1.10")
@example("1.0.dev1", "1.0a1.dev1")
@example("1.0+a", "1.0+a.1")
@example("1.0+ab", "1.0+abc")
@example("1.0+5", "1.0+abc")
@example("1.0+z", "1.0.1.dev1+a")
@example("1" + "0" * 25, "9" * 25)
@example("1.0.post1.dev1", "1.0")
def test_the_order_of_the_texts_is_that_of_pypi(one: str, other: str) -> None:
    def latest(version: Version) -> tuple[bool, Version]:
        return (not version.is_prerelease, version)

    first, second = latest(Version(one)), latest(Version(other))
    assert (sortable(one) < sortable(other)) is (first < second)
    assert (sortable(one) == sortable(other)) is (first == second)


@given(st.one_of(versions(), st.text(max_size=30)))
def test_only_what_typesense_sorts_by_is_used(version: str) -> None:
    assert re.fullmatch(r"[0-9a-z]+", sortable(version))


def test_from_the_oldest_to_the_latest() -> None:
    order = [
        "2004d",
        "1.0.dev1",
        "1.0a1.dev2",
        "1.0a1",
        "1.0a1.post1",
        "1.0a2",
        "1.0b1",
        "1.0rc1",
        "1.0rc10",
        "7!0.1.dev0",
        "0.9",
        "1.0",
        "1.0+local",
        "1.0.post1",
        "1.0.0.1",
        "1.2",
        "1.10",
        "20261123000001",
        "1!0.1",
    ]
    assert sorted(order, key=sortable) == order
    assert newest_first(order[::2] + order[1::2]) == order[::-1]


def test_legacy_versions_stand_below_all_others_in_the_old_order() -> None:
    # From what setuptools documented: a text that comes before "final" marks something earlier, others a patch level.
    order = ["0.1-alpha-x", "0.1-x", "2004d", "2004e", "2005d", "2005d-x"]
    assert sorted(order, key=sortable) == order
    assert all(sortable(version) < sortable("0.0.dev0") for version in order)


@pytest.mark.parametrize("version", ["", "\x00", "ünïcode", "\ud800", "1" * 5000, "1.0-" + "9" * 5000, " ", "final--"])
def test_any_text_can_be_sorted(version: str) -> None:
    assert sortable(version) < sortable("0.0.dev0")
    assert 0 <= parts(version).major <= INT32_MAX


@given(st.lists(st.one_of(versions(), st.text(max_size=8)), max_size=8))
def test_sorting_loses_nothing_and_does_not_depend_on_the_order(found: list[str]) -> None:
    assert sorted(newest_first(found)) == sorted(found)
    assert newest_first(found) == newest_first(reversed(found))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("6.0.13", VersionParts(6, 0, 13, "", False)),
        ("6", VersionParts(6, 0, 0, "", False)),
        ("6.0.0a1", VersionParts(6, 0, 0, "a1", True)),
        ("6.0rc1", VersionParts(6, 0, 0, "rc1", True)),
        ("1.2.3.4", VersionParts(1, 2, 3, "4", False)),
        ("1.2.3.4rc1", VersionParts(1, 2, 3, "4rc1", True)),
        ("1.0-1", VersionParts(1, 0, 0, "post1", False)),
        ("1.0.dev0", VersionParts(1, 0, 0, "dev0", True)),
        ("1.0+ubuntu-1", VersionParts(1, 0, 0, "+ubuntu.1", False)),
        ("v2.1", VersionParts(2, 1, 0, "", False)),
        ("3!4.5.6", VersionParts(4, 5, 6, "", False)),
        ("20261123000001", VersionParts(INT32_MAX, 0, 0, "", False)),
        ("1.20261123000001.0", VersionParts(1, INT32_MAX, 0, "", False)),
        ("2004d", VersionParts(2004, 0, 0, "d", False)),
        ("1.2-patch.3", VersionParts(1, 2, 0, "patch.3", False)),
        ("release", VersionParts(0, 0, 0, "release", False)),
    ],
)
def test_what_a_version_is_made_of(version: str, expected: VersionParts) -> None:
    assert parts(version) == expected


@given(versions())
def test_numbers_fit_32_bits(version: str) -> None:
    found = parts(version)
    assert all(0 <= number <= INT32_MAX for number in found[:3])
    assert found.is_prerelease is Version(version).is_prerelease
