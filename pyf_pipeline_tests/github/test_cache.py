"""What is remembered, for how long it is good, and what is left of a repository that vanished."""

import pytest

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.answers import Answer
from pyf_pipeline.github.cache import DAY, CacheEntry, Freshness, entries_for
from pyf_pipeline.github.links import RepositoryName

NOW = 1_780_000_000
ASKED = RepositoryName("Some", "Thing")


def repository(full_name: str = "Some/Thing", stars: int = 7, fetched_at: int = NOW) -> Repository:
    return Repository(full_name, f"https://github.com/{full_name}", stars, 3, 6, 1, False, fetched_at)


def ok(**changes: object) -> CacheEntry:
    fields = {"status": "ok", "repository": repository(), "etag": '"t"', "checked_at": NOW, **changes}
    return CacheEntry("some/thing", **fields)  # type: ignore[arg-type]  # the fields are mixed on purpose


def test_figures_are_remembered_under_the_name_that_was_asked_for() -> None:
    (entry,) = entries_for(Answer(ASKED, "ok", repository(), '"t"'), None, NOW)
    assert entry == ok()


def test_a_renamed_repository_is_remembered_under_both_names() -> None:
    entries = entries_for(Answer(ASKED, "ok", repository("New/Name")), None, NOW)
    assert [entry.key for entry in entries] == ["some/thing", "new/name"]
    assert {entry.repository for entry in entries} == {repository("New/Name")}


def test_unchanged_figures_are_of_today() -> None:
    old = ok(repository=repository(fetched_at=NOW - DAY), checked_at=NOW - DAY)
    (entry,) = entries_for(Answer(ASKED, "unchanged"), old, NOW)
    assert entry == ok()


def test_unchanged_without_anything_known_is_nothing() -> None:
    assert entries_for(Answer(ASKED, "unchanged"), None, NOW) == []


def test_a_vanished_repository_keeps_its_figures_for_thirty_days_however_often_it_is_missed() -> None:
    gone = Answer(ASKED, "not_found")
    (first,) = entries_for(gone, ok(checked_at=NOW - DAY), NOW)
    (second,) = entries_for(gone, first, NOW + 20 * DAY)
    assert first.figures(NOW) == repository()
    assert second.checked_at == NOW + 20 * DAY
    assert second.figures(NOW + 30 * DAY - 1) == repository()
    assert second.figures(NOW + 30 * DAY) is None


def test_one_that_never_was_has_no_figures() -> None:
    (entry,) = entries_for(Answer(ASKED, "not_found"), None, NOW)
    assert entry.figures(NOW) is None


def test_one_that_comes_back_is_as_before() -> None:
    (gone,) = entries_for(Answer(ASKED, "not_found"), ok(), NOW)
    (back,) = entries_for(Answer(ASKED, "ok", repository(stars=9), None), gone, NOW + DAY)
    assert back.figures(NOW + 90 * DAY) == repository(stars=9)
    assert (back.last_ok, back.gone_since) == (None, None)


@pytest.mark.parametrize(
    ("entry", "fresh"),
    [
        (ok(checked_at=NOW), True),
        (ok(checked_at=NOW - DAY + 1), True),
        (ok(checked_at=NOW - DAY), False),
        (ok(status="not_found", checked_at=NOW - 7 * DAY + 1), True),
        (ok(status="not_found", checked_at=NOW - 7 * DAY), False),
        (ok(checked_at=NOW + 3600), True),
        (ok(checked_at=NOW + 2 * DAY), False),
    ],
)
def test_how_long_an_entry_is_good(entry: CacheEntry, fresh: bool) -> None:
    assert Freshness(max_age=DAY).is_fresh(entry, NOW) is fresh
    assert not Freshness(max_age=DAY, refresh=True).is_fresh(entry, NOW)


def test_entries_survive_the_way_through_text() -> None:
    for entry in (ok(), ok(status="not_found", repository=None, last_ok=repository(), gone_since=NOW)):
        assert CacheEntry.from_json(entry.to_json()) == entry
