"""API keys: who may do what. The admin key may do everything; others are kept as salted hashes.

Of search-only keys the value is kept encrypted too (see `sealing`): scoped search keys are signed with it.
"""

import hashlib
import hmac
import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from pyf_pipeline.embedded.errors import ApiError, bad_request, not_found
from pyf_pipeline.embedded.jsontext import dumps, loads
from pyf_pipeline.embedded.patterns import matches
from pyf_pipeline.embedded.sealing import Sealer

NEVER = 64_723_363_199
PREFIX_LENGTH = 4
GENERATED_LENGTH = 32

_COLUMNS = "id, prefix, description, actions, collections, expires_at, autodelete"


@dataclass(frozen=True, slots=True)
class Key:
    """A key's rights: actions such as `documents:search`, and patterns of the collections that it is good for."""

    id: int
    prefix: str
    description: str
    actions: list[str]
    collections: list[str]
    expires_at: int
    autodelete: bool

    def to_json(self) -> dict[str, Any]:
        """As the API shows it: all but the key itself."""
        return {
            "actions": self.actions, "autodelete": self.autodelete, "collections": self.collections,
            "description": self.description, "expires_at": self.expires_at, "id": self.id, "value_prefix": self.prefix,
        }  # fmt: skip

    def allows(self, action: str, collections: list[str]) -> bool:
        """Whether the key is good for an action on these collections today."""
        if time.time() > self.expires_at:
            return False
        family = action.partition(":")[0] + ":*"
        if not {"*", family, action} & set(self.actions):
            return False
        return all(any(_covers(p, c) for p in self.collections) for c in collections)


def _covers(pattern: str, name: str) -> bool:
    return pattern in {"*", name} or matches(pattern, name)


def _key(row: tuple[Any, ...]) -> Key:
    number, prefix, description, actions, collections, expires_at, autodelete = row
    return Key(number, prefix, description, loads(actions), loads(collections), expires_at, bool(autodelete))


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored: its value hashed and, of a search-only key, sealed."""

    key: Key
    salt: bytes
    digest: bytes
    sealed: bytes | None


def _digest(salt: bytes, value: bytes) -> bytes:
    return hashlib.sha256(salt + value).digest()


def is_value(stored: StoredKey, value: bytes) -> bool:
    """Whether this is the key's value; compared in constant time."""
    return hmac.compare_digest(_digest(stored.salt, value), stored.digest)


def keys_with_prefix(connection: sqlite3.Connection, prefix: str) -> list[StoredKey]:
    """The keys whose values begin so."""
    query = (
        f"SELECT salt, digest, sealed, {_COLUMNS} FROM api_keys"  # noqa: S608 - constant
        " LEFT JOIN sealed_keys ON key_id = id WHERE prefix = ?"
    )
    rows = connection.execute(query, (prefix,)).fetchall()
    return [StoredKey(_key(tuple(row)), salt, digest, sealed) for salt, digest, sealed, *row in rows]


def find_key(connection: sqlite3.Connection, value: str) -> Key | None:
    """The key of this value."""
    raw = value.encode()
    return next((k.key for k in keys_with_prefix(connection, value[:PREFIX_LENGTH]) if is_value(k, raw)), None)


def create_key(connection: sqlite3.Connection, sealer: Sealer, raw: Any) -> dict[str, Any]:
    """Makes a key as the body of the request says and shows it, for this once with its value; raises `ApiError`."""
    _check(raw)
    value = raw.get("value") or secrets.token_urlsafe(GENERATED_LENGTH)[:GENERATED_LENGTH]
    if find_key(connection, value) is not None:
        raise ApiError(409, "API key generation conflict.")
    number = _next_number(connection)
    key = Key(
        number, value[:PREFIX_LENGTH], raw["description"], raw["actions"], raw["collections"],
        raw.get("expires_at", NEVER), raw.get("autodelete", False),
    )  # fmt: skip
    salt = secrets.token_bytes(16)
    connection.execute(
        "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (key.id, salt, _digest(salt, value.encode()), key.prefix, key.description, dumps(key.actions),
         dumps(key.collections), key.expires_at, key.autodelete),
    )  # fmt: skip
    if key.actions == ["documents:search"]:
        connection.execute("INSERT INTO sealed_keys VALUES (?, ?)", (key.id, sealer.seal(value)))
    shown = {**key.to_json(), "value": value}
    del shown["value_prefix"]
    return shown


def _next_number(connection: sqlite3.Connection) -> int:
    """Numbers are not used again, so that what was said of a key that is gone is not taken for a new one's."""
    (number,) = connection.execute(
        "SELECT MAX(COALESCE((SELECT value FROM settings WHERE name = 'next_key'), 0),"
        " COALESCE((SELECT MAX(id) + 1 FROM api_keys), 0))"
    ).fetchone()
    connection.execute("INSERT OR REPLACE INTO settings VALUES ('next_key', ?)", (number + 1,))
    return int(number)


def _check(raw: Any) -> None:
    if not isinstance(raw, dict):
        raise bad_request("Bad JSON.")
    for name in ("description", "actions", "collections"):
        if name not in raw:
            raise bad_request(f"Could not find a `{name}` key.")
    if not isinstance(raw["description"], str):
        raise bad_request("Wrong format for `description`. It should be a string.")
    for name in ("actions", "collections"):
        if not isinstance(raw[name], list) or not raw[name] or not all(isinstance(v, str) for v in raw[name]):
            raise bad_request(f"Wrong format for `{name}`. It should be an array of string.")
    if not isinstance(raw.get("value", ""), str):
        raise bad_request("Key value must be a string.")
    expires = raw.get("expires_at", NEVER)
    if not isinstance(expires, int) or isinstance(expires, bool) or not 0 <= expires < 2**63:
        raise bad_request("Wrong format for `expires_at`. It should be an unsigned integer.")
    if not isinstance(raw.get("autodelete", False), bool):
        raise bad_request("Wrong format for `autodelete`. It should be a boolean.")


def list_keys(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """All keys."""
    query = f"SELECT {_COLUMNS} FROM api_keys ORDER BY id"  # noqa: S608 - constant
    return [_key(row).to_json() for row in connection.execute(query)]


def get_key(connection: sqlite3.Connection, number: int) -> dict[str, Any]:
    """A key; raises 404."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE id = ?", (number,)).fetchone()  # noqa: S608 - constant
    if row is None:
        raise not_found("Not found.")
    return _key(row).to_json()


def delete_key(connection: sqlite3.Connection, number: int) -> dict[str, Any]:
    """Removes a key; raises 404."""
    get_key(connection, number)
    connection.execute("DELETE FROM sealed_keys WHERE key_id = ?", (number,))
    connection.execute("DELETE FROM api_keys WHERE id = ?", (number,))
    return {"id": number}
