"""GitHub over HTTP: the GraphQL endpoint and `GET /repos/{owner}/{repo}` of the REST API."""

import hashlib
from typing import Any

import orjson

from pyf_pipeline_tests.world import graphql
from pyf_pipeline_tests.world.exchange import Answer, Request, retry_after, segments
from pyf_pipeline_tests.world.faults import Fault
from pyf_pipeline_tests.world.github import Figures, GitHub, Quota, iso

_DOCS = "https://docs.example/rest"
_JSON = "application/json; charset=utf-8"


class GitHubHandler:
    """Answers as GitHub does."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    def classify(self, request: Request) -> tuple[str, str]:
        """See `exchange.Handler`."""
        match segments(request):
            case ["graphql"]:
                return "graphql", ""
            case ["repos", owner, name]:
                return "rest", f"{owner}/{name}"
            case ["repositories", number]:
                return "rest", number
        return "other", ""

    def answer(self, request: Request, route: str, name: str, fault: Fault | None) -> Answer:
        """See `exchange.Handler`."""
        if not request.headers.get("user-agent"):
            return _message(403, "Request forbidden by administrative rules: it has no User-Agent header.")
        given = request.headers.get("authorization")
        if given is not None and given.partition(" ")[2] != self._github.token:
            return _message(401, "Bad credentials")
        if fault and fault.kind == "secondary":
            status = fault.status if fault.status in (403, 429) else 403
            return _message(status, "You have exceeded a secondary rate limit.", retry_after(fault))
        return self._routed(request, route, authenticated=given is not None)

    def _routed(self, request: Request, route: str, *, authenticated: bool) -> Answer:
        if route == "graphql":
            return self._graphql(request, authenticated=authenticated)
        if route == "rest" and request.method in ("GET", "HEAD"):
            return self._rest(request, authenticated=authenticated)
        if request.path == "/rate_limit":
            return self._rate_limit(authenticated=authenticated)
        return _message(404, "Not Found")

    def _graphql(self, request: Request, *, authenticated: bool) -> Answer:
        if request.method != "POST":
            return _message(404, "Not Found")
        if not authenticated:
            return _message(401, "This endpoint requires you to be authenticated.")
        try:
            asked = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return _message(400, "Problems parsing JSON")
        answer = graphql.answer(self._github, asked)
        return Answer(answer.status, orjson.dumps(answer.body), _JSON, _quota_headers(self._github.points, "graphql"))

    def _rest(self, request: Request, *, authenticated: bool) -> Answer:
        github = self._github
        with github.lock:
            quota = github.core if authenticated else github.anonymous
            quota.refresh()
            if quota.remaining <= 0:
                who = "user ID 1" if authenticated else request.client[0]
                return _message(403, f"API rate limit exceeded for {who}.", _quota_headers(quota, "core"))
            answer = self._repository(request)
            if answer.status != 304 or not (authenticated or github.anonymous_304_free):
                quota.take(1)
            answer.headers = (*answer.headers, *_quota_headers(quota, "core"))
            return answer

    def _repository(self, request: Request) -> Answer:
        match segments(request):
            case ["repos", owner, name]:
                figures = self._github.truth(owner, name)
                if figures and figures.name_with_owner.lower() != f"{owner}/{name}".lower():
                    address = f"{request.base}/repositories/{figures.id}"
                    body = {"message": "Moved Permanently", "url": address, "documentation_url": _DOCS}
                    return Answer(301, orjson.dumps(body), _JSON, (("Location", address),))
            case ["repositories", number] if number.isdigit():
                figures = self._github.by_id(int(number))
            case _:
                figures = None
        if figures is None:
            return _message(404, "Not Found")
        body_bytes = orjson.dumps(_rest_document(figures))
        etag = f'W/"{hashlib.sha256(body_bytes).hexdigest()}"'
        headers = (("ETag", etag), ("Cache-Control", "public, max-age=60, s-maxage=60"))
        if etag.removeprefix("W/") in request.headers.get("if-none-match", ""):
            return Answer(304, headers=headers)
        return Answer(200, body_bytes, _JSON, headers)

    def _rate_limit(self, *, authenticated: bool) -> Answer:
        resources = {
            "core": self._github.core if authenticated else self._github.anonymous,
            "graphql": self._github.points,
        }
        for quota in resources.values():
            quota.refresh()
        described = {
            name: {"limit": q.limit, "remaining": q.remaining, "reset": q.reset_at, "used": q.limit - q.remaining}
            for name, q in resources.items()
        }
        return Answer(200, orjson.dumps({"resources": described, "rate": described["core"]}), _JSON)


def _rest_document(figures: Figures) -> dict[str, Any]:
    return {
        "id": figures.id,
        "node_id": f"R_{figures.id}",
        "name": figures.name,
        "full_name": figures.name_with_owner,
        "private": False,
        "owner": {"login": figures.owner, "type": "Organization"},
        "html_url": figures.url,
        "description": None,
        "fork": False,
        "created_at": iso(figures.pushed - 90_000_000),
        "updated_at": iso(figures.updated),
        "pushed_at": iso(figures.pushed),
        "homepage": None,
        "stargazers_count": figures.stars,
        # REST's `watchers` are stars; those who watch are `subscribers_count`.
        "watchers_count": figures.stars,
        "watchers": figures.stars,
        "forks_count": figures.stars // 9,
        "open_issues_count": figures.open_issues,
        "open_issues": figures.open_issues,
        "archived": figures.archived,
        "disabled": False,
        "visibility": "public",
        "default_branch": "main",
        "subscribers_count": figures.watchers,
        "network_count": figures.stars // 9,
    }


def _quota_headers(quota: Quota, resource: str) -> tuple[tuple[str, str], ...]:
    return (
        ("X-RateLimit-Limit", str(quota.limit)),
        ("X-RateLimit-Remaining", str(quota.remaining)),
        ("X-RateLimit-Used", str(quota.limit - quota.remaining)),
        ("X-RateLimit-Reset", str(quota.reset_at)),
        ("X-RateLimit-Resource", resource),
    )


def _message(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    body = {"message": text, "documentation_url": _DOCS, "status": str(status)}
    return Answer(status, orjson.dumps(body), _JSON, headers)
