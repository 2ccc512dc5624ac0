"""PyPI's release feeds: what was released since the last look, for little, as long as one looks often enough.

`/rss/updates.xml` has the latest 100 releases, `/rss/packages.xml` the latest 40 projects. Both are windows that move
on: what went through between two looks is not seen, and the only sign of that is that nothing is seen twice.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pyf_pipeline.catalog.classifiers import carries
from pyf_pipeline.catalog.filtering import classifiers_of
from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.pypi.http import Http, PyPIError, StaleAnswerError, UnusableAnswerError
from pyf_pipeline.pypi.memory import Documents, Knowledge
from pyf_pipeline.pypi.projects import fetch_project
from pyf_pipeline.pypi.transport import Reply
from pyf_pipeline.pypi.work import Work

FEEDS = {"updates": "/rss/updates.xml", "packages": "/rss/packages.xml"}

# After how many looks a project that cannot be had is left to the index.
LOOKS = 5

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """An entry of a feed.

    Attributes:
        when: Its time, in epoch seconds.
        project: The normalised name.
        version: The release; "" for a new project, whose entry names none.
    """

    when: int
    project: str
    version: str

    @property
    def text(self) -> str:
        """How a cursor names it."""
        return f"{self.project} {self.version}".rstrip()


@dataclass(frozen=True, slots=True)
class NewRelease:
    """A release that was not seen before, with what its project's metadata says now.

    Attributes:
        project: The normalised name.
        version: The version; "" for a new project of which the feeds name no release.
        serial: The project's serial.
        classifiers: The classifiers that its current metadata carries.
    """

    project: str
    version: str
    serial: int
    classifiers: tuple[str, ...]


@dataclass
class Look:
    """What one look at the feeds has found.

    Attributes:
        new: Releases that were not seen before, each once.
        overflowed: Whether more may have been released than the feeds hold, or nothing is known of before: the caller
            then goes by the index.
        cursor: What the next look has to be given, as JSON types.
        failures: Why projects could not be had, by name; they are tried again at the next look.
    """

    new: list[NewRelease] = field(default_factory=list)
    overflowed: bool = False
    cursor: Cursor = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FeedReader:
    """Reads both feeds and classifies what is new, once for all profiles.

    Attributes:
        http: How PyPI is asked.
        documents: Where documents of projects of any profile are kept.
        knowledge: Where classifications are kept.
        known_classifiers: The classifiers of all profiles: a document that carries one is kept.
        packages: Projects that profiles list by name, whose documents are kept as well.
        concurrency: Connections at once.
    """

    http: Http
    documents: Documents
    knowledge: Knowledge
    known_classifiers: Collection[str]
    packages: Collection[str] = ()
    concurrency: int = 8

    def look(self, cursor: Mapping[str, Any] | None) -> Look:
        """Read the feeds, and look at each project that they name for the first time.

        Args:
            cursor: That of the look before; None for the first one.

        Raises:
            PyPIError: A feed cannot be had.
        """
        before = cursor or {}
        look = Look()
        waiting: dict[str, int] = dict(before.get("waiting", {}))
        new: dict[str, Item] = {item.text: item for item in map(_waiting, waiting)}
        for feed, path in FEEDS.items():
            window = self.http.ask(path, _read)
            fresh, overflowed = _compare(window, before.get(feed, {}))
            look.overflowed |= overflowed
            look.cursor[feed] = _position(window) if window else before.get(feed, {})
            new |= {item.text: item for item in fresh}
        releases = _without_bare(new.values(), before.get("updates", {}).get("seen", ()))
        self._classify(releases, look)
        missed = (text for text in new if new[text].project in look.failures)
        look.cursor["waiting"] = {text: tries for text in missed if (tries := waiting.get(text, 0) + 1) < LOOKS}
        return look

    def _classify(self, items: list[Item], look: Look) -> None:
        """Download each project once, whichever of its releases are new, and classify it by that."""
        versions: dict[str, list[str]] = {}
        for item in sorted(items):
            versions.setdefault(item.project, []).append(item.version)
        # The latest release is the one that a stale answer lacks.
        work = Work(self.http, self._fetch, concurrency=self.concurrency)
        work.add((project, known[-1]) for project, known in versions.items())
        work.close()
        for batch in work.results():
            arrived = []
            for done in batch:
                project = done.key[0]
                if done.error is not None:
                    look.failures[project] = _reason(done.error)
                elif done.result is not None:
                    arrived.append(done.result)
            self._store(arrived)
            for document in arrived:
                classifiers = tuple(classifiers_of(document))
                look.new += [
                    NewRelease(document.name, version, document.serial, classifiers)
                    for version in versions[document.name]
                ]

    def _fetch(self, wanted: tuple[str, str]) -> ProjectDocument | None:
        return fetch_project(self.http, wanted[0], version=wanted[1])

    def _store(self, documents: list[ProjectDocument]) -> None:
        known = {document.name: classifiers_of(document) for document in documents}
        wanted = [d for d in documents if d.name in self.packages or carries(known[d.name], self.known_classifiers)]
        self.documents.put(wanted)
        self.knowledge.put({document.name: (document.serial, known[document.name]) for document in documents})


def parse_feed(body: bytes) -> list[Item]:
    """The entries of a feed, the newest first.

    Raises:
        UnusableAnswerError: It is not a feed, or not one of PyPI's.
    """
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise UnusableAnswerError(f"the feed is not XML ({type(error).__name__})") from None
    if root.tag != "rss" or root.find("channel") is None:
        raise UnusableAnswerError("the feed is not RSS")
    return [_item(element) for element in root.iterfind("channel/item")]


def _read(reply: Reply) -> list[Item]:
    return parse_feed(reply.body)


def _item(element: Element) -> Item:
    """An entry by its link, `…/project/<name>/` or `…/project/<name>/<version>/`: its title is for people."""
    link, date = element.findtext("link") or "", element.findtext("pubDate") or ""
    parts = [unquote(part) for part in urlsplit(link.strip()).path.strip("/").split("/")]
    try:
        name, *version = parts[parts.index("project") + 1 :]
        when = parsedate_to_datetime(date.strip())
    except ValueError:
        raise UnusableAnswerError(f"the feed has an entry without project or date: {link[:100]!a}") from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return Item(int(when.timestamp()), normalise(name), version[0] if version else "")


def _compare(window: list[Item], before: Mapping[str, Any]) -> tuple[list[Item], bool]:
    """What is new in a window, and whether something may have gone by unseen."""
    seen = set(before.get("seen", ()))
    if not seen:
        return window, bool(window)
    since = datetime.fromisoformat(before["since"]).timestamp()
    # What is older than the window before it has only come back, as something newer was removed.
    new = [item for item in window if item.text not in seen and item.when >= since]
    return new, bool(window) and all(item.text not in seen for item in window)


def _position(window: list[Item]) -> Cursor:
    def text(when: int) -> str:
        return datetime.fromtimestamp(when, UTC).isoformat()

    return {
        "since": text(min(window).when),
        "until": text(max(window).when),
        "seen": sorted(item.text for item in window),
    }


def _waiting(text: str) -> Item:
    project, _, version = text.partition(" ")
    return Item(0, project, version)


def _without_bare(items: Iterable[Item], seen: Iterable[str]) -> list[Item]:
    """The entries, but for new projects of which the other feed names a release, or did the last time."""
    every = list(items)
    released = {item.project for item in every if item.version} | {text.partition(" ")[0] for text in seen}
    return [item for item in every if item.version or item.project not in released]


def _reason(error: PyPIError) -> str:
    return "the answer is older than the feed" if isinstance(error, StaleAnswerError) else str(error)
