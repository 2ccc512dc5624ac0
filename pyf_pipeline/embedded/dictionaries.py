"""Stemming dictionaries: words with the root that each is taken for."""

import sqlite3
from collections.abc import Iterable
from typing import Any

import orjson

from pyf_pipeline.embedded import named
from pyf_pipeline.embedded.errors import bad_request, not_found
from pyf_pipeline.embedded.jsontext import loads
from pyf_pipeline.embedded.schema import Field


def put_dictionary(connection: sqlite3.Connection, name: str, body: bytes) -> list[dict[str, str]]:
    """Keeps the words of a body, one to a line, in place of those that are there; raises `ApiError`."""
    if not name:
        raise bad_request("Parameter `id` is required.")
    words = [_entry(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
    if not words:
        raise bad_request("A stemming dictionary has a line for each word, and this one has none.")
    named.put(connection, named.DICTIONARY, name, words)
    return words


def _entry(number: int, line: bytes) -> dict[str, str]:
    try:
        entry = loads(line)
    except orjson.JSONDecodeError:
        raise bad_request(f"Bad JSON in line {number}.") from None
    if not isinstance(entry, dict) or not all(isinstance(entry.get(k), str) and entry[k] for k in ("word", "root")):
        raise bad_request(f"Line {number} is not an object with the strings `word` and `root`.")
    return {"root": entry["root"], "word": entry["word"]}


def get_dictionary(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """A dictionary as the API shows it; raises 404."""
    words = named.find(connection, named.DICTIONARY, name)
    if words is None:
        raise not_found(f"Stemming dictionary `{name}` not found.")
    return {"id": name, "words": words}


def delete_dictionary(connection: sqlite3.Connection, name: str) -> dict[str, str]:
    """Forgets a dictionary and gives its name back; raises 404. That no field needs it is the caller's affair."""
    get_dictionary(connection, name)
    named.remove(connection, named.DICTIONARY, name)
    return {"id": name}


def check_dictionaries(connection: sqlite3.Connection, fields: Iterable[Field]) -> None:
    """Raises 400 where a field is to be stemmed by a dictionary that there is not."""
    for each in fields:
        if each.stem_dictionary and named.find(connection, named.DICTIONARY, each.stem_dictionary) is None:
            raise bad_request(f"Field `{each.name}`: there is no stemming dictionary `{each.stem_dictionary}`.")


def roots_of(connection: sqlite3.Connection, name: str) -> dict[str, str]:
    """The root of each word; raises 404."""
    return {entry["word"]: entry["root"] for entry in get_dictionary(connection, name)["words"]}
