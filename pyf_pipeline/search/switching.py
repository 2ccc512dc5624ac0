"""Which collection a name leads to: moved to a verified version, taken over from another tool, healed after a kill."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import (
    count_documents,
    create_collection,
    definition_for_copy,
    drop_collection,
    point_alias,
    retrieve_definition,
)
from pyf_pipeline.search.errors import IncompleteError, SearchError
from pyf_pipeline.search.importing import Imported, import_lines
from pyf_pipeline.search.locks import Lock
from pyf_pipeline.search.naming import Located, locate, metadata_for, owned_name
from pyf_pipeline.search.schema import schema_fingerprint

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Switch:
    """Moves one name, whose lock is held.

    Attributes:
        server: The search server.
        lock: The lock of the name.
    """

    server: SearchServer
    lock: Lock

    def heal(self, name: str) -> Located:
        """Look up what stands behind a name, and mend what a run that died has left.

        Versions that were never completed go. Where the name leads nowhere although there is a complete version, a
        take-over was cut short between its last two requests, and the name is pointed there.

        Raises:
            SearchError: The name cannot be published to.
        """
        client = self.server.client
        located = locate(client, name)
        self._check_publishable(located)
        for version in located.versions:
            if not version.complete and version.name not in located.aliases.values():
                logger.info("removing %s, which was never completed", version.name)
                drop_collection(client, version.name)
        complete = [version for version in located.versions if version.complete]
        if located.serving is None and complete:
            best = max(complete, key=lambda version: (version.schema == schema_fingerprint(), version.number))
            logger.warning("%s leads nowhere, although %s is complete: it is pointed there", name, best.name)
            point_alias(client, name, best.name)
        return locate(client, name)

    def move(self, located: Located, collection: str, copy: str) -> str | None:
        """Have a name lead to a complete version; returns the collection to go back to.

        An alias moves in one request, and a collection of another tool that it pointed at is left as it is. A
        collection of that very name has to go before: its data is copied first, and then it is removed and the alias
        made in two requests right after each other.

        Args:
            located: What stood behind the name.
            collection: The version, complete and verified.
            copy: The name for a copy of a collection of that very name.

        Raises:
            IncompleteError: The collection of that name could not be copied, and is still served.
        """
        client = self.server.client
        if not located.collection:
            if located.serving and located.live is None:
                logger.warning(
                    "%s pointed at %s, made by another tool; that is left as it is", located.name, located.serving
                )
            self.lock.check()
            point_alias(client, located.name, collection)
            return located.serving
        logger.warning("the collection %s, made by another tool, is replaced by an alias", located.name)
        self._copy(located.name, copy)
        self.lock.check()
        drop_collection(client, located.name)
        try:
            point_alias(client, located.name, collection)
        except Exception as error:
            raise SearchError(
                f"{located.name} leads nowhere: the collection of that name is removed (its copy is {copy}) and the "
                f"alias could not be made: {error}. The next run makes it; so does an alias {located.name} of "
                f"{collection}, made by hand"
            ) from error
        return copy

    def clean_up(self, name: str, keep: set[str | None]) -> None:
        """Remove the versions of a name that are not to be kept, except where some alias points at them."""
        self.lock.check()
        located = locate(self.server.client, name)
        for version in located.versions:
            if version.name in located.aliases.values() or version.name in keep:
                continue
            logger.info("removing the outdated collection %s", version.name)
            drop_collection(self.server.client, version.name)

    def _check_publishable(self, located: Located) -> None:
        if not located.collection:
            return
        pointing = sorted(alias for alias, target in located.aliases.items() if target == located.name)
        if pointing:
            raise SearchError(
                f"the alias {pointing[0]} points at the collection {located.name}, and would lead nowhere once "
                f"{located.name} is an alias itself: publish under {pointing[0]}, or remove that alias first"
            )
        owner = owned_name(retrieve_definition(self.server.client, located.name) or {})
        if owner is not None:
            raise SearchError(f"{located.name} is a version of {owner}: publish under {owner}, or under another name")

    def _copy(self, source: str, target: str) -> None:
        """Copy a collection into a version of its own."""
        told = retrieve_definition(self.server.client, source)
        if told is None:
            raise SearchError(f"{source} was removed while it was about to be copied: run again")
        create_collection(
            self.server.client, definition_for_copy(told, target, metadata_for(source, "", complete=False))
        )
        copied = copy_documents(self.server, source, target)
        held, wanted = count_documents(self.server.client, target), count_documents(self.server.client, source)
        if copied.refused or held != wanted:
            first = next(iter(copied.refused.items()), "")
            raise IncompleteError(
                f"{source} stays as it was: {held} of its {wanted} documents could be copied to {target} {first}"
            )
        metadata = metadata_for(source, "", complete=True)
        self.server.client.collections[target].update({"metadata": metadata})  # type: ignore[typeddict-unknown-key]


def copy_documents(source_server: SearchServer, source: str, target: str, to: SearchServer | None = None) -> Imported:
    """Copy all documents of a collection into another, as they come in, on the same server or to another one.

    Raises:
        SearchError: The server with the source does not answer, or refuses; it says which one.
    """

    def lines() -> Iterator[tuple[str, bytes]]:
        with source_server.explained():
            for line in source_server.export_lines(source):
                yield str(orjson.loads(line)["id"]), line

    return import_lines(to or source_server, target, lines())
