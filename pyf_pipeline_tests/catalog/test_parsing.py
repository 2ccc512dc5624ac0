from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pyf_pipeline.catalog.filtering import Rejected, latest_package, release_packages
from pyf_pipeline.catalog.model import MalformedProjectError, Package, ProjectDocument, Release
from pyf_pipeline.catalog.parsing import package_from, package_from_release, parse_project, reasons


def file(uploaded: str = "2024-03-01T12:00:00.500000Z", **fields: Any) -> dict[str, Any]:
    return {"upload_time_iso_8601": uploaded, "yanked": False, "yanked_reason": None, **fields}


def answer(**info: Any) -> dict[str, Any]:
    described = {"name": "Collective.Maps", "version": "2.0", "summary": "Maps", **info}
    releases = {"1.0": [file("2020-01-01T00:00:00Z")], "2.0": [file(), file("2024-03-02T00:00:00Z")]}
    return {"info": described, "releases": releases, "urls": [file()], "last_serial": 1000}


def parsed(payload: object, **options: Any) -> ProjectDocument:
    return parse_project(
        payload, **{"name": "collective-maps", "header_serial": None, "fetched_at": 1_700_000_000, **options}
    )


def package(**info: Any) -> Package:
    return package_from(parsed(answer(**info)))


def test_a_project_is_cut_down_to_what_is_needed() -> None:
    document = parsed(answer())
    assert document.name == "collective-maps"
    assert document.serial == 1000
    assert document.fetched_at == 1_700_000_000
    assert document.info["summary"] == "Maps"
    assert document.releases == (
        Release(version="1.0", upload_timestamp=1_577_836_800),
        Release(version="2.0", upload_timestamp=1_709_294_400),
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], Release(version="1")),
        (None, Release(version="1")),
        ([file("2024-01-02T00:00:00Z"), file("2024-01-01T00:00:00Z")],
         Release(version="1", upload_timestamp=1704067200)),
        ([{"upload_time": "2024-01-01T00:00:00"}], Release(version="1", upload_timestamp=1704067200)),
        ([file("not a time")], Release(version="1")),
        ([file("1969-01-01T00:00:00Z")], Release(version="1")),
        ([{"yanked": True}, {"yanked": False}], Release(version="1")),
        ([{"yanked": True}, {"yanked": True, "yanked_reason": "bad\x00"}],
         Release(version="1", yanked=True, yanked_reason="bad")),
        ([{"yanked": True, "yanked_reason": None}], Release(version="1", yanked=True)),
        ([{"yanked": False, "yanked_reason": "left over"}], Release(version="1")),
        (["nonsense", None], Release(version="1")),
    ],
)  # fmt: skip
def test_releases(files: object, expected: Release) -> None:
    assert parsed({**answer(), "releases": {"1": files}}).releases == (expected,)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ([], "the answer is a list"),
        (None, "the answer is missing"),
        ("<html>", "the answer is a text"),
        ({}, "info is missing"),
        ({**answer(), "info": None}, "info is missing"),
        ({**answer(), "info": "x"}, "info is a text"),
        ({**answer(), "releases": []}, "releases is a list"),
        ({**answer(), "last_serial": None}, "no last_serial"),
        ({**answer(), "last_serial": "1000"}, "no last_serial"),
        ({**answer(), "last_serial": True}, "no last_serial"),
        (answer(name=None), "info.name is missing"),
        (answer(name=["x"]), "info.name is a list"),
        (answer(name="collective.map"), "not the project asked for, collective-maps"),
    ],
)
def test_what_is_no_project_says_why(payload: object, reason: str) -> None:
    with pytest.raises(MalformedProjectError, match=reason) as caught:
        parsed(payload)
    assert reason in reasons(caught.value)


@pytest.mark.parametrize(("body", "header", "expected"), [(7, None, 7), (None, 8, 8), (9, 8, 8), (8, 9, 8)])
def test_the_older_serial_counts(body: int | None, header: int | None, expected: int) -> None:
    assert parsed({**answer(), "last_serial": body}, header_serial=header).serial == expected


def test_an_answer_without_releases_has_the_one_it_describes() -> None:
    payload = answer()
    del payload["releases"]
    assert parsed(payload).releases == (Release(version="2.0", upload_timestamp=1_709_294_400),)


def test_a_package_goes_by_the_name_of_its_project() -> None:
    found = package(description="  # Maps", requires_dist=["plone.api"], keywords="maps,geo")
    assert (found.id, found.project, found.name, found.version) == (
        "collective-maps", "collective-maps", "Collective.Maps", "2.0",
    )  # fmt: skip
    assert found.description == "  # Maps"
    assert found.keywords == ("maps", "geo")
    assert found.upload_timestamp == 1_709_294_400
    assert found.last_serial == 1000
    assert [release.version for release in found.releases] == ["1.0", "2.0"]


def test_a_package_of_nothing_but_odd_forms() -> None:
    fields = set(Package.model_fields) - {"id", "project", "name", "version", "releases", "last_serial"}
    for nothing in (None, "", "UNKNOWN", [], {}):
        found = package(**dict.fromkeys(fields - {"upload_timestamp"}, nothing))
        empty = {name: getattr(found, name) for name in fields - {"upload_timestamp"}}
        assert not any(empty.values()), empty


@pytest.mark.parametrize(
    ("info", "field", "expected"),
    [
        ({"license": "MIT", "license_expression": None}, "license", "MIT"),
        ({"license": None, "license_expression": "MIT OR Apache-2.0"}, "license", "MIT OR Apache-2.0"),
        ({"license": "GPL\n\nCopyright …\n"}, "license", "GPL\n\nCopyright …"),
        ({"platform": ["linux", "darwin"]}, "platform", "linux, darwin"),
        ({"classifiers": None}, "classifiers", ()),
        ({"requires_dist": None}, "requires_dist", ()),
        ({"project_urls": None}, "project_urls", {}),
        ({"project_urls": {"Source": "git@github.com:a/b.git"}}, "project_urls", {"Source": "git@github.com:a/b.git"}),
        ({"description_content_type": None}, "description_content_type", ""),
        ({"yanked": True, "yanked_reason": "broken"}, "yanked_reason", "broken"),
        ({"yanked": False, "yanked_reason": "left over"}, "yanked_reason", ""),
        ({"author": "J\x00. D\ud800oe"}, "author", "J. Doe"),
    ],
)
def test_one_form_of_each_field(info: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(package(**info), field) == expected


def test_a_release_whose_files_are_all_yanked_is_yanked() -> None:
    payload = answer(yanked=False)
    payload["releases"]["2.0"] = [file(yanked=True, yanked_reason="wrong metadata")]
    found = package_from(parsed(payload))
    assert found.yanked
    assert found.yanked_reason == "wrong metadata"


def test_a_latest_release_that_is_not_listed_is_a_package_all_the_same() -> None:
    found = package(version="3.0")
    assert (found.version, found.upload_timestamp, found.yanked) == ("3.0", 0, False)


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({"version": None}, "info.version is missing"),
        ({"version": ""}, "info.version is empty"),
        ({"version": 2.0}, "info.version is a number"),
        ({"version": "1" * 300}, "version: String should have at most 200 characters"),
    ],
)
def test_what_is_no_package_says_why(info: dict[str, Any], reason: str) -> None:
    with pytest.raises((MalformedProjectError, ValidationError)) as caught:
        package(**info)
    assert reason in reasons(caught.value)
    assert "\n" not in reasons(caught.value)


def test_a_stored_document_of_another_project_is_no_package() -> None:
    document = ProjectDocument("other", 1, {"name": "collective.maps", "version": "1"}, (), 0)
    with pytest.raises(MalformedProjectError, match="not the project asked for"):
        package_from(document)


def test_a_release_goes_by_project_and_version() -> None:
    document = parsed(answer())
    found = package_from_release(document, {"info": {"name": "collective.maps", "version": "1.0", "summary": "Old"}})
    assert (found.id, found.version, found.summary) == ("collective-maps-1.0", "1.0", "Old")
    assert found.upload_timestamp == 1_577_836_800
    assert found.last_serial == 1000


@pytest.mark.parametrize(
    "payload", [{}, {"info": None}, {"info": {"name": "collective.maps"}}, {"info": {"version": "1"}}]
)
def test_a_release_that_is_none_says_why(payload: dict[str, Any]) -> None:
    with pytest.raises(MalformedProjectError):
        package_from_release(parsed(answer()), payload)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(codec=None), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
TIMES = st.one_of(
    ANYTHING, st.datetimes().map(lambda when: when.isoformat() + "Z"), st.sampled_from(["0001-01-01", "9"])
)
FILES = st.lists(
    st.fixed_dictionaries({}, optional={"upload_time_iso_8601": TIMES, "upload_time": TIMES, "yanked": ANYTHING})
    | ANYTHING,
    max_size=3,
)
INFOS = st.fixed_dictionaries(
    {"name": st.sampled_from(["Collective.Maps", "collective_maps"]), "version": st.sampled_from(["1.0", "2.0rc1"])},
    optional=dict.fromkeys(sorted(set(Package.model_fields) - {"name", "version"}), ANYTHING),
)
ANSWERS = st.fixed_dictionaries(
    {"info": INFOS, "last_serial": st.integers(-5, 2**64)},
    optional={"releases": st.dictionaries(st.sampled_from(["1.0", "2.0rc1", "x"]), FILES | ANYTHING), "urls": FILES},
)


def parsed_or_reason(payload: object) -> ProjectDocument | str:
    """What becomes of an answer: a malformed one is an error with a reason, and there are no other errors."""
    try:
        return parsed(payload)
    except MalformedProjectError as error:
        return str(error)


@given(st.one_of(ANYTHING, ANSWERS, st.dictionaries(st.sampled_from(["info", "releases", "last_serial"]), ANYTHING)))
def test_whatever_is_answered_is_a_package_or_has_a_reason_why_it_is_none(payload: Any) -> None:
    document = parsed_or_reason(payload)
    if isinstance(document, str):
        assert document
        return
    assert 0 < document.serial < 2**63
    assert all(0 <= release.upload_timestamp < 2**63 for release in document.releases)
    infos = dict.fromkeys((release.version for release in document.releases), document.info)
    for outcome in (latest_package(document), *release_packages(document, infos)):
        assert isinstance(outcome, Package) or (isinstance(outcome, Rejected) and outcome.id and outcome.reason)
    assert parsed(payload) == document
