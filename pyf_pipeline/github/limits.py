"""GitHub's limits, as its answers tell of them.

The rules are GitHub's own: https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
and https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

PRIMARY_WINDOW_SECONDS = 3600
# How long to wait after a refusal that does not say.
UNSAID_SECONDS = 60
# Both spellings are met in GraphQL's answers.
_ERROR_TYPES = frozenset({"RATE_LIMITED", "RATE_LIMIT"})


@dataclass
class Quota:
    """The primary limit as the last answer told it; None where it told nothing, as servers without limits do.

    Attributes:
        limit: Calls or points an hour.
        remaining: How many of them are left.
        reset_at: When they are all there again, in epoch seconds.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: int | None = None

    def read(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer's headers tell."""
        self.limit = _number(headers.get("x-ratelimit-limit"), self.limit)
        self.remaining = _number(headers.get("x-ratelimit-remaining"), self.remaining)
        self.reset_at = _number(headers.get("x-ratelimit-reset"), self.reset_at)

    def used_up_until(self, now: float) -> float | None:
        """When the limit resets, where nothing is left before that."""
        if self.remaining == 0 and self.reset_at is not None and self.reset_at > now:
            return float(self.reset_at)
        return None


@dataclass(frozen=True)
class Refusal:
    """GitHub refuses for now.

    Attributes:
        until: When it may be asked again, in epoch seconds.
        primary: Whether it is the hourly limit; otherwise one against too many calls in a short time.
    """

    until: float
    primary: bool


def refusal(status: int, headers: Mapping[str, str], body: Any, now: float) -> Refusal | None:
    """What an answer says of limits: when to come again, or None where it is no refusal of that kind."""
    if not _is_refused(status, headers, body):
        return None
    if headers.get("x-ratelimit-remaining") == "0":
        return Refusal(_number(headers.get("x-ratelimit-reset"), None) or now + PRIMARY_WINDOW_SECONDS, primary=True)
    return Refusal(now + _retry_after(headers), primary=False)


def message_of(body: Any) -> str:
    """The text of an error, as REST and GraphQL give it."""
    if not isinstance(body, dict):
        return ""
    texts = [body.get("message"), *(error.get("message") for error in _errors(body))]
    return "; ".join(text for text in texts if isinstance(text, str))


def _is_refused(status: int, headers: Mapping[str, str], body: Any) -> bool:
    text = message_of(body).lower()
    tells_of_limits = "rate limit" in text or "abuse detection" in text
    if status == 429:
        return True
    if status == 403:
        return tells_of_limits or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    if status != 200 or not isinstance(body, dict) or body.get("data"):
        return False
    return tells_of_limits or any(error.get("type") in _ERROR_TYPES for error in _errors(body))


def _errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    errors = body.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        return Retry().parse_retry_after(headers["retry-after"])
    except (KeyError, InvalidHeader):
        return UNSAID_SECONDS


def _number(text: str | None, otherwise: int | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else otherwise
