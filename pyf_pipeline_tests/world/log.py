"""What the servers were asked: every request, with counts by route and the connections that were open."""

import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One answered request.

    Attributes:
        time: When it was answered, in epoch seconds.
        server: "pypi", "github" or "pypistats".
        route: `simple`, `project`, `release`, `redirect`, `xmlrpc`, `rss`, `graphql`, `rest`, `downloads` or `other`.
        method: The HTTP method.
        path: The path with its query.
        name: The project or repository asked for, normalised; the method's name for XML-RPC; "" elsewhere.
        status: The status that was sent; 0 where the connection was reset instead.
        size: Bytes of body that were sent.
        user_agent: The client's User-Agent, "" where it sent none.
        client: The client's address and port.
        fault: The kind of the fault that was played, "" for an honest answer.
    """

    time: float
    server: str
    route: str
    method: str
    path: str
    name: str
    status: int
    size: int
    user_agent: str
    client: str
    fault: str = ""


class RequestLog:
    """The log of all servers; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[LoggedRequest] = []
        self._over_limit = 0
        self._open = 0
        self._peak = 0
        self._accepted = 0

    def add(self, entry: LoggedRequest) -> None:
        with self._lock:
            self._requests.append(entry)

    def add_over_limit(self) -> None:
        """Count an XML-RPC call that came over the limit."""
        with self._lock:
            self._over_limit += 1

    def connection(self, change: int) -> None:
        """Count a connection that was opened (1) or lost (-1)."""
        with self._lock:
            self._open += change
            self._peak = max(self._peak, self._open)
            self._accepted += change > 0

    def reset(self) -> None:
        """Forget all requests and counts; open connections stay counted."""
        with self._lock:
            self._requests.clear()
            self._over_limit = 0
            self._accepted = 0
            self._peak = self._open

    @property
    def requests(self) -> list[LoggedRequest]:
        """All requests so far, in the order of their answers."""
        with self._lock:
            return list(self._requests)

    def count(self, route: str | None = None, *, status: int | None = None, name: str | None = None) -> int:
        """How many requests there were, of a route, with a status, for a name."""
        return sum(
            (route is None or entry.route == route)
            and (status is None or entry.status == status)
            and (name is None or entry.name == name)
            for entry in self.requests
        )

    @property
    def bytes(self) -> int:
        """Bytes of bodies sent, as they went over the wire."""
        return sum(entry.size for entry in self.requests)

    @property
    def over_limit(self) -> int:
        """XML-RPC calls that were refused for their rate."""
        return self._over_limit

    @property
    def open_connections(self) -> int:
        """Connections open now."""
        return self._open

    @property
    def peak_connections(self) -> int:
        """The most connections that were open at once since the last reset."""
        return self._peak

    @property
    def accepted_connections(self) -> int:
        """Connections accepted since the last reset."""
        return self._accepted

    @property
    def user_agents(self) -> Counter[str]:
        """The User-Agents seen, with the number of their requests."""
        return Counter(entry.user_agent for entry in self.requests)

    def summary(self) -> dict[str, Any]:
        """Everything but the list, as JSON types."""
        requests = self.requests
        return {
            "requests": len(requests),
            "routes": dict(Counter(entry.route for entry in requests)),
            "statuses": {str(status): n for status, n in Counter(entry.status for entry in requests).items()},
            "faults": dict(Counter(entry.fault for entry in requests if entry.fault)),
            "bytes": sum(entry.size for entry in requests),
            "over_limit": self._over_limit,
            "open_connections": self._open,
            "peak_connections": self._peak,
            "accepted_connections": self._accepted,
            "user_agents": dict(Counter(entry.user_agent for entry in requests)),
            "time": time.time(),
        }

    def full(self) -> list[dict[str, Any]]:
        """The list as JSON types."""
        return [asdict(entry) for entry in self.requests]
