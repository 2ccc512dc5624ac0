"""The embedded index behind a real HTTP server on loopback, with faults on demand."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from pyf_pipeline.embedded.server import create_app

ADMIN_KEY = "admin-key-of-the-tests"
LAGGING = b'{"message": "Not Ready or Lagging"}'

Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]


@dataclass
class Faults:
    """What goes wrong with coming requests, one entry for each; nothing where the list is empty.

    Attributes:
        queue: `(part of the path, fault)`: an HTTP status; "reset" to break off before the request is carried out,
            "lost" to carry it out and break off, "slow" to be late.
        seen: `METHOD path` of every request.
    """

    queue: list[tuple[str, int | str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def add(self, path: str, *faults: int | str) -> None:
        self.queue += [(path, fault) for fault in faults]

    def next(self, path: str) -> int | str | None:
        for position, (part, fault) in enumerate(self.queue):
            if part in path:
                del self.queue[position]
                return fault
        return None


class Faulty:
    """An ASGI application before another that it lets fail."""

    def __init__(self, app: Any, faults: Faults) -> None:
        self.app = app
        self.faults = faults

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.faults.seen.append(f"{scope['method']} {scope['path']}")
        fault = self.faults.next(scope["path"])
        if isinstance(fault, int):
            await drain(receive)
            await answer(send, fault, LAGGING)
        elif fault == "reset":
            await drain(receive)
            await break_off(send)
        elif fault == "lost":
            await self.app(scope, receive, nothing)
            await break_off(send)
        else:
            if fault == "slow":
                await asyncio.sleep(1.5)
            await self.app(scope, receive, send)


async def drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        continue


async def answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def nothing(_message: Any) -> None:
    """Swallow an answer."""


async def break_off(send: Send) -> None:
    """Begin an answer, upon which the server closes the connection, as there is no more of it."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})


@dataclass
class Node:
    """A running server."""

    address: str
    faults: Faults


@contextmanager
def serving(path: Path, port: int = 0) -> Iterator[Node]:
    """Serve the index in a file for as long as the context lasts."""
    faults = Faults()
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(64)
        config = uvicorn.Config(Faulty(create_app(path, admin_key=ADMIN_KEY), faults), log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield Node(f"http://127.0.0.1:{listening.getsockname()[1]}", faults)
        finally:
            server.should_exit = True
            thread.join()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
