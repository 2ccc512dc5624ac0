"""Whether a document fits its collection, and what `dirty_values` makes of what does not."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyf_pipeline.embedded.errors import ApiError, bad_request
from pyf_pipeline.embedded.flatten import value_at
from pyf_pipeline.embedded.schema import Field, Schema, fits
from pyf_pipeline.embedded.wholes import within_bits

INT32_MAX = 2**31 - 1
INT64_RANGE = 2**64
_FLOAT = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z")

DIRTY_VALUES = ("coerce_or_reject", "coerce_or_drop", "drop", "reject")

_ARTICLES = {"string": ("a", "an array of"), "int32": ("an", "an array of"), "int64": ("an", "an array of"),
             "float": ("a", "a array of"), "bool": ("a", "a array of")}  # fmt: skip


class _Drop(Exception):  # noqa: N818 - not an error: says that a value is left out
    """The value is left out of the document."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks documents against one schema in one `dirty_values` mode."""

    schema: Schema
    mode: str = "coerce_or_reject"

    def check(self, document: dict[str, Any], *, partial: bool, whole: bool = True) -> None:
        """Brings the document's values to their fields' types, in place.

        Args:
            document: Its `id` is the caller's affair.
            partial: Whether fields may be absent, as in an update.
            whole: Whether it came as a whole, so that the default sorting field is asked for first.

        Raises:
            ApiError: 400, naming the first field that does not fit.
        """
        default = self.schema.default_sorting_field
        if default and whole and not partial and default not in document:
            raise bad_request(
                f"Field `{default}` has been declared as a default sorting field, but is not found in the document."
            )
        for field in self.schema.searchable.values():
            # What is right already is most of what comes; of these numbers the size is to be looked at too.
            if field.type == "int32" or not field.holds(document.get(field.name)):
                self._check_field(field, document, partial=partial)

    def _check_field(self, field: Field, document: dict[str, Any], *, partial: bool) -> None:
        if field.is_object:
            return
        if field.nested and field.name not in document:
            self._check_nested(field, document, partial=partial)
            return
        if field.name not in document:
            if field.optional or partial:
                return
            raise missing(field)
        value = document[field.name]
        if value is None and field.optional:
            return
        try:
            document[field.name] = self._fitted(field, value)
        except _Drop:
            del document[field.name]

    def _check_nested(self, field: Field, document: dict[str, Any], *, partial: bool) -> None:
        value = value_at(document, field.name)
        if value is None:
            if field.optional or partial:
                return
            raise missing(field)
        try:
            self._fitted(field, value)
        except _Drop:
            return

    def _fitted(self, field: Field, value: Any) -> Any:
        if not field.is_array:
            fitted = self._single(field, value, in_array=False)
            return self._within_int32(field, fitted) if field.type == "int32" else fitted
        if not isinstance(value, list):
            if field.optional and self.mode in {"drop", "coerce_or_drop"}:
                raise _Drop
            raise bad_request(f"Field `{field.name}` must be an array.")
        return self._many(field, value)

    def _within_int32(self, field: Field, value: int) -> int:
        """A value too large is refused; of an optional field it is left out in two of the modes, as observed."""
        if value <= INT32_MAX:
            return value
        if field.optional and self.mode in {"drop", "coerce_or_reject"}:
            raise _Drop
        raise bad_request(f"Field `{field.name}` exceeds maximum value of int32.")

    def _many(self, field: Field, values: list[Any]) -> list[Any]:
        kept = []
        for item in values:
            try:
                kept.append(self._single(field, item, in_array=True))
            except _Drop:
                continue
        return kept

    def _single(self, field: Field, value: Any, *, in_array: bool) -> Any:
        kind = field.type.removesuffix("[]")
        if fits(kind, value):
            return value
        mismatch = _mismatch(field, kind, value, in_array=in_array)
        if self.mode == "reject":
            raise mismatch
        if self.mode == "drop":
            raise _Drop if field.optional else mismatch
        if kind == "bool" and isinstance(value, str) and value.lower() not in {"true", "false"}:
            raise mismatch
        coerced = coerce(kind, value)
        if coerced is not None:
            return coerced
        raise _Drop if self.mode == "coerce_or_drop" and field.optional else mismatch


def missing(field: Field) -> ApiError:
    """What is said of a field that a document must have and has not."""
    return bad_request(f"Field `{field.name}` has been declared in the schema, but is not found in the document.")


def _mismatch(field: Field, kind: str, value: Any, *, in_array: bool) -> ApiError:
    if field.nested and isinstance(value, list):
        return bad_request(
            f"Field `{field.name}` has an incorrect type. "
            "Hint: field inside an array of objects must be an array type as well."
        )
    return bad_request(f"Field `{field.name}` must be {_ARTICLES[kind][in_array]} {kind}.")


def coerce(kind: str, value: Any) -> Any:
    """The value in another type, or None where it has no counterpart there."""
    if kind == "string":
        return _to_string(value)
    if kind == "bool":
        return _to_bool(value)
    if kind == "float":
        return _to_float(value)
    return _to_integer(kind, value)


def _to_string(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return float_text(value) if isinstance(value, float) else None


def _to_bool(value: Any) -> bool | None:
    if isinstance(value, str):
        return value.lower() == "true"
    return value == 1 if isinstance(value, int) and value in {0, 1} else None


def _to_float(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, str) and _FLOAT.match(value) else None


def _to_integer(kind: str, value: Any) -> int | None:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return int(np.float32(value)) if abs(value) < INT64_RANGE // 2 else None
    return within_bits(value, 32 if kind == "int32" else 64) if isinstance(value, str) else None


def float_text(value: float) -> str:
    """A float as the server prints it: six significant digits."""
    return f"{float(np.float32(value)):g}"


def wrapped_int64(number: int) -> int:
    """A whole number as 64 bits hold it: what is too large wraps around."""
    return (number + INT64_RANGE // 2) % INT64_RANGE - INT64_RANGE // 2
