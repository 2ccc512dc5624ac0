"""Collections looked at, removed and rolled back by people; what commands and jobs share."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import drop_collection, export_rows, point_alias
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.following import lead_followers
from pyf_pipeline.search.locks import MANAGEMENT_WAIT_SECONDS, locked
from pyf_pipeline.search.naming import (
    LOCKS,
    Located,
    Version,
    check_name,
    locate,
    owned_name,
    retrieve_aliases,
    retrieve_collections,
)


@dataclass(frozen=True)
class CollectionDetails:
    """A collection on the server.

    Attributes:
        name: Its own name.
        documents: How many documents it holds.
        created: When it was made.
        aliases: The aliases that point at it.
        version_of: The name that it is a version for; None for another tool's collection.
        complete: Whether it was verified; None for another tool's collection.
        size: Bytes of all its documents as JSON, where that was measured; Typesense itself tells no size.
    """

    name: str
    documents: int
    created: datetime
    aliases: tuple[str, ...]
    version_of: str | None
    complete: bool | None
    size: int | None = None


def list_collections(server: SearchServer) -> list[str]:
    """The names of all collections, in order, but for the one that holds the locks.

    Raises:
        SearchError: The server is away, or refuses.
    """
    with server.explained():
        return sorted(collection["name"] for collection in _collections(server))


def describe_collections(server: SearchServer, *, measure: bool = False) -> list[CollectionDetails]:
    """All collections, in the order of their names, but for the one that holds the locks.

    Args:
        server: The search server.
        measure: Whether to measure sizes, for which every document is read.

    Raises:
        SearchError: The server is away, or refuses.
    """
    with server.explained():
        aliases = retrieve_aliases(server.client)
        found = sorted(_collections(server), key=lambda collection: str(collection["name"]))
        return [_details(server, collection, aliases, measure=measure) for collection in found]


def delete_collection(server: SearchServer, name: str, *, force: bool = False) -> list[str]:
    """Remove a collection with all its documents; returns the aliases that went with it.

    Args:
        server: The search server.
        name: The collection's own name.
        force: Remove it even where an alias points at it; the alias goes first.

    Raises:
        SearchError: There is no such collection, it is an alias, or one points at it.
    """
    check_name(name)
    with server.explained():
        collection = next((found for found in _collections(server) if found["name"] == name), None)
        if collection is None:
            target = retrieve_aliases(server.client).get(name)
            hint = f"; {name} is an alias of {target}: give that name, or remove the alias" if target else ""
            raise SearchError(f"there is no collection {name}{hint}")
        with locked(server.client, owned_name(collection) or name, wait=MANAGEMENT_WAIT_SECONDS):
            aliases = sorted(alias for alias, target in retrieve_aliases(server.client).items() if target == name)
            if aliases and not force:
                raise SearchError(
                    f"the alias {aliases[0]} points at {name}, so that people search it: move the alias first, or "
                    "force it"
                )
            for alias in aliases:
                server.client.aliases[alias].delete()
            drop_collection(server.client, name)
            return aliases


def rollback(server: SearchServer, name: str, *, to: str | None = None) -> tuple[str, str]:
    """Have a name lead to the version before the one that is served, from one search to the next.

    The next publish works on what is served then: an incremental one brings it up to date again.

    Args:
        server: The search server.
        name: The name that people search by.
        to: The version to go to; by default the one that was served before.

    Returns:
        The collection that was served, and the one that is.

    Raises:
        SearchError: There is nothing to go back to, or it is not complete.
    """
    check_name(name)
    with server.explained(), locked(server.client, name, wait=MANAGEMENT_WAIT_SECONDS) as lock:
        located = locate(server.client, name)
        live = located.live
        if located.collection:
            raise SearchError(f"{name} is a collection and not an alias, so there is no version to go back to")
        target = to or (located.before(live) if live else None)
        if target is None:
            raise SearchError(f"{name} has no version before {located.alias_of or 'any'}: {_others(located, live)}")
        _check_target(located, live, target)
        lock.check()
        point_alias(server.client, name, target)
        lead_followers(server.client, name)
        return located.alias_of or "", target


def _check_target(located: Located, live: Version | None, target: str) -> None:
    if target == located.alias_of:
        raise SearchError(f"{located.name} leads to {target} already")
    version = located.version(target)
    if version is None and not (live and live.previous == target and target in located.documents):
        raise SearchError(f"{target} is no version of {located.name}: {_others(located, live)}")
    if version is not None and not version.complete:
        raise SearchError(f"{target} was never completed: {_others(located, live)}")


def _others(located: Located, live: Version | None) -> str:
    others = [version.name for version in located.versions if version.complete and version != live]
    return f"there is {', '.join(others)}" if others else "there is no other"


def _collections(server: SearchServer) -> list[dict[str, Any]]:
    return [collection for collection in retrieve_collections(server.client) if collection["name"] != LOCKS]


def _details(
    server: SearchServer, collection: dict[str, Any], aliases: dict[str, str], *, measure: bool
) -> CollectionDetails:
    name = collection["name"]
    owner = owned_name(collection)
    return CollectionDetails(
        name,
        int(collection["num_documents"]),
        datetime.fromtimestamp(collection["created_at"], UTC),
        tuple(sorted(alias for alias, target in aliases.items() if target == name)),
        owner,
        None if owner is None else bool(collection["metadata"].get("complete")),
        sum(export_rows(server, name, _bytes)) if measure else None,
    )


def _bytes(line: bytes) -> int:
    return len(line) + 1
