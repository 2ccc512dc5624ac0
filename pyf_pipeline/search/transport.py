"""Requests to the nodes of a search server: repeated where that is safe, and sent to another node where one is away.

The official client can do both, and is told not to. It repeats every request, although the answer to one that was
carried out may be what got lost: deleting a collection twice would delete what an alias of that name points at. It
pauses for the same time before each attempt, gives up on a server that is starting within seconds, and where all nodes
have failed, it asks but one of them until a minute has passed.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import httpx

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0

# What a proxy says of a server that it cannot reach, or that did not answer it in time.
GATEWAY_TROUBLE = frozenset({502, 504})

# The request never left, or cannot leave at all.
_OWN_FAULTS = (httpx.PoolTimeout, httpx.LocalProtocolError, httpx.UnsupportedProtocol)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)

Outcome = httpx.Response | httpx.TransportError


@dataclass(frozen=True)
class Patience:
    """For how long a request is repeated.

    Attributes:
        away: Seconds, where no node can be reached.
        busy: Seconds, where the server answers that it is not ready or lags behind: a 503 is how Typesense asks for
            time (https://typesense.org/docs/guide/syncing-data-into-typesense.html#handling-http-503s).
    """

    away: float = 15.0
    busy: float = 180.0


class NodesTransport(httpx.BaseTransport):
    """Sends requests to one node of a cluster, and to the next where it is away or not ready.

    It stays with a node for as long as that answers, as the others may be a moment behind in what was written. The
    host, port and protocol of a request are replaced. May be used by several threads at once.

    Args:
        addresses: The nodes, as `http://host:port`.
        inner: What sends.
        patience: For how long a request is repeated.
    """

    def __init__(self, addresses: Sequence[str], inner: httpx.BaseTransport, patience: Patience) -> None:
        self._nodes = [httpx.URL(address) for address in addresses]
        self._inner = inner
        self._patience = patience
        self._current = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; the last answer or exception of all attempts where none succeeds."""
        started, pause = time.monotonic(), FIRST_PAUSE
        for attempt in count(1):
            index = self._current
            outcome = self._ask(request, index)
            if isinstance(outcome, httpx.Response) and outcome.status_code not in {503, *GATEWAY_TROUBLE}:
                return outcome
            all_asked = attempt % len(self._nodes) == 0
            limit = self._limit(request, outcome)
            if not limit or (all_asked and time.monotonic() - started + pause > limit):
                return _given_up(outcome)
            self._current = (index + 1) % len(self._nodes)
            logger.warning("the search server at %s %s; trying again", self._nodes[index], _in_words(outcome))
            if all_asked:
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        raise AssertionError("counting does not end")

    def close(self) -> None:
        """Give back connections."""
        self._inner.close()

    def _ask(self, request: httpx.Request, index: int) -> Outcome:
        try:
            response = self._inner.handle_request(_aimed(request, self._nodes[index]))
            # An answer that breaks off is one that got lost; an export is too large to wait for its end.
            if response.status_code != 200 or not request.url.path.endswith("/export"):
                response.read()
        except httpx.TransportError as error:
            return error
        return response

    def _limit(self, request: httpx.Request, outcome: Outcome) -> float:
        """For how many seconds a request is repeated after this outcome; 0 for not at all."""
        if isinstance(outcome, httpx.Response) and outcome.status_code == 503:
            return self._patience.busy
        if isinstance(outcome, _NOT_SENT):
            return self._patience.away
        if isinstance(outcome, _OWN_FAULTS) or not may_repeat(request):
            return 0
        return self._patience.away


def may_repeat(request: httpx.Request) -> bool:
    """Whether carrying a request out twice gives what carrying it out once does.

    Creating and deleting collections, aliases and keys is not of that kind: the second attempt meets what the first one
    has left. Whoever asks for those looks at what is there afterwards.
    """
    path, query = request.url.path.rstrip("/"), request.url.params
    if request.method in {"GET", "PUT", "PATCH"}:
        return True
    if request.method == "DELETE":
        return path.endswith("/documents") and "filter_by" in query
    return path == "/multi_search" or (path.endswith("/documents/import") and query.get("action") == "upsert")


def _aimed(request: httpx.Request, node: httpx.URL) -> httpx.Request:
    url = node.copy_with(raw_path=node.raw_path.rstrip(b"/") + request.url.raw_path)
    headers = request.headers.copy()
    headers["host"] = url.netloc.decode("ascii")
    return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)


def _given_up(outcome: Outcome) -> httpx.Response:
    if isinstance(outcome, httpx.TransportError):
        raise outcome
    return outcome


def _in_words(outcome: Outcome) -> str:
    if isinstance(outcome, httpx.TransportError):
        return f"does not answer ({type(outcome).__name__}: {outcome})"
    return f"answers {outcome.status_code} ({' '.join(outcome.text.split())[:100]})"
