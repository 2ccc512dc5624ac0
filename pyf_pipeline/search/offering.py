"""Which collections a search page offers: those that were published here, or those that somebody names."""

from collections.abc import Sequence
from typing import Any

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.naming import owned_name, retrieve_aliases, retrieve_collections


def offered_collections(server: SearchServer, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The collections as the server shows them, each under the name to search it by.

    Args:
        server: The search server.
        names: Of collections or aliases; where there are none, all aliases of collections of ours, in order. What
            other tools keep on the same server is nobody's to see unless it is named.

    Raises:
        SearchError: The server is away, or refuses, or has nothing of a name.
    """
    with server.explained():
        collections = {str(c["name"]): c for c in retrieve_collections(server.client)}
        aliases = retrieve_aliases(server.client)
    reached = {**{a: collections[c] for a, c in aliases.items() if c in collections}, **collections}
    for name in names:
        if name not in reached:
            raise SearchError(f"the search server at {server.address} has no collection {name}")
    ours = sorted(alias for alias in aliases if alias in reached and owned_name(reached[alias]) is not None)
    return [{**reached[name], "name": name} for name in dict.fromkeys(names or ours)]
