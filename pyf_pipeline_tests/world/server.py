"""The HTTP servers: uvicorn on loopback, all in one background thread."""

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from pyf_pipeline_tests.world.exchange import HttpApp
from pyf_pipeline_tests.world.log import RequestLog

_HOST = "127.0.0.1"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0

Transports = dict[tuple[str, int], asyncio.Transport]


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the world answers, and what it was asked.

    Attributes:
        pypi_url: PyPI's address, without a slash at its end.
        github_url: The root of GitHub's API; `/graphql` and `/repos/…` are below it.
        pypistats_url: pypistats' address.
        log: The requests.
    """

    pypi_url: str
    github_url: str
    pypistats_url: str
    log: RequestLog


class ServerError(RuntimeError):
    """The servers did not start or stop."""


@dataclass(slots=True)
class ServerThread:
    """Runs applications, each on a port of its own, until it is stopped."""

    apps: list[tuple[HttpApp, int, Transports]]
    log: RequestLog
    ports: list[int] = field(default_factory=list)
    _servers: list["_Server"] = field(default_factory=list)
    _thread: threading.Thread | None = None
    _failure: BaseException | None = None

    def start(self) -> None:
        """Bind the ports and answer.

        Raises:
            OSError: If a port is taken.
            ServerError: If a server does not come up.
        """
        sockets: list[socket.socket] = []
        try:
            for _, port, _ in self.apps:
                sockets.append(_listening(port))
        except OSError:
            for bound in sockets:
                bound.close()
            raise
        self.ports = [bound.getsockname()[1] for bound in sockets]
        self._servers = [_Server(_config(app, transports, self.log)) for app, _, transports in self.apps]
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="world-servers", daemon=True)
        self._thread.start()
        for server in self._servers:
            if not server.ready.wait(_START_SECONDS):
                raise ServerError(f"the world's servers did not start: {self._failure!r}")

    def stop(self) -> None:
        """Stop answering and wait for the thread to end."""
        for server in self._servers:
            server.ask_to_exit()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            if self._thread.is_alive():
                raise ServerError(f"the world's servers did not stop within {_STOP_SECONDS:g} s")
            self._thread = None

    def _run(self, sockets: list[socket.socket]) -> None:
        async def serve() -> None:
            pairs = zip(self._servers, sockets, strict=True)
            await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in pairs))

        try:
            asyncio.run(serve())
        except BaseException as error:
            self._failure = error
            raise
        finally:
            for bound in sockets:
                bound.close()


def _listening(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only for sockets that say they are TCP, and `socket.create_server` does not;
    # with it, every answer on a kept connection waits 40 ms for a delayed acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_HOST, port))
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    return listening


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._exit = asyncio.Event()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        # uvicorn's own loop looks for its end ten times a second; tests start and stop worlds by the hundred.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exit.wait(), 1.0)

    def ask_to_exit(self) -> None:
        """Stop soon; may be called from any thread."""
        self.should_exit = True
        if self.ready.is_set() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._exit.set)


def _config(app: HttpApp, transports: Transports, log: RequestLog) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_counting_protocol(transports, log),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


def _counting_protocol(transports: Transports, log: RequestLog) -> Any:
    """A protocol that counts connections and keeps hold of them, so that a fault can break one."""

    class CountingProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen when uvicorn is imported
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transports[self.client] = transport
            log.connection(1)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.client, None)
            log.connection(-1)
            super().connection_lost(exc)

    return CountingProtocol
