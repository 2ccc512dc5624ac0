"""Links: every form that names a repository is read back as that repository, and nothing else is."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.github.links import RepositoryName, choose, parse_link

LETTERS = string.ascii_letters + string.digits

# GitHub's own pages, of which an owner cannot have the name.
OWN_PAGES = ("sponsors", "orgs", "users", "marketplace", "topics", "apps", "settings", "login", "features", "search")

owners = st.from_regex(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,18}", fullmatch=True)
names = st.text(LETTERS + "._-", min_size=1, max_size=100).filter(
    lambda name: name not in {".", ".."} and not name.lower().endswith((".git", ".wiki"))
)

BASES = (
    "https://github.com/{o}/{r}",
    "http://github.com/{o}/{r}",
    "https://www.github.com/{o}/{r}",
    "HTTPS://GitHub.com/{o}/{r}",
    "https://github.com:443/{o}/{r}",
    "github.com/{o}/{r}",
    "www.github.com/{o}/{r}",
    "//github.com/{o}/{r}",
    "git+https://github.com/{o}/{r}",
    "git+http://github.com/{o}/{r}",
    "git://github.com/{o}/{r}",
    "git+git://github.com/{o}/{r}",
    "ssh://git@github.com/{o}/{r}",
    "ssh://git@github.com:22/{o}/{r}",
    "git+ssh://git@github.com/{o}/{r}",
    "git+ssh://git@github.com:{o}/{r}",
    "git@github.com:{o}/{r}",
    "https://someone:secret@github.com/{o}/{r}",
)
ENDINGS = ("", "/", "//", ".git", ".git/", "#readme", "?tab=readme-ov-file", "/?a=b#c", ".git#egg=thing")
INSIDE = (
    "/issues",
    "/issues/",
    "/issues/new?template=bug.md",
    "/tree/main/x",
    "/tree/feature/sponsors",
    "/blob/main/docs/CHANGES.md#v-2",
    "/blob/main/badge.svg",
    "/wiki",
    "/releases/tag/v1@2",
    "/actions/workflows/ci.yml",
)
PAGES = ("https://{o}.github.io/{r}", "http://{o}.github.io/{r}/", "https://{o}.github.io/{r}/en/latest/a.html?b#c")


@st.composite
def rendered(draw: st.DrawFn) -> tuple[str, RepositoryName]:
    owner = draw(owners.filter(lambda text: text.lower() not in OWN_PAGES))
    name = draw(names)
    plain = st.sampled_from(BASES).flatmap(lambda base: st.sampled_from(ENDINGS + INSIDE).map(lambda end: base + end))
    form = draw(st.one_of(plain, st.sampled_from(PAGES)))
    space = draw(st.sampled_from(("", " ", "\n", "\t ")))
    return space + form.format(o=owner, r=name) + space, RepositoryName(owner, name)


@given(rendered())
@settings(max_examples=300, deadline=None)
def test_whatever_form_a_link_has_it_is_read_back_as_the_repository(case: tuple[str, RepositoryName]) -> None:
    link, expected = case
    assert parse_link(link) == expected


# What a text must look like, in the widest reading, to name a repository at all.
PLAUSIBLE = re.compile(
    r"(?:(?:https?|git|ssh|git\+\w+)?:?//)?(?:[^/@]*@)?(?:(?:www\.)?github\.com(?::\d+)?[:/][^/]+/[^/?#]+|[^/.]+\.github\.io/[^/?#]+)",
    re.IGNORECASE,
)
PIECES = "https: ftp: git+ // / : @ github.com github.io x. www. evil. o r - . .. .git # ? sponsors %2e \\ github"
pieces = st.lists(
    st.sampled_from([*PIECES.split(), " ", "\n", "\x00", "\u017f", "\u212a"]),
    max_size=12,
).map("".join)


@given(st.one_of(st.text(max_size=60), pieces))
@settings(max_examples=500, deadline=None)
def test_no_other_text_names_one(text: str) -> None:
    found = parse_link(text)
    if found is None:
        return
    assert PLAUSIBLE.match(text.strip())
    assert found.owner in text
    assert found.name in text
    assert parse_link(f"https://github.com/{found.full_name}") == found


@pytest.mark.parametrize("page", OWN_PAGES)
def test_pages_of_github_itself_are_no_repositories(page: str) -> None:
    assert parse_link(f"https://github.com/{page}/somebody") is None
    assert parse_link(f"https://GitHub.com/{page.upper()}/somebody/x") is None


@pytest.mark.parametrize(
    "link",
    [
        "",
        "UNKNOWN",
        "https://github.com",
        "https://github.com/",
        "https://github.com/somebody",
        "https://github.com/somebody/",
        "https://github.com/somebody?tab=repositories",
        "https://github.com//somebody/thing",
        "https://github.com/somebody/.git",
        "https://github.com/somebody/..",
        "https://github.com/-somebody/thing",
        "https://github.com/some.body/thing",
        "https://github.com/somebody/thing%20",
        "https://github.com/somebody/thing and more",
        "https://github.com/somebody/thing\nhttps://github.com/other/thing",
        "https://github.com/somebody/thing@v1",
        "https://github.com:8443/somebody/thing",
        "https://github.com\\somebody\\thing",
        "https://github.com@evil.example/somebody/thing",
        "https://evil.example/github.com/somebody/thing",
        "https://evil.example/?https://github.com/somebody/thing",
        "https://github.com.evil.example/somebody/thing",
        "https://notgithub.com/somebody/thing",
        "https://github.example/somebody/thing",
        "https://my-github.com/somebody/thing",
        "https://gist.github.com/somebody/0123456789abcdef",
        "https://api.github.com/repos/somebody/thing",
        "https://raw.githubusercontent.com/somebody/thing/main/README.md",
        "https://img.shields.io/github/stars/somebody/thing",
        "https://github.com/somebody/thing/actions/workflows/ci.yml/badge.svg",
        "https://github.com/somebody/thing/workflows/Tests/badge.svg?branch=main",
        "https://somebody.github.io",
        "https://somebody.github.io/",
        "https://github.io/thing",
        "https://a.b.github.io/thing",
        "git://somebody.github.io/thing",
        "ftp://github.com/somebody/thing",
        "javascript://github.com/somebody/thing",
        "mailto:somebody@github.com/thing/x",
        "somebody@github.com:somebody/thing",
        "https://github.com:somebody/thing",
        "https://gitlab.com/somebody/thing",
        "https://github.com/" + "o" * 40 + "/thing",
        "https://github.com/somebody/" + "r" * 101,
    ],
)
def test_looks_like_a_repository_and_is_none(link: str) -> None:
    assert parse_link(link) is None


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("git@github.com:443/thing.git", ("443", "thing")),
        ("git+https://github.com/somebody/thing.git@feature/x#egg=thing", ("somebody", "thing")),
        ("git+https://github.com/somebody/thing@1.0", ("somebody", "thing")),
        ("git@github.com:somebody/thing.wiki.git", ("somebody", "thing")),
        ("https://github.com/somebody/.github", ("somebody", ".github")),
        ("https://github.com/managed_user/thing", ("managed_user", "thing")),
        ("https://github.com/somebody/thing.github.io", ("somebody", "thing.github.io")),
        ("https://github.com/topics-of-mine/thing", ("topics-of-mine", "thing")),
    ],
)
def test_rare_forms(link: str, expected: tuple[str, str]) -> None:
    assert parse_link(link) == expected


def test_names_are_told_apart_without_regard_to_case() -> None:
    found = choose({"Source": "https://github.com/Some/Thing", "Issues": "https://github.com/some/thing/issues"}, "")
    assert [name.full_name for name in found.candidates] == ["Some/Thing"]
    assert found.candidates[0].key == "some/thing"


ORDER = [
    ("Source", "https://github.com/a/source"),
    ("Repository (pages)", "https://a.github.io/source-pages"),
    ("Homepage", "https://github.com/a/homepage"),
    ("Issues", "https://github.com/a/issues/issues"),
    ("Changelog", "https://github.com/a/changelog/blob/main/CHANGES.md"),
    ("Documentation", "https://a.github.io/documentation"),
    ("Something else", "https://github.com/a/other"),
]


@given(st.permutations(ORDER))
@settings(max_examples=30, deadline=None)
def test_labels_decide_and_the_order_of_the_links_does_not(links: list[tuple[str, str]]) -> None:
    for likeliest in ("source", "source-pages", "homepage", "issues", "changelog", "documentation", "other"):
        found = choose(dict(links), "https://www.example.org/")
        assert found.repository is not None
        assert found.repository.name == likeliest
        assert found.reason is None
        links = [(label, url) for label, url in links if likeliest not in url.split("/")]


def test_what_is_tried_when_the_likeliest_is_gone() -> None:
    """The homepage is the project's own; a tracker may be that of the framework, with a hundred times the stars."""
    assert [name.name for name in choose(dict(ORDER), "").candidates] == ["source", "source-pages", "homepage"]
    assert [name.name for name in choose(dict(ORDER[3:]), "").candidates] == ["issues"]
    assert choose(dict(ORDER), "").links_seen == tuple(url for _, url in ORDER)


@pytest.mark.parametrize(
    "label", ["Source", "source code", "SOURCE_CODE", "SourceCode", "Repository", "Code", "GitHub", "Source on GitHub"]
)
def test_source_labels_outrank_the_homepage_however_they_are_written(label: str) -> None:
    found = choose({"Homepage": "https://github.com/a/home", label: "https://github.com/a/source"}, "")
    assert found.repository == ("a", "source")


@pytest.mark.parametrize(
    "label",
    [
        "Issues",
        "Bug Tracker",
        "GitHub: issues",
        "Issue-Tracker",
        "Changelog",
        "What's New",
        "Docs",
        "Documentation (source)",
        "Code of Conduct",
        "GitHub Sponsors",
        "CI: GitHub Actions",
    ],
)
def test_the_homepage_outranks_the_rest(label: str) -> None:
    urls = {label: "https://github.com/a/wrong"}
    assert choose(urls, "https://github.com/a/home").repository == ("a", "home")
    assert choose({**urls, "Home-Page": "https://github.com/a/home"}, "").repository == ("a", "home")


def test_without_a_repository_the_reason_and_the_links_are_told() -> None:
    nowhere = choose({"Home": "https://example.org", "Code": "https://notgithub.com/a/b"}, "")
    assert (nowhere.repository, nowhere.reason) == (None, "no_link")
    assert nowhere.links_seen == ("https://notgithub.com/a/b", "https://example.org")
    sponsored = choose({"Funding": "https://github.com/sponsors/a"}, "https://example.org")
    assert (sponsored.repository, sponsored.reason) == (None, "not_a_repository")
    assert choose({}, "").reason == "no_link"
    assert choose({"Empty": " "}, " ").links_seen == ()
