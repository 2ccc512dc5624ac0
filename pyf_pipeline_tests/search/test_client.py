import socket
from pathlib import Path

import pytest

from pyf_pipeline.search.client import connect, connect_embedded
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.naming import locate
from pyf_pipeline.search.transport import Patience


def test_a_server_that_is_away_is_named_with_what_to_check() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        server = connect([f"http://127.0.0.1:{port}"], "secret-key", 2, patience=Patience(away=0.5))
        with (
            pytest.raises(SearchError, match=f"http://127.0.0.1:{port} does not answer.*TYPESENSE_HOST") as caught,
            server.explained(),
        ):
            locate(server.client, "plone")
    assert "secret-key" not in str(caught.value)
    server.close()


def test_a_rejected_key_says_so(tmp_path: Path) -> None:
    server = connect_embedded(tmp_path / "search.sqlite3", "right")
    server.client.config.api_key = "wrong"
    with pytest.raises(SearchError, match="rejects the key: set TYPESENSE_API_KEY"), server.explained():
        locate(server.client, "plone")
    server.close()
