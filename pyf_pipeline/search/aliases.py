"""Aliases made, moved and removed by people: only where searches go on being answered, or by their explicit will."""

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import point_alias
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.locks import MANAGEMENT_WAIT_SECONDS, locked
from pyf_pipeline.search.naming import check_name, retrieve_aliases, retrieve_collections


def list_aliases(server: SearchServer) -> dict[str, str]:
    """All aliases with the collections that they point at, in the order of their names.

    Raises:
        SearchError: The server is away, or refuses.
    """
    with server.explained():
        return dict(sorted(retrieve_aliases(server.client).items()))


def add_alias(server: SearchServer, alias: str, collection: str) -> None:
    """Make an alias that is not there yet.

    Raises:
        SearchError: The name is taken, or what it should point at is not a collection.
    """
    _point(server, alias, collection, exists=False)


def move_alias(server: SearchServer, alias: str, collection: str) -> None:
    """Point an alias at another collection, from one search to the next.

    Raises:
        SearchError: There is no such alias, or what it should point at is not a collection.
    """
    _point(server, alias, collection, exists=True)


def remove_alias(server: SearchServer, alias: str) -> str:
    """Remove an alias, after which searches by it are answered by a 404; returns the collection that it pointed at.

    Raises:
        SearchError: There is no such alias.
    """
    with server.explained(), locked(server.client, alias, wait=MANAGEMENT_WAIT_SECONDS):
        target = retrieve_aliases(server.client).get(alias)
        if target is None:
            raise SearchError(f"there is no alias {alias}")
        server.client.aliases[alias].delete()
        return target


def _point(server: SearchServer, alias: str, collection: str, *, exists: bool) -> None:
    check_name(alias)
    with server.explained(), locked(server.client, alias, wait=MANAGEMENT_WAIT_SECONDS):
        aliases = retrieve_aliases(server.client)
        collections = {found["name"] for found in retrieve_collections(server.client)}
        if alias in collections:
            raise SearchError(f"{alias} is a collection, which would hide an alias of that name")
        if exists and alias not in aliases:
            raise SearchError(f"there is no alias {alias}: add it")
        if not exists and alias in aliases:
            raise SearchError(f"there is an alias {alias} already, of {aliases[alias]}: move it")
        if collection in aliases and collection not in collections:
            raise SearchError(
                f"{collection} is an alias itself, of {aliases[collection]}: an alias of an alias leads nowhere"
            )
        if collection not in collections:
            raise SearchError(f"there is no collection {collection} that {alias} could point at")
        point_alias(server.client, alias, collection)
