"""An index in a temporary folder, and the official client for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import typesense
import uvicorn
from starlette.types import ASGIApp

from pyf_pipeline.embedded.server import create_app
from pyf_pipeline.embedded.transport import EmbeddedTransport

ADMIN = "the-admin-key"

FIELDS: list[dict[str, Any]] = [
    {"name": "name", "type": "string", "facet": True, "sort": True},
    {"name": "summary", "type": "string", "optional": True},
    {"name": "tags", "type": "string[]", "facet": True, "optional": True},
    {"name": "stars", "type": "int64", "facet": True, "optional": True},
    {"name": "score", "type": "float", "optional": True},
    {"name": "yanked", "type": "bool", "facet": True, "optional": True},
    {"name": "urls", "type": "object", "optional": True, "index": False},
]


def client_of(path: Path, key: str = ADMIN) -> typesense.Client:
    """The official client over the index in a file."""
    transport = EmbeddedTransport(path, admin_key=ADMIN)
    return typesense.Client(
        {"api_key": key, "nodes": [{"host": "embedded", "port": 80, "protocol": "http"}], "num_retries": 0},
        http_client=httpx.Client(transport=transport),
    )


def definition(name: str, **more: Any) -> dict[str, Any]:
    """A collection's definition with a few fields of every kind."""
    return {"name": name, "fields": FIELDS, "enable_nested_fields": True, "token_separators": ["-", "."], **more}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the index is."""
    return tmp_path / "state" / "index.sqlite"


@pytest.fixture
def client(path: Path) -> typesense.Client:
    """A client with the admin key."""
    return client_of(path)


@pytest.fixture
def raw(path: Path) -> Iterator[Callable[..., httpx.Response]]:
    """Sends a request as it stands, with the admin key unless told otherwise."""
    with httpx.Client(transport=EmbeddedTransport(path, admin_key=ADMIN), base_url="http://embedded") as http:

        def send(method: str, address: str, *, key: str = ADMIN, **more: Any) -> httpx.Response:
            return http.request(method, address, headers={"X-TYPESENSE-API-KEY": key}, **more)

        yield send


@contextmanager
def listening(app: ASGIApp) -> Iterator[int]:
    """An application served on loopback; gives its port."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    started = threading.Event()
    startup = server.startup

    async def signalled(sockets: object = None) -> None:
        await startup(sockets)  # type: ignore[arg-type] # passed through as it came
        started.set()

    server.startup = signalled  # type: ignore[assignment,method-assign] # to know when it listens
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(20)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def port(path: Path) -> Iterator[int]:
    """The port of a server over the index."""
    with listening(create_app(path, admin_key=ADMIN)) as found:
        yield found
