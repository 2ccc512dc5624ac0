"""What the tests of this folder share: a clock, a cache in memory, and a GitHub that answers by script."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import BaseAdapter

from pyf_pipeline.github.cache import CacheEntry
from pyf_pipeline.github.client import GitHubClient
from pyf_pipeline.github.links import RepositoryName

API = "https://api.github.example"
TOKEN = "a-token-that-must-not-be-seen"
UPDATED = "2026-03-01T12:00:00Z"


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now: float = 1_780_000_000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class MemoryCache:
    """A cache that counts; `fail_after` makes it as if the process had been killed then."""

    def __init__(self, entries: Iterable[CacheEntry] = ()) -> None:
        self.entries = {entry.key: entry for entry in entries}
        self.writes = 0
        self.fail_after: int | None = None

    def get_many(self, keys: Iterable[str]) -> Mapping[str, CacheEntry]:
        return {key: self.entries[key] for key in keys if key in self.entries}

    def put_many(self, entries: Iterable[CacheEntry]) -> None:
        if self.fail_after is not None and self.writes >= self.fail_after:
            raise KeyboardInterrupt
        self.writes += 1
        for entry in entries:
            # What is kept must survive the way through a store.
            self.entries[entry.key] = CacheEntry.from_json(entry.to_json())


@dataclass
class Call:
    """A request as it was sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any

    @property
    def names(self) -> list[str]:
        """The repositories that a GraphQL query asks for."""
        variables = self.body["variables"]
        return [f"{variables[f'owner{n}']}/{variables[f'name{n}']}" for n in range(len(variables) // 2)]


@dataclass
class Scripted(BaseAdapter):
    """Answers requests by calling `handler`, which gives (status, body, headers) or an exception to raise."""

    handler: Callable[[Call], tuple[int, Any, dict[str, str]] | Exception]
    calls: list[Call] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = json.loads(request.body) if request.body else None
        call = Call(request.method or "", request.url or "", dict(request.headers), body)
        self.calls.append(call)
        answer = self.handler(call)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, content, headers = answer
        response._content = content if isinstance(content, bytes) else json.dumps(content).encode()
        response.headers.update(headers)
        response.request, response.url = request, call.url
        return response

    def close(self) -> None:
        """Nothing is open."""


def client_of(
    handler: Callable[[Call], tuple[int, Any, dict[str, str]] | Exception],
    clock: Clock | None = None,
    *,
    token: str | None = TOKEN,
    api_url: str = API,
    cool_off: float = 0,
) -> tuple[GitHubClient, Scripted]:
    clock = clock or Clock()
    session = requests.Session()
    adapter = Scripted(handler)
    session.mount("https://", adapter)
    client = GitHubClient(
        api_url,
        token,
        user_agent="tests",
        cool_off=cool_off,
        session=session,
        now=clock.now,
        sleep=clock.sleep,
    )
    return client, adapter


def figures(full_name: str, stars: int = 7) -> dict[str, Any]:
    """A repository as GraphQL gives it."""
    return {
        "nameWithOwner": full_name,
        "url": f"https://github.com/{full_name}",
        "stargazerCount": stars,
        "watchers": {"totalCount": 3},
        "issues": {"totalCount": 4},
        "pullRequests": {"totalCount": 2},
        "updatedAt": UPDATED,
        "isArchived": False,
    }


def rest_figures(full_name: str, stars: int = 7) -> dict[str, Any]:
    """The same repository as REST gives it, with the fields that mislead."""
    return {
        "id": 1,
        "full_name": full_name,
        "html_url": f"https://github.com/{full_name}",
        "stargazers_count": stars,
        "watchers_count": stars,
        "watchers": stars,
        "subscribers_count": 3,
        "open_issues_count": 6,
        "updated_at": UPDATED,
        "pushed_at": "2020-01-01T00:00:00Z",
        "archived": False,
    }


def graphql_answer(
    call: Call,
    *,
    gone: Iterable[str] = (),
    renamed: Mapping[str, str] | None = None,
    broken: Mapping[str, dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any, dict[str, str]]:
    """What GitHub answers a query for many: figures, nulls with a reason, and the cost."""
    data: dict[str, Any] = {"rateLimit": {"cost": 1}}
    errors = []
    reasons = {name: {"type": "NOT_FOUND", "message": f"Could not resolve {name}"} for name in gone} | dict(
        broken or {}
    )
    for n, name in enumerate(call.names):
        if name in reasons:
            data[f"r{n}"] = None
            errors.append({"path": [f"r{n}"], **reasons[name]})
        else:
            data[f"r{n}"] = figures((renamed or {}).get(name, name))
    return 200, {"data": data, **({"errors": errors} if errors else {})}, headers or {}


def names(count: int, prefix: str = "some/thing") -> list[RepositoryName]:
    return [RepositoryName(*f"{prefix}{n}".split("/")) for n in range(count)]
