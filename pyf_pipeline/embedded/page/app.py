"""The search page as a web application, on its own or as part of the index's server."""

import html
import json
from collections.abc import Mapping
from importlib import resources
from string import Template
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pyf_pipeline.embedded.page.upstream import AwayError, Offer, Upstream, shown

MAX_SEARCH_BYTES = 64 * 1024
KEY_HEADER = "x-typesense-api-key"

# Scripts and styles are the page's own files. Images may come from elsewhere, as READMEs have them; frames, forms to
# elsewhere and inline code may not. The frame in which a README is shown inherits this.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_FILES = resources.files("pyf_pipeline.embedded.page")


def create_page(upstream: Upstream, defaults: Mapping[str, Any] | None = None) -> Starlette:
    """The page over a server: `/`, its files, `/multi_search`, which is passed on, and `/health`, which is not.

    Args:
        upstream: What is searched; `TypesenseUpstream` is one over the network.
        defaults: Parameters that every search has, such as `query_by` and `sort_by`, as far as a collection has the
            fields; without any every text is searched.
    """

    async def search(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_SEARCH_BYTES:
                return _json(413, {"message": f"The request's body is larger than {MAX_SEARCH_BYTES} bytes."})
        key = request.headers.get(KEY_HEADER, "")
        status, answer = await run_in_threadpool(upstream.multi_search, body, key)
        return Response(answer, status, media_type="application/json", headers=HEADERS)

    async def health(_: Request) -> Response:
        return _json(200, {"ok": True})

    own = [Route("/multi_search", search, methods=["POST"]), Route("/health", health, methods=["GET"])]
    return Starlette(routes=[*page_routes(upstream, defaults), *own])


def page_routes(upstream: Upstream, defaults: Mapping[str, Any] | None = None) -> list[Route]:
    """The page itself and its files, for a server that answers searches by itself."""

    async def shell(_: Request) -> Response:
        status, problem = 200, ""
        try:
            offer = await run_in_threadpool(upstream.offer)
        except AwayError as error:
            status, problem, offer = 503, str(error), Offer([], "")
        headers = {**HEADERS, "cache-control": "no-store"}
        return Response(render(offer, defaults, problem), status, media_type="text/html", headers=headers)

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        kind = _KINDS.get(name.rpartition(".")[2])
        file = _FILES / "static" / name
        if kind is None or "/" in name or not file.is_file():
            return _json(404, {"message": "Not Found"})
        headers = {**HEADERS, "cache-control": "no-cache"}
        return Response(file.read_bytes(), media_type=kind, headers=headers)

    return [Route("/", shell, methods=["GET"]), Route("/page/{name}", static, methods=["GET"])]


def render(offer: Offer, defaults: Mapping[str, Any] | None = None, problem: str = "") -> str:
    """The shell, with the collections to choose from, what the script has to know, and why there is nothing."""
    collections = [shown(c) for c in offer.collections]
    options = "".join(f"<option>{html.escape(c['name'])}</option>" for c in collections)
    known = {"collections": collections, "defaults": dict(defaults or {}), "key": offer.search_key, "problem": problem}
    data = json.dumps(known)
    shell = Template((_FILES / "shell.html").read_text("utf-8"))
    # Within the script element nothing may look like its end.
    return shell.substitute(options=options, problem=html.escape(problem), data=data.replace("<", "\\u003c"))


def _json(status: int, value: object) -> Response:
    return Response(json.dumps(value), status, media_type="application/json", headers=HEADERS)
