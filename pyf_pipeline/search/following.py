"""Aliases that follow a name: they lead wherever the name leads, through every rebuild and rollback.

An alias points at a collection and not at another alias, and behind a name there is another collection after each
rebuild. So the versions of a name keep in their metadata which aliases follow it, and whoever moves the name moves
them.
"""

from dataclasses import dataclass
from typing import Any

from typesense import Client

from pyf_pipeline.search.aliases import add_alias, move_alias
from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import point_alias
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.locks import MANAGEMENT_WAIT_SECONDS, locked
from pyf_pipeline.search.naming import FOLLOWERS, locate, owned_name, retrieve_aliases, retrieve_collections


@dataclass(frozen=True)
class Lead:
    """Where an alias leads from now on.

    Attributes:
        alias: The alias.
        collection: The collection that it points at.
        before: The collection that it pointed at before; "" where it is new.
        follows: The name that it follows; "" where it stays with the collection.
    """

    alias: str
    collection: str
    before: str
    follows: str


def lead_alias(server: SearchServer, alias: str, target: str) -> Lead:
    """Have an alias lead to a target, whether it is there already or not.

    Args:
        server: The search server.
        alias: The alias.
        target: A collection, with which it stays; or a name that people search by, which it follows.

    Raises:
        SearchError: There is no such target, or the alias cannot be made.
    """
    with server.explained():
        aliases = retrieve_aliases(server.client)
        collections = {collection["name"]: collection for collection in retrieve_collections(server.client)}
    collection = target if target in collections else aliases.get(target, "")
    if alias == target or collection not in collections:
        raise SearchError(f"there is no collection {target} that {alias} could lead to")
    owner = owned_name(collections[collection]) or ""
    follows = owner if target not in collections and owner != alias else ""
    (move_alias if alias in aliases else add_alias)(server, alias, collection)
    if owner:
        with server.explained(), locked(server.client, owner, wait=MANAGEMENT_WAIT_SECONDS):
            _note(server.client, owner, alias, follows=bool(follows))
            lead_followers(server.client, owner)
    return Lead(alias, collection, aliases.get(alias, ""), follows)


def lead_followers(client: Client, name: str) -> None:
    """Have the aliases that follow a name lead where it leads; the name's lock must be held.

    One that was removed, or was pointed at something else since, is left alone.
    """
    located = locate(client, name)
    if located.live is None:
        return
    for alias in located.followers:
        target = located.aliases.get(alias)
        moved = target not in {None, located.live.name}
        if moved and (located.version(target) or target not in located.documents):
            point_alias(client, alias, located.live.name)


def _note(client: Client, name: str, alias: str, *, follows: bool) -> None:
    """Write down in the versions of a name that an alias follows it, or that it does not."""
    versions = {version.name for version in locate(client, name).versions}
    for collection in retrieve_collections(client):
        if collection["name"] not in versions:
            continue
        metadata: dict[str, Any] = dict(collection["metadata"])
        noted = set(metadata.get(FOLLOWERS, []))
        wanted = noted | {alias} if follows else noted - {alias}
        if wanted != noted:
            metadata[FOLLOWERS] = sorted(wanted)
            client.collections[collection["name"]].update({"metadata": metadata})  # type: ignore[typeddict-unknown-key]
