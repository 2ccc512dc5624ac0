"""Links of projects to their repositories: the forms and labels in which people write them, and what misleads.

Which repository is the right one is known by construction, and told by `repository_of` for links that a test writes.
"""

import random
import re
from typing import Any

# How much a label says about where the code lives; lower is better. Labels are compared without case and spaces.
_SOURCE = ("Source", "Source Code", "source", "Repository", "Code", "GitHub", "github", "Sourcecode", "SOURCE")
_HOME = ("Homepage", "Home", "homepage", "Home Page")
_ELSEWHERE = ("Issues", "Bug Tracker", "Tracker", "Changelog", "Documentation", "Issue Tracker", "Changes")

_RANK = (
    ({"source", "sourcecode", "repository", "code", "github"}, 0),
    ({"homepage", "home"}, 1),
)


def forms(owner: str, name: str) -> tuple[str, ...]:
    """Ways to write a link to a repository's front page."""
    return (
        f"https://github.com/{owner}/{name}",
        f"https://github.com/{owner}/{name}/",
        f"http://github.com/{owner}/{name}",
        f"https://www.github.com/{owner}/{name}",
        f"https://github.com/{owner}/{name}.git",
        f"git+https://github.com/{owner}/{name}.git",
        f"git+https://github.com/{owner}/{name}.git@main",
        f"git://github.com/{owner}/{name}.git",
        f"ssh://git@github.com/{owner}/{name}.git",
        f"git@github.com:{owner}/{name}.git",
        f"https://github.com/{owner}/{name}#readme",
        f"https://github.com/{owner}/{name}?tab=readme-ov-file",
        f"HTTPS://GitHub.com/{owner}/{name}",
    )


def deep_links(owner: str, name: str) -> dict[str, str]:
    """Links below a repository, by the label under which they are found."""
    base = f"https://github.com/{owner}/{name}"
    return {
        "Issues": f"{base}/issues",
        "Bug Tracker": f"{base}/issues/new/choose",
        "Changelog": f"{base}/blob/main/CHANGES.md",
        "Changes": f"{base}/releases",
        "Documentation": f"{base}/wiki",
        "Tracker": f"{base}/issues?q=is%3Aopen",
        "Issue Tracker": f"{base}/issues/",
    }


def decoys(owner: str, name: str) -> dict[str, str]:
    """Links that look like repositories and are none."""
    return {
        "Funding": f"https://github.com/sponsors/{owner}",
        "Community": f"https://github.com/orgs/{owner}/discussions",
        "Author": f"https://github.com/{owner}",
        "Gist": f"https://gist.github.com/{owner}/0123456789abcdef0123456789abcdef",
        "Topic": "https://github.com/topics/python",
        "Action": f"https://github.com/marketplace/actions/{name}",
        "Mirror": f"https://notgithub.com/{owner}/{name}",
        "Fork": f"https://github.com.mirror.example/{owner}/{name}",
        "Enterprise": f"https://github.corp.example/{owner}/{name}",
        "Elsewhere": f"https://gitlab.example/{owner}/{name}",
        "CI": f"https://ci.example/github.com/{owner}/{name}",
    }


def with_repository(
    rng: random.Random, repository: tuple[str, str], other: tuple[str, str], *, quirks: bool
) -> tuple[Any, Any]:
    """`project_urls` and `home_page` whose right repository is the one given, whatever else they say.

    Args:
        rng: The generator to draw from.
        repository: The right repository's owner and name.
        other: A repository that is linked, wrongly, under a weaker label now and then.
        quirks: Whether `project_urls` may be of a wrong type, where the link is in `home_page`.
    """
    owner, name = repository
    link = rng.choice(forms(owner, name))
    roll = rng.random()
    urls: dict[str, str] = {}
    home: str | None = None
    if roll < 0.45:
        urls[rng.choice(_SOURCE)] = link
        home = rng.choice((None, "", f"https://{name.lower()}.example/", "UNKNOWN"))
        if rng.random() < 0.3:
            urls[rng.choice(_ELSEWHERE)] = _wrong(rng, other)
    elif roll < 0.65:
        home = link
        if rng.random() < 0.2:
            urls[rng.choice(_ELSEWHERE)] = _wrong(rng, other)
    elif roll < 0.8:
        urls[rng.choice(_HOME)] = link
        if rng.random() < 0.3:
            urls[rng.choice(_ELSEWHERE)] = _wrong(rng, other)
    elif roll < 0.92:
        label, deep = rng.choice(sorted(deep_links(owner, name).items()))
        urls[label] = deep
        urls["Homepage"] = f"https://{name.lower()}.example/"
    else:
        home = f"https://{owner.lower()}.github.io/{name}/" + rng.choice(("", "index.html", "docs/"))
    if rng.random() < 0.3:
        label, decoy = rng.choice(sorted(decoys(owner, name).items()))
        urls.setdefault(label, decoy)
    items = list(urls.items())
    rng.shuffle(items)
    return dict(items) or _nothing(rng, quirks=quirks), home


def without_repository(rng: random.Random, owner: str, name: str, *, quirks: bool) -> tuple[Any, Any]:
    """`project_urls` and `home_page` in which there is no GitHub repository."""
    if rng.random() < 0.4:
        homes = (None, "", "UNKNOWN", f"https://{name.lower()}.example")
        return _nothing(rng, quirks=quirks), rng.choice(homes)
    chosen = rng.sample(sorted(decoys(owner, name).items()), rng.randint(1, 3))
    return dict(chosen), rng.choice((None, "", f"https://docs.example/{name.lower()}/"))


def _nothing(rng: random.Random, *, quirks: bool) -> Any:
    if quirks and rng.random() < 0.15:
        return rng.choice(({}, "", [], ["Documentation, https://docs.example/"], "https://docs.example/"))
    return None


def _wrong(rng: random.Random, other: tuple[str, str]) -> str:
    return f"https://github.com/{other[0]}/{other[1]}" + rng.choice(("", "/issues", "/blob/main/README.md"))


_REPOSITORY = re.compile(
    r"^(?:(?:git\+)?(?:https?|git|ssh)://(?:git@)?(?:www\.)?github\.com/|git@github\.com:)"
    r"([A-Za-z0-9-]+)/([A-Za-z0-9._-]+)",
    re.IGNORECASE,
)
_PAGES = re.compile(r"^https?://([A-Za-z0-9-]+)\.github\.io/([A-Za-z0-9._-]+)", re.IGNORECASE)
_NO_OWNERS = {"sponsors", "orgs", "users", "marketplace", "topics", "apps", "settings", "features", "about"}


def repository_of(project_urls: Any, home_page: Any) -> tuple[str, str] | None:
    """The repository that links mean: under Source, Repository, Code or GitHub, else Homepage, else anywhere."""
    found: list[tuple[int, tuple[str, str]]] = []
    links = list(project_urls.items()) if isinstance(project_urls, dict) else []
    for label, link in [*links, ("Homepage", home_page)]:
        pair = _parse(link)
        if pair:
            found.append((_rank(label), pair))
    return min(found, key=lambda item: item[0])[1] if found else None


def _parse(link: Any) -> tuple[str, str] | None:
    match = (_REPOSITORY.match(link) or _PAGES.match(link)) if isinstance(link, str) else None
    if match is None or match[1].lower() in _NO_OWNERS:
        return None
    return match[1], match[2].removesuffix(".git")


def _rank(label: str) -> int:
    plain = re.sub(r"[^a-z]", "", label.lower())
    return next((rank for labels, rank in _RANK if plain in labels), 2)
