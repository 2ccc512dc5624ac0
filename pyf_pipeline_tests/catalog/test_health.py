from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog.health import ACTIVITY, DAY, RECENCY, YEAR, Health, as_of, health
from pyf_pipeline.catalog.model import Package, Repository

NOW = 1_780_000_000
TIMES = st.one_of(
    st.integers(0, NOW + 10 * YEAR),
    st.sampled_from([NOW - limit + shift for limit, _ in (*RECENCY, *ACTIVITY) for shift in (-1, 0, 1)]),
)


def package(**fields: Any) -> Package:
    return Package(**({"id": "maps", "project": "maps", "name": "maps", "version": "1.0"} | fields))


def repository(stars: int = 0, open_issues: int = 0, updated: int = 0) -> Repository:
    return Repository(
        "a/maps", "https://github.com/a/maps", stars, 0, open_issues, updated, archived=False, fetched_at=0
    )


PERFECT = package(
    upload_timestamp=NOW - DAY,
    description="x" * 151,
    docs_url="https://docs.example/",
    project_urls={"Documentation": "https://docs.example/"},
    author="Jane Doe",
    license="MIT",
    classifiers=("a", "b", "c"),
)
SCREENSHOT = '<img src="https://x.example/shot.png" alt="">'


def points(found: Health, name: str) -> int:
    return next(criterion.points for criterion in found.criteria if criterion.name == name)


def test_nothing_known_gives_nothing() -> None:
    found = health(package(), "", None, NOW)
    assert found.score == 0
    assert all(criterion.advice for criterion in found.criteria)


def test_everything_without_github_gives_a_hundred() -> None:
    found = health(PERFECT, SCREENSHOT, None, NOW)
    assert found.score == 100
    assert [c.name for c in found.criteria if c.advice] == ["github_stars", "github_activity", "github_issues"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "no link"),
        ({"home_page": "https://x.example/github.com/a"}, "no link"),
        ({"home_page": "https://github.com/a/maps"}, "but no figures"),
        ({"project_urls": {"Source": "HTTP://www.GitHub.com/a/maps"}}, "but no figures"),
    ],
)
def test_a_repository_of_which_nothing_is_known(fields: dict[str, Any], said: str) -> None:
    criteria = health(package(**fields), "", None, NOW).criteria[-3:]
    assert all(said in criterion.found and criterion.advice for criterion in criteria)


def test_the_whole_is_capped() -> None:
    found = health(PERFECT, SCREENSHOT, repository(1_000, 0, NOW), NOW)
    assert found.score == 100
    assert sum(criterion.points for criterion in found.criteria) == 130
    assert not any(criterion.advice for criterion in found.criteria)


def test_the_maxima_are_forty_thirty_thirty_and_thirty() -> None:
    maxima = {criterion.name: criterion.maximum for criterion in health(package(), "", None, NOW).criteria}
    assert maxima == {
        "recency": 40, "description": 18, "docs_link": 4, "project_links": 3, "screenshot": 5, "author": 10,
        "license": 10, "classifiers": 10, "github_stars": 10, "github_activity": 10, "github_issues": 10,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (-DAY, 40), (0, 40), (YEAR // 2 - 1, 40), (YEAR // 2, 30), (YEAR - 1, 30), (YEAR, 20), (2 * YEAR - 1, 20),
        (2 * YEAR, 10), (3 * YEAR - 1, 10), (3 * YEAR, 5), (5 * YEAR - 1, 5), (5 * YEAR, 0), (20 * YEAR, 0),
    ],
)  # fmt: skip
def test_recency(age: int, expected: int) -> None:
    found = health(package(upload_timestamp=NOW - age), "", None, NOW)
    assert points(found, "recency") == found.score == expected


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"description": "x" * 150}, "description", 0),
        ({"description": "x" * 151}, "description", 18),
        ({"description": " " * 900 + "x"}, "description", 0),
        ({"docs_url": "https://x.example"}, "docs_link", 4),
        ({"docs_url": "javascript:alert(1)"}, "docs_link", 0),
        ({"home_page": "https://maps.readthedocs.io/en/latest/"}, "docs_link", 4),
        ({"home_page": "https://x.example"}, "docs_link", 0),
        ({"home_page": "https://[x.example"}, "docs_link", 0),
        ({"project_urls": {"Docs": "https://x.example"}}, "docs_link", 4),
        ({"project_urls": {"Docs": "https://x.example"}}, "project_links", 3),
        ({"project_urls": {"DOCUMENTATION": "http://x.example"}}, "project_links", 3),
        ({"project_urls": {"Documentation": "x"}}, "project_links", 0),
        ({"project_urls": {"Homepage": "https://docs.x.example"}}, "project_links", 0),
        ({"project_urls": {"Homepage": "https://docs.x.example"}}, "docs_link", 4),
        ({"project_urls": {"Source": "https://x.example/maps/tree/main/docs"}}, "docs_link", 4),
        ({"project_urls": {"Source": "https://x.example/docsmaker"}}, "docs_link", 0),
        ({"author": "Jane"}, "author", 10),
        ({"author_email": "jane@x.example"}, "author", 10),
        ({"maintainer": "Jane"}, "author", 10),
        ({"maintainer_email": "Jane <jane@x.example>"}, "author", 10),
        ({"license": "anything"}, "license", 10),
        ({"license_expression": "MIT"}, "license", 10),
        ({"classifiers": ("License :: OSI Approved :: MIT License",)}, "license", 10),
        ({"classifiers": ("a", "b")}, "classifiers", 0),
        ({"classifiers": ("a", "b", "c")}, "classifiers", 10),
    ],
)
def test_documentation_and_metadata(fields: dict[str, Any], name: str, expected: int) -> None:
    found = health(package(**fields), "", None, NOW)
    assert points(found, name) == expected
    criterion = next(c for c in found.criteria if c.name == name)
    assert bool(criterion.advice) is (expected == 0)


@pytest.mark.parametrize(
    ("stars", "expected"),
    [
        (0, 0),
        (9, 0),
        (10, 1),
        (49, 1),
        (50, 3),
        (99, 3),
        (100, 5),
        (499, 5),
        (500, 7),
        (999, 7),
        (1_000, 10),
        (10**9, 10),
    ],
)
def test_stars(stars: int, expected: int) -> None:
    assert points(health(package(), "", repository(stars), NOW), "github_stars") == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-1, 10), (0, 10), (29, 10), (30, 7), (89, 7), (90, 5), (179, 5), (180, 3), (364, 3), (365, 0)],
)
def test_activity(days: int, expected: int) -> None:
    found = health(package(), "", repository(updated=NOW - days * DAY), NOW)
    assert points(found, "github_activity") == expected


@pytest.mark.parametrize(
    ("issues", "stars", "expected"),
    [
        (0, 1, 10), (9, 100, 10), (10, 100, 7), (29, 100, 7), (30, 100, 5), (49, 100, 5), (50, 100, 3), (99, 100, 3),
        (100, 100, 0), (5, 1, 0), (0, 0, 0), (5, 0, 0), (-3, 1, 10),
    ],
)  # fmt: skip
def test_open_issues_per_star(issues: int, stars: int, expected: int) -> None:
    assert points(health(package(), "", repository(stars, issues), NOW), "github_issues") == expected


@given(TIMES, TIMES, st.integers(0, NOW + 10 * YEAR))
def test_the_score_is_the_same_from_its_moment_on(uploaded: int, updated: int, now: int) -> None:
    subject, at = package(upload_timestamp=uploaded), repository(20, 1, updated)
    moment = as_of(subject, at, now)
    assert 0 <= moment <= now
    assert health(subject, "", at, moment) == health(subject, "", at, now)
    assert as_of(subject, at, moment) == moment


@given(TIMES, TIMES, st.integers(0, NOW), st.integers(0, 6 * YEAR))
def test_time_alone_never_raises_a_score(uploaded: int, updated: int, now: int, later: int) -> None:
    subject, at = package(upload_timestamp=uploaded), repository(20, 1, updated)
    assert health(subject, "", at, now + later).score <= health(subject, "", at, now).score
    assert as_of(subject, at, now) <= as_of(subject, at, now + later)


def test_a_score_that_changes_has_another_moment() -> None:
    subject = package(upload_timestamp=NOW)
    moments = {as_of(subject, None, NOW + days * DAY) for days in range(2_500)}
    assert moments == {NOW, *(NOW + limit for limit, _ in RECENCY)}


@given(
    st.builds(
        package,
        upload_timestamp=st.integers(0, 2**63 - 1),
        description=st.text(),
        docs_url=st.text(),
        home_page=st.one_of(st.text(), st.text().map("https://".__add__)),
        project_urls=st.dictionaries(st.text(), st.one_of(st.text(), st.text().map("https://".__add__))),
        author=st.text(),
        author_email=st.text(),
    ),
    st.text(),
    st.one_of(st.none(), st.builds(repository, st.integers(), st.integers(), st.integers(-(2**70), 2**70))),
    st.integers(0, 2**62),
)
def test_whatever_is_known_a_score_has_its_reasons(
    subject: Package, html: str, at: Repository | None, now: int
) -> None:
    found = health(subject, html, at, now)
    assert found.score == min(100, sum(criterion.points for criterion in found.criteria))
    assert 0 <= found.score <= 100
    assert list(found.breakdown()) == [criterion.name for criterion in found.criteria]
    for criterion in found.criteria:
        assert 0 <= criterion.points <= criterion.maximum
        assert criterion.found
