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
from typing import Any, Self

import orjson

from pyf_pipeline.embedded.jsontext import is_too_deep, loads
from pyf_pipeline.embedded.keys import PREFIX_LENGTH, Key, is_value, keys_with_prefix
from pyf_pipeline.embedded.params import text_of
from pyf_pipeline.embedded.sealing import Sealer

SEARCH = "documents:search"
SIGNATURE_LENGTH = len(base64.b64encode(bytes(hashlib.sha256().digest_size)))
MAX_LENGTH = 16_000


@dataclass(frozen=True, slots=True)
class ScopedKey:
    """What a scoped key says of itself; nothing of it is to be believed before its signature was checked.

    Attributes:
        signature: The HMAC, in Base64.
        prefix: How the key begins that signed it.
        parameters: What it imposes, as JSON.
    """

    signature: str
    prefix: str
    parameters: str

    @classmethod
    def read(cls, value: str) -> Self | None:
        """Takes a key apart; None where it is not of this kind."""
        try:
            text = base64.b64decode(value, validate=True).decode() if len(value) <= MAX_LENGTH else ""
        except (binascii.Error, ValueError):
            return None
        signature, signed = text[:SIGNATURE_LENGTH], text[SIGNATURE_LENGTH:]
        prefix, parameters = signed[:PREFIX_LENGTH], signed[PREFIX_LENGTH:]
        return cls(signature, prefix, parameters) if parameters else None

    def is_signed_with(self, value: bytes) -> bool:
        """Whether the signature is one by this key; compared in constant time."""
        expected = base64.b64encode(hmac.digest(value, self.parameters.encode(), hashlib.sha256))
        return hmac.compare_digest(expected, self.signature.encode())

    def imposed(self) -> dict[str, Any] | None:
        """Its parameters, or None where they are no JSON object of a depth that is taken."""
        try:
            found = loads(self.parameters)
        except orjson.JSONDecodeError:
            return None
        return found if isinstance(found, dict) and not is_too_deep(found) else None


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
    scoped = ScopedKey.read(value)
    parent = _signer(connection, sealer, scoped) if scoped else None
    imposed = scoped.imposed() if scoped and parent else None
    if parent is None or imposed is None or not _is_current(imposed.pop("expires_at", parent.expires_at)):
        return None
    texts = {k: text_of(v) for k, v in imposed.items() if isinstance(v, str | int | float)}
    # A collection that stands in the key takes the place of the one that was asked for.
    named = [texts["collection"]] if "collection" in texts else []
    return texts if parent.allows(SEARCH, collections + named) else None


def _signer(connection: sqlite3.Connection, sealer: Sealer, scoped: ScopedKey) -> Key | None:
    for found in keys_with_prefix(connection, scoped.prefix):
        value = sealer.unseal(found.sealed) if found.sealed is not None else b""
        if value and is_value(found, value) and scoped.is_signed_with(value):
            return found.key
    return None


def _is_current(expires: Any) -> bool:
    is_moment = isinstance(expires, int) and not isinstance(expires, bool) and expires >= 0
    return is_moment and time.time() <= expires


def with_parameters(values: dict[str, Any], embedded: dict[str, str]) -> dict[str, Any]:
    """A search's parameters under those of its key, which stand above them; of filters both hold."""
    merged = {**values, **embedded}
    own, added = values.get("filter_by"), embedded.get("filter_by")
    if own and added:
        merged["filter_by"] = f"({own}) && ({added})"
    return merged
