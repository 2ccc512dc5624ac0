"""How the search server is reached: a Typesense over the network, or the embedded index in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from typesense import Client
from typesense.exceptions import (
    HTTPStatus0Error,
    RequestForbidden,
    RequestUnauthorized,
    ServiceUnavailable,
    TypesenseClientError,
)

from pyf_pipeline.embedded.transport import EmbeddedTransport

RETRIES = 3
RETRY_SECONDS = 1.0


class SearchError(RuntimeError):
    """The search server cannot do what it was asked to; the text names its address and what to do."""


class SearchServer:
    """A search server, by the official client, with an address that can be shown to people.

    Attributes:
        client: The official Typesense client.
        address: Where it answers; a file's path for the embedded index.
    """

    def __init__(self, client: Client, address: str, transport: EmbeddedTransport | None = None) -> None:
        self.client = client
        self.address = address
        self._transport = transport

    def close(self) -> None:
        """Give back connections and files."""
        self.client.api_call.close()
        if self._transport is not None:
            self._transport.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the client's exceptions into ones that say where and what to do.

        Raises:
            SearchError: The server is away, rejects the key, or refuses the request.
        """
        try:
            yield
        except (RequestUnauthorized, RequestForbidden):
            raise SearchError(
                f"the search server at {self.address} rejects the key: set TYPESENSE_API_KEY to its admin key"
            ) from None
        except (httpx.TransportError, HTTPStatus0Error) as error:
            raise SearchError(
                f"the search server at {self.address} does not answer ({type(error).__name__}): is it running, and are "
                "TYPESENSE_HOST, TYPESENSE_PORT and TYPESENSE_PROTOCOL right?"
            ) from None
        except ServiceUnavailable as error:
            raise SearchError(f"the search server at {self.address} is not ready: {error}") from None
        except TypesenseClientError as error:
            raise SearchError(f"the search server at {self.address} refuses: {error}") from error


def connect(host: str, port: int, protocol: str, api_key: str, timeout: float) -> SearchServer:
    """A Typesense server over the network. Nothing is sent yet.

    Args:
        host: Its host.
        port: Its port.
        protocol: `http` or `https`.
        api_key: An admin key.
        timeout: Seconds for which one request may take.
    """
    client = Client(
        {
            "nodes": [{"host": host, "port": port, "protocol": protocol}],
            "api_key": api_key,
            "connection_timeout_seconds": timeout,
            "num_retries": RETRIES,
            "retry_interval_seconds": RETRY_SECONDS,
        }
    )
    return SearchServer(client, f"{protocol}://{host}:{port}")


def connect_embedded(path: Path, api_key: str) -> SearchServer:
    """The embedded index over a file, which is created if it is not there.

    Args:
        path: The SQLite file.
        api_key: The admin key that the index takes and the client sends.
    """
    transport = EmbeddedTransport(path, admin_key=api_key)
    client = Client(
        {
            "nodes": [{"host": "embedded", "port": 80, "protocol": "http"}],
            "api_key": api_key,
            "num_retries": 0,
        },
        http_client=httpx.Client(transport=transport),
    )
    return SearchServer(client, str(path), transport)
