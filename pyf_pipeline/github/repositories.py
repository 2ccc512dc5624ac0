"""Repositories by name: from the cache where that is fresh, from GitHub where it is not."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from pyf_pipeline.github.answers import Answer
from pyf_pipeline.github.cache import CacheEntry, Freshness, RepositoryCache, entries_for
from pyf_pipeline.github.errors import GitHubDownError, RateLimitedError
from pyf_pipeline.github.links import RepositoryName

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
# How often a window of the limit is waited for without any answer in it.
VAIN_WAITS = 3


class LooksUp(Protocol):
    """What is needed of a client."""

    def look_up(
        self, names: Iterable[RepositoryName], etags: Mapping[str, str] | None = None
    ) -> Iterator[list[Answer]]:
        """Ask for repositories, giving the answers as they come."""

    def wait_until(self, when: float) -> None:
        """Sleep until a time, in epoch seconds."""


class Repositories:
    """The repositories of one run: each is asked for at most once, and kept as its answer arrives.

    Attributes:
        entries: What is known and good, by key.
        pending: Why there was no answer, by key.
        asked: How many repositories GitHub gave an answer for.
        cached: How many came from the cache.
        stopped: What keeps GitHub from being asked any further in this run, if something does.
    """

    def __init__(
        self,
        client: LooksUp,
        cache: RepositoryCache,
        *,
        freshness: Freshness,
        now: Callable[[], float],
        wait_for_limit: bool,
        progress: Progress,
    ) -> None:
        self.entries: dict[str, CacheEntry] = {}
        self.pending: dict[str, str] = {}
        self.asked = 0
        self.cached = 0
        self.stopped: RateLimitedError | GitHubDownError | None = None
        self._outdated: dict[str, CacheEntry] = {}
        self._client = client
        self._cache = cache
        self._freshness = freshness
        self._now = now
        self._wait_for_limit = wait_for_limit
        self._progress = progress

    def resolve(self, names: Iterable[RepositoryName]) -> None:
        """See to it that each of these is in `entries` or in `pending`.

        Raises:
            BadTokenError: GitHub refuses the token.
            GitHubUnavailableError: What answers is not GitHub, or wants a token.
        """
        missing = {name.key: name for name in names if not self.is_settled(name)}
        remembered = self._cache.get_many(missing) if missing else {}
        for key, entry in remembered.items():
            if self._freshness.is_fresh(entry, self._now()):
                self.entries[key] = entry
                self.cached += 1
                del missing[key]
            else:
                self._outdated[key] = entry
        self._ask(missing)

    def is_settled(self, name: RepositoryName) -> bool:
        """Whether there is nothing more to be learnt of it in this run."""
        return name.key in self.entries or name.key in self.pending

    def last_known(self, name: RepositoryName) -> CacheEntry | None:
        """What is known of it, outdated or not."""
        return self.entries.get(name.key) or self._outdated.get(name.key)

    def _ask(self, missing: dict[str, RepositoryName]) -> None:
        """Those that have been missing longest come first: without a token there are 60 an hour."""
        total = len(missing)
        waits = 0
        while missing and self.stopped is None:
            before = len(missing)
            try:
                for answers in self._client.look_up(self._longest_missing_first(missing), self._etags(missing)):
                    self._remember(answers, missing)
                    self._progress("github", total - len(missing), total)
                break
            except RateLimitedError as error:
                waits = waits + 1 if len(missing) == before else 1
                if not self._wait_for_limit or waits > VAIN_WAITS:
                    self.stopped = error
                else:
                    logger.warning("%s; waiting for it", error)
                    self._client.wait_until(error.reset_at)
            except GitHubDownError as error:
                self.stopped = error
        reason = "GitHub's limit is used up" if isinstance(self.stopped, RateLimitedError) else "GitHub gave no answer"
        self.pending |= dict.fromkeys(missing, reason)

    def _longest_missing_first(self, missing: Mapping[str, RepositoryName]) -> list[RepositoryName]:
        def checked_at(key: str) -> int:
            return self._outdated[key].checked_at if key in self._outdated else -1

        return [missing[key] for key in sorted(missing, key=checked_at)]

    def _etags(self, missing: Iterable[str]) -> dict[str, str]:
        entries = (self._outdated.get(key) for key in missing)
        return {entry.key: entry.etag for entry in entries if entry is not None and entry.etag is not None}

    def _remember(self, answers: Iterable[Answer], missing: dict[str, RepositoryName]) -> None:
        kept: dict[str, CacheEntry] = {}
        for answer in answers:
            key = answer.name.key
            missing.pop(key, None)
            if answer.status == "unanswered":
                self.pending[key] = answer.detail
                continue
            entries = entries_for(answer, self._outdated.get(key), int(self._now()))
            if not entries:
                self.pending[key] = "GitHub says that it is unchanged, but nothing is known of it"
                continue
            self.asked += 1
            for entry in entries:
                # What GitHub says of a name itself counts more than what it says of it in passing.
                if entry.key == key or entry.key not in kept:
                    kept[entry.key] = entry
        if kept:
            self._cache.put_many(kept.values())
            self.entries |= kept
