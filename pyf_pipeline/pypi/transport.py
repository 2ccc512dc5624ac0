"""Requests over pooled connections: urllib3 itself, which costs half of what its wrappers do when there are thousands.

The environment is heeded as people expect it of `requests`: proxies, `NO_PROXY`, `REQUESTS_CA_BUNDLE`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import IncompleteRead

import requests
import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_auth_from_url, select_proxy, urldefragauth
from urllib3.exceptions import DecodeError, HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as TimedOutError

CONNECT_SECONDS = 10
READ_SECONDS = 60
REDIRECTS = 5

TransportError = HTTPError


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end.

    Attributes:
        status: The HTTP status.
        headers: The header fields; names are looked up in any case.
        body: The body, decompressed.
        redirects: How many redirects were followed to get here.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    redirects: int


class Transport:
    """Connections to one server, for many threads at once. Nothing is retried here."""

    def __init__(self, base_url: str, *, connections: int, user_agent: str) -> None:
        """Prepare at most so many connections at once."""
        self._pool = _pool(base_url, connections)
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip"}
        if any(login := get_auth_from_url(base_url)):
            self._headers |= urllib3.make_headers(basic_auth=":".join(login))

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """Send a request and read the answer.

        Raises:
            TransportError: There is none, or not all of it.
        """
        response = self._pool.request(
            method,
            urldefragauth(url),
            body=body,
            headers={**self._headers, **headers},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            # False: the original exception; redirects are followed, and counted.
            retries=urllib3.Retry(None, connect=False, read=False, redirect=REDIRECTS, status=False, other=False),
        )
        history = response.retries.history if response.retries else ()
        return Reply(response.status, response.headers, response.data, len(history))

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def explain(error: TransportError) -> str:
    """What went wrong, in words that group well in a report."""
    if isinstance(error, TimedOutError) and not isinstance(error, NewConnectionError):
        return "timed out"
    if any(isinstance(cause, DecodeError | IncompleteRead) for cause in _causes(error)):
        return "answer cut off"
    return "connection failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it wraps, which urllib3 keeps among the arguments."""
    yield error
    for argument in error.args:
        if isinstance(argument, BaseException):
            yield from _causes(argument)


def unreachable(base_url: str) -> str:
    """Why nothing can be asked at an address, in a few words; "" where something answers, whatever it says."""
    transport = Transport(base_url, connections=1, user_agent="")
    try:
        transport.send("HEAD", base_url, {}, None)
    except TransportError as error:
        return explain(error)
    finally:
        transport.close()
    return ""


def _pool(base_url: str, connections: int) -> urllib3.PoolManager:
    with requests.Session() as session:
        settings = session.merge_environment_settings(base_url, {}, stream=False, verify=True, cert=None)
    certificates = DEFAULT_CA_BUNDLE_PATH if settings["verify"] is True else settings["verify"]
    proxy = select_proxy(base_url, settings["proxies"])
    if proxy is None:
        return urllib3.PoolManager(maxsize=connections, block=True, ca_certs=certificates)
    login = get_auth_from_url(proxy)
    return urllib3.ProxyManager(
        proxy,
        proxy_headers=urllib3.make_headers(proxy_basic_auth=":".join(login)) if any(login) else None,
        maxsize=connections,
        block=True,
        ca_certs=certificates,
    )
