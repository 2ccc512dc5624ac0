"""A collection copied under another name, or to another server, document by document, and compared afterwards."""

from dataclasses import dataclass
from typing import Any

import orjson

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import (
    count_documents,
    create_collection,
    definition_for_copy,
    drop_collection,
    export_rows,
    retrieve_definition,
)
from pyf_pipeline.search.errors import IncompleteError, SearchError
from pyf_pipeline.search.importing import Imported
from pyf_pipeline.search.locks import MANAGEMENT_WAIT_SECONDS, locked
from pyf_pipeline.search.naming import OWNER, check_name, retrieve_collections
from pyf_pipeline.search.switching import copy_documents
from pyf_pipeline.search.verify import read_documents, sample

# In the metadata of a copy that is being made: what it is a copy of.
UNFINISHED = "unfinished_copy_of"


@dataclass(frozen=True)
class Migrated:
    """A copy of a collection.

    Attributes:
        source: The collection that was copied, by its own name.
        target: The copy.
        documents: How many documents it holds.
        bytes: How much was sent.
    """

    source: str
    target: str
    documents: int
    bytes: int


def migrate(server: SearchServer, source: str, target: str, *, to: SearchServer | None = None) -> Migrated:
    """Copy a collection with its schema, a batch in memory at a time, and compare the copy with it.

    What a migration to the same target has left that was killed is replaced.

    Args:
        server: The search server that has the collection.
        source: A collection, or an alias.
        target: The name of the copy, which nothing must have yet.
        to: The search server for the copy; by default the same one.

    Raises:
        SearchError: There is no such collection, or the target's name is taken.
        IncompleteError: The copy is not the same; it is removed again.
    """
    check_name(target)
    goal = to or server
    with server.explained():
        told = retrieve_definition(server.client, source)
    if told is None:
        raise SearchError(f"there is no collection {source} on the search server at {server.address}")
    with goal.explained(), locked(goal.client, target, wait=MANAGEMENT_WAIT_SECONDS):
        _make_room(goal, target)
        metadata = _metadata(told)
        create_collection(goal.client, definition_for_copy(told, target, {**metadata, UNFINISHED: told["name"]}))
        try:
            copied = copy_documents(server, told["name"], target, goal)
            _compare(server, told["name"], goal, target, copied)
        except BaseException:
            drop_collection(goal.client, target)
            raise
        goal.client.collections[target].update({"metadata": metadata})  # type: ignore[typeddict-unknown-key]
        return Migrated(told["name"], target, count_documents(goal.client, target), copied.bytes)


def _make_room(goal: SearchServer, target: str) -> None:
    found = {collection["name"]: collection for collection in retrieve_collections(goal.client)}.get(target)
    if found is None:
        return
    if UNFINISHED not in (found.get("metadata") or {}):
        raise SearchError(f"there is a collection {target} already: delete it first, or give another name")
    drop_collection(goal.client, target)


def _metadata(told: dict[str, Any]) -> dict[str, Any]:
    """Another tool's metadata; ours would make the copy a version that a publish takes for its own."""
    metadata = told.get("metadata") or {}
    return {"copy_of": told["name"]} if metadata.get("owner") == OWNER else dict(metadata)


def _compare(server: SearchServer, source: str, goal: SearchServer, target: str, copied: Imported) -> None:
    with server.explained():
        wanted = count_documents(server.client, source)
        ids = sample(export_rows(server, source, _id, include_fields="id"))
        original = read_documents(server, source, ids)
    problems = [f"{identifier} was refused: {why}" for identifier, why in copied.refused.items()]
    held = count_documents(goal.client, target)
    if wanted != held:
        problems.append(f"it holds {held} documents instead of {wanted}")
    copy = read_documents(goal, target, ids)
    problems += [f"{identifier} differs" for identifier in ids if original.get(identifier) != copy.get(identifier)]
    if problems:
        raise IncompleteError(f"{target} is not the same as {source}, and was removed again: {'; '.join(problems[:3])}")


def _id(line: bytes) -> str:
    return str(orjson.loads(line)["id"])
