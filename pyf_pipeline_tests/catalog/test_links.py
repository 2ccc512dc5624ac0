import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog.links import (
    documentation_address,
    documentation_label,
    leads_to_a_page,
    leads_to_github,
)
from pyf_pipeline.catalog.model import Package


def package(**fields: Any) -> Package:
    return Package(id="maps", project="maps", name="maps", version="1.0", **fields)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example", True), ("HTTP://x.example/a", True), ("https://[x", True), ("", False),
        ("x.example", False), ("http\u017f://x.example", False),
        ("javascript:alert('https://x.example')", False), ("data:text/html,https://", False), ("//x.example", False),
        (" https://x.example", False), ("\thttp://x.example", False), ("https:x.example", False), ("ftp://x", False),
        ("git+https://x.example/a.git", False), ("\x00https://x.example", False), ("file:///etc/passwd", False),
    ],
)  # fmt: skip
def test_what_a_page_may_link_to(url: str, expected: bool) -> None:
    assert leads_to_a_page(url) is expected


@pytest.mark.parametrize(
    ("fields", "label", "address"),
    [
        ({}, "", ""),
        ({"docs_url": "https://docs.example"}, "", "https://docs.example"),
        ({"docs_url": "UNKNOWN", "home_page": "https://x.readthedocs.io"}, "", "https://x.readthedocs.io"),
        ({"project_urls": {"API Docs": "https://a.example"}}, "API Docs", "https://a.example"),
        ({"project_urls": {"User-Docs": "http://a.example"}}, "User-Docs", "http://a.example"),
        ({"project_urls": {"Docs (stable)": "https://a.example"}}, "", ""),
        ({"project_urls": {"Docs": "see the README", "doc": "https://a.example"}}, "doc", "https://a.example"),
        (
            {"project_urls": {"Source": "https://docs.a.example", "Docs": "https://b.example"}},
            "Docs",
            "https://b.example",
        ),
        ({"project_urls": {"Home": "https://documentation.a.example"}}, "", "https://documentation.a.example"),
        ({"project_urls": {"Home": "https://docs.example"}}, "", "https://docs.example"),
        ({"project_urls": {"Home": "https://readthedocs.org"}}, "", ""),
        ({"project_urls": {"Home": "https://maps.rtfd.io/"}}, "", "https://maps.rtfd.io/"),
        ({"home_page": "https://a.example/documentation.html"}, "", "https://a.example/documentation.html"),
        ({"home_page": "https://a.example/mydocs"}, "", ""),
        ({"home_page": "https://a.example/?to=/docs/"}, "", ""),
        ({"home_page": "https://docs.a.example@evil.example/"}, "", ""),
        ({"home_page": "https://[::1/docs"}, "", ""),
        ({"home_page": "https://a.example:port/docs"}, "", "https://a.example:port/docs"),
    ],
)
def test_where_the_documentation_is(fields: dict[str, Any], label: str, address: str) -> None:
    assert documentation_label(package(**fields)) == label
    assert documentation_address(package(**fields)) == address


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"home_page": "https://github.com/a/b"}, True),
        ({"home_page": "HTTP://WWW.GitHub.com/"}, True),
        ({"project_urls": {"Sponsor": "https://github.com/sponsors/a"}}, True),
        ({"home_page": "https://github.com.evil.example/a/b"}, False),
        ({"home_page": "https://gist.github.com/a"}, False),
        ({"home_page": "https://github.com"}, False),
        ({"home_page": "git@github.com:a/b.git"}, False),
        ({"docs_url": "https://github.com/a/b"}, False),
    ],
)
def test_what_leads_to_github(fields: dict[str, Any], expected: bool) -> None:
    assert leads_to_github(package(**fields)) is expected


TEXT = st.text(max_size=20)
HOSTS = st.sampled_from(
    ["x.example", "docs.x.example", "maps.readthedocs.io", "github.com", "www.GitHub.com", "[x", ""]
)
PATHS = st.sampled_from(["", "/", "/docs/", "/docs", "/a/b", "/documentation.html", "/docsmaker", "?/docs/"])
SCHEMES = st.sampled_from(["https://", "HTTP://", "http:", "ftp://", "javascript:", " https://", ""])
URLS = st.one_of(st.tuples(SCHEMES, HOSTS, PATHS).map("".join), TEXT)
LABELS = st.one_of(st.sampled_from(["Docs", "API docs", "Documentation", "Source", "Homepage"]), TEXT)
FIELDS = st.fixed_dictionaries(
    {"project_urls": st.dictionaries(LABELS, URLS, max_size=4), "home_page": URLS, "docs_url": URLS}
)


@given(URLS)
def test_only_what_a_browser_takes_for_a_page_is_one(url: str) -> None:
    if url.isascii():
        assert leads_to_a_page(url) is leads_to_a_page(url.swapcase())
    assert not leads_to_a_page(f"javascript:{url}")
    assert not leads_to_a_page(f" {url}")
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return
    assert leads_to_a_page(url) <= (scheme in {"http", "https"})


@given(FIELDS)
def test_the_documentation_is_one_of_the_projects_own_pages(fields: dict[str, Any]) -> None:
    found = package(**fields)
    address, label = documentation_address(found), documentation_label(found)
    own = {found.docs_url, found.home_page, *found.project_urls.values()}
    assert address == "" or (address in own and leads_to_a_page(address))
    assert label == "" or leads_to_a_page(found.project_urls[label])
    # Where a person says which it is, nothing is guessed.
    if leads_to_a_page(found.docs_url):
        assert address == found.docs_url
    elif label:
        assert address == found.project_urls[label]


@given(FIELDS, st.dictionaries(st.text(min_size=1, max_size=5).map("Zz ".__add__), TEXT, max_size=3))
def test_links_that_lead_nowhere_change_nothing(fields: dict[str, Any], more: dict[str, str]) -> None:
    nowhere = {label: url for label, url in more.items() if not leads_to_a_page(url)}
    known, extended = package(**fields), package(**{**fields, "project_urls": {**fields["project_urls"], **nowhere}})
    assert documentation_address(extended) == documentation_address(known)
    assert documentation_label(extended) == documentation_label(known)
    assert leads_to_github(extended) == leads_to_github(known)


@given(FIELDS, LABELS, URLS)
def test_a_further_link_takes_no_documentation_and_no_repository_away(
    fields: dict[str, Any], label: str, url: str
) -> None:
    known = package(**fields)
    extended = package(**{**fields, "project_urls": {label: url, **fields["project_urls"]}})
    assert bool(documentation_address(known)) <= bool(documentation_address(extended))
    assert leads_to_github(known) <= leads_to_github(extended)
    if label not in fields["project_urls"]:
        assert leads_to_github(package(home_page=url)) <= leads_to_github(extended)


WORDS = st.sampled_from(["docs", "documentation", "doc", "documentations", "apidocs", "userdocs"])


@given(WORDS, st.data())
def test_a_label_is_read_without_regard_to_case_blanks_and_punctuation(word: str, data: st.DataObject) -> None:
    between = st.text(alphabet=" -_./:()&", max_size=2)
    label = data.draw(between) + "".join(
        data.draw(st.sampled_from([letter, letter.upper()])) + data.draw(between) for letter in word
    )
    url = "https://x.example"
    assert documentation_label(package(project_urls={label: url})) == label
    assert documentation_address(package(project_urls={label: url})) == url
    other = re.sub(r"\W|_", "", label).lower() + "x"
    assert documentation_label(package(project_urls={other: url})) == ""
