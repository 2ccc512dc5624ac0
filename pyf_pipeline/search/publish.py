"""A profile's documents into the collection that people search: complete, verified, and without a gap.

A rebuild goes into a new versioned collection, and only when that is proved complete the alias moves to it. An
incremental publish compares content hashes with the collection that is served, and sends what differs.
"""

import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from typesense import Client

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import content_hashes, count_documents, create_collection, delete_documents
from pyf_pipeline.search.documents import BuildFailure
from pyf_pipeline.search.errors import IncompleteError, SearchError
from pyf_pipeline.search.fitting import DuplicateError, Fitter, MisfitError
from pyf_pipeline.search.following import lead_followers
from pyf_pipeline.search.importing import import_lines
from pyf_pipeline.search.locks import PUBLISH_WAIT_SECONDS, locked
from pyf_pipeline.search.naming import FOLLOWERS, Located, check_name, metadata_for
from pyf_pipeline.search.schema import FIELDS, collection_schema, schema_fingerprint
from pyf_pipeline.search.switching import Switch
from pyf_pipeline.search.verify import GLANCE, SAMPLE, ranks, sample, serving_problems, verify

# A new version with more documents missing than this is not served in place of the old one.
LOSS_SHARE = 0.01
LOSSES_ALLOWED = 5


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
        previous: The collection that a rollback would go back to; "" where there is none.
        rebuilt: Whether the collection is new.
        documents: How many documents it holds.
        added: How many of them were not there before.
        changed: How many were there with other content.
        removed: How many documents went.
        unchanged: How many were left alone.
        refused: Why documents are missing or outdated, by id: not built, not fitting, or refused by the server.
        problems: What verification found, one sentence each; nothing where all is well.
        serving: What keeps a search by the name from reaching the collection; nothing where all is well.
        ranks: At which place of a search for it each of some packages is found; None where not on the first page.
        bytes: How much was sent.
        seconds: How long it took.
    """

    name: str
    collection: str = ""
    previous: str = ""
    rebuilt: bool = False
    documents: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    serving: list[str] = field(default_factory=list)
    ranks: dict[str, int | None] = field(default_factory=dict)
    bytes: int = 0
    seconds: float = 0.0


def is_too_much(lost: int, wanted: int) -> bool:
    """Whether so many of the wanted documents are missing that a new version must not be served."""
    return lost > max(LOSS_SHARE * wanted, min(LOSSES_ALLOWED, wanted / 2))


@dataclass(frozen=True)
class Publisher:
    """Publishes to one search server.

    Attributes:
        server: The search server.
        progress: Told (stage, done, total).
        wait: For how many seconds to wait where another publish of the same name is under way.
    """

    server: SearchServer
    progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None
    wait: float = PUBLISH_WAIT_SECONDS

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
            BusyError: Another publish of this name is under way, and was waited for in vain.
            IncompleteError: A new version could not be completed; the old one is still served.
        """
        started = time.monotonic()
        check_name(name)
        with self.server.explained(), locked(self._client, name, wait=self.wait) as lock:
            switch = Switch(self.server, lock)
            located = switch.heal(name)
            live = located.live
            current = live is not None and live.complete and live.schema == schema_fingerprint()
            if live is None or not current or (rebuild and not partial):
                published = self._rebuild(switch, located, source, partial=partial)
            else:
                published = self._update(switch, located, source, partial=partial)
            lead_followers(self._client, name)
            self._look_back(published, source)
        published.seconds = time.monotonic() - started
        return published

    def _rebuild(self, switch: Switch, located: Located, source: Source, *, partial: bool) -> Published:
        before = content_hashes(self.server, located.serving) if located.serving else {}
        if partial and before.keys() - source.hashes.keys():
            raise SearchError(
                f"{located.name} has to be built anew, and holds packages that a run over a part of the profile does "
                "not know: run once without limit, projects and name_contains"
            )
        # The copy of a collection that is taken over is the older of the two.
        copy, collection = located.next_versions(2) if located.collection else (*located.next_versions(1) * 2,)
        previous = copy if located.collection else located.serving
        published = Published(located.name, collection, previous or "", rebuilt=True)
        create_collection(self._client, self._definition(published, located, complete=False))
        sent = self._send(published, source, source.hashes.keys())
        expected = {key: value for key, value in source.hashes.items() if key not in published.refused}
        published.problems = verify(self.server, collection, expected, sent)
        self._refuse_if_incomplete(published, len(source.hashes))
        metadata = self._definition(published, located, complete=True)["metadata"]
        self._client.collections[collection].update({"metadata": metadata})  # type: ignore[typeddict-unknown-key]
        switch.move(located, collection, copy)
        switch.clean_up(located.name, keep={collection, previous})
        published.added = len(expected.keys() - before.keys())
        published.removed = len(before.keys() - expected.keys())
        published.unchanged = sum(before.get(key) == value for key, value in expected.items())
        published.changed = len(expected) - published.added - published.unchanged
        return published

    def _update(self, switch: Switch, located: Located, source: Source, *, partial: bool) -> Published:
        live = located.live
        if live is None:
            raise SearchError(f"{located.name} leads to no version that could be updated")
        published = Published(located.name, live.name, located.before(live) or self._newest_other(located, live.name))
        before = content_hashes(self.server, live.name)
        differing = {key for key, value in source.hashes.items() if before.get(key) != value}
        gone = set() if partial else before.keys() - source.hashes.keys()
        sent = self._send(published, source, differing)
        switch.lock.check()
        delete_documents(self._client, live.name, sorted(gone))
        expected = {key: value for key, value in source.hashes.items() if key not in published.refused}
        # What was not sent anew is still there as it was.
        kept = {key: value for key, value in before.items() if key not in expected and key not in gone}
        size = SAMPLE if differing or gone else GLANCE
        published.problems = verify(self.server, live.name, {**expected, **kept}, sent, size=size)
        arrived = differing - published.refused.keys()
        published.added = len(arrived - before.keys())
        published.changed = len(arrived) - published.added
        published.removed = len(gone)
        published.unchanged = len(source.hashes) - len(differing)
        switch.clean_up(located.name, keep={live.name, published.previous})
        return published

    def _look_back(self, published: Published, source: Source) -> None:
        """See what people see now."""
        published.documents = count_documents(self._client, published.collection)
        published.serving = serving_problems(self._client, published.name, published.collection)
        touched = published.rebuilt or published.added or published.changed or published.removed
        served = source.hashes.keys() - published.refused.keys()
        published.ranks = ranks(self.server, published.name, served, size=SAMPLE if touched else GLANCE)

    @staticmethod
    def _definition(published: Published, located: Located, *, complete: bool) -> dict[str, Any]:
        metadata = metadata_for(
            published.name, schema_fingerprint(), complete=complete, previous=published.previous or None
        )
        followers = {FOLLOWERS: list(located.followers)} if located.followers else {}
        return {**collection_schema(published.collection), "metadata": {**metadata, **followers}}

    def _send(self, published: Published, source: Source, ids: Collection[str]) -> dict[str, Any]:
        """Build, fit and send documents; returns some of them as they were sent."""
        wanted = set(sample(ids))
        sent: dict[str, Any] = {}

        def noted(lines: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
            for identifier, line in lines:
                if identifier in wanted:
                    sent[identifier] = orjson.loads(line)
                yield identifier, line

        def progress(done: int) -> None:
            self.progress("publish", done + len(published.refused), len(ids))

        # Where something fails, the processes that build documents are not left waiting to be asked for more.
        with closing(_fitted(source.documents(ids), published.refused)) as lines:
            imported = import_lines(self.server, published.collection, noted(lines), progress)
        published.refused.update(imported.refused)
        published.bytes += imported.bytes
        return {key: document for key, document in sent.items() if key not in published.refused}

    def _refuse_if_incomplete(self, published: Published, wanted: int) -> None:
        """Keep what is served where the new version is not as it should be; the new one is removed next time."""
        lost = len(published.refused)
        if is_too_much(lost, wanted):
            identifier, why = next(iter(published.refused.items()))
            published.problems.append(f"{lost} of {wanted} documents are missing, for instance {identifier}: {why}")
        if published.problems:
            raise IncompleteError(
                f"{published.collection} is not put in service, {published.name} stays as it was: "
                + "; ".join(published.problems[:3])
            )

    @staticmethod
    def _newest_other(located: Located, live: str) -> str:
        """After a rollback, what it went back from is kept in the place of what came before."""
        complete = [version.name for version in located.versions if version.complete and version.name != live]
        return complete[-1] if complete else ""


def _fitted(
    documents: Iterator[dict[str, Any] | BuildFailure], refused: dict[str, str]
) -> Generator[tuple[str, bytes], None, None]:
    """Documents as lines of JSON that fit the schema, and beside them, by id, why others could not be made."""
    fitter = Fitter(FIELDS)
    for document in documents:
        if isinstance(document, BuildFailure):
            refused[document.id] = document.reason
            continue
        identifier = str(document.get("id"))
        try:
            line = fitter.line(document)
        except DuplicateError as error:
            # The first one counts under the id itself.
            refused[f"{identifier} (another)"] = str(error)
        except MisfitError as error:
            refused[identifier] = str(error)
        else:
            yield identifier, line
