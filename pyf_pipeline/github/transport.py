"""One call to GitHub: who asks, how often, and what the answer says of tokens and limits."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests
from requests.auth import AuthBase

from pyf_pipeline.github.errors import BadTokenError, GitHubUnavailableError, RateLimitedError, TroubledError
from pyf_pipeline.github.limits import UNSAID_SECONDS, Quota, Refusal, message_of, refusal

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10
# GitHub itself gives up on a query after ten seconds.
READ_SECONDS = 30
# The longest that a call sleeps by itself because GitHub wants fewer calls in a short time, and how often.
PATIENCE_SECONDS = 120
PATIENCE_TIMES = 3


@dataclass
class Traffic:
    """What one client has cost so far.

    Attributes:
        calls: Requests sent, followed redirects included.
        points: What they cost of the hourly limit.
        problems: What went wrong, in the order of its happening.
    """

    calls: int = 0
    points: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reply:
    """An answer that is no refusal.

    Attributes:
        status: The HTTP status.
        body: The JSON in it; None for a 304.
        etag: Its ETag, if it has one.
    """

    status: int
    body: Any
    etag: str | None


class _Bearer(AuthBase):
    """The token, or the lack of one: with this set, `requests` looks for none in a `.netrc`."""

    def __init__(self, token: str | None) -> None:
        self._header = f"Bearer {token}" if token else None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._header:
            request.headers["Authorization"] = self._header
        return request


class Transport:
    """Calls to one GitHub, one after the other."""

    def __init__(
        self,
        token: str | None,
        *,
        user_agent: str,
        cool_off: float,
        session: requests.Session | None,
        timeout: tuple[float, float],
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        token = _checked(token)
        self.has_token = token is not None
        self.traffic = Traffic()
        self.quota = Quota()
        self._cool_off = cool_off
        self._timeout = timeout
        self._now = now
        self._sleep = sleep
        self._last_call: float | None = None
        self._session = session or requests.Session()
        self._session.auth = _Bearer(token)
        self._session.headers.update(
            {
                "User-Agent": user_agent,
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            }
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def call(self, method: str, url: str, *, body: Any = None, etag: str | None = None) -> Reply:
        """Send one request, and again where GitHub wants a short pause first.

        Raises:
            BadTokenError: The token is refused.
            RateLimitedError: A limit is used up for longer than a call should wait.
            TroubledError: No answer, or one that makes no sense: a smaller or a later call may fare better.
        """
        for patience in range(PATIENCE_TIMES, -1, -1):
            if (until := self.quota.used_up_until(self._now())) is not None:
                raise RateLimitedError(until, has_token=self.has_token)
            response = self._send(method, url, body, etag)
            reply = self._read(response)
            refused = refusal(reply.status, response.headers, reply.body, self._now())
            if refused is None:
                self._check_token(reply)
                return reply
            self._wait_or_raise(refused, patience)
        raise AssertionError("the last refusal is raised")

    def _send(self, method: str, url: str, body: Any, etag: str | None) -> requests.Response:
        self._keep_distance()
        headers = {"If-None-Match": etag} if etag else {}
        data = None if body is None else orjson.dumps(body)
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._session.request(
                method, url, data=data, headers=headers, timeout=self._timeout, allow_redirects=method == "GET"
            )
        except requests.RequestException as error:
            self.traffic.calls += 1
            raise TroubledError(_name(error)) from None
        self.traffic.calls += 1 + len(response.history)
        self.quota.read(response.headers)
        return response

    def _keep_distance(self) -> None:
        if self._cool_off and self._last_call is not None:
            wait = self._last_call + self._cool_off - time.monotonic()
            if wait > 0:
                self._sleep(wait)
        self._last_call = time.monotonic()

    def _read(self, response: requests.Response) -> Reply:
        etag = response.headers.get("ETag")
        if response.status_code == 304:
            return Reply(304, None, etag)
        if response.status_code >= 500:
            raise TroubledError(f"HTTP {response.status_code}")
        try:
            return Reply(response.status_code, orjson.loads(response.content), etag)
        except orjson.JSONDecodeError:
            if response.status_code != 200:
                return Reply(response.status_code, None, etag)
            raise TroubledError("the answer is not JSON") from None

    def _check_token(self, reply: Reply) -> None:
        if reply.status != 401:
            return
        said = message_of(reply.body) or "HTTP 401"
        if self.has_token:
            raise BadTokenError(
                f"GitHub refuses GITHUB_TOKEN ({said}): set it to a valid token, or unset it to go without one"
            )
        raise GitHubUnavailableError(f"GitHub wants a token ({said}): set GITHUB_TOKEN, or check GITHUB_API_URL")

    def _wait_or_raise(self, refused: Refusal, patience: int) -> None:
        seconds = max(refused.until - self._now(), 0.0)
        self.traffic.problems.append("limit" if refused.primary else "secondary limit")
        if refused.primary or not patience or seconds > PATIENCE_SECONDS:
            # What does not end by itself in time is no reason to ask again at once.
            until = refused.until if refused.primary else self._now() + max(seconds, UNSAID_SECONDS)
            raise RateLimitedError(until, has_token=self.has_token)
        logger.warning("GitHub asks for a pause of %.0f seconds", seconds)
        self._sleep(seconds)


def _checked(token: str | None) -> str | None:
    """The token, where it can be sent at all; one that cannot would show up in the error of the HTTP library."""
    if token is None or not token.strip():
        return None
    token = token.strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise BadTokenError("GITHUB_TOKEN holds characters that no token has: set it to the token and nothing else")
    return token


def _name(error: requests.RequestException) -> str:
    """What went wrong, without the address: it is a setting, and may hold a password."""
    if isinstance(error, requests.Timeout):
        return "timed out"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "the answer was cut off"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
