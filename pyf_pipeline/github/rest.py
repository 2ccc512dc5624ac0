"""GitHub's REST interface: the figures of one repository a call, free of charge where nothing has changed."""

from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.answers import Answer, FullName, Timestamp, WebAddress
from pyf_pipeline.github.errors import GitHubUnavailableError, TroubledError
from pyf_pipeline.github.limits import message_of
from pyf_pipeline.github.links import RepositoryName

# Gone, or withheld for legal reasons.
_NOTHING_THERE = frozenset({404, 410, 451})


class _Figures(BaseModel):
    """The part of REST's repository that counts; `subscribers_count` are the watchers, `watchers_count` are stars."""

    model_config = ConfigDict(strict=True)

    full_name: FullName
    html_url: WebAddress
    stargazers_count: int
    subscribers_count: int
    open_issues_count: int
    updated_at: Timestamp
    archived: bool

    def repository(self, fetched_at: int) -> Repository:
        return Repository(
            full_name=self.full_name,
            url=self.html_url,
            stars=self.stargazers_count,
            watchers=self.subscribers_count,
            open_issues=self.open_issues_count,
            updated=int(self.updated_at.timestamp()),
            archived=self.archived,
            fetched_at=fetched_at,
        )


def endpoint(api_url: str, name: RepositoryName) -> str:
    """The address of a repository; a rename is answered there by a redirect."""
    return f"{api_url.rstrip('/')}/repos/{quote(name.owner, safe='')}/{quote(name.name, safe='')}"


def read(name: RepositoryName, status: int, body: Any, etag: str | None, fetched_at: int) -> Answer:
    """Read an answer.

    Raises:
        TroubledError: It makes no sense; asking again may help.
        GitHubUnavailableError: It is a refusal that has nothing to do with limits.
    """
    if status == 304:
        return Answer(name, "unchanged", etag=etag)
    if status in _NOTHING_THERE or (status == 403 and isinstance(body, dict) and "block" in body):
        return Answer(name, "not_found", detail=message_of(body) or f"HTTP {status}")
    if status != 200:
        said = message_of(body) or "no reason given"
        raise GitHubUnavailableError(
            f"GitHub answers HTTP {status} for {name.full_name} ({said}): check GITHUB_API_URL"
        )
    try:
        return Answer(name, "ok", _Figures.model_validate(body).repository(fetched_at), etag)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise TroubledError(f"GitHub's answer is not usable: {where}: {first['msg']}") from None
