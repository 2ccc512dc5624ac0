"""Proof that a collection holds what it should, before anybody is sent there; and that people find it there."""

import re
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson
from typesense import Client

from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.collections import count_documents, export_rows, id_filters
from pyf_pipeline.search.naming import locate
from pyf_pipeline.search.query import is_found_by_name, rank_by_name

SAMPLE = 20
# Where nothing was changed, that people still find things takes a glance.
GLANCE = 4

# Nodes of a cluster are a moment apart in what was written.
SETTLING_SECONDS = 5.0
SETTLING_POLL_SECONDS = 0.25

# A name whose words any search can look for: what a server makes of others is not for this to find out.
_SEARCHABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


def verify(
    server: SearchServer,
    collection: str,
    expected: Mapping[str, str],
    sent: Mapping[str, Mapping[str, Any]],
    *,
    size: int = SAMPLE,
) -> list[str]:
    """What is wrong with a collection: its count, a sample of documents, and whether a search by name finds them.

    Args:
        server: The search server.
        collection: The collection's own name.
        expected: The content hash that each document must have, by id.
        sent: Some documents as they were sent, by id, to be compared field by field.
        size: How many others to look at.

    Returns:
        One sentence per problem; nothing where all is well.
    """
    problems = []
    held = _settled_count(server.client, collection, len(expected))
    if held != len(expected):
        problems.append(f"{collection} holds {held} documents instead of {len(expected)}")
    wanted = sorted({*sample(expected, size), *sent.keys() & expected.keys()})
    documents = read_documents(server, collection, wanted)
    for identifier in wanted:
        if identifier not in documents:
            problems.append(f"{collection} has no document {identifier!r}")
            continue
        problems.extend(_compare(collection, documents[identifier], expected[identifier], sent.get(identifier)))
    problems.extend(
        f"a search for {document['name']!r} in {collection} does not find {document['id']!r}"
        for document in known(documents.values())
        if not is_found_by_name(server.client, collection, document["name"], document["id"])
    )
    return problems


def sample(ids: Collection[str], size: int = SAMPLE) -> list[str]:
    """Ids spread evenly over all, the same ones for the same ids; only such as a filter can name."""
    ordered = sorted(identifier for identifier in ids if "`" not in identifier)
    return ordered[:: max(1, -(-len(ordered) // size))]


def read_documents(server: SearchServer, collection: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Documents as the server holds them, by id; those that it does not have are missing."""
    found: list[dict[str, Any]] = []
    for condition in id_filters(ids):
        found += export_rows(server, collection, orjson.loads, filter_by=condition)
    return {document["id"]: document for document in found}


def known(documents: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those documents whose name is one that a search must find, one for each name."""
    by_name = {document["name"]: document for document in documents if _SEARCHABLE.fullmatch(str(document["name"]))}
    return list(by_name.values())


def ranks(server: SearchServer, name: str, ids: Collection[str], *, size: int = SAMPLE) -> dict[str, int | None]:
    """At which place people find packages when they search for their names; None where not on the first page.

    Args:
        server: The search server.
        name: The name that people search by.
        ids: Of documents to look for.
        size: For how many of them.
    """
    documents = read_documents(server, name, sample(ids, size))
    return {
        document["name"]: rank_by_name(server.client, name, document["name"]) for document in known(documents.values())
    }


def serving_problems(client: Client, name: str, collection: str) -> list[str]:
    """What keeps a search by a name from reaching a collection; nothing where all is well."""
    located = locate(client, name)
    if located.collection:
        return [f"a collection named {name} hides the alias"]
    if located.alias_of != collection:
        return [f"the alias {name} points at {located.alias_of or 'nothing'} instead of {collection}"]
    version = located.live
    if version is None or not version.complete:
        return [f"the alias {name} points at {collection}, which is not a complete version"]
    through, itself = count_documents(client, name), version.documents
    return [] if through == itself else [f"{through} of {itself} documents of {collection} are reached by {name}"]


def _settled_count(client: Client, collection: str, expected: int) -> int:
    deadline = time.monotonic() + SETTLING_SECONDS
    while (held := count_documents(client, collection)) != expected and time.monotonic() < deadline:
        time.sleep(SETTLING_POLL_SECONDS)
    return held


def _compare(
    collection: str, document: Mapping[str, Any], content_hash: str, sent: Mapping[str, Any] | None
) -> list[str]:
    if sent is not None:
        differing = sorted(key for key in document.keys() | sent.keys() if document.get(key) != sent.get(key))
        if differing:
            return [f"{collection} has {document['id']!r} with other content than was sent: {', '.join(differing)}"]
    elif document.get("content_hash", "") != content_hash:
        return [f"{collection} has {document['id']!r} with other content than was sent"]
    return []
