"""The index in process, for any client that takes an `httpx` transport.

client = typesense.Client(
    {"api_key": key, "nodes": [{"host": "embedded", "port": 80, "protocol": "http"}]},
    http_client=httpx.Client(transport=EmbeddedTransport("index.sqlite", admin_key=key)),
)
"""

import os
from collections.abc import Iterator
from urllib.parse import unquote

import httpx

from pyf_pipeline.embedded.messages import Request, parse_parameters
from pyf_pipeline.embedded.router import dispatch
from pyf_pipeline.embedded.service import Service

KEY_HEADER = "x-typesense-api-key"


class _Pieces(httpx.SyncByteStream):
    """A body that comes piece by piece."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


class EmbeddedTransport(httpx.BaseTransport):
    """Answers requests from an index in a file, by the same router as the server.

    May be used by several threads at once, and beside other processes over the same file. The host and port of a
    request are of no account.

    Args:
        path: The SQLite file; made, with its folder, if need be.
        admin_key: The key that may do everything; it is not stored.
    """

    def __init__(self, path: str | os.PathLike[str], *, admin_key: str) -> None:
        self._service = Service(path, admin_key=admin_key)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answers one request."""
        address = request.url.raw_path.decode("ascii")
        path, _, query = address.partition("?")
        parameters = parse_parameters(query)
        asked = Request(
            method=request.method.upper(),
            path=tuple(unquote(p) for p in path.strip("/").split("/")),
            query=parameters,
            key=request.headers.get(KEY_HEADER, "") or parameters.get(KEY_HEADER, ""),
            body=request.read(),
        )
        answer = dispatch(self._service, asked)
        headers = {"content-type": answer.content_type, **answer.headers}
        if isinstance(answer.body, bytes):
            return httpx.Response(answer.status, headers=headers, content=answer.body, request=request)
        return httpx.Response(answer.status, headers=headers, stream=_Pieces(answer.body), request=request)

    def close(self) -> None:
        """Closes the file."""
        self._service.close()
