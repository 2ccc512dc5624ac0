"""PyPI's RSS feeds: the latest 100 releases and the latest 40 projects."""

from collections.abc import Iterable
from email.utils import formatdate
from typing import Any
from xml.sax.saxutils import escape

from pyf_pipeline_tests.world.documents import SITE, project_url, release_url
from pyf_pipeline_tests.world.pypi import PyPI

UPDATES = 100
PACKAGES = 40


def updates(pypi: PyPI) -> bytes:
    """`/rss/updates.xml`."""
    items = []
    for project, release in pypi.updates(UPDATES):
        link = release_url(project.normalised, release.version)
        items.append(_item(f"{project.name} {release.version}", link, release.time, pypi.info(project, release)))
    return _feed("PyPI recent updates", "Recent updates to the Python Package Index", items)


def packages(pypi: PyPI) -> bytes:
    """`/rss/packages.xml`."""
    items = []
    for project, release in pypi.newest(PACKAGES):
        title, link = f"{project.normalised} added to PyPI", project_url(project.normalised)
        items.append(_item(title, link, project.created, pypi.info(project, release), guid=link))
    return _feed("PyPI newest packages", "Newest packages registered at the Python Package Index", items)


def _item(title: str, link: str, moment: float, info: dict[str, Any], *, guid: str = "") -> str:
    author = _author(info.get("author_email"))
    lines = [
        f"<title>{escape(title)}</title>",
        f"<link>{escape(link)}</link>",
        f"<guid>{escape(guid)}</guid>" if guid else "",
        f"<description>{escape(_text(info.get('summary')))}</description>",
        f"<author>{escape(author)}</author>" if author else "",
        f"<pubDate>{formatdate(moment, usegmt=True)}</pubDate>",
    ]
    return "    <item>\n" + "".join(f"      {line}\n" for line in lines if line) + "    </item>\n"


def _author(value: Any) -> str:
    # PyPI shows an author only where every address looks like one.
    return value if isinstance(value, str) and "@" in value and "<" not in value else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _feed(title: str, description: str, items: Iterable[str]) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0">\n  <channel>\n'
        f"    <title>{title}</title>\n    <link>{SITE}/</link>\n    <description>{description}</description>\n"
        f"    <language>en</language>\n{''.join(items)}  </channel>\n</rss>\n"
    ).encode()
