"""Scoped search keys: a search-only key's signature under search parameters, made without asking the index.

The text is Base64 of the HMAC-SHA256 (itself in Base64), the first four letters of the key that signed it, and the
parameters as JSON (https://typesense.org/docs/29.0/api/api-keys.html#generate-scoped-search-key).
"""

import base64
import binascii
import hashlib
import hmac
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

import orjson

from pyf_pipeline.embedded.jsontext import is_too_deep, loads
from pyf_pipeline.embedded.keys import PREFIX_LENGTH, Key, is_value, keys_with_prefix
from pyf_pipeline.embedded.params import text_of
from pyf_pipeline.embedded.sealing import Sealer

SEARCH = "documents:search"
SIGNATURE_LENGTH = 44
MAX_LENGTH = 16_000


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a scoped key says of itself."""

    signature: str
    prefix: str
    parameters: str


def embedded_parameters(
    connection: sqlite3.Connection, sealer: Sealer, value: str, collections: list[str]
) -> dict[str, str] | None:
    """The search parameters that a scoped key carries, or None where it is not good for these collections today.

    Args:
        connection: In a transaction.
        sealer: Reads the values of the keys that may have signed it.
        value: As it came in the request.
        collections: As the request names them.
    """
    claim = _claim(value)
    if claim is None:
        return None
    for found in keys_with_prefix(connection, claim.prefix):
        if found.sealed is None:
            continue
        parent = sealer.unseal(found.sealed)
        if is_value(found, parent) and _is_signed(claim, parent):
            return _parameters(claim, found.key, collections)
    return None


def _claim(value: str) -> _Claim | None:
    if len(value) > MAX_LENGTH:
        return None
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    prefix_end = SIGNATURE_LENGTH + PREFIX_LENGTH
    if len(text) <= prefix_end:
        return None
    return _Claim(text[:SIGNATURE_LENGTH], text[SIGNATURE_LENGTH:prefix_end], text[prefix_end:])


def _is_signed(claim: _Claim, parent: bytes) -> bool:
    digest = base64.b64encode(hmac.digest(parent, claim.parameters.encode(), hashlib.sha256))
    return hmac.compare_digest(digest, claim.signature.encode())


def _parameters(claim: _Claim, parent: Key, collections: list[str]) -> dict[str, str] | None:
    try:
        found = loads(claim.parameters)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or is_too_deep(found):
        return None
    expires = found.pop("expires_at", parent.expires_at)
    if not isinstance(expires, int) or isinstance(expires, bool) or expires < 0 or time.time() > expires:
        return None
    texts = {k: text_of(v) for k, v in found.items() if isinstance(v, str | int | float)}
    # A collection that stands in the key takes the place of the one that was asked for.
    named = [texts["collection"]] if "collection" in texts else []
    return texts if parent.allows(SEARCH, collections + named) else None


def with_parameters(values: dict[str, Any], embedded: dict[str, str]) -> dict[str, Any]:
    """A search's parameters under those of its key, which stand above them; of filters both hold."""
    merged = {**values, **embedded}
    own, added = values.get("filter_by"), embedded.get("filter_by")
    if own and added:
        merged["filter_by"] = f"({own}) && ({added})"
    return merged
