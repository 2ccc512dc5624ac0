from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog.model import Package, Release, Repository
from pyf_pipeline.catalog.statistics import MONTHS, Statistics, statistics

NOW = datetime(2026, 5, 15, tzinfo=UTC).timestamp()
MAY, APRIL = (
    int(datetime(2026, 5, 1, tzinfo=UTC).timestamp()),
    int(datetime(2026, 4, 30, 23, 59, tzinfo=UTC).timestamp()),
)
LONG_AGO = int(datetime(2024, 5, 31, tzinfo=UTC).timestamp())


def package(
    name: str, *, uploaded: int = MAY, version: str = "1.0", uploads: tuple[int, ...] = (), **more: object
) -> Package:
    releases = tuple(Release(version=str(number), upload_timestamp=time) for number, time in enumerate(uploads))
    return Package.model_validate(
        {
            "id": f"{name}-{version}",
            "project": name,
            "name": name,
            "version": version,
            "upload_timestamp": uploaded,
            "releases": releases,
            **more,
        }
    )


def repository(stars: int) -> Repository:
    return Repository("o/n", "https://github.com/o/n", stars, 1, 1, 1, archived=False, fetched_at=1)


def test_nothing_is_nothing() -> None:
    empty = statistics([], {}, NOW)
    assert (empty.packages, empty.enriched, empty.enriched_share, empty.latest) == (0, 0, 0.0, None)
    assert empty.framework_versions == empty.python_versions == []
    assert [number for _, number in empty.releases_by_month] == [0] * MONTHS
    assert Statistics().releases_by_month == []


def test_versions_of_the_framework_that_is_named_most_are_in_their_order() -> None:
    plone = (
        "Framework :: Plone :: 6.0",
        "Framework :: Plone :: 5.2",
        "Framework :: Plone :: 5.2",
        "Framework :: Plone",
    )
    found = statistics(
        [
            package("a", classifiers=[*plone, "Framework :: Django :: 4.2"]),
            package("b", classifiers=["Framework :: Plone :: 6.0"]),
            package("c", classifiers=["Framework :: Zope :: 5"]),
        ],
        {},
        NOW,
    )
    assert found.framework_versions == [("Plone 5.2", 1), ("Plone 6.0", 2)]


def test_pythons_are_in_the_order_of_versions() -> None:
    classifiers = [f"Programming Language :: Python :: {version}" for version in ("3.9", "3.10", "2.7")]
    found = statistics([package("a", classifiers=classifiers)], {}, NOW)
    assert found.python_versions == [("2.7", 1), ("3.9", 1), ("3.10", 1)]


def test_months_end_with_the_current_one_and_leave_out_what_no_calendar_has() -> None:
    uploads = (MAY, MAY, APRIL, LONG_AGO, 0, 2**62, int(NOW) + 40 * 86_400)
    found = statistics([package("a", uploads=uploads)], {}, NOW)
    assert found.releases_by_month[-2:] == [("2026-04", 1), ("2026-05", 2)]
    assert found.releases_by_month[0] == ("2024-06", 0)
    assert sum(number for _, number in found.releases_by_month) == 3


def test_stars_are_grouped() -> None:
    stars = {"a": 0, "b": 9, "c": 10, "d": 999, "e": 1_000, "f": 250_000}
    found = statistics(map(package, [*stars, "without"]), {name: repository(n) for name, n in stars.items()}, NOW)
    assert found.stars == [("0", 1), ("1-9", 1), ("10-99", 1), ("100-999", 1), ("1,000+", 2)]
    assert (found.packages, found.enriched) == (7, 6)


def test_a_project_counts_once_by_the_release_uploaded_last() -> None:
    new, old = "Programming Language :: Python :: 3.13", "Programming Language :: Python :: 2.7"
    rows = [
        package("a", version="1", uploaded=5, uploads=(5, MAY), classifiers=[old]),
        package("a", version="2", uploaded=MAY, uploads=(5, MAY), classifiers=[new]),
        package("a", version="1.1", uploaded=4, uploads=(5, MAY), classifiers=[old]),
    ]
    found = statistics(rows, {}, NOW)
    assert (found.packages, found.python_versions, found.latest) == (1, [("3.13", 1)], (MAY, "a", "2"))
    assert found.releases_by_month[-1] == ("2026-05", 1)


@given(
    st.lists(
        st.builds(
            package,
            st.sampled_from("abcdef"),
            uploaded=st.integers(0, 2**40),
            version=st.sampled_from(["1", "2", "3"]),
            classifiers=st.lists(st.sampled_from(["Framework :: Plone :: 6.0", "Framework :: Django :: 5.2", "Junk"])),
        ),
        max_size=12,
    ),
    st.dictionaries(st.sampled_from("abcdefgh"), st.builds(repository, st.integers(0, 10**6))),
)
def test_the_order_of_rows_does_not_matter_and_counts_add_up(
    rows: list[Package], repositories: dict[str, Repository]
) -> None:
    unique = list({row.id: row for row in rows}.values())
    found = statistics(unique, repositories, NOW)
    assert statistics(unique[::-1], repositories, NOW) == found
    assert found.packages == len({row.project for row in unique})
    assert sum(number for _, number in found.stars) == found.enriched <= found.packages
    assert len(found.releases_by_month) == MONTHS
