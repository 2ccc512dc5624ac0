"""Documents into a collection, with every line of the server's answer read.

The import endpoint answers 200 and one JSON line per document; a line with `"success": false` is a document that is
not there.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from typesense import Client

BATCH_BYTES = 4 * 1024 * 1024
BATCH_DOCUMENTS = 500


@dataclass
class Imported:
    """The outcome of an import.

    Attributes:
        accepted: How many documents the server took.
        refused: Why the server refused documents, by id.
        bytes: How much was sent.
    """

    accepted: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    bytes: int = 0


def import_documents(
    client: Client, collection: str, documents: Iterable[dict[str, Any]], progress: Callable[[int], None]
) -> Imported:
    """Upsert documents, a batch at a time; a refused one is tried once more, alone.

    Args:
        client: The client.
        collection: The collection's own name.
        documents: Documents with an `id`.
        progress: Told how many documents have been sent so far.
    """
    result = Imported()
    for batch in _batches(documents):
        refused = _send(client, collection, batch, result)
        for identifier in refused:
            line = batch[identifier]
            result.refused.update(_send(client, collection, {identifier: line}, result))
        progress(result.accepted + len(result.refused))
    return result


def _batches(documents: Iterable[dict[str, Any]]) -> Iterator[dict[str, bytes]]:
    """Lines of JSON by document id, in batches bounded by number and by size."""
    batch: dict[str, bytes] = {}
    size = 0
    for document in documents:
        line = orjson.dumps(document)
        if batch and (len(batch) >= BATCH_DOCUMENTS or size + len(line) > BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        batch[document["id"]] = line
        size += len(line)
    if batch:
        yield batch


def _send(client: Client, collection: str, batch: dict[str, bytes], result: Imported) -> dict[str, str]:
    """Send one batch, and return the reasons of the documents that were refused, by id."""
    body = b"\n".join(batch.values())
    answer = client.collections[collection].documents.import_(body, {"action": "upsert"})
    result.bytes += len(body)
    lines = [orjson.loads(line) for line in answer.splitlines()]
    refused = {
        identifier: str(line.get("error", "no reason given"))
        for identifier, line in zip(batch, lines, strict=False)
        if line.get("success") is not True
    }
    # A document without a line in the answer has not been confirmed, so it does not count as there.
    refused.update(dict.fromkeys(list(batch)[len(lines) :], "the answer has no line for it"))
    result.accepted += len(batch) - len(refused)
    return refused
