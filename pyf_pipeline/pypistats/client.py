"""Asking pypistats, gently: every call waits for its turn, and a pause that it asks for is kept by everybody."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from pyf_pipeline.catalog.model import Downloads
from pyf_pipeline.pypistats import recent
from pyf_pipeline.pypistats.errors import OutOfTimeError, RefusedError, UnusableAnswerError

CONNECT_SECONDS = 10
READ_SECONDS = 30
# How often a project is asked for before it counts as failed, or a refusal as lasting.
TRIES = 3
BACKOFF_SECONDS = 1.0
# Its limit counts the calls of a minute; the answer over the limit need not say how much of that is left.
UNSAID_SECONDS = 60.0
# Whoever is told to stay away for longer does not wait, but comes again with another run.
PATIENCE_SECONDS = 120.0


class Pace(Protocol):
    """What lets calls through as often as they are allowed, for whoever calls."""

    def call(self, until: float | None = None) -> AbstractContextManager[None]:
        """Make one call inside; a TimeoutError where it is not allowed before a time, in epoch seconds."""

    def hold(self, seconds: float) -> None:
        """Have nobody call for so many seconds."""


class PyPIStatsClient:
    """Looks up how often projects were downloaded.

    Args:
        url: Where pypistats answers.
        pace: How often it may be asked.
        user_agent: Who asks.
        session: A session to use instead of an own one.
        now: The time, in epoch seconds.
        sleep: Waits for seconds.

    Attributes:
        calls: Requests sent.
        problems: How often each kind of trouble was met.
    """

    def __init__(
        self,
        url: str,
        pace: Pace,
        *,
        user_agent: str,
        session: requests.Session | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.calls = 0
        self.problems: Counter[str] = Counter()
        self._held = 0.0
        self._url = url
        self._pace = pace
        self._now = now
        self._sleep = sleep
        self._session = session or requests.Session()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def recent(self, name: str, until: float) -> Downloads | None:
        """How often a project was downloaded lately; None where pypistats does not know it.

        Args:
            name: Its normalised name.
            until: When to have given up waiting for one's turn, in epoch seconds.

        Raises:
            UnusableAnswerError: There was none that could be used, several times.
            RefusedError: pypistats refuses to answer.
            OutOfTimeError: It may not be asked before `until`.
        """
        for tried in range(TRIES):
            last = tried == TRIES - 1
            try:
                return self._ask(name, until)
            except UnusableAnswerError as error:
                self.problems[str(error)] += 1
                if last or not error.passing:
                    raise
            except RefusedError as error:
                self.problems[str(error)] += 1
                if last or self._held > PATIENCE_SECONDS:
                    raise
            self._sleep(BACKOFF_SECONDS * 2**tried)
        raise AssertionError("the last try returns or raises")

    def _ask(self, name: str, until: float) -> Downloads | None:
        response = self._send(name, until)
        status = response.status_code
        if status == 404:
            return None
        if status == 200:
            return recent.read(name, response.content, int(self._now()))
        if status in {429, 503}:
            self._hold(response)
        if status == 429:
            raise RefusedError("it wants fewer calls (HTTP 429)")
        raise UnusableAnswerError(f"HTTP {status}", passing=status >= 500)

    def _send(self, name: str, until: float) -> requests.Response:
        try:
            with self._pace.call(until):
                self.calls += 1
                return self._session.get(recent.endpoint(self._url, name), timeout=(CONNECT_SECONDS, READ_SECONDS))
        except TimeoutError as error:
            raise OutOfTimeError(str(error)) from None
        except requests.RequestException as error:
            raise UnusableAnswerError(_name(error)) from None

    def _hold(self, response: requests.Response) -> None:
        """Take the pause that an answer asks for; others than these tell of the limit, too, as if it were one."""
        unsaid = UNSAID_SECONDS if response.status_code == 429 else 0.0
        said = _retry_after(response.headers)
        self._held = unsaid if said is None else said
        if self._held:
            self._pace.hold(self._held)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return Retry().parse_retry_after(headers["Retry-After"])
    except (KeyError, InvalidHeader):
        return None


def _name(error: requests.RequestException) -> str:
    """What went wrong, without the address."""
    if isinstance(error, requests.Timeout):
        return "timed out"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "the answer was cut off"
    return "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__
