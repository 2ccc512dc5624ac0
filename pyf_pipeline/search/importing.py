"""Documents into a collection, several batches at a time, with every line of the server's answers read.

The import endpoint answers 200 and one JSON line per document
(https://typesense.org/docs/29.0/api/documents.html#index-multiple-documents); a line with `"success": false` is a
document that is not there, and so is a document without a line.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import orjson
from typesense.exceptions import TypesenseClientError

from pyf_pipeline.search.client import SearchServer, split_lines
from pyf_pipeline.search.errors import SearchError, reason, status

BATCH_BYTES = 4 * 1024 * 1024
BATCH_DOCUMENTS = 500

# Answers to a whole request that have to do with what is in it.
ABOUT_THE_CONTENT = frozenset({400, 413, 422, 500})

# One request after the other being refused as a whole is not about single documents any more.
REQUESTS_REFUSED = 50


@dataclass
class Imported:
    """The outcome of an import.

    Attributes:
        accepted: How many documents the server took.
        refused: Why the server refused documents, by id.
        bytes: How much was sent.
        failures: How many requests for one document were answered by an HTTP error.
    """

    accepted: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    bytes: int = 0
    failures: int = 0

    def add(self, other: "Imported") -> None:
        """Count in what else was imported."""
        self.accepted += other.accepted
        self.refused.update(other.refused)
        self.bytes += other.bytes
        self.failures += other.failures


def import_lines(
    server: SearchServer,
    collection: str,
    lines: Iterable[tuple[str, bytes]],
    progress: Callable[[int], None] = lambda _done: None,
) -> Imported:
    """Upsert documents, in as many streams as the server takes; a refused one is tried once more, alone.

    What is in memory at once is a batch for each stream and one more, however many documents there are.

    Args:
        server: The search server.
        collection: The collection's own name.
        lines: Each document's id, which must not come twice, and the document as a line of JSON.
        progress: Told how many documents have been sent so far.

    Raises:
        SearchError: The server refuses whatever it is sent.
        TypesenseClientError: The server refuses, for a reason that has nothing to do with the documents.
        httpx.TransportError: The server does not answer.
    """
    result = Imported()
    pending: deque[Future[Imported]] = deque()

    def settle() -> None:
        result.add(pending.popleft().result())
        if result.failures > REQUESTS_REFUSED:
            raise SearchError(f"the search server at {server.address} refuses all that is sent: {_last(result)}")
        progress(result.accepted + len(result.refused))

    with ThreadPoolExecutor(server.streams, thread_name_prefix="import") as streams:
        try:
            for batch in _batches(lines):
                pending.append(streams.submit(_deliver, server, collection, batch))
                if len(pending) > server.streams:
                    settle()
            while pending:
                settle()
        except BaseException:
            streams.shutdown(wait=False, cancel_futures=True)
            raise
    return result


def _last(result: Imported) -> str:
    return next(reversed(result.refused.values()), "")


def _batches(lines: Iterable[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """Lines by document id, in batches bounded by number and by size."""
    batch: dict[str, bytes] = {}
    size = 0
    for identifier, line in lines:
        if batch and (len(batch) >= BATCH_DOCUMENTS or size + len(line) > BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        batch[identifier] = line
        size += len(line)
    if batch:
        yield batch


def _deliver(server: SearchServer, collection: str, batch: dict[str, bytes]) -> Imported:
    """Send a batch; in halves where it is refused as a whole, and what was refused in it once more, alone."""
    body = b"\n".join(batch.values())
    result = Imported(bytes=len(body))
    try:
        answer = server.client.collections[collection].documents.import_(body, {"action": "upsert", "return_id": True})
    except TypesenseClientError as error:
        if status(error) not in ABOUT_THE_CONTENT:
            raise
        if len(batch) == 1:
            result.failures = 1
            result.refused = dict.fromkeys(batch, f"HTTP {status(error)}: {reason(error)}")
            return result
        for half in _halves(batch):
            result.add(_deliver(server, collection, half))
            if result.failures > REQUESTS_REFUSED:
                break
        return result
    refused = _refused(list(batch), answer.encode())
    result.accepted = len(batch) - len(refused)
    if len(batch) == 1:
        result.refused = refused
        return result
    for identifier in refused:
        result.add(_deliver(server, collection, {identifier: batch[identifier]}))
    return result


def _halves(batch: dict[str, bytes]) -> Iterator[dict[str, bytes]]:
    ids = list(batch)
    middle = len(ids) // 2
    for half in (ids[:middle], ids[middle:]):
        yield {identifier: batch[identifier] for identifier in half}


def _refused(ids: list[str], answer: bytes) -> dict[str, str]:
    """Which documents have not been confirmed by their line of the answer, and why."""
    lines = list(split_lines([answer]))
    refused = {}
    for position, identifier in enumerate(ids):
        problem = _problem(identifier, lines[position]) if position < len(lines) else "the answer has no line for it"
        if problem:
            refused[identifier] = problem
    return refused


def _problem(identifier: str, line: bytes) -> str:
    try:
        answer = orjson.loads(line)
    except orjson.JSONDecodeError:
        return f"its line of the answer is no JSON: {line[:80]!r}"
    if answer.get("success") is not True:
        return str(answer.get("error", "no reason given"))
    if answer.get("id", identifier) != identifier:
        return f"its line of the answer is about {answer['id']!r}"
    return ""
