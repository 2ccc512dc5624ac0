"""What the tests of this folder share: a clock, records in memory, and a pypistats that answers by script."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests
from requests.adapters import BaseAdapter

from pyf_pipeline.catalog.model import DownloadRecord
from pyf_pipeline.pypistats.client import PyPIStatsClient

URL = "https://stats.example"
START = 1_780_000_000.0

Answer = tuple[int, Any, dict[str, str]] | Exception


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now: float = START) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@dataclass
class Turns:
    """Lets a call through every two seconds, and notes the pauses that were asked for."""

    clock: Clock
    held: list[float] = field(default_factory=list)
    next_at: float = 0.0

    @contextmanager
    def call(self, until: float | None = None) -> Iterator[None]:
        if until is not None and self.next_at > until:
            raise TimeoutError("too long")
        self.clock.time = max(self.clock.time, self.next_at)
        yield
        self.next_at = max(self.next_at, self.clock.time + 2)

    def hold(self, seconds: float) -> None:
        self.held.append(seconds)
        self.next_at = max(self.next_at, self.clock.time + seconds)


class MemoryRecords:
    """Records that are kept in memory; after `fail_after` of them it is as if the process had been killed."""

    def __init__(self, *records: DownloadRecord, fail_after: int | None = None) -> None:
        self.kept = {record.name: record for record in records}
        self.writes = 0
        self.fail_after = fail_after

    def get_many(self, names: Iterable[str]) -> Mapping[str, DownloadRecord]:
        return {name: self.kept[name] for name in names if name in self.kept}

    def put(self, record: DownloadRecord) -> None:
        if self.writes == self.fail_after:
            raise KeyboardInterrupt
        self.writes += 1
        self.kept[record.name] = record


@dataclass
class Scripted(BaseAdapter):
    """Answers requests by calling `handler` with the project's name; it gives (status, body, headers) or an error."""

    handler: Callable[[str], Answer]
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        name = (request.url or "").removeprefix(f"{URL}/api/packages/").removesuffix("/recent")
        self.asked.append(name)
        self.agents.add(request.headers["User-Agent"])
        answer = self.handler(name)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, content, headers = answer
        response._content = content if isinstance(content, bytes) else orjson.dumps(content)
        response.headers.update(headers)
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Nothing is open."""


def client_of(
    handler: Callable[[str], Answer], clock: Clock | None = None
) -> tuple[PyPIStatsClient, Scripted, Turns, Clock]:
    clock = clock or Clock()
    turns, adapter, session = Turns(clock), Scripted(handler), requests.Session()
    session.mount("https://", adapter)
    client = PyPIStatsClient(URL, turns, user_agent="tests", session=session, now=clock.now, sleep=clock.sleep)
    return client, adapter, turns, clock


def figures(name: str, day: int = 1, week: int = 7, month: int = 30) -> dict[str, Any]:
    """An answer as pypistats gives it."""
    data = {"last_day": day, "last_week": week, "last_month": month}
    return {"data": data, "package": name, "type": "recent_downloads"}


def well(name: str) -> Answer:
    """The handler of a pypistats that knows everything."""
    return 200, figures(name), {}
