import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pyf_pipeline.pypi.transport import Transport, TransportError, explain, unreachable


class Handler(BaseHTTPRequestHandler):
    seen: list[tuple[str, str | None, str | None]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization"), self.headers.get("User-Agent")))
        if self.path == "/moved":
            self.send_response(301)
            self.send_header("Location", "/here")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b"a body"
        self.send_response(418 if self.path == "/teapot" else 200)
        self.send_header("Content-Length", str(len(body) + (5 if self.path == "/short" else 0)))
        if self.path == "/compressed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Handler.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url_of(server: ThreadingHTTPServer, login: str = "") -> str:
    return f"http://{login}127.0.0.1:{server.server_port}"


def test_an_answer_is_read_to_its_end_and_redirects_are_counted(server: ThreadingHTTPServer) -> None:
    transport = Transport(url_of(server), connections=1, user_agent="me")
    reply = transport.send("GET", f"{url_of(server)}/moved", {}, None)
    assert (reply.status, reply.body, reply.redirects) == (200, b"a body", 1)
    assert reply.headers.get("content-LENGTH") == "6"
    assert transport.send("GET", f"{url_of(server)}/teapot", {}, None).status == 418
    assert {agent for _, _, agent in Handler.seen} == {"me"}


def test_a_login_in_the_address_is_sent_as_a_header(server: ThreadingHTTPServer) -> None:
    base = url_of(server, "user:pass@")
    Transport(base, connections=1, user_agent="me").send("GET", f"{base}/", {}, None)
    assert Handler.seen == [("/", "Basic dXNlcjpwYXNz", "me")]


@pytest.mark.parametrize("path", ["/short", "/compressed"])
def test_an_answer_that_is_cut_off_is_called_that(server: ThreadingHTTPServer, path: str) -> None:
    with pytest.raises(TransportError) as caught:
        Transport(url_of(server), connections=1, user_agent="me").send("GET", url_of(server) + path, {}, None)
    assert explain(caught.value) == "answer cut off"


def test_a_proxy_of_the_environment_is_used_except_where_it_should_not(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", url_of(server))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    Transport("http://pypi.example", connections=1, user_agent="me").send("GET", "http://pypi.example/x", {}, None)
    assert Handler.seen[0][0] == "http://pypi.example/x"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Transport(url_of(server), connections=1, user_agent="me").send("GET", f"{url_of(server)}/direct", {}, None)
    assert Handler.seen[1][0] == "/direct"


def test_what_cannot_be_reached_is_told_apart_from_what_answers(server: ThreadingHTTPServer) -> None:
    assert unreachable(url_of(server)) == ""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert unreachable(f"http://127.0.0.1:{unused.getsockname()[1]}") == "connection failed"
