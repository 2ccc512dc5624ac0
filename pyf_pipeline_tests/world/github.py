"""The state of the stand-in GitHub: repositories with their figures, renames, quotas, and the truth for tests."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pyf_pipeline_tests.world.ecosystem import END, Ecosystem, RepositorySpec, popularity

_FIRST_ID = 40_000_000
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Figures:
    """What GitHub knows of a repository.

    Attributes:
        owner: The owner's login, as it is written.
        name: The name now.
        id: GitHub's number of it, which survives renames.
        stars: Stargazers.
        watchers: Watchers: REST's `subscribers_count`, GraphQL's `watchers.totalCount`.
        issues: Open issues without pull requests.
        pull_requests: Open pull requests.
        updated: REST's `updated_at`, GraphQL's `updatedAt`, in epoch seconds.
        pushed: Time of the last push, in epoch seconds.
        archived: Whether it is archived.
    """

    owner: str
    name: str
    id: int
    stars: int
    watchers: int
    issues: int
    pull_requests: int
    updated: int
    pushed: int
    archived: bool

    @property
    def name_with_owner(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def url(self) -> str:
        """The canonical address of its page."""
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def open_issues(self) -> int:
        """REST's `open_issues_count`, which counts pull requests too."""
        return self.issues + self.pull_requests


@dataclass(slots=True)
class Quota:
    """Points or requests that a client has in a window.

    Attributes:
        limit: How many in a window.
        window: Length of a window in seconds.
        remaining: How many are left in the current one.
        reset_at: When the current window ends, in epoch seconds.
    """

    limit: int
    window: int = 3600
    remaining: int = 0
    reset_at: int = 0

    def __post_init__(self) -> None:
        self.remaining, self.reset_at = self.limit, 0

    def refresh(self) -> None:
        """Begin a new window where the last one has ended."""
        now = time.time()
        if now >= self.reset_at:
            if self.reset_at:
                self.remaining = self.limit
            self.reset_at = int(now) + self.window

    def take(self, cost: int) -> bool:
        """Whether `cost` could be taken."""
        self.refresh()
        if self.remaining < cost:
            return False
        self.remaining -= cost
        return True


class UnknownRepositoryError(LookupError):
    """No repository of that name is in the world."""


class GitHub:
    """The repositories, changeable from any thread.

    Args:
        ecosystem: Where they come from.
        linked: Gives the repository that a project's current links mean.

    Attributes:
        token: The token that is accepted.
        points: GraphQL's quota of points.
        core: REST's quota for requests with the token.
        anonymous: REST's quota for requests without.
        max_repositories: Repositories in one GraphQL query above which the answer is 502.
        anonymous_304_free: Whether a 304 without a token leaves the quota alone, too. GitHub's documentation promises
            it for requests with a token.
        rate_limit_type: The type of GraphQL's error at the end of the quota: `RATE_LIMITED`, or the newer `RATE_LIMIT`.
    """

    def __init__(self, ecosystem: Ecosystem, linked: Callable[[str], tuple[str, str] | None]) -> None:
        self._linked = linked
        self.lock = threading.RLock()
        self.token = "stand-in-token"
        self.points = Quota(5_000)
        self.core = Quota(5_000)
        self.anonymous = Quota(60)
        self.max_repositories = 300
        self.anonymous_304_free = True
        self.rate_limit_type = "RATE_LIMITED"
        self._seed = ecosystem.seed
        self._figures: dict[int, Figures] = {}
        self._specs: dict[int, RepositorySpec] = {}
        self._ids: dict[str, int] = {}
        self._fill(ecosystem)

    def _fill(self, ecosystem: Ecosystem) -> None:
        for position, spec in enumerate(ecosystem.repositories):
            number = _FIRST_ID + position * 7
            self._specs[number] = spec
            if not spec.vanished:
                self._ids[_key(spec.owner, spec.name)] = number
                self._ids[_key(*spec.linked_as)] = number

    # What is there

    def by_id(self, number: int) -> Figures | None:
        """The repository of a number."""
        with self.lock:
            if number in self._figures:
                return self._figures[number]
            spec = self._specs.get(number)
            if spec is None or spec.vanished:
                return None
            self._figures[number] = self._draw(number, spec)
            return self._figures[number]

    def truth(self, owner: str, name: str) -> Figures | None:
        """The repository of a name now or before it was renamed, without regard to case; None where there is none."""
        with self.lock:
            number = self._ids.get(_key(owner, name))
            return None if number is None else self.by_id(number)

    def repository_of(self, project: str) -> str | None:
        """The "owner/name" that a project's current links mean, as they write it; the repository may be gone."""
        pair = self._linked(project)
        return "/".join(pair) if pair else None

    @property
    def remaining(self) -> int:
        """GraphQL points left in the window."""
        self.points.refresh()
        return self.points.remaining

    @remaining.setter
    def remaining(self, value: int) -> None:
        self.points.refresh()
        self.points.remaining = value

    def _draw(self, number: int, spec: RepositorySpec) -> Figures:
        rng = random.Random(f"{self._seed}/{spec.owner}/{spec.name}")
        stars = popularity(rng)
        pushed = END - int(rng.expovariate(1 / (300 * _DAY)))
        return Figures(
            owner=spec.owner,
            name=spec.name,
            id=number,
            stars=stars,
            watchers=rng.randint(1, 3 + stars // 10),
            issues=rng.randint(0, 4 + stars // 20),
            pull_requests=rng.randint(0, 2 + stars // 100),
            updated=pushed + rng.randint(0, 40 * _DAY),
            pushed=pushed,
            archived=spec.archived,
        )

    # What changes it

    def create(self, owner: str, name: str, **figures: Any) -> Figures:
        """A new repository; figures that are not given are 0 or now."""
        with self.lock:
            number = max(self._specs, default=_FIRST_ID) + 7
            now = int(time.time())
            blank = Figures(owner, name, number, 0, 1, 0, 0, now, now, archived=False)
            self._specs[number] = RepositorySpec(owner, name, (owner, name))
            self._figures[number] = replace(blank, **figures)
            self._ids[_key(owner, name)] = number
            return self._figures[number]

    def set(self, owner: str, name: str, **figures: Any) -> Figures:
        """Set figures of a repository; for their names see `Figures`."""
        with self.lock:
            current = self._existing(owner, name)
            self._figures[current.id] = replace(current, **figures)
            return self._figures[current.id]

    def archive(self, owner: str, name: str) -> Figures:
        """Archive a repository."""
        return self.set(owner, name, archived=True)

    def rename(self, owner: str, name: str, new_name: str, new_owner: str | None = None) -> Figures:
        """Rename a repository, or move it to another owner; the old name leads to it from then on."""
        with self.lock:
            current = self._existing(owner, name)
            moved = replace(current, owner=new_owner or current.owner, name=new_name)
            self._figures[current.id] = moved
            self._ids[_key(moved.owner, moved.name)] = current.id
            return moved

    def vanish(self, owner: str, name: str) -> None:
        """Delete a repository, or make it private: the same to a stranger."""
        with self.lock:
            gone = self._existing(owner, name)
            self._ids = {key: number for key, number in self._ids.items() if number != gone.id}
            self._figures.pop(gone.id, None)
            self._specs.pop(gone.id, None)

    def _existing(self, owner: str, name: str) -> Figures:
        figures = self.truth(owner, name)
        if figures is None:
            raise UnknownRepositoryError(f"no repository {owner}/{name} in this world")
        return figures


def _key(owner: str, name: str) -> str:
    return f"{owner}/{name}".lower()


def iso(seconds: int) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
