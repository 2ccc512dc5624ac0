"""How PyPI is asked: one pooled session, one retry rule for whatever goes wrong, and a count of what it cost."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

Answer = TypeVar("Answer")

CONNECT_SECONDS = 10
READ_SECONDS = 60
RETRIES = 6
BACKOFF_SECONDS = 0.25
BACKOFF_MAX_SECONDS = 30
RETRY_AFTER_MAX_SECONDS = 120
WORTH_ASKING_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


class PyPIError(RuntimeError):
    """PyPI could not be asked, or did not answer usefully within the budget of retries; the text says why."""


class UnusableAnswerError(ValueError):
    """An answer came and is not what the protocol says: worth asking again."""


@dataclass
class Traffic:
    """What one client has cost PyPI so far.

    Attributes:
        requests: Requests sent, every retry and followed redirect included.
        redirects: How many of them were only redirected.
        retries: How many of them repeated an earlier one.
        bytes: Bytes of the bodies received, as decoded.
        problems: How often each kind of trouble was met, retried or not.
    """

    requests: int = 0
    redirects: int = 0
    retries: int = 0
    bytes: int = 0
    problems: Counter[str] = field(default_factory=Counter)


class Http:
    """HTTP to one PyPI, for many threads at once."""

    def __init__(self, base_url: str, *, concurrency: int, user_agent: str, retries: int = RETRIES) -> None:
        self.base_url = base_url.rstrip("/")
        self.traffic = Traffic()
        self._retries = retries
        self._lock = threading.Lock()
        self._resume_at = 0.0
        self._session = requests.Session()
        # Retries are counted below, where an unusable body counts as well as a refused connection.
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=concurrency, pool_block=True, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip"})

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def ask(
        self,
        path: str,
        read: Callable[[requests.Response], Answer],
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        expected: tuple[int, ...] = (200,),
        pace: Callable[[], None] | None = None,
    ) -> Answer:
        """Ask until an answer can be read, within the budget of retries.

        Connection errors, time-outs, 429, 5xx and answers that `read` refuses are asked again with exponential
        backoff and jitter, or after the time that `Retry-After` names (RFC 9110, seconds or a date).

        Args:
            path: Below the base address, with a leading slash.
            read: Makes the result of an answer; raises UnusableAnswerError where it makes no sense.
            method: The HTTP method.
            headers: Further headers.
            body: The body of a POST.
            expected: The status codes that `read` is shown.
            pace: Called before every try, retries included; returns when the try may be made.

        Raises:
            PyPIError: The budget is used up, or the answer is one that asking again does not change.
        """
        url = self.base_url + path
        budget = Retry(
            total=self._retries,
            backoff_factor=BACKOFF_SECONDS,
            backoff_max=BACKOFF_MAX_SECONDS,
            backoff_jitter=BACKOFF_SECONDS,
        )
        while True:
            self._wait_for_turn()
            if pace is not None:
                pace()
            response: requests.Response | None = None
            try:
                response = self._send(method, url, headers, body)
                if response.status_code in expected:
                    return read(response)
                trouble = f"HTTP {response.status_code}"
                if response.status_code not in WORTH_ASKING_AGAIN:
                    raise PyPIError(f"{url}: {trouble}")
            except (requests.RequestException, UnusableAnswerError) as error:
                trouble = _name(error)
            budget = self._spend(budget, url, trouble, answered=response is not None)
            self._pause(budget, response)

    def _send(self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None) -> requests.Response:
        response = self._session.request(
            method, url, headers=dict(headers or {}), data=body, timeout=(CONNECT_SECONDS, READ_SECONDS)
        )
        with self._lock:
            self.traffic.requests += 1 + len(response.history)
            self.traffic.redirects += len(response.history)
            self.traffic.bytes += len(response.content)
        return response

    def _spend(self, budget: Retry, url: str, trouble: str, *, answered: bool) -> Retry:
        """Count one failure, and what is left of the budget after it.

        Raises:
            PyPIError: No try is left.
        """
        with self._lock:
            self.traffic.problems[trouble] += 1
            self.traffic.requests += not answered
        try:
            left = budget.increment(error=PyPIError(trouble))
        except MaxRetryError:
            raise PyPIError(f"{url}: {trouble}, {self._retries + 1} times in a row") from None
        with self._lock:
            self.traffic.retries += 1
        return left

    def _pause(self, budget: Retry, response: requests.Response | None) -> None:
        """Wait as long as the server asks for, or as exponential backoff says."""
        asked = None if response is None else response.headers.get("Retry-After")
        try:
            seconds = None if asked is None else budget.parse_retry_after(asked)
        except InvalidHeader:
            seconds = None
        if seconds is None:
            time.sleep(budget.get_backoff_time())
        else:
            self._hold_everyone(min(seconds, RETRY_AFTER_MAX_SECONDS))

    def _hold_everyone(self, seconds: float) -> None:
        """A server that asks for a pause means the whole process, not the thread that happened to ask."""
        with self._lock:
            self._resume_at = max(self._resume_at, time.monotonic() + seconds)

    def _wait_for_turn(self) -> None:
        while (wait := self._resume_at - time.monotonic()) > 0:
            time.sleep(wait)


def unreachable(base_url: str) -> str:
    """Why nothing can be asked at an address, in a few words; "" where something answers, whatever it says."""
    try:
        requests.head(base_url, timeout=CONNECT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return _name(error)
    return ""


def _name(error: Exception) -> str:
    """What went wrong, in words that group well in a report."""
    if isinstance(error, UnusableAnswerError):
        return str(error)
    if isinstance(error, requests.Timeout):
        return "timed out"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "answer cut off"
    if isinstance(error, requests.ConnectionError):
        return "connection failed"
    return type(error).__name__
