"""What is kept under a name of its own, beside collections: presets, stop words, stemming dictionaries."""

import sqlite3
from typing import Any

from pyf_pipeline.embedded.jsontext import dumps, loads

PRESET, STOPWORDS, DICTIONARY = "preset", "stopwords", "stemming dictionary"


def put(connection: sqlite3.Connection, kind: str, name: str, value: Any) -> None:
    """Keeps a value under a name, in place of the one that is there."""
    connection.execute("INSERT OR REPLACE INTO named VALUES (?, ?, ?)", (kind, name, dumps(value)))


def find(connection: sqlite3.Connection, kind: str, name: str) -> Any:
    """The value of a name; None where there is none."""
    row = connection.execute("SELECT value FROM named WHERE kind = ? AND name = ?", (kind, name)).fetchone()
    return loads(row[0]) if row else None


def names(connection: sqlite3.Connection, kind: str) -> list[str]:
    """All names of a kind, in order."""
    rows = connection.execute("SELECT name FROM named WHERE kind = ? ORDER BY name", (kind,)).fetchall()
    return [name for (name,) in rows]


def remove(connection: sqlite3.Connection, kind: str, name: str) -> None:
    """Forgets a name."""
    connection.execute("DELETE FROM named WHERE kind = ? AND name = ?", (kind, name))
