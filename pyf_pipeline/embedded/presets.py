"""Search parameters kept under a name, which a search takes over by naming them."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from pyf_pipeline.embedded import named
from pyf_pipeline.embedded.errors import bad_request, not_found


def put_preset(connection: sqlite3.Connection, name: str, raw: Any) -> dict[str, Any]:
    """Keeps what the body of a request says and gives the answer; raises `ApiError`."""
    if not isinstance(raw, dict):
        raise bad_request("Bad JSON.")
    if "value" not in raw:
        raise bad_request("Parameter `value` is required.")
    if not isinstance(raw["value"], dict):
        raise bad_request("Parameter `value` must be an object.")
    named.put(connection, named.PRESET, name, raw["value"])
    return {"name": name, "value": raw["value"]}


def get_preset(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """A preset as the API shows it; raises 404."""
    value = named.find(connection, named.PRESET, name)
    if value is None:
        raise not_found("Not found.")
    return {"name": name, "value": value}


def list_presets(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """All presets."""
    return [get_preset(connection, name) for name in named.names(connection, named.PRESET)]


def delete_preset(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """Forgets a preset and gives it back; raises 404."""
    found = get_preset(connection, name)
    named.remove(connection, named.PRESET, name)
    return found


def with_preset(connection: sqlite3.Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    """A search's parameters over those of the preset that it names; none, where that is not there, as in Typesense."""
    name = values.get("preset")
    kept = named.find(connection, named.PRESET, name) if isinstance(name, str) else None
    return {**(kept or {}), **values}
