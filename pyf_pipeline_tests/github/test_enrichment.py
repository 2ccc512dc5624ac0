"""Enrichment: who is asked for, what becomes of each package, and what is remembered."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.answers import Answer
from pyf_pipeline.github.cache import DAY
from pyf_pipeline.github.enrichment import EnrichmentResult, WantedPackage, enrich
from pyf_pipeline.github.errors import RateLimitedError
from pyf_pipeline.github.limits import Quota
from pyf_pipeline.github.links import LinkChoice, RepositoryName, choose
from pyf_pipeline.github.transport import Traffic
from pyf_pipeline_tests.github.support import Clock, MemoryCache

HOUR = 3600


@dataclass
class FakeGitHub:
    """Repositories by name, and as many answers as the limit allows; names may lead to other names."""

    clock: Clock
    repositories: dict[str, int] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    left: int = 10_000
    reset_at: float = 0.0
    per_window: int = 10_000
    asked: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)
    quota: Quota = field(default_factory=Quota)

    def look_up(
        self, names: Iterable[RepositoryName], etags: Mapping[str, str] | None = None
    ) -> Iterator[list[Answer]]:
        for name in names:
            if self.left == 0:
                raise RateLimitedError(self.reset_at, has_token=True)
            self.left -= 1
            self.asked.append(name.key)
            self.traffic.calls += 1
            yield [self._answer(name)]

    def wait_until(self, when: float) -> None:
        self.waited.append(when)
        self.clock.time = max(self.clock.time, when)
        self.left = self.per_window

    def _answer(self, name: RepositoryName) -> Answer:
        today = self.renamed.get(name.key, name.full_name)
        if name.key in self.unanswered:
            return Answer(name, "unanswered", detail="Something went wrong")
        if today.lower() not in self.repositories:
            return Answer(name, "not_found")
        now = int(self.clock.time)
        stars = self.repositories[today.lower()]
        return Answer(name, "ok", Repository(today, f"https://github.com/{today}", stars, 1, 2, 3, False, now))


@dataclass
class Setting:
    clock: Clock = field(default_factory=Clock)
    cache: MemoryCache = field(default_factory=MemoryCache)

    def __post_init__(self) -> None:
        self.github = FakeGitHub(self.clock, {f"o/r{n}": n for n in range(20)})

    def enrich(self, wanted: Sequence[WantedPackage], **options: Any) -> EnrichmentResult:
        self.github.asked.clear()
        client: Any = self.github
        return enrich(wanted, client, self.cache, **{"max_age": DAY, "now": self.clock.now, **options})


@pytest.fixture
def setting() -> Setting:
    return Setting()


def package(project: str, *names: str) -> WantedPackage:
    candidates = tuple(RepositoryName(*name.split("/")) for name in names)
    links = tuple(f"https://github.com/{name}" for name in names)
    return WantedPackage(project, LinkChoice(candidates[0] if candidates else None, candidates, links, None))


def statuses(result: EnrichmentResult) -> dict[str, str]:
    return {outcome.project: outcome.status for outcome in result.outcomes}


def test_every_package_has_an_outcome_in_its_order(setting: Setting) -> None:
    result = setting.enrich(
        [
            package("gone", "o/gone"),
            WantedPackage("alone", choose({}, "https://example.org")),
            package("fine", "o/r3"),
            WantedPackage("sponsored", choose({"Source": "https://github.com/sponsors/o"}, "")),
        ]
    )
    assert list(statuses(result).items()) == [
        ("gone", "not_found"),
        ("alone", "no_link"),
        ("fine", "enriched"),
        ("sponsored", "not_a_repository"),
    ]
    assert result.outcomes[1].links_seen == ("https://example.org",)
    assert result.outcomes[2].repository is not None
    assert result.outcomes[2].repository.stars == 3
    assert result.counts == {"enriched": 1, "no_link": 1, "not_a_repository": 1, "not_found": 1, "pending": 0}
    assert result.coverage == 0.5
    assert (result.asked, result.cached, result.calls, result.warnings) == (2, 0, 2, ())


def test_nothing_wanted_is_nothing_asked(setting: Setting) -> None:
    result = setting.enrich([])
    assert (result.outcomes, result.calls, result.coverage) == ((), 0, 1.0)


def test_a_shared_repository_is_asked_for_once_and_not_again_within_the_time(setting: Setting) -> None:
    profiles = [[package(f"p{n}", "o/r1"), package(f"q{n}", "O/R1"), package(f"r{n}", f"o/r{n}")] for n in range(2, 5)]
    asked = []
    for profile in profiles:
        assert set(statuses(setting.enrich(profile)).values()) == {"enriched"}
        asked += setting.github.asked
    assert sorted(asked) == ["o/r1", "o/r2", "o/r3", "o/r4"]
    setting.clock.time += DAY - 1
    again = setting.enrich(profiles[0])
    assert (again.calls, again.asked, again.cached) == (0, 0, 2)
    setting.clock.time += 1
    assert setting.enrich(profiles[0]).asked == 2


def test_refresh_asks_whatever_is_known_but_once(setting: Setting) -> None:
    wanted = [package("a", "o/r1"), package("b", "o/r1"), package("c", "o/gone", "o/r1")]
    setting.enrich(wanted)
    setting.enrich(wanted, refresh=True)
    assert sorted(setting.github.asked) == ["o/gone", "o/r1"]


def test_absence_is_good_for_a_week(setting: Setting) -> None:
    wanted = [package("a", "o/gone")]
    setting.enrich(wanted)
    setting.clock.time += 7 * DAY - 1
    assert setting.enrich(wanted).calls == 0
    setting.clock.time += 1
    setting.github.repositories["o/gone"] = 5
    assert statuses(setting.enrich(wanted)) == {"a": "enriched"}


def test_a_rename_is_remembered_under_both_names(setting: Setting) -> None:
    setting.github.renamed["o/old"] = "New/Name"
    setting.github.repositories["new/name"] = 9
    first = setting.enrich([package("a", "o/old")])
    assert first.outcomes[0].repository is not None
    assert first.outcomes[0].repository.full_name == "New/Name"
    setting.enrich([package("b", "new/name"), package("c", "O/Old")])
    assert setting.github.asked == []


def test_a_forgotten_redirect_leads_on_all_the_same(setting: Setting) -> None:
    setting.github.renamed["o/old"] = "New/Name"
    setting.github.repositories["new/name"] = 9
    setting.enrich([package("a", "o/old")])
    setting.github.renamed.clear()
    setting.clock.time += 2 * DAY
    outcome = setting.enrich([package("a", "o/old")]).outcomes[0]
    assert (outcome.status, outcome.asked_for) == ("enriched", ("o/old", "New/Name"))


def test_older_links_are_tried_where_all_of_todays_are_gone_and_only_there(setting: Setting) -> None:
    requests: list[Sequence[str]] = []

    def older(projects: Sequence[str]) -> dict[str, list[RepositoryName]]:
        requests.append(projects)
        return {"moved": [RepositoryName("o", "gone"), RepositoryName("o", "r5")]}

    wanted = [package("fine", "o/r1"), package("moved", "o/gone"), package("lost", "o/lost"), package("none")]
    wanted[3] = WantedPackage("none", choose({}, ""))
    result = setting.enrich(wanted, older_links=older)
    assert requests == [["moved", "lost"]]
    assert statuses(result) == {"fine": "enriched", "moved": "enriched", "lost": "not_found", "none": "no_link"}
    assert result.outcomes[1].asked_for == ("o/gone", "o/r5")


def test_one_that_vanishes_keeps_its_figures_for_thirty_days_marked_by_their_date(setting: Setting) -> None:
    wanted = [package("a", "o/r7")]
    seen_at = int(setting.clock.time)
    setting.enrich(wanted)
    del setting.github.repositories["o/r7"]
    setting.clock.time += 2 * DAY
    for _ in range(4):
        outcome = setting.enrich(wanted).outcomes[0]
        assert outcome.status == "not_found"
        assert outcome.repository is not None
        assert (outcome.repository.stars, outcome.repository.fetched_at) == (7, seen_at)
        setting.clock.time += 7 * DAY
    setting.clock.time += 2 * DAY
    assert setting.enrich(wanted).outcomes[0].repository is None


def test_at_the_limit_what_is_left_is_pending_and_keeps_what_was_known(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = [package(f"p{n}", f"o/r{n}") for n in range(10)]
    setting.enrich(wanted[:2])
    setting.clock.time += 2 * DAY
    setting.github.left, setting.github.reset_at = 8, setting.clock.time + HOUR
    result = setting.enrich(wanted)
    # Those that nothing is known of go first.
    assert setting.github.asked == [f"o/r{n}" for n in range(2, 10)]
    assert result.counts["pending"] == 2
    assert result.outcomes[1].repository is not None
    assert result.outcomes[1].repository.stars == 1
    assert result.outcomes[1].detail == "GitHub's limit is used up"
    assert len(result.warnings) == 1
    assert "2 repositories are pending" in result.warnings[0]
    assert "resets at" in result.warnings[0]
    assert setting.github.waited == []
    setting.github.left = 100
    assert setting.enrich(wanted).counts["enriched"] == 10
    assert sorted(setting.github.asked) == ["o/r0", "o/r1"]


def test_the_longest_missing_are_asked_for_first(setting: Setting) -> None:
    order = [4, 1, 3, 0, 2]
    for n in order:
        setting.enrich([package("p", f"o/r{n}")])
        setting.clock.time += HOUR
    setting.clock.time += DAY
    setting.enrich([package(f"p{n}", f"o/r{n}") for n in range(6)])
    assert setting.github.asked == ["o/r5"] + [f"o/r{n}" for n in order]


def test_waiting_for_the_limit_is_what_somebody_asked_for(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    setting.github.left = setting.github.per_window = 3
    setting.github.reset_at = setting.clock.time + HOUR
    with caplog.at_level(logging.WARNING):
        result = setting.enrich([package(f"p{n}", f"o/r{n}") for n in range(10)], wait_for_limit=True)
    assert result.counts["enriched"] == 10
    assert len(setting.github.waited) == 3
    assert "waiting" in caplog.text


def test_a_limit_that_never_resets_is_not_waited_for_for_ever(setting: Setting) -> None:
    setting.github.left = setting.github.per_window = 0
    result = setting.enrich([package("a", "o/r1")], wait_for_limit=True)
    assert statuses(result) == {"a": "pending"}
    assert len(setting.github.waited) < 5


def test_what_github_gives_no_answer_for_is_pending_and_no_weaker_link_wins(setting: Setting) -> None:
    setting.github.unanswered.add("o/r1")
    result = setting.enrich([package("a", "o/r1", "o/r2"), package("b", "o/r3")])
    assert statuses(result) == {"a": "pending", "b": "enriched"}
    assert result.outcomes[0].detail == "Something went wrong"
    assert "Something went wrong" in result.warnings[0]
    assert "o/r1" not in setting.cache.entries


def test_a_run_that_is_killed_goes_on_where_it_was(setting: Setting) -> None:
    wanted = [package(f"p{n}", f"o/r{n}") for n in range(10)]
    setting.cache.fail_after = 6
    with pytest.raises(KeyboardInterrupt):
        setting.enrich(wanted)
    setting.cache.fail_after = None
    result = setting.enrich(wanted)
    assert (result.cached, result.asked) == (6, 4)
    assert result.counts["enriched"] == 10


def test_progress_is_told(setting: Setting) -> None:
    told: list[tuple[str, int, int]] = []
    setting.enrich(
        [package(f"p{n}", f"o/r{n}") for n in range(3)],
        progress=lambda stage, done, total: told.append((stage, done, total)),
    )
    assert told == [("github", 1, 3), ("github", 2, 3), ("github", 3, 3)]


def test_the_most_starred_stand_once_each(setting: Setting) -> None:
    wanted = [package(f"p{n}", f"o/r{n}") for n in range(15)] + [package("again", "o/r14")]
    result = setting.enrich(wanted)
    assert [repository.stars for repository in result.most_starred(3)] == [14, 13, 12]


repository_names = st.sampled_from([f"o/r{n}" for n in range(8)])


@given(
    st.lists(st.lists(repository_names, min_size=1, max_size=4), max_size=8),
    st.sets(repository_names),
    st.sets(repository_names),
    st.integers(0, 12),
)
@settings(max_examples=150, deadline=None)
def test_the_first_living_candidate_wins_and_nobody_is_asked_for_twice(
    wanted: list[list[str]], alive: set[str], known: set[str], limit: int
) -> None:
    setting = Setting()
    setting.github.repositories = dict.fromkeys(alive, 1)
    setting.enrich([package("known", name) for name in known])
    setting.github.left, setting.github.reset_at = limit, setting.clock.time + HOUR
    packages = [package(str(n), *names) for n, names in enumerate(wanted)]
    result = setting.enrich(packages)
    asked = list(setting.github.asked)
    assert len(asked) == len(set(asked)) <= limit
    assert not known.intersection(asked)
    for names, outcome in zip(wanted, result.outcomes, strict=True):
        settled = [name for name in names if name in known or name in asked]
        if outcome.status == "enriched":
            assert outcome.repository is not None
            assert outcome.repository.full_name == next(name for name in names if name in alive)
        elif outcome.status == "not_found":
            assert not alive.intersection(names)
        else:
            assert outcome.status == "pending"
            assert len(asked) == limit
            assert not alive.intersection(names[: len(outcome.asked_for)]) or len(settled) < len(names)
    # Once there is no limit, the result is what it would have been without one.
    setting.github.left = 1000
    whole = setting.enrich(packages)
    assert "pending" not in statuses(whole).values()
