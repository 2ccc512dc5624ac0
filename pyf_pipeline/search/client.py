"""How the search server is reached: a Typesense over the network, or the embedded index in this process."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
from typesense import Client
from typesense.configuration import NodeConfigDict
from typesense.exceptions import (
    HTTPStatus0Error,
    RequestForbidden,
    RequestUnauthorized,
    ServiceUnavailable,
    TypesenseClientError,
)

from pyf_pipeline.embedded.transport import EmbeddedTransport
from pyf_pipeline.search.errors import AwayError, SearchError, reason
from pyf_pipeline.search.transport import NodesTransport, Patience

CONNECT_SECONDS = 10.0

# How many imports a server is sent at once. The embedded index has one writer.
STREAMS = 4
EMBEDDED_STREAMS = 1

PATIENCE = Patience()


class SearchServer:
    """A search server, by the official client, with an address that can be shown to people.

    May be used by several threads at once.

    Attributes:
        client: The official Typesense client.
        address: Where it answers, node by node; a file's path for the embedded index.
        link: The address of the first node; "" for the embedded index.
        streams: How many imports it is sent at once.
    """

    def __init__(self, client: Client, http: httpx.Client, address: str, *, link: str, streams: int) -> None:
        self.client = client
        self.address = address
        self.link = link
        self.streams = streams
        self._http = http

    def close(self) -> None:
        """Give back connections and files."""
        self._http.close()

    def export_lines(self, collection: str, **parameters: str) -> Iterator[bytes]:
        """The documents of a collection, a line of JSON each, as they come in.

        The official client's `export` holds all of them in memory at once.

        Args:
            collection: A collection or an alias.
            parameters: Of Typesense's export, such as `include_fields` and `filter_by`.

        Raises:
            TypesenseClientError: The server refuses.
            httpx.TransportError: The server does not answer, or the answer breaks off.
        """
        call = self.client.api_call
        headers = {call.request_handler.api_key_header_name: call.config.api_key}
        url = f"{call.config.nodes[0].url()}/collections/{quote(collection, safe='')}/documents/export"
        with self._http.stream("GET", url, params=parameters, headers=headers) as response:
            if response.status_code != 200:
                response.read()
                call.request_handler.raise_for_status(response)
            yield from split_lines(response.iter_bytes())

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the client's exceptions into ones that say where and what to do.

        Raises:
            AwayError: The server does not answer, or is not ready.
            SearchError: It rejects the key, or refuses the request.
        """
        try:
            yield
        except (RequestUnauthorized, RequestForbidden):
            raise SearchError(
                f"the search server at {self.address} rejects the key: set TYPESENSE_API_KEY to its admin key"
            ) from None
        except (httpx.TransportError, HTTPStatus0Error) as error:
            raise AwayError(
                f"the search server at {self.address} does not answer ({type(error).__name__}: {error}): is it "
                "running, and are TYPESENSE_HOST, TYPESENSE_PORT and TYPESENSE_PROTOCOL, or TYPESENSE_NODES, right?"
            ) from None
        except ServiceUnavailable as error:
            raise AwayError(
                f"the search server at {self.address} is not ready, and was waited for in vain: {reason(error)}"
            ) from None
        except TypesenseClientError as error:
            raise SearchError(f"the search server at {self.address} refuses: {reason(error)}") from error
        except json.JSONDecodeError as error:
            raise SearchError(
                f"what answers at {self.address} is not a search server: its answer is no JSON ({error}); are "
                "TYPESENSE_HOST, TYPESENSE_PORT and TYPESENSE_PROTOCOL, or TYPESENSE_NODES, right?"
            ) from error


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a text that comes in pieces, without empty ones.

    Only line feeds end a line: JSON texts hold other characters that `str.splitlines` would split at.
    """
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line for line in lines if line)
    if rest:
        yield rest


def connect(addresses: Sequence[str], api_key: str, timeout: float, *, patience: Patience = PATIENCE) -> SearchServer:
    """A Typesense server over the network. Nothing is sent yet.

    Args:
        addresses: Its nodes, as `http://host:port`; at least one.
        api_key: An admin key.
        timeout: Seconds for which one request may take.
        patience: For how long a request is repeated where the server is away or not ready.
    """
    inner = httpx.HTTPTransport(limits=httpx.Limits(max_connections=2 * STREAMS + 2))
    http = _http(NodesTransport(addresses, inner, patience), timeout)
    return SearchServer(
        _client(http, api_key), http, ", ".join(addresses), link=addresses[0].rstrip("/"), streams=STREAMS
    )


def connect_embedded(path: Path, api_key: str) -> SearchServer:
    """The embedded index over a file, which is created if it is not there.

    Args:
        path: The SQLite file.
        api_key: The admin key that the index takes and the client sends.
    """
    http = _http(EmbeddedTransport(path, admin_key=api_key), None)
    return SearchServer(_client(http, api_key), http, str(path), link="", streams=EMBEDDED_STREAMS)


def _http(transport: httpx.BaseTransport, timeout: float | None) -> httpx.Client:
    limits = httpx.Timeout(timeout, connect=min(timeout or CONNECT_SECONDS, CONNECT_SECONDS))
    return httpx.Client(transport=transport, timeout=limits, event_hooks={"response": [_forget_body]})


def _forget_body(response: httpx.Response) -> None:
    """Let go of what was sent: an answer and its request refer to each other in a circle, which stays for long."""
    response.request.stream = httpx.ByteStream(b"")
    response.request._content = b""  # noqa: SLF001 - there is no other way, and batches are megabytes


def _client(http: httpx.Client, api_key: str) -> Client:
    """The official client; where its requests go, and how often, is the transport's affair."""
    node: NodeConfigDict = {"host": "search-server", "port": 80, "protocol": "http"}
    return Client({"nodes": [node], "api_key": api_key, "num_retries": 0}, http_client=http)
