"""A profile's documents into the collection that people search: complete, verified, and without a gap.

A rebuild goes into a new versioned collection, and only when that is proved complete the alias moves to it. An
incremental publish compares content hashes with the collection that is served, and sends what differs.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from typesense import Client

from pyf_pipeline.search.client import SearchError, SearchServer
from pyf_pipeline.search.documents import BuildFailure
from pyf_pipeline.search.importing import Imported, import_documents
from pyf_pipeline.search.naming import Located, locate, metadata_for
from pyf_pipeline.search.schema import collection_schema, schema_fingerprint
from pyf_pipeline.search.verify import verify

logger = logging.getLogger(__name__)

# A new version with more documents missing than this is not served in place of the old one.
LOSS_SHARE = 0.01
LOSSES_ALLOWED = 5

IDS_PER_DELETE = 100


class IncompleteError(SearchError):
    """A new version is not what it should be, so the one before it goes on being served."""


class Source(Protocol):
    """The complete content of a profile, from which documents are built when they are needed."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """The content hash of every document, by id."""

    def documents(self, ids: Collection[str]) -> Iterator[dict[str, Any] | BuildFailure]:
        """Build the documents with these ids."""


@dataclass
class Published:
    """What a publish did.

    Attributes:
        name: The name that people search by.
        collection: The collection behind it.
        rebuilt: Whether the collection is new.
        documents: How many documents it holds.
        added: How many of them were not there before.
        changed: How many were there with other content.
        removed: How many documents went.
        unchanged: How many were left alone.
        refused: Why documents are missing, by id: not built, or refused by the server.
        problems: What verification found, one sentence each; nothing where all is well.
        bytes: How much was sent.
        seconds: How long it took.
    """

    name: str
    collection: str = ""
    rebuilt: bool = False
    documents: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Publisher:
    """Publishes to one search server.

    Attributes:
        server: The search server.
        progress: Told (stage, done, total).
    """

    server: SearchServer
    progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None

    @property
    def _client(self) -> Client:
        return self.server.client

    def publish(self, name: str, source: Source, *, rebuild: bool = False, partial: bool = False) -> Published:
        """Make the collection behind a name hold exactly the source's documents.

        Args:
            name: The name that people search by.
            source: The documents.
            rebuild: Build a new version, even where updating the one that is served would do.
            partial: Whether the source may not be the whole profile: then nothing is deleted, and so nothing rebuilt
                where updating will do.

        Raises:
            SearchError: The server is away, or refuses.
            IncompleteError: A new version could not be completed; the old one is still served.
        """
        started = time.monotonic()
        with self.server.explained():
            located = locate(self._client, name)
            live = located.live
            if live is None or live.schema != schema_fingerprint() or (rebuild and not partial):
                published = self._rebuild(located, source, partial=partial)
            else:
                published = self._update(located, live.name, source, partial=partial)
            published.documents = self._count(published.collection)
        published.seconds = time.monotonic() - started
        return published

    def _rebuild(self, located: Located, source: Source, *, partial: bool) -> Published:
        before = self._content(located.name) if located.alias_of or located.collection else {}
        if partial and before.keys() - source.hashes.keys():
            raise SearchError(
                f"{located.name} has to be built anew, and holds packages that a run over a part of the profile does "
                "not know: run once without limit, projects and name_contains"
            )
        collection = located.next_version()
        published = Published(located.name, collection, rebuilt=True)
        self._client.collections.create(self._definition(located.name, collection))
        self._send(published, source, source.hashes.keys())
        expected = {key: value for key, value in source.hashes.items() if key not in published.refused}
        published.problems = verify(self._client, collection, expected)
        self._refuse_if_incomplete(published, len(source.hashes))
        metadata = metadata_for(located.name, schema_fingerprint(), complete=True)
        self._client.collections[collection].update({"metadata": metadata})  # type: ignore[typeddict-unknown-key]
        self._switch(located, collection)
        self._clean_up(located, keep={collection, located.alias_of})
        published.added = len(expected.keys() - before.keys())
        published.removed = len(before.keys() - expected.keys())
        published.unchanged = sum(before.get(key) == value for key, value in expected.items())
        published.changed = len(expected) - published.added - published.unchanged
        return published

    def _update(self, located: Located, collection: str, source: Source, *, partial: bool) -> Published:
        published = Published(located.name, collection)
        before = self._content(collection)
        differing = {key for key, value in source.hashes.items() if before.get(key) != value}
        gone = set() if partial else before.keys() - source.hashes.keys()
        self._send(published, source, differing)
        self._delete(collection, gone)
        expected = {key: value for key, value in source.hashes.items() if key not in published.refused}
        # What was not sent anew is still there as it was.
        kept = {key: value for key, value in before.items() if key not in expected and key not in gone}
        published.problems = verify(self._client, collection, {**expected, **kept})
        arrived = differing - published.refused.keys()
        published.added = len(arrived - before.keys())
        published.changed = len(arrived) - published.added
        published.removed = len(gone)
        published.unchanged = len(source.hashes) - len(differing)
        self._clean_up(located, keep={collection, self._previous(located, collection)})
        return published

    def _definition(self, name: str, collection: str) -> Any:
        metadata = metadata_for(name, schema_fingerprint(), complete=False)
        return {**collection_schema(collection), "metadata": metadata}

    def _send(self, published: Published, source: Source, ids: Collection[str]) -> None:
        def built() -> Iterator[dict[str, Any]]:
            for document in source.documents(ids):
                if isinstance(document, BuildFailure):
                    published.refused[document.id] = document.reason
                else:
                    yield document

        def progress(done: int) -> None:
            self.progress("publish", done, len(ids))

        imported: Imported = import_documents(self._client, published.collection, built(), progress)
        published.refused.update(imported.refused)
        published.bytes += imported.bytes

    def _content(self, collection: str) -> dict[str, str]:
        """The content hash of each document that a collection holds, by id; "" where another tool made it."""
        lines = self._client.collections[collection].documents.export({"include_fields": "id,content_hash"})
        rows = (orjson.loads(line) for line in lines.splitlines() if line)
        return {row["id"]: row.get("content_hash", "") for row in rows}

    def _count(self, collection: str) -> int:
        return int(self._client.collections[collection].retrieve()["num_documents"])

    def _delete(self, collection: str, ids: Collection[str]) -> None:
        ordered = sorted(ids)
        for start in range(0, len(ordered), IDS_PER_DELETE):
            quoted = ",".join(f"`{identifier}`" for identifier in ordered[start : start + IDS_PER_DELETE])
            self._client.collections[collection].documents.delete({"filter_by": f"id:=[{quoted}]"})

    def _refuse_if_incomplete(self, published: Published, wanted: int) -> None:
        """Keep what is served where the new version is not as it should be; the new one is cleaned up next time."""
        lost = len(published.refused)
        if lost > max(LOSSES_ALLOWED, LOSS_SHARE * wanted):
            identifier, reason = next(iter(published.refused.items()))
            published.problems.append(f"{lost} of {wanted} documents are missing, for instance {identifier}: {reason}")
        if published.problems:
            raise IncompleteError(
                f"{published.collection} is not put in service, {published.name} stays as it was: "
                + "; ".join(published.problems[:3])
            )

    def _switch(self, located: Located, collection: str) -> None:
        """Point the name at a complete version. An alias moves at once; a collection of that name has to go first."""
        if located.collection:
            logger.warning("the collection %s, made by another tool, is replaced by an alias", located.name)
            self._client.collections[located.name].delete()
        self._client.aliases.upsert(located.name, {"collection_name": collection})

    @staticmethod
    def _previous(located: Located, live: str) -> str | None:
        """The version to go back to: the newest complete one before the one that is served."""
        complete = [version.name for version in located.versions if version.complete and version.name != live]
        return complete[-1] if complete else None

    def _clean_up(self, located: Located, keep: Collection[str | None]) -> None:
        """Remove outdated versions, and what runs that died have left behind."""
        for version in located.versions:
            if version.name not in keep:
                logger.info("removing the outdated collection %s", version.name)
                self._client.collections[version.name].delete()
