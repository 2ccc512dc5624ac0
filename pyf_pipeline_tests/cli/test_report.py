import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from rich.console import Console

from pyf_pipeline.cli.report import print_searches
from pyf_pipeline.embedded.server import create_app
from pyf_pipeline.search.client import connect
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.settings import Settings, load_settings
from pyf_pipeline_tests.search.publishing import numbered


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Those of a search server over the network that wants its key."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    app = create_app(tmp_path / "search.sqlite3", admin_key="the-right-key")
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield load_settings(
        {
            "TYPESENSE_HOST": "127.0.0.1",
            "TYPESENSE_PORT": str(listening.getsockname()[1]),
            "TYPESENSE_API_KEY": "the-right-key",
        },
        tmp_path / "no.env",
    )
    server.should_exit = True
    thread.join()
    listening.close()


def test_a_server_with_a_key_is_searched_after_a_run(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    server = connect(settings.typesense_addresses, settings.api_key, settings.typesense_timeout)
    Publisher(server).publish("plone", numbered(5))
    server.close()
    print_searches(Console(highlight=False), settings, {"plone": ["*"]})
    assert "plone: * (5 found)" in capsys.readouterr().out
