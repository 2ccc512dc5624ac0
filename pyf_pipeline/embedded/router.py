"""From method and path to what answers: authorised, with every error in the API's form."""

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pyf_pipeline.embedded import absent, alteration, catalogue, document_api, keys, named_api, node
from pyf_pipeline.embedded.documents import ACTIONS
from pyf_pipeline.embedded.errors import ApiError, UnsupportedError, bad_request, not_found
from pyf_pipeline.embedded.messages import Answer, Request, json_answer, refusal
from pyf_pipeline.embedded.params import Raw
from pyf_pipeline.embedded.presets import with_preset
from pyf_pipeline.embedded.projection import split_names
from pyf_pipeline.embedded.scoped import SEARCH, with_parameters
from pyf_pipeline.embedded.search import run_search
from pyf_pipeline.embedded.service import Service

_LOG = logging.getLogger(__name__)

KEY_PARAMETER = "x-typesense-api-key"
MAX_SEARCHES = 50
MAX_LABEL = 200
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_IMPORT_BYTES = 1024 * 1024 * 1024

Handler = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path (`:` stands for any part) with the action that a key must allow."""

    method: str
    path: tuple[str, ...]
    action: str
    handler: Handler

    def matches(self, request: Request) -> tuple[str, ...] | None:
        """The parts that stand for `:`, or None where the route is another."""
        if request.method != self.method or len(request.path) != len(self.path):
            return None
        if any(p not in {":", r} for p, r in zip(self.path, request.path, strict=True)):
            return None
        return tuple(r for p, r in zip(self.path, request.path, strict=True) if p == ":")

    @property
    def names_collection(self) -> bool:
        """Whether the first part that stands for anything is a collection's name."""
        return self.path[0] == "collections" and len(self.path) > 1


def dispatch(service: Service, request: Request) -> Answer:
    """Answers a request; never raises."""
    started = time.perf_counter()
    try:
        return _dispatch(service, request)
    except ApiError as error:
        return refusal(error)
    except Exception:  # noqa: BLE001 - the border of the index: whatever went wrong is logged and answered
        _LOG.exception("%s /%s failed", request.method, "/".join(request.path))
        return json_answer({"message": "The embedded index failed; its log says how."}, 500)
    finally:
        path = "/".join(request.path)[:MAX_LABEL]
        service.meter.note(f"{request.method} /{path}", _kind(request), time.perf_counter() - started)


def _kind(request: Request) -> str:
    last = request.path[-1]
    if last in {"search", "multi_search"}:
        return "search"
    if last == "import":
        return "import"
    return {"DELETE": "delete", "GET": ""}.get(request.method, "write")


def _dispatch(service: Service, request: Request) -> Answer:
    if request.path == ("health",):
        return node.health(service, request)
    for route in ROUTES:
        found = route.matches(request)
        if found is not None:
            imposed = _authorise(service, request, route, found)
            _check_size(request)
            if route.handler is document_api.search_documents:
                request = replace(request, query=_search_parameters(service, request.query, imposed))
            return route.handler(service, request, *found)
    if absent.is_absent(request.path):
        service.authorise(request.key, "*", [])
        if request.path[0] == "collections":
            _get_collection(service, request, request.path[1])
        return absent.answer(request)
    raise not_found("Not Found")


def _authorise(service: Service, request: Request, route: Route, found: tuple[str, ...]) -> dict[str, str]:
    if route.action == SEARCH and request.path == ("multi_search",):
        return {}  # authorised search by search, as each names its own collection
    collections = [found[0]] if route.names_collection else []
    if route.handler is document_api.create_document and request.query.get("action") in ACTIONS:
        # A key may be for one way of writing alone, such as `documents:upsert`.
        with contextlib.suppress(ApiError):
            return service.authorise(request.key, f"documents:{request.query['action']}", collections)
    return service.authorise(request.key, route.action, collections)


def _search_parameters(service: Service, own: dict[str, Any], imposed: dict[str, str]) -> dict[str, Any]:
    """A search's parameters over those of its preset, which its key may name, and under those that its key imposes."""
    name = imposed.get("preset", own.get("preset"))
    if name:
        with service.storage.read() as connection:
            own = with_preset(connection, {**own, "preset": name})
    return with_parameters(own, imposed)


def _check_size(request: Request) -> None:
    check_length(len(request.body), _largest(request))


def _largest(request: Request) -> int:
    return MAX_IMPORT_BYTES if request.path[-1:] == ("import",) else MAX_BODY_BYTES


def check_length(length: int, largest: int = MAX_BODY_BYTES) -> None:
    """Raises 413 where a body is longer than it may be."""
    if length > largest:
        raise ApiError(413, f"The request's body is larger than {largest} bytes.")


def largest_body(service: Service, request: Request) -> int:
    """How long the body of a request may be, to be asked before a long one is read; raises 401 as `dispatch` would."""
    for route in ROUTES:
        found = route.matches(request)
        if found is not None:
            _authorise(service, request, route, found)
    return _largest(request)


# -- collections and aliases ------------------------------------------------------------------------------------------


def _list_collections(service: Service, request: Request) -> Answer:
    raw = Raw(request.query)
    with service.storage.read() as connection:
        found = [c.to_json() for c in catalogue.list_collections(connection)]
    low = raw.number("offset", 0)
    if "offset" in raw and low > len(found):
        raise bad_request("Invalid offset param.")
    high = low + raw.number("limit", len(found))
    excluded = set(split_names(request.query.get("exclude_fields", "")))
    return json_answer([{k: v for k, v in c.items() if k not in excluded} for c in found[low:high]])


def _create_collection(service: Service, request: Request) -> Answer:
    body, source = request.json(), request.query.get("src_name", "")
    with service.storage.write() as connection:
        made = catalogue.create_collection(connection, body, source=source)
    return json_answer(made.to_json(), 201)


def _get_collection(service: Service, _: Request, name: str) -> Answer:
    with service.storage.read() as connection:
        return json_answer(catalogue.get_collection(connection, name).to_json())


def _alter_collection(service: Service, request: Request, name: str) -> Answer:
    body = request.json()
    with service.storage.write() as connection:
        return json_answer(alteration.alter_collection(connection, name, body))


def _delete_collection(service: Service, _: Request, name: str) -> Answer:
    with service.storage.write() as connection:
        found = catalogue.delete_collection(connection, name)
    service.forget(found)
    return json_answer(found.to_json())


def _list_aliases(service: Service, _: Request) -> Answer:
    with service.storage.read() as connection:
        return json_answer({"aliases": catalogue.list_aliases(connection)})


def _get_alias(service: Service, _: Request, name: str) -> Answer:
    with service.storage.read() as connection:
        return json_answer(catalogue.get_alias(connection, name))


def _set_alias(service: Service, request: Request, name: str) -> Answer:
    body = request.json()
    with service.storage.write() as connection:
        return json_answer(catalogue.set_alias(connection, name, body))


def _delete_alias(service: Service, _: Request, name: str) -> Answer:
    with service.storage.write() as connection:
        return json_answer(catalogue.delete_alias(connection, name))


# -- searching several collections at once ----------------------------------------------------------------------------


def _multi_search(service: Service, request: Request) -> Answer:
    body = request.json()
    searches = body.get("searches") if isinstance(body, dict) else None
    if searches is None:  # a preset may hold them all
        searches = _search_parameters(service, request.query, {}).get("searches")
    if not isinstance(searches, list):
        service.authorise(request.key, "documents:search", [])
        raise bad_request("Missing `searches` array.")
    if not searches:
        service.authorise(request.key, "documents:search", [])
        raise ApiError(500, "Embedded params parsing error.")
    if body.get("union"):
        raise UnsupportedError("`union` in a multi_search")
    limit = Raw(request.query).number("limit_multi_searches", MAX_SEARCHES)
    if len(searches) > limit:
        raise bad_request(f"Number of multi searches exceeds limit of {limit}.")
    merged = [_authorised(service, request, s) for s in searches]
    return json_answer({"results": [_one_of_many(service, v) for v in merged]})


def _authorised(service: Service, request: Request, search: Any) -> dict[str, Any]:
    """A search's parameters with those that its key imposes."""
    own = _merged(request, search)
    collection = _search_parameters(service, own, {}).get("collection")
    key = str(search.get(KEY_PARAMETER, request.key))
    imposed = service.authorise(key, SEARCH, [str(collection)] if collection else [])
    # Whatever the key's own preset says, it is this collection that it was found good for.
    return _search_parameters(service, {**own, "collection": collection or ""}, imposed)


def _merged(request: Request, search: Any) -> dict[str, Any]:
    """A search's own parameters and those of the address, which win where both say something."""
    if not isinstance(search, dict):
        raise bad_request("The value of `searches` must be an array of objects.")
    return {**{k: v for k, v in search.items() if k != KEY_PARAMETER}, **request.query}


def _one_of_many(service: Service, values: dict[str, Any]) -> dict[str, Any]:
    try:
        with service.storage.read() as connection:
            collection, view = service.open(connection, str(values.get("collection", "")))
            return run_search(connection, collection, view, values)
    except ApiError as error:
        return {"code": error.status, "error": error.message, **error.details}


# -- keys -------------------------------------------------------------------------------------------------------------


def _list_keys(service: Service, _: Request) -> Answer:
    with service.storage.read() as connection:
        return json_answer({"keys": keys.list_keys(connection)})


def _create_key(service: Service, request: Request) -> Answer:
    body = request.json()
    with service.storage.write() as connection:
        return json_answer(keys.create_key(connection, service.sealer, body), 201)


def _get_key(service: Service, _: Request, number: str) -> Answer:
    with service.storage.read() as connection:
        return json_answer(keys.get_key(connection, _key_number(number)))


def _delete_key(service: Service, _: Request, number: str) -> Answer:
    with service.storage.write() as connection:
        return json_answer(keys.delete_key(connection, _key_number(number)))


def _key_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise not_found("Not found.")
    return int(text)


def _route(method: str, path: str, action: str, handler: Handler) -> Route:
    return Route(method, tuple(path.strip("/").split("/")), action, handler)


ROUTES = (
    _route("GET", "/collections", "collections:list", _list_collections),
    _route("POST", "/collections", "collections:create", _create_collection),
    _route("GET", "/collections/:", "collections:get", _get_collection),
    _route("PATCH", "/collections/:", "collections:update", _alter_collection),
    _route("DELETE", "/collections/:", "collections:delete", _delete_collection),
    _route("GET", "/collections/:/documents/search", "documents:search", document_api.search_documents),
    _route("POST", "/collections/:/documents/import", "documents:import", document_api.import_documents),
    _route("GET", "/collections/:/documents/export", "documents:export", document_api.export_documents),
    _route("POST", "/collections/:/documents", "documents:create", document_api.create_document),
    _route("PATCH", "/collections/:/documents", "documents:update", document_api.update_documents),
    _route("DELETE", "/collections/:/documents", "documents:delete", document_api.delete_documents),
    _route("GET", "/collections/:/documents/:", "documents:get", document_api.get_document),
    _route("PATCH", "/collections/:/documents/:", "documents:update", document_api.update_document),
    _route("DELETE", "/collections/:/documents/:", "documents:delete", document_api.delete_document),
    _route("GET", "/aliases", "aliases:list", _list_aliases),
    _route("GET", "/aliases/:", "aliases:get", _get_alias),
    _route("PUT", "/aliases/:", "aliases:create", _set_alias),
    _route("DELETE", "/aliases/:", "aliases:delete", _delete_alias),
    _route("POST", "/multi_search", "documents:search", _multi_search),
    _route("GET", "/keys", "keys:list", _list_keys),
    _route("POST", "/keys", "keys:create", _create_key),
    _route("GET", "/keys/:", "keys:get", _get_key),
    _route("DELETE", "/keys/:", "keys:delete", _delete_key),
    _route("GET", "/presets", "presets:list", named_api.list_presets),
    _route("GET", "/presets/:", "presets:get", named_api.get_preset),
    _route("PUT", "/presets/:", "presets:upsert", named_api.put_preset),
    _route("DELETE", "/presets/:", "presets:delete", named_api.delete_preset),
    _route("GET", "/stopwords", "stopwords:list", named_api.list_stopwords),
    _route("GET", "/stopwords/:", "stopwords:get", named_api.get_stopwords),
    _route("PUT", "/stopwords/:", "stopwords:create", named_api.put_stopwords),
    _route("DELETE", "/stopwords/:", "stopwords:delete", named_api.delete_stopwords),
    _route("GET", "/stemming/dictionaries", "stemming/dictionaries:list", named_api.list_dictionaries),
    _route("POST", "/stemming/dictionaries/import", "stemming/dictionaries:import", named_api.put_dictionary),
    _route("GET", "/stemming/dictionaries/:", "stemming/dictionaries:get", named_api.get_dictionary),
    _route("DELETE", "/stemming/dictionaries/:", "stemming/dictionaries:delete", named_api.delete_dictionary),
    _route("GET", "/debug", "debug:list", node.debug),
    _route("GET", "/status", "status:list", node.status),
    _route("GET", "/stats.json", "stats.json:list", node.stats),
    _route("GET", "/metrics.json", "metrics.json:list", node.metrics),
    _route("POST", "/config", "config:run", node.configure),
    _route("POST", "/operations/vote", "operations:run", node.vote),
    _route("POST", "/operations/snapshot", "operations:run", node.snapshot),
    _route("POST", "/operations/cache/clear", "operations:run", node.done),
    _route("POST", "/operations/db/compact", "operations:run", node.compact),
)
