"""GitHub's GraphQL interface: the figures of many repositories in one query.

Names travel as variables, never as part of the query's text, so that none can change what is asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.answers import Answer, FullName, Reading, Timestamp, WebAddress
from pyf_pipeline.github.errors import TroubledError
from pyf_pipeline.github.limits import message_of
from pyf_pipeline.github.links import RepositoryName

# Open pull requests are counted among the open issues by REST, and nowhere by GraphQL.
_FIGURES = """
fragment Figures on Repository {
  nameWithOwner
  url
  stargazerCount
  watchers { totalCount }
  issues(states: OPEN) { totalCount }
  pullRequests(states: OPEN) { totalCount }
  updatedAt
  isArchived
}
"""
_CONNECTIONS = 3
# Of GitHub's reasons for a null, those that mean that there is nothing for us to see, today or tomorrow.
_NOTHING_THERE = frozenset({"NOT_FOUND", "FORBIDDEN"})
_TOO_LARGE = "RESOURCE_LIMITS_EXCEEDED"


class _Count(BaseModel):
    model_config = ConfigDict(strict=True)

    total: int = Field(alias="totalCount")


class _Figures(BaseModel):
    model_config = ConfigDict(strict=True)

    full_name: FullName = Field(alias="nameWithOwner")
    url: WebAddress
    stars: int = Field(alias="stargazerCount")
    watchers: _Count
    issues: _Count
    pull_requests: _Count = Field(alias="pullRequests")
    updated: Timestamp = Field(alias="updatedAt")
    archived: bool = Field(alias="isArchived")

    def repository(self, fetched_at: int) -> Repository:
        return Repository(
            full_name=self.full_name,
            url=self.url,
            stars=self.stars,
            watchers=self.watchers.total,
            open_issues=self.issues.total + self.pull_requests.total,
            updated=int(self.updated.timestamp()),
            archived=self.archived,
            fetched_at=fetched_at,
        )


def endpoint(api_url: str) -> str:
    """The address of GraphQL beside that of REST, for github.com and for GitHub Enterprise Server (`…/api/v3`)."""
    base = api_url.rstrip("/")
    return f"{base.removesuffix('/v3') if base.endswith('/api/v3') else base}/graphql"


def query(size: int) -> str:
    """The query for a number of repositories, in the variables `$owner0`, `$name0` and so on."""
    variables = ", ".join(f"$owner{n}: String!, $name{n}: String!" for n in range(size))
    fields = "\n".join(f"  r{n}: repository(owner: $owner{n}, name: $name{n}) {{ ...Figures }}" for n in range(size))
    return f"query ({variables}) {{\n  rateLimit {{ cost }}\n{fields}\n}}{_FIGURES}"


def request_body(names: Sequence[RepositoryName]) -> dict[str, Any]:
    """The body of the POST that asks for these repositories."""
    variables: dict[str, str] = {}
    for n, name in enumerate(names):
        variables |= {f"owner{n}": name.owner, f"name{n}": name.name}
    return {"query": query(len(names)), "variables": variables}


def affordable(points: int) -> int:
    """How many repositories a query may ask for to cost no more than these points; at least one."""
    return max(1, points * 100 // _CONNECTIONS)


def read(body: Any, names: Sequence[RepositoryName], fetched_at: int) -> Reading:
    """Read an answer, repository by repository: what went wrong with one leaves the others good.

    Raises:
        TroubledError: The answer as a whole holds nothing.
    """
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise TroubledError(message_of(body) or "the answer holds no data")
    errors = _errors_by_alias(body)
    answers: list[Answer] = []
    unanswered: dict[RepositoryName, str] = {}
    for n, name in enumerate(names):
        answer = _answer(name, data.get(f"r{n}"), errors.get(f"r{n}", {}), fetched_at)
        if isinstance(answer, Answer):
            answers.append(answer)
        else:
            unanswered[name] = answer
    too_large = any(error.get("type") == _TOO_LARGE for error in errors.values())
    return Reading(answers, unanswered, _cost(data), too_large)


def _answer(name: RepositoryName, figures: Any, error: Mapping[str, Any], fetched_at: int) -> Answer | str:
    """The answer for one repository, or why there is none."""
    said = str(error.get("message", ""))
    if figures is None and error.get("type") in _NOTHING_THERE:
        return Answer(name, "not_found", detail=said)
    if figures is None:
        return said or "GitHub answered nothing for it"
    try:
        return Answer(name, "ok", _Figures.model_validate(figures).repository(fetched_at))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        return f"GitHub's answer is not usable: {'.'.join(map(str, first['loc']))}: {first['msg']}"


def _errors_by_alias(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    errors = body.get("errors")
    found: dict[str, dict[str, Any]] = {}
    for error in errors if isinstance(errors, list) else []:
        path = error.get("path") if isinstance(error, dict) else None
        if isinstance(path, list) and path:
            found.setdefault(str(path[0]), error)
    return found


def _cost(data: dict[str, Any]) -> int:
    limit = data.get("rateLimit")
    cost = limit.get("cost") if isinstance(limit, dict) else None
    return cost if isinstance(cost, int) else 0
