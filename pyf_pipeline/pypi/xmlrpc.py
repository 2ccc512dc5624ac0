"""PyPI's XML-RPC, asked only which projects carry a classifier, and no faster than PyPI allows.

`browse` is documented, deprecated and limited per client. It saves reading all of PyPI once, and nothing depends on it.
"""

import re
import xmlrpc.client
from xml.parsers.expat import ExpatError

from defusedxml import xmlrpc as safe_xmlrpc

from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.pypi.http import Http, PyPIError, UnusableAnswerError
from pyf_pipeline.pypi.pace import Pace
from pyf_pipeline.pypi.transport import Reply

# The standard library's parser expands entities without limit; this replaces it by one that does not.
safe_xmlrpc.monkey_patch()

TOO_MANY_TRIES = 4
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
            pairs = _call(http, pace, "browse", [classifier])
        except xmlrpc.client.Fault as fault:
            seconds = _RESET.search(fault.faultString)
            if "TooManyRequests" not in fault.faultString or seconds is None:
                raise RefusedError(f"PyPI's XML-RPC refuses: {fault.faultString}") from None
            # The hint is cut to whole seconds, and of several limits it is the first that resets.
            pace.hold(float(seconds.group(1)) + 1)
        except PyPIError as error:
            raise RefusedError(f"PyPI's XML-RPC: {error}") from None
        else:
            return _names(pairs)
    raise RefusedError(f"PyPI's XML-RPC keeps to its limit after {TOO_MANY_TRIES} pauses")


def _names(pairs: object) -> set[str]:
    try:
        return {normalise(name) for name, _version in pairs}  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise RefusedError("PyPI's XML-RPC: browse answered something other than names and versions") from None


def _call(http: Http, pace: Pace, method: str, arguments: list[str]) -> object:
    def read(response: Reply) -> object:
        pace.heed(response.headers)
        try:
            values, _ = xmlrpc.client.loads(response.body)
        except xmlrpc.client.Fault:
            raise
        except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AttributeError) as error:
            # The parser lets through whatever its handlers stumble over; all of it means the same here.
            raise UnusableAnswerError(f"not an XML-RPC answer ({type(error).__name__})") from None
        return values[0]

    body = xmlrpc.client.dumps((arguments,), method).encode()
    headers = {"Content-Type": "text/xml"}
    return http.ask("/pypi", read, method="POST", body=body, headers=headers, pace=pace.wait)
