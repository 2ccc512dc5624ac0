"""Requests and answers, and the ASGI application around a handler: faults, latency, compression, logging."""

import asyncio
import gzip
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

from pyf_pipeline_tests.world.faults import Fault, Faults
from pyf_pipeline_tests.world.log import LoggedRequest, RequestLog

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_HTML = b"<!DOCTYPE html><html><head><title>We'll be back</title></head><body><h1>Maintenance</h1></body></html>"
_COMPRESS_FROM = 600


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a handler sees it; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int]

    @property
    def params(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def accepts_gzip(self) -> bool:
        return "gzip" in self.headers.get("accept-encoding", "")

    @property
    def base(self) -> str:
        """The address of the server as this client names it."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"


@dataclass(slots=True)
class Answer:
    """A status, a body and header fields; `encoded` says that the body is compressed already."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    encoded: bool = False


class Handler(Protocol):
    """What a server answers."""

    def classify(self, request: Request) -> tuple[str, str]:
        """The route of a request, "" for one that is neither logged nor spoiled, and the name that it asks for."""
        ...

    def answer(self, request: Request, route: str, name: str, fault: Fault | None) -> Answer:
        """The answer; of faults a handler plays those that only it can, such as `info_null`."""
        ...


class HttpApp:
    """An ASGI application for one of the servers.

    Args:
        server: "pypi", "github" or "pypistats".
        handler: What answers.
        faults: The faults in force.
        log: Where requests are noted.
        latency: Gives the seconds by which every answer is late.
        transports: The open connections by the client's address, for faults below HTTP.
    """

    def __init__(
        self,
        server: str,
        handler: Handler,
        faults: Faults,
        log: RequestLog,
        *,
        latency: Callable[[], float],
        transports: dict[tuple[str, int], asyncio.Transport],
    ) -> None:
        self._server = server
        self._handler = handler
        self._faults = faults
        self._log = log
        self._latency = latency
        self._transports = transports

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = await _read(scope, receive)
        route, name = self._handler.classify(request)
        fault = self._faults.choose(route, name, request.path) if route else None
        pause = (self._latency() if route else 0.0) + (fault.delay if fault else 0.0)
        if pause:
            await asyncio.sleep(pause)
        if fault and fault.kind == "reset":
            self._note(request, route, name, fault)
            await self._reset(scope, receive)
            return
        answer = _spoiled(fault) if fault else None
        if answer is None:
            answer = self._handler.answer(request, route, name, fault)
        body, headers = _encoded(request, answer)
        truncate = fault is not None and fault.kind == "truncate" and len(body) > 1
        sent = body[: len(body) // 2] if truncate else body
        if route:
            noted = "redirect" if answer.status == 301 else route
            self._note(request, noted, name, fault, status=answer.status, size=len(sent))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": sent, "more_body": truncate})
        if truncate:
            await self._close(scope, receive)

    def _note(
        self, request: Request, route: str, name: str, fault: Fault | None, *, status: int = 0, size: int = 0
    ) -> None:
        path = f"{request.path}?{request.query}" if request.query else request.path
        agent = request.headers.get("user-agent", "")
        client = f"{request.client[0]}:{request.client[1]}"
        kind = fault.kind if fault else ""
        self._log.add(
            LoggedRequest(
                time.time(), self._server, route, request.method, path, name, status, size, agent, client, kind
            )
        )  # fmt: skip

    async def _reset(self, scope: Message, receive: Receive) -> None:
        transport = self._transports[tuple(scope["client"])]
        # With a linger time of 0, closing sends RST instead of FIN.
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
        with socket.socket(fileno=descriptor) as duplicate:
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        await _until_disconnected(receive)

    async def _close(self, scope: Message, receive: Receive) -> None:
        self._transports[tuple(scope["client"])].close()
        await _until_disconnected(receive)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(scope: Message, receive: Receive) -> Request:
    body = b""
    if scope["method"] in ("POST", "PUT", "PATCH"):
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        # Starlette and others decode the path; what was sent tells %2F from a slash.
        path=scope["raw_path"].decode("latin-1").split("?")[0],
        query=scope["query_string"].decode("latin-1"),
        headers={key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]},
        body=body,
        client=tuple(scope["client"]),
    )


def segments(request: Request) -> list[str]:
    """The decoded segments of the path."""
    return [unquote(segment) for segment in request.path.strip("/").split("/")]


def _spoiled(fault: Fault) -> Answer | None:
    if fault.kind == "status":
        return Answer(fault.status, b"Service unavailable", "text/plain; charset=UTF-8", retry_after(fault))
    if fault.kind == "html":
        return Answer(200, _HTML, "text/html; charset=UTF-8")
    if fault.kind == "not_object":
        return Answer(200, b'["not", "what", "you", "expect"]')
    return None


def retry_after(fault: Fault) -> tuple[tuple[str, str], ...]:
    """The Retry-After header of a fault, in seconds or as an HTTP date (RFC 9110)."""
    if fault.retry_after is None:
        return ()
    if fault.retry_after_date:
        return (("Retry-After", formatdate(time.time() + fault.retry_after, usegmt=True)),)
    return (("Retry-After", f"{fault.retry_after:g}"),)


def _encoded(request: Request, answer: Answer) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    body, encoded = answer.body, answer.encoded
    if not encoded and len(body) >= _COMPRESS_FROM and request.accepts_gzip:
        body, encoded = compress(body), True
    headers = [(key.lower().encode(), value.encode("latin-1")) for key, value in answer.headers]
    if answer.status != 304:
        headers.append((b"content-type", answer.content_type.encode()))
        headers.append((b"content-length", str(len(body)).encode()))
        if encoded:
            headers.append((b"content-encoding", b"gzip"))
    return (b"" if request.method == "HEAD" else body), headers


def compress(body: bytes) -> bytes:
    """The body by gzip, the same for the same body."""
    return gzip.compress(body, compresslevel=1, mtime=0)
