"""PyPI's XML-RPC, asked only which projects carry a classifier, and no faster than PyPI allows.

`browse` is documented, deprecated and limited per client. It saves reading all of PyPI once, and nothing depends on it.
"""

import re
import xmlrpc.client
from typing import Any
from xml.parsers.expat import ExpatError

from defusedxml import xmlrpc as safe_xmlrpc

from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.pypi.http import Http, PyPIError, UnusableAnswerError
from pyf_pipeline.pypi.pace import Pace
from pyf_pipeline.pypi.transport import Reply

# The standard library's parser expands entities without limit; this replaces it by one that does not.
safe_xmlrpc.monkey_patch()

TOO_MANY_TRIES = 4
# There is another way, and each try is one of few calls.
RETRIES = 2
_ROW = re.compile(
    rb"<value><array><data>\s*<value><string>([A-Za-z0-9._-]+)</string></value>"
    rb"\s*<value><string>[^<]*</string></value>\s*</data></array></value>"
)
_RESET = re.compile(r"reset in (\d+(?:\.\d+)?) second")


class RefusedError(PyPIError):
    """PyPI's XML-RPC does not answer, or not with an answer: the index has to be used instead."""


def browse(http: Http, classifier: str, pace: Pace) -> set[str]:
    """The normalised names of the projects with a release, current or not, that carries a classifier.

    Raises:
        RefusedError: PyPI answers with a fault, with nonsense, or not at all.
    """
    for _ in range(TOO_MANY_TRIES):
        try:
            return _call(http, pace, "browse", [classifier])
        except xmlrpc.client.Fault as fault:
            seconds = _RESET.search(fault.faultString)
            if "TooManyRequests" not in fault.faultString or seconds is None:
                raise RefusedError(f"PyPI's XML-RPC refuses: {fault.faultString}") from None
            # The hint is cut to whole seconds, and of several limits it is the first that resets.
            pace.hold(float(seconds.group(1)) + 1)
        except PyPIError as error:
            raise RefusedError(f"PyPI's XML-RPC: {error}") from None
    raise RefusedError(f"PyPI's XML-RPC keeps to its limit after {TOO_MANY_TRIES} pauses")


def _call(http: Http, pace: Pace, method: str, arguments: list[str]) -> set[str]:
    def read(response: Reply) -> set[str]:
        pace.heed(response.headers)
        return _plain_names(response.body) or _names(response.body)

    body = xmlrpc.client.dumps((arguments,), method).encode()
    headers = {"Content-Type": "text/xml"}
    return http.ask("/pypi", read, method="POST", body=body, headers=headers, pace=pace.call, retries=RETRIES)


def _plain_names(body: bytes) -> set[str]:
    """The names of an answer that is written as PyPI writes it; none where there is any doubt about that.

    A framework's answer has hundreds of thousands of rows, for which a parser of any XML takes seconds and hundreds of
    megabytes.
    """
    if not body.rstrip().endswith(b"</methodResponse>"):
        return set()
    found: set[bytes] = set()
    rows = 0
    for row in _ROW.finditer(body):
        found.add(row[1])
        rows += 1
    # Every array is a row, but for the one that holds them.
    if rows + 1 != body.count(b"<array>"):
        return set()
    return {normalise(name.decode()) for name in found}


def _names(body: bytes) -> set[str]:
    """The names of any answer.

    Raises:
        xmlrpc.client.Fault: That is the answer.
        UnusableAnswerError: It is not one, or not to this question.
    """
    try:
        values: tuple[Any, ...] = xmlrpc.client.loads(body)[0]
        (pairs,) = values
        return {normalise(name) for name, _version in pairs}
    except xmlrpc.client.Fault:
        raise
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AttributeError) as error:
        # The parser lets through whatever its handlers stumble over; all of it means the same here.
        raise UnusableAnswerError(f"not names and versions by XML-RPC ({type(error).__name__})") from None
