"""What `pyfsearch` does."""

import argparse
import secrets
import socket
from contextlib import suppress

import uvicorn

from pyf_pipeline.cli.command import OK, CommandError
from pyf_pipeline.cli.output import Output
from pyf_pipeline.embedded.server import create_app
from pyf_pipeline.settings import load_settings


def serve(options: argparse.Namespace, output: Output) -> int:
    """Serve the embedded index until Ctrl-C; returns the exit code.

    Raises:
        CommandError: A Typesense server is set, so that nothing is in the embedded index, or the port is taken.
    """
    settings = load_settings()
    if settings.embedded_path is None:
        raise CommandError(
            "a Typesense server is set, which answers by itself; unset TYPESENSE_HOST and TYPESENSE_NODES to serve the "
            "embedded index"
        )
    own = settings.typesense_api_key
    key = own.get_secret_value() if own else secrets.token_urlsafe(24)
    with _listening(options.host, options.port) as listener:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        output.line(f"serving {settings.embedded_path} at http://{shown}:{port} (Ctrl-C ends it)")
        if own is None:
            output.line(f"admin key, for as long as this runs: {key} (set TYPESENSE_API_KEY to keep one)")
        app = create_app(settings.embedded_path, admin_key=key)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        # Ctrl-C is how it ends, once those that wait for an answer have it.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    return OK


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise CommandError(f"cannot listen on {host}:{port}: {error}; choose another with --host and --port") from None
