"""PyPI over HTTP: index, project and release documents, feeds, XML-RPC."""

import hashlib
from collections import OrderedDict
from html import escape
from typing import Any

import orjson

from pyf_pipeline_tests.world import documents, rss, xmlrpc
from pyf_pipeline_tests.world.control import Control
from pyf_pipeline_tests.world.exchange import Answer, Request, compress, segments
from pyf_pipeline_tests.world.faults import Fault
from pyf_pipeline_tests.world.log import RequestLog
from pyf_pipeline_tests.world.names import normalise
from pyf_pipeline_tests.world.pypi import Project, PyPI, Release

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
_CACHE_BYTES = 800_000_000
_NOT_FOUND = b'{"message": "Not Found"}'


class BodyCache:
    """Encoded bodies by name, forgotten when their serial moved, or least recently used when there are too many."""

    def __init__(self, limit: int = _CACHE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[tuple[str, str, bool], tuple[int, str, bytes]] = OrderedDict()

    def get(self, key: tuple[str, str, bool], serial: int) -> tuple[str, bytes] | None:
        """(ETag, body), if it is of that serial."""
        entry = self._entries.get(key)
        if entry is None or entry[0] != serial:
            return None
        self._entries.move_to_end(key)
        return entry[1], entry[2]

    def put(self, key: tuple[str, str, bool], serial: int, etag: str, body: bytes) -> None:
        """Keep a body."""
        old = self._entries.pop(key, None)
        self._size += len(body) - (len(old[2]) if old else 0)
        self._entries[key] = (serial, etag, body)
        while self._size > self._limit:
            _, (_, _, dropped) = self._entries.popitem(last=False)
            self._size -= len(dropped)


class PyPIHandler:
    """Answers as PyPI does; `/_world/` belongs to the control endpoint."""

    def __init__(self, pypi: PyPI, log: RequestLog, control: Control) -> None:
        self._pypi = pypi
        self._log = log
        self._control = control
        self._cache = BodyCache()

    def classify(self, request: Request) -> tuple[str, str]:
        """See `exchange.Handler`."""
        found = ("other", "")
        match segments(request):
            case ["_world", *_]:
                found = ("", "")
            case ["pypi"] | ["RPC2"] if request.method == "POST":
                found = ("xmlrpc", xmlrpc.method_of(request.body))
            case ["pypi", name, "json"]:
                found = ("project", normalise(name))
            case ["pypi", name, _, "json"]:
                found = ("release", normalise(name))
            case ["simple"]:
                found = ("simple", "")
            case ["simple", name]:
                found = ("simple", normalise(name))
            case ["rss", "updates.xml" | "packages.xml" as feed]:
                found = ("rss", feed)
        return found

    def answer(self, request: Request, route: str, name: str, fault: Fault | None) -> Answer:
        """See `exchange.Handler`."""
        match route:
            case "":
                return self._control.answer(request)
            case "project" | "release":
                return self._document(request, name, fault)
            case "simple":
                return self._simple(request, name)
            case "xmlrpc":
                return self._xmlrpc(request, fault)
            case "rss":
                body = rss.updates(self._pypi) if name == "updates.xml" else rss.packages(self._pypi)
                return _conditional(request, Answer(200, body, "text/xml; charset=UTF-8"), _etag(body))
        return Answer(404, b"Not found", "text/plain; charset=UTF-8")

    def _document(self, request: Request, name: str, fault: Fault | None) -> Answer:
        parts = segments(request)
        project = self._pypi.find(name)
        if project is None or project.quarantined:
            return Answer(404, _NOT_FOUND)
        release = self._release(project, parts[2]) if len(parts) == 4 else None
        if (len(parts) == 4 and release is None) or not self._pypi.releases(project):
            return Answer(404, _NOT_FOUND)
        if parts[1] != name:
            parts[1] = name
            return _moved(request, "/" + "/".join(parts))
        if fault and fault.kind in ("info_null", "stale"):
            return self._spoiled_document(project, release, fault)
        serial, etag, body = self._body(project, release, gzipped=request.accepts_gzip)
        headers = (("X-PyPI-Last-Serial", str(serial)), *_CACHING)
        return _conditional(request, Answer(200, body, headers=headers, encoded=request.accepts_gzip), etag)

    def _release(self, project: Project, version: str) -> Release | None:
        return next((release for release in self._pypi.releases(project) if release.version == version), None)

    def _body(self, project: Project, release: Release | None, *, gzipped: bool) -> tuple[int, str, bytes]:
        key = (project.normalised, release.version if release else "", gzipped)
        with self._pypi.lock:
            serial = project.serial
            cached = self._cache.get(key, serial)
            if cached is None:
                body = orjson.dumps(self._pypi.document(project, release))
                cached = _etag(body), compress(body) if gzipped else body
                self._cache.put(key, serial, *cached)
        return serial, *cached

    def _spoiled_document(self, project: Project, release: Release | None, fault: Fault) -> Answer:
        document: Any = self._pypi.document(project, release)
        serial = project.serial
        if fault.kind == "info_null":
            body = orjson.dumps({**document, "info": None})
        elif project.previous:
            serial, body = project.previous
        else:
            serial -= 1
            body = orjson.dumps({**document, "last_serial": serial})
        return Answer(200, body, headers=(("X-PyPI-Last-Serial", str(serial)), *_CACHING))

    def _simple(self, request: Request, name: str) -> Answer:
        if name:
            return self._simple_detail(request, name)
        if not request.path.endswith("/"):
            return _moved(request, "/simple/")
        json = SIMPLE_JSON in request.headers.get("accept", "")
        with self._pypi.lock:
            serial = self._pypi.serial
            key = ("/simple/", "json" if json else "html", request.accepts_gzip)
            cached = self._cache.get(key, serial)
            if cached is None:
                body = self._index_json(serial) if json else self._index_html(serial)
                cached = _etag(body), compress(body) if request.accepts_gzip else body
                self._cache.put(key, serial, *cached)
        kind = SIMPLE_JSON if json else "text/html; charset=UTF-8"
        headers = (
            ("X-PyPI-Last-Serial", str(serial)),
            ("Vary", "Accept, Accept-Encoding"),
            ("Cache-Control", "max-age=600, public"),
        )
        return _conditional(request, Answer(200, cached[1], kind, headers, encoded=request.accepts_gzip), cached[0])

    def _index_json(self, serial: int) -> bytes:
        projects = [{"_last-serial": last, "name": name} for name, last in self._pypi.index()]
        return orjson.dumps({"meta": {"_last-serial": serial, "api-version": "1.4"}, "projects": projects})

    def _index_html(self, serial: int) -> bytes:
        links = "".join(f'    <a href="/simple/{normalise(n)}/">{escape(n)}</a>\n' for n, _ in self._pypi.index())
        head = '<meta name="pypi:repository-version" content="1.4"><title>Simple index</title>'
        return (
            f"<!DOCTYPE html>\n<html><head>{head}</head><body>\n{links}</body></html>\n<!--SERIAL {serial}-->".encode()
        )

    def _simple_detail(self, request: Request, name: str) -> Answer:
        project = self._pypi.find(name)
        if project is None or project.quarantined:
            return Answer(404, b"404 Not Found", "text/plain; charset=UTF-8")
        if segments(request)[1] != name or not request.path.endswith("/"):
            return _moved(request, f"/simple/{name}/")
        if SIMPLE_JSON not in request.headers.get("accept", ""):
            return Answer(406, b"This stand-in has project pages as JSON only.", "text/plain; charset=UTF-8")
        body = orjson.dumps(documents.simple_detail(name, project.serial, self._pypi.releases(project)))
        headers = (("X-PyPI-Last-Serial", str(project.serial)),)
        return _conditional(request, Answer(200, body, SIMPLE_JSON, headers), _etag(body))

    def _xmlrpc(self, request: Request, fault: Fault | None) -> Answer:
        verdict = self._pypi.limiter.hit(request.client[0])
        if fault and fault.kind == "xmlrpc_fault":
            body = xmlrpc.broken()
        elif verdict.allowed:
            body = xmlrpc.respond(self._pypi, request.body)
        else:
            self._log.add_over_limit()
            body = xmlrpc.too_many(verdict.resets_in)
        return Answer(200, body, "text/xml; charset=UTF-8", verdict.headers)


_CACHING = (("Cache-Control", "max-age=900, public"), ("Vary", "Accept-Encoding"), ("Access-Control-Allow-Origin", "*"))


def _etag(body: bytes) -> str:
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def _conditional(request: Request, answer: Answer, etag: str) -> Answer:
    answer.headers = (*answer.headers, ("ETag", etag))
    asked = request.headers.get("if-none-match", "")
    if asked and etag in (tag.strip().removeprefix("W/") for tag in asked.split(",")):
        return Answer(304, headers=answer.headers)
    return answer


def _moved(request: Request, path: str) -> Answer:
    return Answer(301, b"Moved", "text/plain", (("Location", request.base + path),))
