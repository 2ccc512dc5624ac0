"""The search page: what it hands out, that it may do nothing but search, and how it looks to a browser."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typesense
from starlette.types import ASGIApp, Receive, Scope, Send

from pyf_pipeline.embedded.page.app import MAX_SEARCH_BYTES, create_page
from pyf_pipeline.embedded.page.upstream import AwayError, Offer, TypesenseUpstream
from pyf_pipeline.embedded.server import create_app
from pyf_pipeline_tests.embedded.browser import CHROMIUM, Browser, dom
from pyf_pipeline_tests.embedded.conftest import ADMIN, client_of, listening

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to show the page in")

FIELDS: list[dict[str, Any]] = [
    {"name": "name", "type": "string", "facet": True, "sort": True},
    {"name": "name_sortable", "type": "string", "facet": True, "sort": True},
    {"name": "summary", "type": "string"},
    {"name": "framework_versions", "type": "string[]", "facet": True},
    {"name": "python_versions", "type": "string[]", "facet": True},
    {"name": "upload_timestamp", "type": "int64"},
    {"name": "github_stars", "type": "int64", "facet": True, "optional": True},
    {"name": "description", "type": "string", "index": False, "optional": True},
    {"name": "project_urls", "type": "object", "index": False, "optional": True},
]
ATTACK = (
    "<h1>Read me</h1><script>fetch('/attack/script')</script><img src=x onerror=\"fetch('/attack/onerror')\">"
    "<iframe src='/attack/frame'></iframe><meta http-equiv=refresh content='0;url=/attack/refresh'>"
    "<link rel=stylesheet href='https://evil.example/x.css'><form action='/attack/form'><input></form>"
    "<style>@import '/attack/style';</style><object data='/attack/object'></object>"
)


def document(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"package-{number}", "name": f"package-{number}", "name_sortable": f"package-{number}",
        "summary": "A calendar of events", "framework_versions": ["Plone 6.0"], "python_versions": ["3.12"],
        "upload_timestamp": 1_700_000_000 + number, "github_stars": number, **more,
    }  # fmt: skip


@pytest.fixture
def filled(path: Path) -> typesense.Client:
    client = client_of(path)
    for name in ("plone-1", "locks"):
        client.collections.create({"name": name, "fields": FIELDS, "enable_nested_fields": True})
    client.aliases.upsert("plone", {"collection_name": "plone-1"})
    hostile = document(
        30, summary="<img src=x onerror=\"fetch('/attack/summary')\"> calendar", description=ATTACK,
        framework_versions=["Plone 6.1", "</script><script>fetch('/attack/facet')</script>"], versions=["1.0", "0.9"],
        project_urls={"Bad": "javascript:fetch('/attack/link')", "Good": "https://good.example/x"},
    )  # fmt: skip
    lines = [*(document(n) for n in range(30)), hostile]
    client.collections["plone-1"].documents.import_(lines, {"action": "create"})
    return client


class Recorded:
    """An application with the paths that it was asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.paths: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope.get("path", ""))
        await self.app(scope, receive, send)


@pytest.fixture
def app(path: Path, filled: typesense.Client) -> Recorded:
    return Recorded(create_app(path, admin_key=ADMIN))


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "browser") as started:
        yield started


@pytest.fixture
def base(app: Recorded) -> Iterator[str]:
    with listening(app) as port:
        yield f"http://127.0.0.1:{port}"


def data_of(shell: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', shell, re.DOTALL)
    assert found is not None
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def test_the_page_is_given_a_key_that_searches_and_nothing_else(base: str, path: Path) -> None:
    answer = httpx.get(base)
    key = data_of(answer.text)["key"]
    assert ADMIN not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    send = {"headers": {"X-TYPESENSE-API-KEY": key}}
    search = {"searches": [{"collection": "plone", "q": "*"}]}
    assert httpx.post(f"{base}/multi_search", json=search, **send).json()["results"][0]["found"] == 31
    for address in ("/collections", "/keys", "/collections/plone/documents/export", "/debug", "/stats.json"):
        assert httpx.get(base + address, **send).status_code == 401, address
    assert httpx.delete(f"{base}/collections/plone-1", **send).status_code == 401
    assert [k["value_prefix"] for k in client_of(path).keys.retrieve()["keys"]] == []


def test_the_key_of_the_page_outlives_a_restart_and_not_another_admin_key(path: Path, base: str) -> None:
    keys = []
    for admin in (ADMIN, "another"):
        with listening(create_app(path, admin_key=admin)) as port:
            keys.append(data_of(httpx.get(f"http://127.0.0.1:{port}/").text)["key"])
    assert keys[0] == data_of(httpx.get(base).text)["key"]
    assert keys[1] != keys[0]


def test_collections_are_offered_under_the_names_to_search_them_by_unless_empty(base: str) -> None:
    assert [c["name"] for c in data_of(httpx.get(base).text)["collections"]] == ["plone"]


def test_only_its_own_scripts_and_styles_may_run(base: str) -> None:
    for address in ("/", "/page/page.js", "/page/page.css", "/page/readme.css", "/page/icon.svg"):
        answer = httpx.get(base + address)
        assert answer.status_code == 200, address
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    shell = httpx.get(base).text
    assert not re.search(r"<script(?! src=| type=\"application/json\")|\son\w+=|style=", shell)
    assert "//" not in re.sub(r'<script type="application/json".*', "", shell, flags=re.DOTALL)


def test_the_page_is_told_how_to_search(path: Path, filled: typesense.Client) -> None:
    defaults = {"query_by": "name,summary", "query_by_weights": "2,1", "sort_by": "_text_match:desc,github_stars:desc"}
    with listening(create_app(path, admin_key=ADMIN, page_defaults=defaults)) as port:
        assert data_of(httpx.get(f"http://127.0.0.1:{port}/").text)["defaults"] == defaults


@pytest.mark.parametrize("name", ["..%2fapp.py", "shell.html", "none.js", "page.py"])
def test_nothing_but_the_pages_files_is_given_out(base: str, name: str) -> None:
    answer = httpx.get(f"{base}/page/{name}")
    assert answer.status_code in {401, 404}
    assert "import" not in answer.text


def test_a_name_that_looks_like_markup_stays_a_name(path: Path, filled: typesense.Client, base: str) -> None:
    name = "</script><b>&\"'"
    filled.aliases.upsert("a", {"collection_name": "plone-1"})
    filled.collections.create({"name": name, "fields": FIELDS, "enable_nested_fields": True})
    filled.collections["locks"].documents.create(document(1))
    upstream = TypesenseUpstream("http://none.invalid", offer=lambda: Offer([{"name": name}], name))
    with listening(create_page(upstream)) as port:
        shell = httpx.get(f"http://127.0.0.1:{port}/").text
    assert name not in shell
    offered = [{"documents": 0, "fields": [], "name": name}]
    assert data_of(shell) == {"collections": offered, "defaults": {}, "key": name, "problem": ""}


def test_the_same_page_over_a_server_elsewhere_passes_searches_on_and_nothing_else(
    base: str, filled: typesense.Client
) -> None:
    made = filled.keys.create({"description": "page", "actions": ["documents:search"], "collections": ["plone"]})
    upstream = TypesenseUpstream(
        base, offer=lambda: Offer([{**filled.collections["plone"].retrieve(), "name": "plone"}], made["value"])
    )
    with listening(create_page(upstream)) as port:
        mine = f"http://127.0.0.1:{port}"
        found = data_of(httpx.get(mine).text)
        assert found["key"] == made["value"]
        assert found["collections"][0]["documents"] == 31
        search = {"searches": [{"collection": "plone", "q": "calendar", "query_by": "summary"}]}
        answers = [
            httpx.post(f"{mine}/multi_search", json=search, headers={"X-TYPESENSE-API-KEY": key})
            for key in (found["key"], "wrong", "")
        ]
        assert [a.status_code for a in answers] == [200, 401, 401]
        assert answers[0].json()["results"][0]["found"] == 31
        assert httpx.get(f"{mine}/collections").status_code == 404
        assert httpx.get(f"{mine}/health").json() == {"ok": True}
        assert httpx.post(f"{mine}/multi_search", content=b"x" * (MAX_SEARCH_BYTES + 1)).status_code == 413


def test_a_server_that_cannot_be_reached_is_said_to_be() -> None:
    def away() -> Offer:
        raise AwayError("The <server> is away.")

    upstream = TypesenseUpstream("http://127.0.0.1:9", offer=away)
    with listening(create_page(upstream)) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/")
    assert answer.status_code == 503
    assert "The &lt;server&gt; is away." in answer.text
    said = data_of(answer.text)
    assert (said["collections"], said["key"], said["problem"]) == ([], "", "The <server> is away.")
    assert upstream.multi_search(b"{}", "x") == (503, b'{"message":"The search server cannot be reached."}')


@needs_browser
def test_a_browser_shows_results_filters_and_marks(base: str) -> None:
    shown = dom(f"{base}/?c=plone&q=calendar&sort=stars")
    assert "31 packages, page 1 of 2" in shown
    assert shown.count("<mark>calendar</mark>") >= 19
    names = re.findall(r'data-id="([^"]+)"', shown)
    assert names[:3] == ["package-30", "package-29", "package-28"]
    assert re.search(r'<legend>Framework</legend>.*id="choice-framework_versions-Plone 6.0"', shown, re.DOTALL)


@needs_browser
def test_a_browser_filters_as_the_address_says(base: str) -> None:
    shown = dom(f"{base}/?c=plone&framework_versions=Plone+6.1&python_versions=3.12")
    assert "1 package, page 1 of 1" in shown
    assert re.search(r'<input type="checkbox" id="choice-framework_versions-Plone 6.1" checked="">', shown)
    assert ">Plone 6.0<" in shown, "other values of the same filter stay on offer"


@needs_browser
def test_nothing_that_a_package_holds_runs_in_a_browser(base: str, app: Recorded) -> None:
    shown = dom(f"{base}/?c=plone&q=calendar&sort=stars&p=package-30")
    assert "open=" in shown[shown.index("<dialog") :][:80]
    assert "package-30" in shown
    assert ">0.9</li>" in shown
    assert 'href="https://good.example/x"' in shown
    assert "javascript:" not in shown
    frame = shown[shown.index("<iframe") :]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame
    assert "Read me" in frame
    assert not re.search("attack|evil", html.unescape(frame[: frame.index("</iframe>")]))
    assert "/page/readme.css" in app.paths
    assert [p for p in app.paths if "attack" in p or p == "/x"] == []


@needs_browser
def test_a_package_is_opened_and_closed_by_keys_and_back_leads_further(base: str, browser: Browser) -> None:
    browser.open(f"{base}/?c=plone", "document.querySelectorAll('#results li h3').length === 20")
    browser.value("document.getElementById('after').click()")
    browser.until("document.getElementById('status').textContent.endsWith('page 2 of 2')")
    browser.value("document.getElementById('query').focus()")
    browser.type("package-7")
    browser.until("document.getElementById('status').textContent.startsWith('1 package,')")
    assert browser.value("location.search") == "?c=plone&q=package-7"
    browser.value("document.querySelector('a[data-id]').focus()")
    browser.press("Enter")
    browser.until("document.activeElement.id === 'package-name'")
    assert browser.value("document.activeElement.textContent") == "package-7"
    assert browser.value("location.search").endswith("&p=package-7")
    browser.press("Escape")
    browser.until("!document.getElementById('package').open && location.search === '?c=plone&q=package-7'")
    assert browser.value("document.activeElement.dataset.id") == "package-7"
    browser.value("history.forward()")
    browser.until("document.getElementById('package').open")
    browser.value("history.back()")
    browser.until("!document.getElementById('package').open && location.search === '?c=plone&q=package-7'")
    browser.value("history.back()")
    browser.until("document.getElementById('status').textContent === '31 packages, page 1 of 2'")
    assert browser.value("location.search") == "?c=plone"
    assert not browser.value("document.getElementById('package').open")


@needs_browser
def test_closing_a_package_that_the_address_named_leaves_its_collection(base: str, browser: Browser) -> None:
    browser.open(f"{base}/?c=plone&p=package-7", "document.getElementById('package').open")
    browser.value("document.getElementById('close').click()")
    browser.until("!document.getElementById('package').open && location.search === '?c=plone'")
    assert browser.value("document.querySelectorAll('#results li h3').length") == 20


@needs_browser
def test_back_brings_the_page_before_with_what_it_found(base: str, browser: Browser) -> None:
    browser.open(f"{base}/?c=plone&q=calendar", "!document.getElementById('pages').hidden")
    browser.value("document.getElementById('after').click()")
    browser.until("document.getElementById('status').textContent.endsWith('page 2 of 2')")
    browser.value("history.back()")
    browser.until("document.getElementById('status').textContent.endsWith('page 1 of 2')")
    assert browser.value("document.querySelectorAll('#results li h3').length") == 20
