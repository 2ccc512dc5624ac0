"""What goes wrong with a search server, in words that a person can act on."""

import httpx
from typesense.exceptions import ServerError, TypesenseClientError

# What leaves open whether a request was carried out: whoever must not repeat it looks what is there.
LOST = (httpx.TransportError, ServerError)


class SearchError(RuntimeError):
    """The search server cannot do what it was asked to; the text names its address and what to do."""


class IncompleteError(SearchError):
    """A new version is not what it should be, so the one before it goes on being served."""


class AwayError(SearchError):
    """The search server does not answer, or is not ready."""


class BusyError(SearchError):
    """Somebody else is at work on the same collection."""


def status(error: TypesenseClientError) -> int | None:
    """The HTTP status behind an exception of the client, which passes it on as an `errno`."""
    return error.errno if isinstance(error.errno, int) else None


def reason(error: TypesenseClientError) -> str:
    """What the server said."""
    return error.strerror or str(error)
