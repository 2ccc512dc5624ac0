"""Which projects may belong to a profile: those that are known to carry one of its classifiers.

PyPI's XML-RPC is asked once, as it names in seconds what would otherwise take all of PyPI to read. From then on the
index tells which projects changed, and only those are looked at again. Where XML-RPC refuses, the index is crawled;
what a crawl has learnt is kept as it goes, for all profiles, so that the next one goes on from there.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pyf_pipeline.catalog.classifiers import expand
from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.pypi.download import download
from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.index import Index
from pyf_pipeline.pypi.xmlrpc import Pace, RefusedError, browse

logger = logging.getLogger(__name__)

# Past this many moved projects, asking XML-RPC again is cheaper for PyPI than asking for each of them.
BROWSE_IS_CHEAPER = 300

Discovery = Literal["auto", "xmlrpc", "index"]
Progress = Callable[[str, int, int], None]


class Answer(Protocol):
    """An answer of XML-RPC that is kept."""

    @property
    def serial(self) -> int:
        """The index's serial when it was given."""

    @property
    def asked_at(self) -> int:
        """When it was given, in epoch seconds."""

    @property
    def names(self) -> frozenset[str]:
        """Normalised names."""


class Knowledge(Protocol):
    """What is known of projects' classifiers."""

    def put(self, classified: Mapping[str, tuple[int, Iterable[str]]]) -> None:
        """Keep (serial, classifiers) by normalised name."""

    def serials(self, names: Iterable[str]) -> dict[str, int]:
        """The serial at which projects were classified."""

    def carrying(self, wanted: Iterable[str]) -> set[str]:
        """The projects last seen to carry a classifier or one below it."""

    def discovery(self, classifier: str) -> Answer | None:
        """The kept answer of XML-RPC for a classifier."""

    def put_discovery(self, classifier: str, serial: int, names: Iterable[str]) -> None:
        """Keep an answer of XML-RPC, given at an index serial."""


@dataclass
class Discovered:
    """The outcome of a discovery.

    Attributes:
        names: Normalised names of all that may belong, as far as PyPI's index has them.
        how: What was used, for people.
        classified: How many projects were looked at to learn their classifiers.
        missing: Names that the index has and PyPI no longer answers for.
        failures: Why projects could not be looked at, by name; they are looked at again next time.
        warnings: What an operator should know.
    """

    names: set[str]
    how: str
    classified: int = 0
    missing: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Discoverer:
    """How a profile's projects are found.

    Attributes:
        http: How PyPI is asked.
        knowledge: What is known already, and kept.
        keep: Called with the documents downloaded on the way that are worth keeping, so that none is asked for twice.
        is_wanted: Whether a document is worth keeping although nothing else says that its project may belong.
        pace: How often XML-RPC may be called.
        concurrency: Connections at once.
        how: Which way is taken; `auto` falls back to the index where XML-RPC refuses.
        good_for: Seconds for which an answer of XML-RPC is not asked for again.
        progress: Told (stage, done, total).
        now: The time, in epoch seconds.
    """

    http: Http
    knowledge: Knowledge
    keep: Callable[[list[ProjectDocument]], None]
    is_wanted: Callable[[ProjectDocument], bool]
    pace: Pace
    concurrency: int
    how: Discovery
    good_for: float
    progress: Progress
    now: Callable[[], float] = time.time

    def discover(self, index: Index, classifiers: Iterable[str]) -> Discovered:
        """The projects that carry, or once carried, one of the classifiers or one below it.

        Raises:
            RefusedError: Only XML-RPC is allowed, and it refuses.
        """
        wanted = tuple(classifiers)
        if not wanted:
            return Discovered(set(), "names")
        if self.how == "index":
            return self._by_index(index, wanted)
        try:
            return self._by_xmlrpc(index, wanted)
        except RefusedError as error:
            if self.how == "xmlrpc":
                raise
            logger.warning("%s; going through the index instead", error)
            found = self._by_index(index, wanted)
            found.warnings.append(f"{error}; the index was used instead")
            return found

    def _by_xmlrpc(self, index: Index, wanted: tuple[str, ...]) -> Discovered:
        known = list(dict.fromkeys(below for classifier in wanted for below in expand(classifier)))
        outdated = [classifier for classifier in known if not self._is_good(index, classifier)]
        for done, classifier in enumerate(outdated):
            self.progress("discover", done, len(outdated))
            names = browse(self.http, classifier, self.pace)
            self.knowledge.put_discovery(classifier, index.serial, names)
        answers = [answer for classifier in known if (answer := self.knowledge.discovery(classifier))]
        named: set[str] = set().union(*(answer.names for answer in answers))
        moved = index.moved_since(min(answer.serial for answer in answers))
        found = self._classify(index, moved, named)
        found.how = "xmlrpc" if outdated else "remembered"
        found.names = (named | self.knowledge.carrying(wanted)) & index.serials.keys()
        return found

    def _is_good(self, index: Index, classifier: str) -> bool:
        """Whether a kept answer and a look at what moved since are enough."""
        answer = self.knowledge.discovery(classifier)
        if answer is None:
            return False
        if self.now() - answer.asked_at < self.good_for:
            return True
        return len(self._unclassified(index, index.moved_since(answer.serial))) <= BROWSE_IS_CHEAPER

    def _by_index(self, index: Index, wanted: tuple[str, ...]) -> Discovered:
        found = self._classify(index, sorted(index.serials), frozenset())
        found.how = "index"
        found.names = self.knowledge.carrying(wanted) & index.serials.keys()
        return found

    def _unclassified(self, index: Index, names: list[str]) -> dict[str, int]:
        seen = self.knowledge.serials(names)
        return {name: index.serials[name] for name in names if seen.get(name, -1) < index.serials[name]}

    def _classify(self, index: Index, names: list[str], candidates: Collection[str]) -> Discovered:
        """Look at the projects that have not been looked at since they changed."""
        wanted = self._unclassified(index, names)
        found = Discovered(set(), "")
        done = 0
        for batch in download(self.http, wanted, concurrency=self.concurrency):
            documents = [outcome.document for outcome in batch if outcome.document]
            self.keep([document for document in documents if document.name in candidates or self.is_wanted(document)])
            self.knowledge.put(
                {d.name: (d.serial, classifiers_of(d)) for d in documents}
                # A project that is gone carries nothing, and is not asked for again until it moves.
                | {outcome.name: (wanted[outcome.name], ()) for outcome in batch if outcome.missing}
            )
            found.classified += len(documents)
            found.missing.update(outcome.name for outcome in batch if outcome.missing)
            found.failures.update({outcome.name: outcome.problem for outcome in batch if outcome.problem})
            done += len(batch)
            self.progress("classify", done, len(wanted))
        return found


def classifiers_of(document: ProjectDocument) -> list[str]:
    """The classifiers of a project's latest release; whatever is not a text is not one."""
    classifiers = document.info.get("classifiers")
    if not isinstance(classifiers, list):
        return []
    return [value for value in classifiers if isinstance(value, str)]
