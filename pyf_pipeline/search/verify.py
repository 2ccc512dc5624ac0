"""Proof that a collection holds what it should, before anybody is sent there."""

from collections.abc import Mapping

from typesense import Client
from typesense.exceptions import ObjectNotFound

from pyf_pipeline.search.query import find_by_name

SAMPLE = 20


def verify(client: Client, collection: str, expected: Mapping[str, str]) -> list[str]:
    """What is wrong with a collection: its count, a sample of documents, and whether search finds known packages.

    Args:
        client: The client.
        collection: The collection's own name.
        expected: The content hash that each document must have, by id.

    Returns:
        One sentence per problem; nothing where all is well.
    """
    problems = []
    held = client.collections[collection].retrieve()["num_documents"]
    if held != len(expected):
        problems.append(f"{collection} holds {held} documents instead of {len(expected)}")
    for identifier in sample(expected):
        problems.extend(_check_document(client, collection, identifier, expected[identifier]))
    return problems


def sample(expected: Mapping[str, str]) -> list[str]:
    """Ids spread evenly over all, the same ones for the same ids."""
    ids = sorted(expected)
    return ids[:: max(1, len(ids) // SAMPLE)][:SAMPLE]


def _check_document(client: Client, collection: str, identifier: str, content_hash: str) -> list[str]:
    try:
        document = client.collections[collection].documents[identifier].retrieve()
    except ObjectNotFound:
        return [f"{collection} has no document {identifier!r}"]
    problems = []
    if document.get("content_hash") != content_hash:
        problems.append(f"{collection} has document {identifier!r} with other content than was sent")
    if identifier not in find_by_name(client, collection, str(document["name"])):
        problems.append(f"a search for {document['name']!r} in {collection} does not find document {identifier!r}")
    return problems
