"""From packages and their links to GitHub's figures: what was found, and why there is nothing for the others."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.cache import DAY, CacheEntry, Freshness, RepositoryCache
from pyf_pipeline.github.client import GitHubClient
from pyf_pipeline.github.links import LinkChoice, RepositoryName
from pyf_pipeline.github.repositories import Progress, Repositories

Status = Literal["enriched", "no_link", "not_a_repository", "not_found", "pending"]
OlderLinks = Callable[[Sequence[str]], Mapping[str, Sequence[RepositoryName]]]


@dataclass(frozen=True, slots=True)
class WantedPackage:
    """A package that is to be enriched.

    Attributes:
        project: What the caller knows it by.
        links: What its links say.
    """

    project: str
    links: LinkChoice


@dataclass(frozen=True, slots=True)
class PackageOutcome:
    """What became of a package.

    Attributes:
        project: What the caller knows it by.
        status: `enriched`; or no link leads to GitHub, or none of those that do names a repository, or all that are
            named are gone, or GitHub has yet to be asked.
        repository: The figures. Besides those of `enriched` packages there may be older ones: the last known of a
            pending package, and those of a vanished repository for 30 days. `fetched_at` tells their age.
        asked_for: The names that were tried, in that order.
        links_seen: All links of the package.
        detail: Why the package is pending.
    """

    project: str
    status: Status
    repository: Repository | None
    asked_for: tuple[str, ...]
    links_seen: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True)
class EnrichmentResult:
    """What an enrichment came to.

    Attributes:
        outcomes: One for each wanted package, in their order.
        asked: Repositories for which GitHub answered in this run.
        cached: Repositories that were known well enough.
        calls: Requests to GitHub.
        points: What they cost of the hourly limit.
        limit: The hourly limit, as far as known.
        remaining: What is left of it.
        reset_at: When it resets, in epoch seconds.
        warnings: What an operator should know.
    """

    outcomes: tuple[PackageOutcome, ...]
    asked: int
    cached: int
    calls: int
    points: int
    limit: int | None
    remaining: int | None
    reset_at: int | None
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[Status, int]:
        """How many packages there are of each status."""
        found = Counter(outcome.status for outcome in self.outcomes)
        statuses: tuple[Status, ...] = ("enriched", "no_link", "not_a_repository", "not_found", "pending")
        return {status: found[status] for status in statuses}

    @property
    def coverage(self) -> float:
        """The share of enriched packages among those whose links name a repository; 1 where there are none."""
        linked = [outcome for outcome in self.outcomes if outcome.status in {"enriched", "not_found", "pending"}]
        return sum(outcome.status == "enriched" for outcome in linked) / len(linked) if linked else 1.0

    def most_starred(self, count: int = 10) -> list[Repository]:
        """The repositories with the most stars, each once."""
        found = {outcome.repository.full_name: outcome.repository for outcome in self.outcomes if outcome.repository}
        return sorted(found.values(), key=lambda repository: (-repository.stars, repository.full_name))[:count]


@dataclass
class _Attempt:
    """The way through one package's candidates."""

    wanted: WantedPackage
    candidates: list[RepositoryName]
    tried: list[RepositoryName] = field(default_factory=list)
    found: CacheEntry | None = None

    def advance(self, repositories: Repositories) -> None:
        """Go past candidates that are known to be gone, up to one that is not or is yet to be asked for."""
        while (name := self.next()) is not None and repositories.is_settled(name):
            entry = repositories.entries.get(name.key)
            if entry is None:
                return
            self.tried.append(name)
            if entry.status == "ok":
                self.found = entry
                return
            self._try_its_later_name(entry)

    def next(self) -> RepositoryName | None:
        """The candidate to ask for, if the search is not over."""
        return self.candidates[0] if self.found is None and self._drop_tried() else None

    def add(self, names: Iterable[RepositoryName]) -> None:
        """Further candidates, after all others."""
        self.candidates.extend(names)

    def _drop_tried(self) -> bool:
        keys = {name.key for name in self.tried}
        self.candidates = [name for name in self.candidates if name.key not in keys]
        return bool(self.candidates)

    def _try_its_later_name(self, entry: CacheEntry) -> None:
        """GitHub forgets a redirect when the old name is used anew and given up again; the new name still stands."""
        if entry.last_ok is not None:
            owner, _, name = entry.last_ok.full_name.partition("/")
            self.candidates.insert(1, RepositoryName(owner, name))


def enrich(
    wanted: Iterable[WantedPackage],
    client: GitHubClient,
    cache: RepositoryCache,
    *,
    max_age: float,
    not_found_age: float = 7 * DAY,
    refresh: bool = False,
    wait_for_limit: bool = False,
    older_links: OlderLinks | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
    now: Callable[[], float] = time.time,
) -> EnrichmentResult:
    """Find each package's repository and its figures, asking GitHub for as little as possible.

    What GitHub answers is kept in the cache as it comes, so a run that is killed or fails has not asked in vain.
    Where the limit is used up or GitHub is down, the packages that remain are pending, with the last known figures, and
    the result says why: what there is can be published.

    Args:
        wanted: The packages.
        client: How GitHub is asked.
        cache: What is known already.
        max_age: Seconds for which figures are good.
        not_found_age: Seconds for which it is good that there is no such repository.
        refresh: Ask for everything, once, whatever is known.
        wait_for_limit: Sleep until the limit resets and go on, instead of leaving packages pending.
        older_links: Gives, for projects whose repositories are all gone, those that older metadata names.
        progress: Told ("github", repositories answered, repositories to ask for), in each of a few rounds.
        now: The time, in epoch seconds.

    Raises:
        BadTokenError: GitHub refuses the token.
        GitHubUnavailableError: What answers is not GitHub, or wants a token.
    """
    before = (client.traffic.calls, client.traffic.points)
    repositories = Repositories(
        client,
        cache,
        freshness=Freshness(max_age, not_found_age, refresh),
        now=now,
        wait_for_limit=wait_for_limit,
        progress=progress,
    )
    attempts = [_Attempt(package, list(package.links.candidates)) for package in wanted]
    _search(attempts, repositories)
    if older_links is not None:
        _search_older(attempts, repositories, older_links)
    outcomes = tuple(_outcome(attempt, repositories, now()) for attempt in attempts)
    return EnrichmentResult(
        outcomes,
        asked=repositories.asked,
        cached=repositories.cached,
        calls=client.traffic.calls - before[0],
        points=client.traffic.points - before[1],
        limit=client.quota.limit,
        remaining=client.quota.remaining,
        reset_at=client.quota.reset_at,
        warnings=_warnings(repositories),
    )


def _search(attempts: Iterable[_Attempt], repositories: Repositories) -> None:
    """Round by round, ask for every package's next candidate, until each has one or none is left."""
    going = list(attempts)
    while going:
        repositories.resolve([name for attempt in going if (name := attempt.next()) is not None])
        for attempt in going:
            attempt.advance(repositories)
        going = [
            attempt for attempt in going if (name := attempt.next()) is not None and not repositories.is_settled(name)
        ]


def _search_older(attempts: Iterable[_Attempt], repositories: Repositories, older_links: OlderLinks) -> None:
    """For packages all of whose repositories are gone, go on with those that older metadata names."""
    gone = [attempt for attempt in attempts if attempt.tried and attempt.found is None and attempt.next() is None]
    if not gone:
        return
    older = older_links([attempt.wanted.project for attempt in gone])
    for attempt in gone:
        attempt.add(older.get(attempt.wanted.project, ()))
    _search(gone, repositories)


def _outcome(attempt: _Attempt, repositories: Repositories, now: float) -> PackageOutcome:
    links = attempt.wanted.links
    unanswered = attempt.next()
    tried = [*attempt.tried, *([unanswered] if unanswered else [])]
    status: Status = links.reason or "not_found"
    if attempt.found is not None:
        status, repository = "enriched", attempt.found.repository
    else:
        status = "pending" if unanswered else status
        repository = _last_figures(tried, repositories, now)
    return PackageOutcome(
        attempt.wanted.project,
        status,
        repository,
        tuple(name.full_name for name in tried),
        links.links_seen,
        repositories.pending[unanswered.key] if unanswered else "",
    )


def _last_figures(names: Iterable[RepositoryName], repositories: Repositories, now: float) -> Repository | None:
    for name in names:
        entry = repositories.last_known(name)
        if entry is not None and (figures := entry.figures(now)) is not None:
            return figures
    return None


def _warnings(repositories: Repositories) -> tuple[str, ...]:
    count = len(repositories.pending)
    if not count:
        return ()
    if repositories.stopped is not None:
        return (f"{count} repositories are pending: {repositories.stopped}",)
    reasons = ", ".join(sorted(set(repositories.pending.values())))
    return (f"{count} repositories are pending, GitHub did not answer for them ({reasons}): run again later",)
