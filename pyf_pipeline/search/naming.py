"""What collections are called, and what stands behind a name.

People search by a name (`plone`), which is an alias of a versioned collection (`plone-3`). Each collection of ours
carries in its metadata which name it was made for, so that a collection somebody else made is never taken for one.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from typesense import Client

OWNER = "pyf_pipeline"


@dataclass(frozen=True)
class Version:
    """A versioned collection made for a name.

    Attributes:
        name: The collection's own name.
        number: Its number.
        complete: Whether it was verified, and so may be served.
        schema: The fingerprint of the schema it was made with.
        documents: How many documents it holds.
    """

    name: str
    number: int
    complete: bool
    schema: str
    documents: int


@dataclass(frozen=True)
class Located:
    """What stands behind a name.

    Attributes:
        name: The name that people search by.
        alias_of: The collection that the alias of this name points at; None where there is no such alias.
        collection: Whether a collection of this very name exists; it would shadow an alias.
        versions: Our versioned collections for this name, oldest first.
        taken: All names in use, of collections and aliases.
    """

    name: str
    alias_of: str | None
    collection: bool
    versions: tuple[Version, ...] = ()
    taken: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def live(self) -> Version | None:
        """The version of ours that is being served."""
        return next((version for version in self.versions if version.name == self.alias_of), None)

    def next_version(self) -> str:
        """A name for the next version that nothing else has.

        A collection under a name that an alias holds would silently shadow that alias.
        """
        number = max((version.number for version in self.versions), default=0) + 1
        while f"{self.name}-{number}" in self.taken:
            number += 1
        return f"{self.name}-{number}"


def locate(client: Client, name: str) -> Located:
    """Look up what stands behind a name."""
    collections: list[dict[str, Any]] = client.collections.retrieve()  # type: ignore[assignment]
    aliases = {alias["name"]: alias["collection_name"] for alias in client.aliases.retrieve()["aliases"]}
    names = {collection["name"] for collection in collections}
    versions = [version for collection in collections if (version := _version(collection, name))]
    return Located(
        name,
        aliases.get(name),
        name in names,
        tuple(sorted(versions, key=lambda version: version.number)),
        frozenset(names | aliases.keys()),
    )


def metadata_for(name: str, schema: str, *, complete: bool) -> dict[str, Any]:
    """The metadata of a version: whose it is, for which name, with which schema, and whether it may be served."""
    return {"owner": OWNER, "name": name, "schema": schema, "complete": complete}


def _version(collection: dict[str, Any], name: str) -> Version | None:
    metadata = collection.get("metadata") or {}
    number = re.fullmatch(re.escape(name) + r"-(\d+)", collection["name"])
    if number is None or metadata.get("owner") != OWNER or metadata.get("name") != name:
        return None
    return Version(
        collection["name"],
        int(number.group(1)),
        bool(metadata.get("complete")),
        str(metadata.get("schema", "")),
        int(collection["num_documents"]),
    )
