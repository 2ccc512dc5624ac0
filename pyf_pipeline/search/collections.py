"""Making and removing collections, so that neither is done twice, nor to another than was meant."""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar, cast
from urllib.parse import quote

import httpx
import orjson
from typesense import Client
from typesense.exceptions import ObjectAlreadyExists, ObjectNotFound

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.errors import LOST, SearchError
from pyf_pipeline.search.naming import retrieve_aliases, retrieve_collections

logger = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 4
PAUSE_SECONDS = 0.2

# A request's address may not be of any length.
FILTER_BYTES = 3_000

# What the server tells of a collection, and does not take when one is made.
_TOLD_ONLY = frozenset({"created_at", "num_documents", "num_memory_shards"})


def create_collection(client: Client, definition: Mapping[str, Any]) -> None:
    """Make a collection, unless its name is that of an alias, which it would shadow.

    Args:
        client: The client.
        definition: The schema with a name and metadata, as `POST /collections` takes it.

    Raises:
        SearchError: A collection or an alias has that name.
    """
    name = str(definition["name"])
    if name in retrieve_aliases(client):
        raise SearchError(f"{name} is an alias: a collection of that name would hide what it points at")
    # Tells this collection from one that another makes at the same moment, where the answer gets lost.
    made_by = uuid.uuid4().hex
    body = cast("Any", {**definition, "metadata": {**definition.get("metadata", {}), "made_by": made_by}})
    for attempt in range(1, ATTEMPTS + 1):
        try:
            client.collections.create(body)
        except ObjectAlreadyExists:
            raise SearchError(f"a collection {name} exists already") from None
        except LOST:
            found = retrieve_definition(client, name)
            if found is None and attempt < ATTEMPTS:
                time.sleep(PAUSE_SECONDS)
                continue
            if found is None or (found.get("metadata") or {}).get("made_by") != made_by:
                raise
        return


def retrieve_definition(client: Client, name: str) -> dict[str, Any] | None:
    """A collection as the server tells it, by its own name or that of an alias; None where there is none."""
    try:
        return cast("dict[str, Any]", client.collections[name].retrieve())
    except ObjectNotFound:
        return None


def definition_for_copy(told: Mapping[str, Any], name: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a collection like one that the server tells of, under another name."""
    kept = {key: value for key, value in told.items() if key not in _TOLD_ONLY and value not in ("", [], None)}
    return {**kept, "name": name, "metadata": dict(metadata)}


def drop_collection(client: Client, name: str) -> None:
    """Remove a collection by its own name; nothing happens where it is not there.

    By the name of an alias the server would remove the collection behind it, so that is looked at first, and the
    request is not repeated before it was looked at again.

    Raises:
        SearchError: It is there still, although the server was asked several times.
    """
    for _ in range(ATTEMPTS):
        if name not in {collection["name"] for collection in retrieve_collections(client)}:
            return
        try:
            client.collections[name].delete()
        except (*LOST, ObjectNotFound) as error:
            logger.warning("looking whether %s is gone: %s", name, error)
            time.sleep(PAUSE_SECONDS)
        else:
            return
    if name in {collection["name"] for collection in retrieve_collections(client)}:
        raise SearchError(f"the collection {name} could not be removed: the server does not answer to it")


def point_alias(client: Client, alias: str, collection: str) -> None:
    """Have an alias point at a collection, from one moment to the next where it pointed at another."""
    client.aliases.upsert(alias, {"collection_name": collection})


def count_documents(client: Client, collection: str) -> int:
    """How many documents a collection holds."""
    return int(client.collections[collection].retrieve()["num_documents"])


def content_hashes(server: SearchServer, collection: str) -> dict[str, str]:
    """The content hash of each document that a collection holds, by id; "" where another tool made it."""
    rows = export_rows(server, collection, _hash_of, include_fields="id,content_hash")
    return dict(rows)


def _hash_of(line: bytes) -> tuple[str, str]:
    row = orjson.loads(line)
    return row["id"], str(row.get("content_hash", ""))


def export_rows(server: SearchServer, collection: str, read: Callable[[bytes], T], **parameters: str) -> list[T]:
    """A part of each document, all at once; asked for anew where the answer breaks off.

    Args:
        server: The search server.
        collection: A collection or an alias.
        read: Makes a row of a line of JSON.
        parameters: Of Typesense's export, such as `include_fields` and `filter_by`.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return [read(line) for line in server.export_lines(collection, **parameters)]
        except (httpx.ReadError, httpx.RemoteProtocolError) as error:
            logger.warning(
                "the export of %s from %s broke off, and is begun anew: %s", collection, server.address, error
            )
    return [read(line) for line in server.export_lines(collection, **parameters)]


def id_filters(ids: list[str]) -> list[str]:
    """Filters that find documents by their ids, each short enough for a request's address.

    Args:
        ids: The ids; there is no way to write one with a backtick in a filter.
    """
    filters: list[str] = []
    quoted: list[str] = []
    size = 0
    for identifier in ids:
        length = len(quote(f"`{identifier}`,", safe=""))
        if quoted and size + length > FILTER_BYTES:
            filters.append(f"id:=[{','.join(quoted)}]")
            quoted, size = [], 0
        quoted.append(f"`{identifier}`")
        size += length
    return [*filters, f"id:=[{','.join(quoted)}]"] if quoted else filters


def delete_documents(client: Client, collection: str, ids: list[str]) -> None:
    """Remove documents by id; what is gone already is no matter."""
    documents = client.collections[collection].documents
    for condition in id_filters([identifier for identifier in ids if "`" not in identifier]):
        documents.delete({"filter_by": condition})
    for identifier in (identifier for identifier in ids if "`" in identifier):
        with suppress(ObjectNotFound):
            documents[quote(identifier, safe="")].delete()
