"""What Typesense can hold and this index cannot: it answers that there is none, and refuses to take any in."""

from typing import Any

from pyf_pipeline.embedded.errors import UnsupportedError, not_found
from pyf_pipeline.embedded.messages import Answer, Request, json_answer

_LISTS: dict[tuple[str, ...], Any] = {
    ("analytics", "rules"): {"rules": []},
    ("conversations", "models"): [],
    ("nl_search_models",): [],
    ("personalization", "models"): [],
}
_LISTS_BELOW: dict[str, Any] = {"synonyms": {"synonyms": []}, "overrides": {"overrides": []}}


def is_absent(path: tuple[str, ...]) -> bool:
    """Whether a path means something that this index does not hold."""
    below = path[0] == "collections" and set(path[2:3]) <= set(_LISTS_BELOW) and len(path) > 2
    return below or path[0] in {p[0] for p in _LISTS}


def answer(request: Request) -> Answer:
    """An empty list, or 404 for a single one; raises `UnsupportedError` for all that would change or use something."""
    path = request.path
    if request.method != "GET":
        raise UnsupportedError(f"/{'/'.join(path)}")
    if path in _LISTS:
        return json_answer(_LISTS[path])
    if len(path) == 3 and path[0] == "collections":
        return json_answer(_LISTS_BELOW[path[2]])
    raise not_found("Not found.")
