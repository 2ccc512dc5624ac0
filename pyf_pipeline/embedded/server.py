"""The index as a web application: the API for any Typesense client, and at `/` a page to search with."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pyf_pipeline.embedded.catalogue import list_aliases, list_collections
from pyf_pipeline.embedded.errors import ApiError
from pyf_pipeline.embedded.messages import Request, parse_parameters, refusal
from pyf_pipeline.embedded.page.app import page_routes
from pyf_pipeline.embedded.page.upstream import Offer
from pyf_pipeline.embedded.router import MAX_BODY_BYTES, check_length, dispatch, largest_body
from pyf_pipeline.embedded.service import Service
from pyf_pipeline.embedded.transport import KEY_HEADER

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

# Front ends on other origins may call the API, as they may a Typesense: without a key they are told nothing. The page,
# in which a key stands, is for its own origin only.
CROSS_ORIGIN = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": ", ".join([*METHODS, "OPTIONS"]),
    "access-control-allow-headers": "content-type, x-typesense-api-key",
    "access-control-max-age": "86400",
}


class IndexUpstream:
    """The served index as the search page sees it: aliases, and collections that no alias points at."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def offer(self) -> Offer:
        """What there is to choose from: what is published under an alias first, and nothing else that is empty."""
        with self._service.storage.read() as connection:
            found = {c.schema.name: c.to_json() for c in list_collections(connection)}
            aliases = {a["name"]: a["collection_name"] for a in list_aliases(connection)}
        aliased = {name: target for name, target in aliases.items() if target in found and name not in found}
        published = [{**found[aliased[name]], "name": name} for name in sorted(aliased)]
        others = [found[name] for name in sorted(found.keys() - aliased.values()) if found[name]["num_documents"]]
        return Offer([*published, *others], self._service.page_key)

    def multi_search(self, body: bytes, key: str) -> tuple[int, bytes]:
        """Answers a search."""
        answer = dispatch(self._service, Request("POST", ("multi_search",), {}, key, body))
        return answer.status, answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)


def create_app(
    path: str | os.PathLike[str], *, admin_key: str, page_defaults: Mapping[str, Any] | None = None
) -> Starlette:
    """A Starlette application that serves the index in a file.

    Args:
        path: The SQLite file; made, with its folder, if need be.
        admin_key: The key that may do everything; it is not stored.
        page_defaults: Parameters that every search of the search page has; see `page.app.create_page`.
    """
    service = Service(path, admin_key=admin_key)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            service.close()

    async def answer(request: WebRequest) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=200, headers=_preflight(request))
        try:
            asked = await _asked(service, request)
        except ApiError as error:
            refused = refusal(error)
            return Response(refused.body, refused.status, headers=CROSS_ORIGIN, media_type=refused.content_type)
        try:
            found = await run_in_threadpool(dispatch, service, asked)
        finally:
            if asked.spooled is not None:
                asked.spooled.close()
        headers = {**CROSS_ORIGIN, "content-type": found.content_type, **found.headers}
        if isinstance(found.body, bytes):
            return Response(found.body, found.status, headers=headers)
        return StreamingResponse(found.body, found.status, headers=headers)

    api = Route("/{path:path}", answer, methods=[*METHODS, "OPTIONS"])
    return Starlette(routes=[*page_routes(IndexUpstream(service), page_defaults), api], lifespan=lifespan)


def _preflight(request: WebRequest) -> dict[str, str]:
    """What a browser may send: whichever headers it asks about, as front ends add some of their own."""
    wanted = request.headers.get("access-control-request-headers", "")
    return {**CROSS_ORIGIN, "access-control-allow-headers": wanted} if wanted else CROSS_ORIGIN


async def _asked(service: Service, request: WebRequest) -> Request:
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    parameters = parse_parameters(request.scope["query_string"].decode("latin-1"))
    asked = Request(
        method="GET" if request.method == "HEAD" else request.method,
        path=tuple(unquote(p) for p in raw_path.decode("latin-1").strip("/").split("/")),
        query=parameters,
        key=request.headers.get(KEY_HEADER, "") or parameters.get(KEY_HEADER, ""),
        body=b"",
    )
    return await _received(service, asked, request)


async def _received(service: Service, asked: Request, request: WebRequest) -> Request:
    """The request with its body, refused while it comes in where it is longer than it may be.

    A long one is read of those only who may send it, and into a file beside the index instead of into memory.
    """
    body, size, largest = bytearray(), 0, MAX_BODY_BYTES
    with contextlib.ExitStack() as opened:
        spooled: BinaryIO | None = None
        async for piece in request.stream():
            size += len(piece)
            if spooled is None and size > MAX_BODY_BYTES:
                largest = await run_in_threadpool(largest_body, service, asked)
                check_length(size, largest)
                spooled = opened.enter_context(tempfile.TemporaryFile(dir=service.storage.path.parent))
                spooled.write(body)
                body.clear()
            check_length(size, largest)
            if spooled is None:
                body += piece
            else:
                spooled.write(piece)
        if spooled is None:
            return replace(asked, body=bytes(body))
        spooled.seek(0)
        # From here on it is closed by whoever answers the request.
        opened.pop_all()
        return replace(asked, spooled=spooled)
