"""The requests about documents."""

import itertools
import re
import sqlite3
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from pyf_pipeline.embedded import documents
from pyf_pipeline.embedded.catalogue import Collection, get_collection
from pyf_pipeline.embedded.errors import ApiError, bad_request
from pyf_pipeline.embedded.evaluation import Evaluator
from pyf_pipeline.embedded.filters import parse_filter
from pyf_pipeline.embedded.jsontext import dumps, loads
from pyf_pipeline.embedded.messages import Answer, Request, json_answer, text_answer
from pyf_pipeline.embedded.projection import Projection
from pyf_pipeline.embedded.search import run_search
from pyf_pipeline.embedded.service import Service
from pyf_pipeline.embedded.validation import DIRTY_VALUES
from pyf_pipeline.embedded.wholes import unsigned

IMPORT_BATCH = 1000
"""How many documents are stored together unless the request says otherwise."""

EXPORT_PAGE = 500
READ_BYTES = 1024 * 1024

_LINE = re.compile(rb"[^\n]+")


def create_document(service: Service, request: Request, name: str) -> Answer:
    """POST /collections/:c/documents."""
    action = _action(request)
    body = request.json()
    with service.storage.write() as connection:
        collection = get_collection(connection, name)
        stored = documents.write_one(connection, collection, body, action, _dirty_values(request, collection))
    return json_answer(stored, 200 if action == "update" else 201)


def import_documents(service: Service, request: Request, name: str) -> Answer:
    """POST /collections/:c/documents/import: one transaction for each batch, one line of answer for each document."""
    size = _positive(request, "batch_size", IMPORT_BATCH)
    action = _action(request)
    answers: list[str] = []
    with service.storage.read() as connection:
        get_collection(connection, name)
    for lines in _batches(request.stream(), size):
        with service.storage.write() as connection:
            collection = get_collection(connection, name)
            options = documents.ImportOptions(
                action, _dirty_values(request, collection), request.flag("return_id"), request.flag("return_doc")
            )
            answers += documents.import_lines(connection, collection, lines, options)
    return text_answer(answers)


def _batches(body: BinaryIO, size: int) -> Iterator[list[bytes]]:
    """The lines of a body that hold anything, so many at a time."""
    lines = (line for line in _lines(body) if not line.isspace())
    while batch := list(itertools.islice(lines, size)):
        yield batch


def _lines(body: BinaryIO) -> Iterator[bytes]:
    """The lines of a body that are not empty. It is read in blocks, as it may hold millions that are."""
    begun: list[bytes] = []
    while block := body.read(READ_BYTES):
        end = block.rfind(b"\n")
        if end < 0:
            begun.append(block)
            continue
        yield from (found[0] for found in _LINE.finditer(b"".join([*begun, block[:end]])))
        begun = [block[end:]]
    yield from (found[0] for found in _LINE.finditer(b"".join(begun)))


def _action(request: Request) -> str:
    action = request.query.get("action", "create")
    if action not in documents.ACTIONS:
        raise bad_request("Parameter `action` must be a create|update|upsert.")
    return action


def _dirty_values(request: Request, collection: Collection) -> str:
    """The mode asked for; by default values are brought to their types only where fields are found by a pattern."""
    asked = request.query.get("dirty_values", "").lower()
    if asked in DIRTY_VALUES:
        return asked
    return "coerce_or_reject" if any("*" in name for name in collection.schema.by_name) else "reject"


def _positive(request: Request, name: str, default: int) -> int:
    number = unsigned(request.query.get(name, str(default)))
    if not number:
        raise bad_request(f"Parameter `{name}` must be a positive integer.")
    return number


def export_documents(service: Service, request: Request, name: str) -> Answer:
    """GET /collections/:c/documents/export: a line for each document that was there when it began."""
    projection = _projection(request)
    with service.storage.read() as connection:
        collection = get_collection(connection, name)
        seqs = _matching(service, connection, collection, request.query.get("filter_by", ""))
    return Answer(200, _export(service, collection.id, seqs, projection), "text/plain; charset=utf-8")


def _export(service: Service, collection: int, seqs: list[int], projection: Projection) -> Iterator[bytes]:
    first = True
    for low in range(0, len(seqs), EXPORT_PAGE):
        lines = []
        with service.storage.read() as connection:
            for _, body in documents.stored_bodies(connection, collection, seqs[low : low + EXPORT_PAGE]):
                lines.append(body if projection.is_everything else dumps(projection.apply(loads(body))))
        text = "\n".join(lines)
        yield text.encode() if first else b"\n" + text.encode()
        first = False


def _matching(service: Service, connection: sqlite3.Connection, collection: Collection, text: str) -> list[int]:
    """The sequence numbers of the documents that a filter finds, or of all."""
    view = service.view(connection, collection)
    condition = parse_filter(text, view.schema)
    if condition is None:
        return [int(s) for s in view.seqs]
    mask = Evaluator(connection, view).mask(condition)
    return [int(s) for s in view.seqs[np.flatnonzero(mask)]]


def _projection(request: Request) -> Projection:
    return Projection.parse(request.query.get("include_fields", ""), request.query.get("exclude_fields", ""))


def update_documents(service: Service, request: Request, name: str) -> Answer:
    """PATCH /collections/:c/documents: one change to all that a filter finds."""
    text = _filter(request)
    changes = request.json()
    with service.storage.write() as connection:
        collection = get_collection(connection, name)
        seqs = _matching(service, connection, collection, text)
        count = documents.update_many(connection, collection, seqs, changes, _dirty_values(request, collection))
    return json_answer({"num_updated": count})


def delete_documents(service: Service, request: Request, name: str) -> Answer:
    """DELETE /collections/:c/documents: all that a filter finds."""
    text = "" if request.flag("truncate") else _filter(request)
    with service.storage.write() as connection:
        collection = get_collection(connection, name)
        count = documents.delete_many(connection, collection, _matching(service, connection, collection, text))
    return json_answer({"num_deleted": count})


def _filter(request: Request) -> str:
    text = request.query.get("filter_by", "")
    if not text.strip():
        raise bad_request("Parameter `filter_by` must be provided.")
    return text


def get_document(service: Service, request: Request, name: str, document: str) -> Answer:
    """GET /collections/:c/documents/:id."""
    with service.storage.read() as connection:
        _, found = documents.get_document(connection, get_collection(connection, name), document)
    return json_answer(_projection(request).apply(found))


def update_document(service: Service, request: Request, name: str, document: str) -> Answer:
    """PATCH /collections/:c/documents/:id."""
    changes = request.json()
    if not isinstance(changes, dict):
        raise bad_request("Bad JSON: not a properly formed document.")
    with service.storage.write() as connection:
        collection = get_collection(connection, name)
        action = "emplace" if request.query.get("action") == "emplace" else "update"
        if request.query.get("action") == "upsert":
            action = "upsert"
        stored = documents.write_one(
            connection, collection, {**changes, "id": document}, action, _dirty_values(request, collection)
        )
    return json_answer(stored)


def delete_document(service: Service, request: Request, name: str, document: str) -> Answer:
    """DELETE /collections/:c/documents/:id."""
    with service.storage.write() as connection:
        collection = get_collection(connection, name)
        try:
            seq, found = documents.get_document(connection, collection, document)
        except ApiError:
            if not request.flag("ignore_not_found"):
                raise
            return json_answer({"id": document})
        documents.delete_many(connection, collection, [seq])
    return json_answer(found)


def search_documents(service: Service, request: Request, name: str) -> Answer:
    """GET /collections/:c/documents/search."""
    with service.storage.read() as connection:
        collection, view = service.open(connection, name)
        return json_answer(run_search(connection, collection, view, request.query))
