"""Asking GitHub for repositories, by whichever of its interfaces there is access to."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import requests

from pyf_pipeline.github import graphql, rest
from pyf_pipeline.github.answers import Answer, Reading
from pyf_pipeline.github.batches import LARGEST, Batches, BatchSize
from pyf_pipeline.github.errors import BadTokenError, GitHubDownError, GitHubUnavailableError, TroubledError
from pyf_pipeline.github.limits import Quota, message_of
from pyf_pipeline.github.links import RepositoryName
from pyf_pipeline.github.transport import CONNECT_SECONDS, READ_SECONDS, Reply, Traffic, Transport

# Calls in a row that may fail before GitHub counts as down: enough to halve a full query down to one repository.
FAILURES_IN_A_ROW = 10
BACKOFF_SECONDS = 0.25
BACKOFF_MAX_SECONDS = 8.0


class GitHubClient:
    """Looks repositories up: with a token many a call by GraphQL, without one by REST, one a call.

    Args:
        api_url: Where REST answers: github.com's API address, or `https://<host>/api/v3` of an Enterprise Server.
        token: A personal access token or the like; no scopes are needed for public repositories.
        user_agent: Who asks; GitHub requires one.
        cool_off: Seconds between two calls, at least.
        session: A session to use instead of an own one.
        timeout: Seconds for connecting and for each read.
        now: The time, in epoch seconds.
        sleep: Waits for seconds.

    Raises:
        BadTokenError: The token is none that could be sent.
    """

    def __init__(
        self,
        api_url: str,
        token: str | None,
        *,
        user_agent: str,
        cool_off: float = 0,
        session: requests.Session | None = None,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = Transport(
            token,
            user_agent=user_agent,
            cool_off=cool_off,
            session=session,
            timeout=timeout,
            now=now,
            sleep=sleep,
        )
        self._api_url = api_url
        self._now = now
        self._sleep = sleep
        self._size = BatchSize() if self._transport.has_token else BatchSize(1)

    @property
    def uses_graphql(self) -> bool:
        """Whether many repositories are asked for at once."""
        return self._transport.has_token

    @property
    def traffic(self) -> Traffic:
        """What this client has cost so far."""
        return self._transport.traffic

    @property
    def quota(self) -> Quota:
        """The hourly limit as the last answer told it."""
        return self._transport.quota

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    def wait_until(self, when: float) -> None:
        """Sleep until a time, in epoch seconds, and a little longer: clocks differ."""
        self._sleep(max(when - self._now(), 0.0) + 1.0)

    def look_up(
        self, names: Iterable[RepositoryName], etags: Mapping[str, str] | None = None
    ) -> Iterator[list[Answer]]:
        """Ask for repositories, in their order, and give what came with each call as it comes.

        A call that fails is made again for half as many; a repository that gets no answer several times is given as
        unanswered.

        Args:
            names: What to ask for.
            etags: By key, the ETags of earlier answers; only REST knows such.

        Raises:
            BadTokenError: The token is refused.
            RateLimitedError: A limit is used up.
            GitHubDownError: GitHub does not answer.
            GitHubUnavailableError: What answers is not GitHub, or wants a token.
        """
        batches = Batches(names, self._size)
        failures = 0
        answered = False
        while batch := batches.next(self._affordable()):
            try:
                reading = self._ask(batch, etags or {})
            except TroubledError as error:
                failures += 1
                self._recover(error, failures)
                given_up = batches.failed(batch, str(error))
                if not batches and not answered:
                    raise _down(str(error)) from None
            else:
                failures = 0
                answered = answered or bool(reading.answers)
                given_up = batches.succeeded(batch, reading.unanswered, too_large=reading.too_large)
                if reading.answers:
                    yield reading.answers
                else:
                    self._sleep(BACKOFF_SECONDS)
            if given_up:
                yield given_up

    def _affordable(self) -> int:
        remaining = self.quota.remaining
        return graphql.affordable(remaining) if remaining and self.uses_graphql else LARGEST

    def _recover(self, error: TroubledError, failures: int) -> None:
        self.traffic.problems.append(str(error))
        if failures >= FAILURES_IN_A_ROW:
            raise _down(str(error))
        self._sleep(min(BACKOFF_SECONDS * 2 ** (failures - 1), BACKOFF_MAX_SECONDS))

    def _ask(self, batch: list[RepositoryName], etags: Mapping[str, str]) -> Reading:
        reading = self._ask_graphql(batch) if self.uses_graphql else self._ask_rest(batch[0], etags)
        self.traffic.points += reading.cost
        self.traffic.problems.extend(sorted(set(reading.unanswered.values())))
        return reading

    def _ask_rest(self, name: RepositoryName, etags: Mapping[str, str]) -> Reading:
        left, calls = self.quota.remaining, self.traffic.calls
        reply = self._transport.call("GET", rest.endpoint(self._api_url, name), etag=etags.get(name.key))
        # GitHub promises that an unchanged answer costs nothing only to those who have a token.
        is_free = reply.status == 304 and self.quota.remaining == left
        cost = 0 if is_free else self.traffic.calls - calls
        return Reading([rest.read(name, reply.status, reply.body, reply.etag, int(self._now()))], {}, cost)

    def _ask_graphql(self, batch: list[RepositoryName]) -> Reading:
        reply = self._transport.call("POST", graphql.endpoint(self._api_url), body=graphql.request_body(batch))
        if reply.status != 200:
            raise _refused(reply)
        return graphql.read(reply.body, batch, int(self._now()))


def _refused(reply: Reply) -> BadTokenError | GitHubUnavailableError:
    said = message_of(reply.body) or f"HTTP {reply.status}"
    if reply.status == 403:
        return BadTokenError(f"GitHub refuses what GITHUB_TOKEN asks for ({said}): use a token that may read")
    return GitHubUnavailableError(f"GitHub's GraphQL answers HTTP {reply.status} ({said}): check GITHUB_API_URL")


def _down(reason: str) -> GitHubDownError:
    return GitHubDownError(
        f"GitHub does not answer usefully ({reason}): see GITHUB_API_URL and GitHub's status page, then run again; "
        "what was answered is kept"
    )
