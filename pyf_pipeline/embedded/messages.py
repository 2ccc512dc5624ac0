"""Requests and answers, free of any web framework."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import unquote_plus

import orjson

from pyf_pipeline.embedded.errors import ApiError, bad_request
from pyf_pipeline.embedded.jsontext import TOO_DEEP, dumps, is_too_deep, loads

_SEPARATOR = re.compile(r"(?<!&)&(?!&)")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        method: In capitals.
        path: Decoded, in parts.
        query: The parameters of the address.
        key: What came as `X-TYPESENSE-API-KEY`, in the header or the address; "" where nothing did.
        body: As it came; empty where it is too long to be held in memory.
        spooled: The body as a file where it is that long, and None otherwise.
    """

    method: str
    path: tuple[str, ...]
    query: dict[str, str]
    key: str
    body: bytes
    spooled: BinaryIO | None = None

    def json(self) -> Any:
        """The body's value; raises 400 where it is no JSON."""
        try:
            value = loads(self.body)
        except orjson.JSONDecodeError:
            raise bad_request("Bad JSON.") from None
        if is_too_deep(value):
            raise bad_request(TOO_DEEP)
        return value

    def stream(self) -> BinaryIO:
        """The body as a file, however long it is."""
        return self.spooled or io.BytesIO(self.body)

    def flag(self, name: str) -> bool:
        """Whether a parameter of the address is true."""
        return self.query.get(name) == "true"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a whole body, or one that comes piece by piece."""

    status: int
    body: bytes | Iterator[bytes]
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200) -> Answer:
    """A value as JSON."""
    return Answer(status, dumps(value).encode())


def text_answer(lines: list[str]) -> Answer:
    """Lines of text."""
    return Answer(200, "\n".join(lines).encode(), "text/plain; charset=utf-8")


def refusal(error: ApiError) -> Answer:
    """An error as JSON."""
    return json_answer({"message": error.message, **error.details}, error.status)


def parse_parameters(text: str) -> dict[str, str]:
    """The parameters of an address. `&&` need not be encoded; filters given twice are both meant."""
    found: dict[str, str] = {}
    for part in _SEPARATOR.split(text):
        name, _, value = part.partition("=")
        if not name:
            continue
        value = unquote_plus(value)
        name = unquote_plus(name)
        found[name] = f"{found[name]}&&{value}" if name == "filter_by" and name in found else value
    return found
