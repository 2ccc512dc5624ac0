"""Keys for search pages: they can search one profile's collection, and nothing else.

The server checks a key against the name that stands in the request, be it an alias or a collection, and takes a key's
names for regular expressions that the whole name has to match
(https://typesense.org/docs/29.0/api/api-keys.html).
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from typesense.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestForbidden, RequestUnauthorized

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.naming import check_name

SEARCH_ONLY = "documents:search"

# The server says this of a key that does not expire.
NEVER = 64_723_363_199

SHORTEST_VALUE = 16

# How much of a key's value the server tells.
PREFIX_LENGTH = 4


@dataclass(frozen=True)
class Key:
    """A key, without its value.

    Attributes:
        id: Its number on the server.
        description: What it is for.
        actions: What it may do.
        collections: Patterns of the collections that it may do it with.
        expires_at: Until when it is good, in epoch seconds; None for ever.
        prefix: The first characters of its value.
    """

    id: int
    description: str
    actions: tuple[str, ...]
    collections: tuple[str, ...]
    expires_at: int | None
    prefix: str


@dataclass(frozen=True)
class NewKey:
    """A key that was just made, with its value, which the server does not tell again.

    Attributes:
        key: The key.
        value: Its value. It is left out where this is printed or logged as a whole.
    """

    key: Key
    value: str = field(repr=False)


def patterns(name: str) -> list[str]:
    """What the names of a profile's collection, and of the versions behind it, have to match."""
    literal = re.sub(r"([^A-Za-z0-9_-])", r"\\\1", name)
    return [literal, f"{literal}-[0-9]+"]


def create_search_key(
    server: SearchServer,
    name: str,
    *,
    description: str = "",
    value: str | None = None,
    expires: datetime | None = None,
) -> NewKey:
    """Make a key that can only search the collection of a name, and the versions behind it.

    Args:
        server: The search server.
        name: The name that people search by; nothing has to be published under it yet.
        description: What it is for; by default it says so by itself.
        value: The key's value; by default the server makes one up.
        expires: Until when it is good, with a time zone; by default for ever.

    Raises:
        SearchError: The value is too short or taken, or the time has passed.
    """
    check_name(name)
    wanted: dict[str, Any] = {
        "description": description or f"searches {name}",
        "actions": [SEARCH_ONLY],
        "collections": patterns(name),
    }
    if value is not None:
        if len(value) < SHORTEST_VALUE:
            raise SearchError(
                f"a key of under {SHORTEST_VALUE} characters can be guessed: give a longer value, or none"
            )
        wanted["value"] = value
    if expires is not None:
        if expires.tzinfo is None or expires <= datetime.now(expires.tzinfo):
            raise SearchError(f"a key cannot expire at {expires}: give a time to come, with a time zone")
        wanted["expires_at"] = int(expires.timestamp())
    with server.explained():
        try:
            made = cast("dict[str, Any]", server.client.keys.create(cast("Any", wanted)))
        except ObjectAlreadyExists:
            raise SearchError("a key with this value exists already: give another value, or none") from None
    return NewKey(_key({**made, "value_prefix": made["value"][:PREFIX_LENGTH]}), made["value"])


def keep_search_key(server: SearchServer, names: Sequence[str], *, value: str, description: str) -> None:
    """Make sure that there is a key of this value that can search under these names, and nothing else.

    Args:
        server: The search server.
        names: Of collections or aliases, as searches name them.
        value: The key's; long, as it cannot be changed.
        description: What it is for; the names are added.

    Raises:
        SearchError: The server is away, or refuses.
    """
    wanted: dict[str, Any] = {
        "description": f"{description}: {', '.join(names)}",
        "actions": [SEARCH_ONLY],
        "collections": [patterns(name)[0] for name in names],
        "value": value,
    }
    known = {(key.prefix, key.description) for key in list_keys(server)}
    if (value[:PREFIX_LENGTH], wanted["description"]) in known:
        return
    with server.explained(), suppress(ObjectAlreadyExists):
        server.client.keys.create(cast("Any", wanted))


def check_search_only(visitor: SearchServer, variable: str) -> None:
    """Make sure that a key can be handed to anybody: that it does not open what is not a search.

    Args:
        visitor: The search server, reached with this key.
        variable: The setting that it comes from.

    Raises:
        SearchError: It does, or the server is away.
    """
    with visitor.explained():
        for forbidden in (visitor.client.collections.retrieve, visitor.client.keys.retrieve):
            try:
                forbidden()
            except (RequestUnauthorized, RequestForbidden):
                continue
            raise SearchError(
                f"{variable} may do more than search, and would be shown to everybody: make a key for it with "
                "`pyfupdater --add-search-only-apikey`, or leave it unset"
            )


def list_keys(server: SearchServer) -> list[Key]:
    """All keys on the server, without their values, in the order of their numbers.

    Raises:
        SearchError: The server is away, or refuses.
    """
    with server.explained():
        found = cast("list[dict[str, Any]]", server.client.keys.retrieve()["keys"])
    return sorted(map(_key, found), key=lambda key: key.id)


def delete_key(server: SearchServer, number: int) -> None:
    """Remove a key, after which it opens nothing.

    Raises:
        SearchError: There is no such key.
    """
    with server.explained():
        try:
            server.client.keys[number].delete()
        except ObjectNotFound:
            raise SearchError(f"there is no key with the number {number}") from None


def _key(told: dict[str, Any]) -> Key:
    expires_at = int(told.get("expires_at", NEVER))
    return Key(
        int(told["id"]),
        str(told.get("description", "")),
        tuple(told["actions"]),
        tuple(told["collections"]),
        None if expires_at >= NEVER else expires_at,
        str(told.get("value_prefix", "")),
    )
