"""PyPI's XML-RPC endpoint: `browse`, the changelog, and the faults that it answers with."""

from collections.abc import Callable
from typing import Any
from xml.parsers.expat import ExpatError
from xmlrpc.client import Fault, ResponseError, dumps, loads

from pyf_pipeline_tests.world.pypi import PyPI

_APPLICATION_ERROR = -32500
_METHOD_NOT_FOUND = -32601
_INVALID_PARAMS = -32602
_PARSE_ERROR = -32700
_TOO_MANY = "HTTPTooManyRequests: The action could not be performed because there were too many requests by the client."


def method_of(body: bytes) -> str:
    """The name of the method that a call names, "" where it cannot be told."""
    start, end = body.find(b"<methodName>"), body.find(b"</methodName>")
    return body[start + 12 : end].decode("utf-8", "replace").strip() if 0 <= start < end else ""


def respond(pypi: PyPI, body: bytes) -> bytes:
    """The answer to a call, a fault where it fails."""
    try:
        params, method = loads(body)
    except (ExpatError, ResponseError, ValueError, TypeError, UnicodeDecodeError) as error:
        return _fault(_PARSE_ERROR, f"server error; parse error: {error}")
    call = _METHODS.get(method or "")
    if call is None:
        return _fault(_METHOD_NOT_FOUND, "server error; requested method not found")
    try:
        result = call(pypi, *params)
    except Fault as fault:
        return _fault(fault.faultCode, fault.faultString)
    except TypeError as error:
        return _fault(_INVALID_PARAMS, f"server error; invalid method params: {error}")
    return dumps((result,), methodresponse=True, allow_none=True).encode()


def too_many(resets_in: int | None) -> bytes:
    """The fault of a call over the limit."""
    hint = f" Limit may reset in {resets_in} seconds." if resets_in is not None else ""
    return _fault(_APPLICATION_ERROR, _TOO_MANY + hint)


def broken() -> bytes:
    """The fault of a call that failed for reasons of the server's own."""
    return _fault(_APPLICATION_ERROR, "DatabaseNotAvailableError: ")


def _fault(code: int, text: str) -> bytes:
    return dumps(Fault(code, text), methodresponse=True).encode()


def _browse(pypi: PyPI, classifiers: Any) -> list[tuple[str, str]]:
    if not isinstance(classifiers, list) or not all(isinstance(c, str) for c in classifiers):
        raise Fault(_APPLICATION_ERROR, "TypeError: browse takes a list of classifiers.")
    return pypi.browse(classifiers)


def _changelog_since_serial(pypi: PyPI, serial: Any) -> list[Any]:
    if not isinstance(serial, int):
        raise Fault(_APPLICATION_ERROR, "TypeError: changelog_since_serial takes an integer.")
    return [tuple(entry) for entry in pypi.changelog_since(serial)]


def _changelog_last_serial(pypi: PyPI) -> int:
    return pypi.serial


def _list_packages_with_serial(pypi: PyPI) -> dict[str, int]:
    return dict(pypi.index())


def _gone(pypi: PyPI, *_: Any) -> Any:
    raise Fault(_APPLICATION_ERROR, "RuntimeError: PyPI no longer supports this method.")


_METHODS: dict[str, Callable[..., Any]] = {
    "browse": _browse,
    "changelog_last_serial": _changelog_last_serial,
    "changelog_since_serial": _changelog_since_serial,
    "list_packages_with_serial": _list_packages_with_serial,
    "changelog": _gone,
    "list_packages": _gone,
    "package_data": _gone,
    "package_releases": _gone,
    "package_urls": _gone,
    "release_data": _gone,
    "release_urls": _gone,
    "search": _gone,
    "system.multicall": _gone,
    "top_packages": _gone,
}
