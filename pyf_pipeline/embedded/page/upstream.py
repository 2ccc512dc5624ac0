"""Where the search page searches: a Typesense somewhere, or the index that serves the page itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

SHOWN_FIELD = ("name", "type", "facet", "sort", "index")


class AwayError(RuntimeError):
    """There is nothing to offer at the moment; the text is for whoever looks at the page."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What whoever opens the page is given.

    Attributes:
        collections: To choose from, the first one first, each as `GET /collections` shows it. The `name` of each is
            the one to search it by: an alias's, where it has one.
        search_key: A key that allows searches in these and nothing else.
    """

    collections: Sequence[dict[str, Any]]
    search_key: str = field(repr=False)


class Upstream(Protocol):
    """What the page needs of a server."""

    def offer(self) -> Offer:
        """What there is at the moment; raises `AwayError`."""
        ...

    def multi_search(self, body: bytes, key: str) -> tuple[int, bytes]:
        """Status and body of the answer to a `POST /multi_search`."""
        ...


class TypesenseUpstream:
    """A Typesense over the network. The browser talks to the page's server only, which passes searches on.

    Args:
        url: The server's address, such as `http://localhost:8108`.
        offer: Gives what there is to choose from, with a search-only key for it; asked each time that the page is
            opened, as a search-only key cannot list collections. May raise `AwayError`.
        timeout: In seconds.
        client: To use instead of one that is made here.
    """

    def __init__(
        self,
        url: str,
        *,
        offer: Callable[[], Offer],
        timeout: float = 10.0,
        client: httpx.Client | None = None,
    ) -> None:
        self._url = url.rstrip("/") + "/multi_search"
        self._offer = offer
        self._http = client or httpx.Client(timeout=timeout)

    def offer(self) -> Offer:
        """What there is to choose from."""
        return self._offer()

    def multi_search(self, body: bytes, key: str) -> tuple[int, bytes]:
        """Passes a search on with the key that came with it, so that nothing is allowed here that it does not allow."""
        headers = {"X-TYPESENSE-API-KEY": key, "Content-Type": "application/json"}
        try:
            answer = self._http.post(self._url, content=body, headers=headers)
        except httpx.HTTPError:
            return 503, b'{"message":"The search server cannot be reached."}'
        return answer.status_code, answer.content


def shown(collection: dict[str, Any]) -> dict[str, Any]:
    """What the page's script is told of a collection."""
    fields = [{k: f.get(k) for k in SHOWN_FIELD} for f in collection.get("fields", [])]
    return {"name": collection["name"], "documents": collection.get("num_documents", 0), "fields": fields}
