"""Documents made to fit the schema, and checked, before they are sent.

Typesense refuses a document for one value of the wrong type, lets numbers overflow in silence, and takes the last of
two documents with one id. What can be brought to its field's type without changing its meaning is; what cannot is
reported with its reason, and not sent.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

Fields = Iterable[Mapping[str, Any]]

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)

# A text beyond this is cut: what follows a million characters is not found by anybody.
LONGEST_TEXT = 1_000_000

# No server takes a request of any size; a document of cut texts is below this, unless something is very odd.
LARGEST_DOCUMENT = 12_000_000

REPLACEMENT = "\ufffd"

_UNENCODABLE = re.compile("[\ud800-\udfff\x00]")
_WHOLE_NUMBER = re.compile(r"\s*[+-]?\d{1,40}\s*")


class MisfitError(ValueError):
    """A document cannot be made to fit; the text names the field and why."""


class DuplicateError(MisfitError):
    """Another document with the same id came before."""


class Fitter:
    """Makes documents fit a collection's fields.

    Args:
        fields: The fields, as in a collection's schema.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = [
            (str(field["name"]), bool(field.get("optional")), str(field["type"]), _FITTING[str(field["type"])])
            for field in fields
        ]
        self._seen: set[str] = set()

    def line(self, document: Mapping[str, Any]) -> bytes:
        """The document as a line of JSON that fits.

        Raises:
            DuplicateError: Another with its id came before.
            MisfitError: It cannot be made to fit.
        """
        fitted = self.fit(document)
        if fitted["id"] in self._seen:
            raise DuplicateError("id: another document has the same one, and was sent")
        line = _encode(fitted)
        if len(line) > LARGEST_DOCUMENT:
            raise MisfitError(f"it has {len(line)} bytes, and {LARGEST_DOCUMENT} is what is sent at most")
        self._seen.add(fitted["id"])
        return line

    def fit(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with every field of its type; fields that the schema does not have stay as they are.

        Raises:
            MisfitError: It cannot be made to fit.
        """
        fitted = {key: value for key, value in document.items() if value is not None}
        fitted["id"] = _identifier(document.get("id"))
        for name, optional, kind, fitting in self._fields:
            if name in fitted:
                fitted[name] = _fit_field(name, kind, fitting, fitted[name])
            elif not optional:
                fitted[name] = _EMPTY[kind]()
        _name_it(fitted)
        return fitted


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not value or _UNENCODABLE.search(value):
        raise MisfitError(f"id: {value!r:.80} cannot be one: it should be a text, and not an empty one")
    return value


def _name_it(document: dict[str, Any]) -> None:
    """A package without a name is shown, sorted and found by its id."""
    if "name" in document and not document["name"].strip():
        document["name"] = document["id"]
    if "name_sortable" in document and not document["name_sortable"].strip():
        document["name_sortable"] = str(document.get("name") or document["id"]).lower()


def _fit_field(name: str, kind: str, fitting: Callable[[Any], Any], value: Any) -> Any:
    try:
        return fitting(value)
    except MisfitError:
        raise MisfitError(f"{name}: {value!r:.80} is not {_ARTICLES.get(kind, 'a')} {kind}") from None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else _cut(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return _text(", ".join(_text(item) for item in value if item is not None))
    raise MisfitError


def _cut(value: str) -> str:
    """The beginning of a text, not ending within an HTML tag or entity."""
    kept = value[:LONGEST_TEXT]
    for opening, closing, longest in (("<", ">", 10_000), ("&", ";", 12)):
        start = kept.rfind(opening)
        if start > kept.rfind(closing) and len(kept) - start < longest:
            kept = kept[:start]
    return kept


def _whole(bounds: tuple[int, int]) -> Callable[[Any], int]:
    lowest, highest = bounds

    def fitted(value: Any) -> int:
        if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and math.isfinite(value) and value == int(value):
            value = int(value)
        if not isinstance(value, int):
            raise MisfitError
        return max(lowest, min(int(value), highest))

    return fitted


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise MisfitError from None
    if not math.isfinite(number):
        raise MisfitError
    return number


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower())
    if isinstance(value, bool | int) and value in (0, 1):
        return bool(value)
    raise MisfitError


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MisfitError
    return value


def _several(single: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def fitted(value: Any) -> list[Any]:
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        return [single(item) for item in values if item is not None]

    return fitted


_SINGLE: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "int32": _whole(INT32),
    "int64": _whole(INT64),
    "float": _number,
    "bool": _flag,
    "object": _object,
}
_FITTING: dict[str, Callable[[Any], Any]] = _SINGLE | {
    f"{kind}[]": _several(fitting) for kind, fitting in _SINGLE.items()
}
_EMPTY: dict[str, Callable[[], Any]] = {
    "string": str,
    "int32": int,
    "int64": int,
    "float": float,
    "bool": bool,
    "object": dict,
    **{f"{kind}[]": list for kind in _SINGLE},
}
_ARTICLES = {"int32": "an", "int64": "an", "object": "an", "int32[]": "an", "int64[]": "an", "object[]": "an"}


def _encode(document: dict[str, Any]) -> bytes:
    """JSON without what Typesense cannot store or show: NUL characters and lone surrogates."""
    try:
        line = orjson.dumps(document)
    except orjson.JSONEncodeError:
        line = b"\\u0000"
    if b"\\u0000" not in line:
        return line
    try:
        return orjson.dumps(_cleaned(document))
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise MisfitError(f"it cannot be written as JSON: {error}") from None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _UNENCODABLE.sub(REPLACEMENT, value)
    if isinstance(value, Mapping):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(INT64[0], min(value, INT64[1]))
    return value
