"""What a number is worth by how far it is from another: most there, less and less further off.

https://typesense.org/docs/29.0/api/search.html#decay-function-sorting
"""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pyf_pipeline.embedded.arrays import AnyArray
from pyf_pipeline.embedded.errors import bad_request
from pyf_pipeline.embedded.schema import Field

FUNCTIONS = ("gauss", "linear", "exp", "diff")

_WHOLE = re.compile(r"[+-]?\d{1,18}\Z")


@dataclass(frozen=True, slots=True)
class Decay:
    """A decay function about `origin`: at a distance of `scale` beyond `offset` it has fallen to `rate`."""

    origin: int
    function: str
    scale: int = 1
    offset: int = 0
    rate: float = 0.5

    def worth(self, values: AnyArray) -> npt.NDArray[np.float64]:
        """The worth of each value; for `diff` the distance itself."""
        away = _floats(np.maximum(np.abs(values.astype(np.float64) - self.origin) - self.offset, 0.0))
        if self.function == "diff":
            return away
        if self.function == "linear":
            reach = self.scale / (1.0 - self.rate)
            return _floats(np.maximum(reach - away, 0.0) / reach)
        fallen = math.log(self.rate)
        power = 1 if self.function == "exp" else 2
        return _floats(np.exp(fallen * (away / self.scale) ** power))


def _floats(values: Any) -> npt.NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


def parse_decay(field: Field, text: str) -> Decay:
    """The function of a sort such as `year(origin: 2000, func: gauss, scale: 10)`; raises `ApiError`."""
    given = {k.strip(): v.strip() for k, _, v in (p.partition(":") for p in text.split(","))}
    if not field.is_number or field.is_array or not given.keys() <= {"origin", "func", "scale", "offset", "decay"}:
        raise _malformed(field)
    function = given.get("func", "")
    if function not in FUNCTIONS:
        raise bad_request(f"Sorting by `{field.name}`: `func` must be one of {', '.join(FUNCTIONS)}.")
    if function != "diff" and "scale" not in given:
        raise bad_request(f"Sorting by `{field.name}`: `scale` is needed for `{function}`.")
    scale = abs(_whole(field, given, "scale", 1))
    rate = _rate(field, given.get("decay", "0.5"))
    if not scale:
        raise bad_request(f"Sorting by `{field.name}`: `scale` must be an integer other than zero.")
    return Decay(_whole(field, given, "origin", 0), function, scale, _whole(field, given, "offset", 0), rate)


def _whole(field: Field, given: dict[str, Any], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not _WHOLE.match(text):
        raise bad_request(f"Sorting by `{field.name}`: `{name}` must be an integer.")
    return int(text)


def _rate(field: Field, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        raise _malformed(field) from None
    if not 0.0 < rate < 1.0:
        raise bad_request(f"Sorting by `{field.name}`: `decay` must be between 0 and 1.")
    return rate


def _malformed(field: Field) -> Exception:
    return bad_request(f"Bad syntax for sorting field `{field.name}`")
