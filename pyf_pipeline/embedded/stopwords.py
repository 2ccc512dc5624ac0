"""Words that a search may leave out of what is looked for. Documents are indexed with them."""

import sqlite3
from typing import Any

from pyf_pipeline.embedded import named
from pyf_pipeline.embedded.errors import bad_request, not_found
from pyf_pipeline.embedded.tokens import tokenizer_for


def put_stopwords(connection: sqlite3.Connection, name: str, raw: Any) -> dict[str, Any]:
    """Keeps what the body of a request says and gives the answer; raises `ApiError`."""
    if not isinstance(raw, dict):
        raise bad_request("Bad JSON.")
    if "stopwords" not in raw:
        raise bad_request("Parameter `stopwords` is required.")
    texts, locale = raw["stopwords"], raw.get("locale", "")
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise bad_request("Parameter `stopwords` is required as string array value.")
    if not isinstance(locale, str):
        raise bad_request("Parameter `locale` is required as string value.")
    words = list(dict.fromkeys(w for t in texts for w in tokenizer_for((), ()).words(t)))
    found = {"id": name, "stopwords": words, **({"locale": locale} if locale else {})}
    named.put(connection, named.STOPWORDS, name, found)
    return found


def get_stopwords(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """A set as the API shows it; raises 404."""
    found = named.find(connection, named.STOPWORDS, name)
    if found is None:
        raise not_found(f"Stopword `{name}` not found.")
    shown: dict[str, Any] = found
    return shown


def list_stopwords(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """All sets."""
    return [get_stopwords(connection, name) for name in named.names(connection, named.STOPWORDS)]


def delete_stopwords(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """Forgets a set and gives its name back; raises 404."""
    get_stopwords(connection, name)
    named.remove(connection, named.STOPWORDS, name)
    return {"id": name}


def stopwords_of(connection: sqlite3.Connection, text: str) -> frozenset[str]:
    """The words of the sets that a search names; raises 404 where one is not there."""
    sets = [get_stopwords(connection, name) for piece in text.split(",") if (name := piece.strip())]
    return frozenset(word for each in sets for word in each["stopwords"])
