"""The index as a web application, for any Typesense client."""

import contextlib
import os
from collections.abc import AsyncIterator
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pyf_pipeline.embedded.errors import ApiError
from pyf_pipeline.embedded.messages import Request, parse_parameters, refusal
from pyf_pipeline.embedded.router import MAX_IMPORT_BYTES, dispatch
from pyf_pipeline.embedded.service import Service
from pyf_pipeline.embedded.transport import KEY_HEADER

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_app(path: str | os.PathLike[str], *, admin_key: str) -> Starlette:
    """A Starlette application that serves the index in a file.

    Args:
        path: The SQLite file; made, with its folder, if need be.
        admin_key: The key that may do everything; it is not stored.
    """
    service = Service(path, admin_key=admin_key)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            service.close()

    async def answer(request: WebRequest) -> Response:
        try:
            asked = await _asked(request)
        except ApiError as error:
            refused = refusal(error)
            return Response(refused.body, refused.status, media_type=refused.content_type)
        found = await run_in_threadpool(dispatch, service, asked)
        headers = {"content-type": found.content_type, **found.headers}
        if isinstance(found.body, bytes):
            return Response(found.body, found.status, headers=headers)
        return StreamingResponse(found.body, found.status, headers=headers)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)], lifespan=lifespan)


async def _asked(request: WebRequest) -> Request:
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    parameters = parse_parameters(request.scope["query_string"].decode("latin-1"))
    return Request(
        method=request.method,
        path=tuple(unquote(p) for p in raw_path.decode("latin-1").strip("/").split("/")),
        query=parameters,
        key=request.headers.get(KEY_HEADER, "") or parameters.get(KEY_HEADER, ""),
        body=await _body(request),
    )


async def _body(request: WebRequest) -> bytes:
    """The body, refused while it comes in where it is larger than anything that is taken."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_IMPORT_BYTES:
            raise ApiError(413, f"The request's body is larger than {MAX_IMPORT_BYTES} bytes.")
        pieces.append(piece)
    return b"".join(pieces)
