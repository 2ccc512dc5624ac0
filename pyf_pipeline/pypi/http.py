"""How PyPI is asked: one pooled session, one rule for whatever goes wrong, and a count of what it cost."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.pypi.throttle import Throttle
from pyf_pipeline.pypi.transport import Reply, Transport, TransportError, explain, unreachable

__all__ = [
    "ExhaustedError",
    "Http",
    "PassingError",
    "PyPIError",
    "StaleAnswerError",
    "Traffic",
    "UnusableAnswerError",
    "unreachable",
]

Answer = TypeVar("Answer")

RETRIES = 6
BACKOFF_SECONDS = 0.25
BACKOFF_MAX_SECONDS = 30
RETRY_AFTER_MAX_SECONDS = 120
# A pause for everybody where PyPI says that it is too much, and not for how long.
TOO_MANY_SECONDS = 1.0
WORTH_ASKING_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


class PyPIError(RuntimeError):
    """PyPI could not be asked, or did not answer usefully within the budget of retries; the text says why."""


class PassingError(PyPIError):
    """Something went wrong that may go better the next time."""


class ExhaustedError(PyPIError):
    """Something that may pass has not, in all the tries that there were; in a minute it may have."""


class StaleAnswerError(PassingError):
    """The answer is older than the index said: a cache on the way has not seen the change yet.

    Attributes:
        document: The older document.
    """

    def __init__(self, text: str, document: ProjectDocument) -> None:
        super().__init__(text)
        self.document = document


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
        self.retries = retries
        self.throttle = Throttle(concurrency)
        self.traffic = Traffic()
        self._lock = threading.Lock()
        self._transport = Transport(self.base_url, connections=concurrency, user_agent=user_agent)

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    def ask(
        self,
        path: str,
        read: Callable[[Reply], Answer],
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        expected: tuple[int, ...] = (200,),
        pace: Callable[[], AbstractContextManager[None]] | None = None,
        retries: int | None = None,
    ) -> Answer:
        """Ask until an answer can be read, within the budget of retries, with exponential backoff and jitter.

        Args:
            path: Below the base address, with a leading slash.
            read: Makes the result of an answer; raises UnusableAnswerError where it makes no sense.
            method: The HTTP method.
            headers: Further headers.
            body: The body of a POST.
            expected: The status codes that `read` is shown.
            pace: Gives what every try is made in, retries included; it is entered when the try may be made.
            retries: At most so many, where it is fewer than usual.

        Raises:
            ExhaustedError: The budget is used up.
            PyPIError: The answer is one that asking again does not change.
        """
        budget = self.retries if retries is None else min(retries, self.retries)
        for tried in range(budget + 1):
            try:
                with pace() if pace else nullcontext():
                    return self.ask_once(path, read, method=method, headers=headers, body=body, expected=expected)
            except PassingError as error:
                if tried == budget:
                    raise ExhaustedError(given_up(error, tried + 1)) from None
            self.count_retry()
            time.sleep(backoff(tried))
        raise AssertionError("the loop returns or raises")

    def ask_once(
        self,
        path: str,
        read: Callable[[Reply], Answer],
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        expected: tuple[int, ...] = (200,),
    ) -> Answer:
        """Ask once; for the arguments see `ask`.

        A `Retry-After` (RFC 9110, seconds or a date) holds everything that goes through this object, not this call.

        Raises:
            PassingError: It went wrong in a way that may pass: no connection, time-out, 408, 429, 5xx, unusable answer.
            PyPIError: It went wrong for good.
        """
        url = self.base_url + path
        entered = self.throttle.enter()
        trouble, status = False, 0
        try:
            response = self._send(method, url, headers, body)
            status = response.status
            if status not in expected:
                raise self._refusal(url, response)
            return read(response)
        except (TransportError, UnusableAnswerError) as error:
            trouble = True
            text = explain(error) if isinstance(error, TransportError) else str(error)
            self._count_problem(text)
            raise PassingError(f"{url}: {text}") from None
        except StaleAnswerError:
            self._count_problem("answer older than the index")
            raise
        finally:
            too_many = status == 429
            self.throttle.leave(entered, trouble=trouble or status in WORTH_ASKING_AGAIN, too_many=too_many)

    def count_retry(self) -> None:
        """Count a request that repeats an earlier one."""
        with self._lock:
            self.traffic.retries += 1

    def _send(self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None) -> Reply:
        sent = 1
        try:
            reply = self._transport.send(method, url, headers or {}, body)
            sent += reply.redirects
            with self._lock:
                self.traffic.redirects += reply.redirects
                self.traffic.bytes += len(reply.body)
            return reply
        finally:
            with self._lock:
                self.traffic.requests += sent

    def _refusal(self, url: str, response: Reply) -> PyPIError:
        """What an unexpected status means; a pause that PyPI asks for is taken."""
        trouble = f"HTTP {response.status}"
        self._count_problem(trouble)
        if response.status not in WORTH_ASKING_AGAIN:
            return PyPIError(f"{url}: {trouble}")
        pause = retry_after(response.headers.get("Retry-After", ""))
        if pause is None and response.status == 429:
            pause = TOO_MANY_SECONDS
        self.throttle.hold(min(pause or 0.0, RETRY_AFTER_MAX_SECONDS))
        return PassingError(f"{url}: {trouble}")

    def _count_problem(self, text: str) -> None:
        with self._lock:
            self.traffic.problems[text] += 1


def backoff(tried: int) -> float:
    """Seconds to wait before a try is made again: exponential, with jitter, so that not all come back at once."""
    return min(BACKOFF_MAX_SECONDS, BACKOFF_SECONDS * 2.0**tried) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter


def given_up(error: Exception, tries: int) -> str:
    """What to say of trouble that did not pass."""
    return f"{error}, {tries} times in a row" if tries > 1 else str(error)


def retry_after(value: str) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or as a date; None where it cannot be read."""
    value = value.strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - time.time())
