"""What is remembered of repositories between runs, for all profiles, and for how long it is good."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pydantic import TypeAdapter

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.answers import Answer

DAY = 24 * 3600
# How long a repository that vanished keeps its last figures.
KEPT_SECONDS = 30 * DAY


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What GitHub last said of a repository.

    Attributes:
        key: `owner/name` in lower case, as it was asked for: a renamed repository has an entry under each name.
        status: Whether there is such a repository.
        repository: Its figures, where there is.
        etag: The ETag of REST's answer, if the figures are from there.
        checked_at: When GitHub said so, in epoch seconds.
        last_ok: The last figures of one that has vanished.
        gone_since: When it was first found to have vanished, in epoch seconds.
    """

    key: str
    status: Literal["ok", "not_found"]
    repository: Repository | None
    etag: str | None
    checked_at: int
    last_ok: Repository | None = None
    gone_since: int | None = None

    def to_json(self) -> str:
        """The entry as JSON, for stores that keep text."""
        return _ENTRY.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "CacheEntry":
        """The entry that `to_json` wrote.

        Raises:
            pydantic.ValidationError: It did not.
        """
        return _ENTRY.validate_json(text)

    def figures(self, now: float) -> Repository | None:
        """The figures that count: those of a vanished repository for 30 days longer; their date tells their age."""
        if self.status == "ok":
            return self.repository
        kept = self.gone_since is not None and now - self.gone_since < KEPT_SECONDS
        return self.last_ok if kept else None


_ENTRY = TypeAdapter(CacheEntry)


class RepositoryCache(Protocol):
    """Where entries are kept, shared by all profiles and by several processes at once."""

    def get_many(self, keys: Iterable[str]) -> Mapping[str, CacheEntry]:
        """The entries that there are, by key."""

    def put_many(self, entries: Iterable[CacheEntry]) -> None:
        """Keep entries, in place of those of the same keys; durable when it returns."""


@dataclass(frozen=True)
class Freshness:
    """For how long an entry is good.

    Attributes:
        max_age: Seconds for which figures are.
        not_found_age: Seconds for which the absence of a repository is.
        refresh: Nothing is good.
    """

    max_age: float
    not_found_age: float = 7 * DAY
    refresh: bool = False

    def is_fresh(self, entry: CacheEntry, now: float) -> bool:
        """Whether GitHub need not be asked again."""
        limit = self.max_age if entry.status == "ok" else self.not_found_age
        # An entry from the future was written by a clock that was wrong; it must not be good for ever.
        return not self.refresh and abs(now - entry.checked_at) < limit


def entries_for(answer: Answer, previous: CacheEntry | None, now: int) -> list[CacheEntry]:
    """What to remember of an answer: one entry, and another under today's name where that is not the one asked for.

    Args:
        answer: Anything but "unanswered", of which there is nothing to remember.
        previous: What was remembered under the name that was asked for.
        now: The time, in epoch seconds.
    """
    key = answer.name.key
    if answer.status == "not_found":
        return [_vanished(key, previous, now)]
    repository = answer.repository
    if answer.status == "unchanged" and previous is not None and previous.repository is not None:
        repository = replace(previous.repository, fetched_at=now)
    if repository is None:
        return []
    known_etag = previous.etag if previous is not None and answer.status == "unchanged" else None
    entry = CacheEntry(key, "ok", repository, answer.etag or known_etag, now)
    current = repository.full_name.lower()
    return [entry] if current == key else [entry, replace(entry, key=current)]


def _vanished(key: str, previous: CacheEntry | None, now: int) -> CacheEntry:
    if previous is None:
        return CacheEntry(key, "not_found", None, None, now)
    if previous.status == "not_found":
        return replace(previous, checked_at=now)
    return CacheEntry(key, "not_found", None, None, now, last_ok=previous.repository, gone_since=now)
