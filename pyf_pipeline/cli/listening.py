"""A web application served until it is told to end."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from pyf_pipeline.cli.command import CommandError


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens until the context ends, as it does in good order on Ctrl-C and on SIGTERM.

    Args:
        host: The address to listen on.
        port: The port; 0 for any that is free.

    Raises:
        CommandError: The port is taken, or the address is none of this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise CommandError(f"cannot listen on {host}:{port}: {error}; choose another with --host and --port") from None
    # A service is stopped by SIGTERM.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with listener, suppress(KeyboardInterrupt):
            yield listener
    finally:
        signal.signal(signal.SIGTERM, before)


def address_of(listener: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Answer requests until told to end, and then until those that wait for an answer have it."""
    sys.stdout.flush()  # a log shows where it listens while it does
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
