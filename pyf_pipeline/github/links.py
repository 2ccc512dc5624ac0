"""From the links of a package to its GitHub repository: which links name one, and which of them to believe."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pyf_pipeline.github.labels import LabelRank, rank_of

NoRepository = Literal["no_link", "not_a_repository"]


class RepositoryName(NamedTuple):
    """A repository as a link names it: not necessarily one that exists, nor its name of today."""

    owner: str
    name: str

    @property
    def full_name(self) -> str:
        """`owner/name`, in the case of the link."""
        return f"{self.owner}/{self.name}"

    @property
    def key(self) -> str:
        """`owner/name` in lower case: GitHub tells names apart without regard to case."""
        return self.full_name.lower()


@dataclass(frozen=True, slots=True)
class LinkChoice:
    """What the links of a package say about its repository.

    Attributes:
        repository: The likeliest repository, if any link names one.
        candidates: The repositories to try, the likeliest first: those named as source or homepage, or, only where
            there is none, those under the best of the other labels. A tracker or a change log may well be that of
            another project, so when the source is gone they are no substitute.
        links_seen: All links there were, in the same order of preference.
        reason: Why there is no repository: no link leads to GitHub at all, or those that do name none.
    """

    repository: RepositoryName | None
    candidates: tuple[RepositoryName, ...]
    links_seen: tuple[str, ...]
    reason: NoRepository | None


# First path segments on github.com that are GitHub's own pages, never an owner.
_OWN_PAGES = """
    about account advisories apps blog codespaces collections contact copilot customer-stories dashboard discussions
    enterprise events explore features gist gists github-copilot home issues join login logout marketplace mobile new
    nonprofit notifications organizations orgs premium-support pricing pulls readme resources search security sessions
    settings showcases signup site solutions sponsors stars team topics trending user-attachments users watching
"""
_NOT_OWNERS = frozenset(_OWN_PAGES.split())

_LINK = re.compile(
    r"""
    (?: (?P<scheme> [a-z][a-z0-9+.-]* ) :// | // )?
    (?: (?P<user> [^/@?\#]* ) @ )?
    (?P<host> [a-z0-9_.-]+ )
    (?(scheme) (?: : (?: 22 | 80 | 443 | 9418 ) (?=/) )? )
    (?P<path> [/:] [^?\#]* )?
    (?: [?\#] .* )?
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_SCHEMES = frozenset({"", "http", "https", "git", "ssh", "git+http", "git+https", "git+git", "git+ssh"})
_SSH_SCHEMES = frozenset({"", "ssh", "git+ssh"})
_SSH_USERS = frozenset({"git", "git+git"})
_PAGES_SUFFIX = ".github.io"
_GITHUB_HOST = re.compile(r"(?:.+\.)?github\.(?:com|io)|.+\.githubusercontent\.com", re.IGNORECASE | re.ASCII)
# Underscores stand in the names of managed users; GitHub's limits are 39 and 100 characters.
_OWNER = re.compile(r"[a-z0-9][a-z0-9_-]{0,38}", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[a-z0-9._-]{1,100}", re.IGNORECASE | re.ASCII)
_NEVER_AT_THE_END = (".git", ".wiki")
_WORKFLOW_BADGE = re.compile(r"(?:actions/)?workflows/.+/badge\.svg", re.IGNORECASE | re.ASCII)


class _Link(NamedTuple):
    scheme: str
    user: str
    host: str
    path: str


def parse_link(url: str) -> RepositoryName | None:
    """The repository that a link names, or None where it names none.

    Read are `http(s)`, `git`, `ssh` and pip's `git+…` addresses of github.com, `git@github.com:owner/name.git`, links
    without a scheme, links to anything inside a repository, and project pages on github.io. Not read are GitHub's own
    pages (sponsors, orgs, topics and the like), gists, badges and hosts that only have "github" in their name.
    """
    link = _split(url)
    if link is None or link.scheme not in _SCHEMES:
        return None
    host = link.host.lower()
    if host in {"github.com", "www.github.com"}:
        return _from_repository_link(link)
    if host.endswith(_PAGES_SUFFIX):
        return _from_pages_link(link)
    return None


def choose(project_urls: Mapping[str, str], home_page: str) -> LinkChoice:
    """The repository that a package's links name, believing labels in the order of what they promise.

    Source labels come before the homepage, that before trackers, change logs and documentation, and those before
    labels that say nothing; among equals a link to the repository comes before one to its pages.
    """
    links = _by_preference(project_urls, home_page)
    seen = tuple(dict.fromkeys(url for _, url in links))
    named = [(_trust(rank), name) for rank, url in links if (name := parse_link(url))]
    candidates: dict[str, RepositoryName] = {}
    for trust, name in named:
        if trust == named[0][0]:
            candidates.setdefault(name.key, name)
    if candidates:
        likeliest = tuple(candidates.values())
        return LinkChoice(likeliest[0], likeliest, seen, None)
    reason: NoRepository = "not_a_repository" if any(_leads_to_github(url) for url in seen) else "no_link"
    return LinkChoice(None, (), seen, reason)


def _split(url: str) -> _Link | None:
    text = url.strip()
    match = _LINK.fullmatch(text)
    if match is None or not text.isprintable() or " " in text:
        return None
    return _Link((match["scheme"] or "").lower(), match["user"] or "", match["host"], match["path"] or "")


def _from_repository_link(link: _Link) -> RepositoryName | None:
    """From `/owner/name/…`, or `:owner/name` as ssh and those who mix it with a scheme write it."""
    is_scp = link.path.startswith(":")
    if is_scp and (link.user not in _SSH_USERS or link.scheme not in _SSH_SCHEMES):
        return None
    if link.user and not link.scheme and not is_scp:
        return None
    owner, _, rest = link.path[1:].partition("/")
    name, _, inside = rest.partition("/")
    if link.scheme.startswith("git+"):
        name = name.partition("@")[0]  # pip's way to name a branch or a tag
    if owner.lower() in _NOT_OWNERS or _WORKFLOW_BADGE.fullmatch(inside):
        return None
    for suffix in _NEVER_AT_THE_END:
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return _checked(owner, name)


def _from_pages_link(link: _Link) -> RepositoryName | None:
    if link.scheme not in {"", "http", "https"} or not link.path.startswith("/"):
        return None
    return _checked(link.host[: -len(_PAGES_SUFFIX)], link.path[1:].partition("/")[0])


def _checked(owner: str, name: str) -> RepositoryName | None:
    """The pair, where GitHub could have such an owner and such a name.

    Names of repositories: https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits
    """
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name):
        return None
    if name in {".", ".."} or name.lower().endswith(_NEVER_AT_THE_END):
        return None
    return RepositoryName(owner, name)


def _by_preference(project_urls: Mapping[str, str], home_page: str) -> list[tuple[LabelRank, str]]:
    ranked = [(rank_of(label), url.strip()) for label, url in project_urls.items()]
    ranked.append((LabelRank.HOMEPAGE, home_page.strip()))
    ranked.sort(key=lambda entry: (entry[0], _is_page(entry[1])))
    return [(rank, url) for rank, url in ranked if url]


def _trust(rank: LabelRank) -> LabelRank:
    """Source and homepage are both the project's own; of the others each is a class of its own."""
    return LabelRank.SOURCE if rank == LabelRank.HOMEPAGE else rank


def _is_page(url: str) -> bool:
    link = _split(url)
    return link is not None and link.host.lower().endswith(_PAGES_SUFFIX)


def _leads_to_github(url: str) -> bool:
    link = _split(url)
    return link is not None and _GITHUB_HOST.fullmatch(link.host) is not None
