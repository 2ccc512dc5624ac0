"""What collections are called, and what stands behind a name.

People search by a name (`plone`), which is an alias of a versioned collection (`plone-3`). Each collection of ours
carries in its metadata which name it was made for, so that a collection somebody else made is never taken for one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from typesense import Client

from pyf_pipeline.search.errors import SearchError

OWNER = "pyf_pipeline"

# Holds who is publishing to which name; see `locks`.
LOCKS = "pyf_pipeline_locks"

# In the metadata of a version: the aliases that follow its name; see `following`.
FOLLOWERS = "followers"

# What stands in an address and in a key's pattern as it is.
NAME_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"


@dataclass(frozen=True)
class Version:
    """A versioned collection made for a name.

    Attributes:
        name: The collection's own name.
        number: Its number.
        complete: Whether it was verified, and so may be served.
        schema: The fingerprint of the schema it was made with; "" for a copy of another tool's collection.
        documents: How many documents it holds.
        previous: The collection that was served before it, which may be another tool's; "" where there was none.
        followers: The aliases that follow the name.
    """

    name: str
    number: int
    complete: bool
    schema: str
    documents: int
    previous: str = ""
    followers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Located:
    """What stands behind a name.

    Attributes:
        name: The name that people search by.
        alias_of: The collection that the alias of this name points at; None where there is no such alias.
        versions: Our versioned collections for this name, oldest first.
        documents: How many documents each collection on the server holds, by its name.
        aliases: All aliases on the server, with the collections that they point at.
    """

    name: str
    alias_of: str | None
    versions: tuple[Version, ...] = ()
    documents: Mapping[str, int] = field(default_factory=dict, repr=False)
    aliases: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def collection(self) -> bool:
        """Whether a collection of this very name exists; it shadows an alias."""
        return self.name in self.documents

    @property
    def serving(self) -> str | None:
        """The collection that a search by the name reaches; None where it would be answered by a 404."""
        if self.collection:
            return self.name
        return self.alias_of if self.alias_of in self.documents else None

    @property
    def live(self) -> Version | None:
        """The version of ours that is being served."""
        return self.version(self.serving)

    @property
    def followers(self) -> tuple[str, ...]:
        """The aliases that follow the name."""
        return tuple(sorted({alias for version in self.versions for alias in version.followers}))

    def version(self, collection: str | None) -> Version | None:
        """The version of ours with this collection name."""
        return next((version for version in self.versions if version.name == collection), None)

    def before(self, version: Version) -> str | None:
        """The collection to go back to from a version: what was served before it, or the newest complete older one."""
        if version.previous in self.documents:
            return version.previous
        older = [other.name for other in self.versions if other.complete and other.number < version.number]
        return older[-1] if older else None

    def next_versions(self, count: int) -> list[str]:
        """Names for the next versions that nothing else has.

        A collection under a name that an alias holds would silently shadow that alias.
        """
        number = max((version.number for version in self.versions), default=0)
        names: list[str] = []
        while len(names) < count:
            number += 1
            name = f"{self.name}-{number}"
            if name not in self.documents and name not in self.aliases:
                names.append(name)
        return names


def check_name(name: str) -> None:
    """Make sure that a name can be that of a collection.

    Raises:
        SearchError: It cannot.
    """
    if not re.fullmatch(NAME_PATTERN, name) or name == LOCKS:
        raise SearchError(
            f"{name!r} cannot be a collection's name: it should have letters, digits, '.', '_' and '-' only, begin "
            f"with a letter, a digit or '_', and not be {LOCKS!r}"
        )


def locate(client: Client, name: str) -> Located:
    """Look up what stands behind a name."""
    collections = retrieve_collections(client)
    aliases = retrieve_aliases(client)
    versions = [version for collection in collections if (version := _version(collection, name))]
    return Located(
        name,
        aliases.get(name),
        tuple(sorted(versions, key=lambda version: version.number)),
        {collection["name"]: int(collection["num_documents"]) for collection in collections},
        aliases,
    )


def retrieve_collections(client: Client) -> list[dict[str, Any]]:
    """All collections on the server, the newest first."""
    return cast("list[dict[str, Any]]", client.collections.retrieve())


def retrieve_aliases(client: Client) -> dict[str, str]:
    """All aliases on the server, with the collections that they point at."""
    return {alias["name"]: alias["collection_name"] for alias in client.aliases.retrieve()["aliases"]}


def metadata_for(name: str, schema: str, *, complete: bool, previous: str | None = None) -> dict[str, Any]:
    """The metadata of a version: whose it is, for which name, with which schema, and whether it may be served."""
    return {"owner": OWNER, "name": name, "schema": schema, "complete": complete, "previous": previous or ""}


def owned_name(collection: Mapping[str, Any]) -> str | None:
    """The name that a collection of ours was made for; None for another tool's."""
    metadata = collection.get("metadata") or {}
    return str(metadata.get("name", "")) if metadata.get("owner") == OWNER else None


def _version(collection: dict[str, Any], name: str) -> Version | None:
    metadata = collection.get("metadata") or {}
    number = re.fullmatch(re.escape(name) + r"-(\d+)", collection["name"])
    if number is None or owned_name(collection) != name:
        return None
    return Version(
        collection["name"],
        int(number.group(1)),
        bool(metadata.get("complete")),
        str(metadata.get("schema", "")),
        int(collection["num_documents"]),
        str(metadata.get("previous", "")),
        tuple(metadata.get(FOLLOWERS, ())),
    )
