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
from pyf_pipeline.pypi.gathering import Progress
from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.index import Index
from pyf_pipeline.pypi.memory import Knowledge
from pyf_pipeline.pypi.pace import Pace
from pyf_pipeline.pypi.xmlrpc import RefusedError, browse

logger = logging.getLogger(__name__)

# Past this many moved projects, asking XML-RPC again is cheaper for PyPI than asking for each of them.
BROWSE_IS_CHEAPER = 300

Discovery = Literal["auto", "xmlrpc", "index"]


class Finder(Protocol):
    """Who is told what is found while it is being found, so that downloading need not wait for the end."""

    def candidates(self, names: Collection[str]) -> None:
        """These may belong; some of them perhaps not for the first time."""

    def unclassified(self, serials: Mapping[str, int]) -> None:
        """These have to be looked at to know whether they belong."""


@dataclass
class Discovered:
    """The outcome of a discovery.

    Attributes:
        names: Normalised names that XML-RPC has named.
        how: What was used, for people.
        warnings: What an operator should know.
    """

    names: set[str]
    how: str
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Discoverer:
    """How a profile's projects are found.

    Attributes:
        http: How PyPI is asked.
        knowledge: What is known already, and kept.
        pace: How often XML-RPC may be called.
        how: Which way is taken; `auto` falls back to the index where XML-RPC refuses.
        good_for: Seconds for which an answer of XML-RPC is not asked for again.
        progress: Told (stage, done, total).
        now: The time, in epoch seconds.
    """

    http: Http
    knowledge: Knowledge
    pace: Pace
    how: Discovery
    good_for: float
    progress: Progress
    now: Callable[[], float] = time.time

    def discover(self, index: Index, classifiers: Iterable[str], finder: Finder) -> Discovered:
        """Find the projects that carry, or once carried, one of the classifiers or one below it.

        What has to be looked at for that is handed to the finder; `members` tells what came of it.

        Raises:
            RefusedError: Only XML-RPC is allowed, and it refuses.
        """
        wanted = tuple(classifiers)
        if not wanted:
            return Discovered(set(), "names")
        if self.how == "index":
            return self._by_index(index, wanted, finder)
        found = Discovered(set(), "xmlrpc")
        try:
            self._by_xmlrpc(index, wanted, finder, found)
        except RefusedError as error:
            if self.how == "xmlrpc":
                raise
            logger.warning("%s; going through the index instead", error)
            found.warnings.append(f"{error}; the index was used instead")
            found.names |= self._by_index(index, wanted, finder).names
            found.how = "index"
        return found

    def members(self, index: Index, classifiers: Iterable[str], found: Discovered) -> set[str]:
        """All that may belong, of those that are on PyPI, once everything has been looked at.

        A cached index may be minutes behind: a project that was looked at since is not gone because it is not in it.
        """
        known = found.names | self.knowledge.carrying(classifiers)
        listed = known & index.serials.keys()
        newer = self.knowledge.serials(known - listed)
        return listed | {name for name, serial in newer.items() if serial > index.serial}

    def _by_xmlrpc(self, index: Index, wanted: tuple[str, ...], finder: Finder, found: Discovered) -> None:
        known = list(dict.fromkeys(below for classifier in wanted for below in expand(classifier)))
        outdated = {classifier for classifier in known if not self._is_good(index, classifier)}
        found.how = "xmlrpc" if outdated else "remembered"
        oldest = index.serial
        # What is remembered comes first, so that downloads begin before anybody is asked.
        for done, classifier in enumerate(sorted(known, key=lambda name: name in outdated)):
            if classifier in outdated:
                self.progress("discover", done, len(known))
                self.knowledge.put_discovery(classifier, index.serial, browse(self.http, classifier, self.pace))
            answer = self.knowledge.discovery(classifier)
            if answer is not None:
                oldest = min(oldest, answer.serial)
                finder.candidates(answer.names - found.names)
                found.names |= answer.names
        if outdated:
            self.progress("discover", len(known), len(known))
        finder.unclassified(self._unclassified(index, index.moved_since(oldest)))

    def _is_good(self, index: Index, classifier: str) -> bool:
        """Whether a kept answer and a look at what moved since are enough."""
        answer = self.knowledge.discovery(classifier)
        if answer is None:
            return False
        if self.now() - answer.asked_at < self.good_for:
            return True
        return len(self._unclassified(index, index.moved_since(answer.serial))) <= BROWSE_IS_CHEAPER

    def _by_index(self, index: Index, wanted: tuple[str, ...], finder: Finder) -> Discovered:
        finder.candidates(self.knowledge.carrying(wanted) & index.serials.keys())
        finder.unclassified(self._unclassified(index, sorted(index.serials)))
        return Discovered(set(), "index")

    def _unclassified(self, index: Index, names: list[str]) -> dict[str, int]:
        seen = self.knowledge.serials(names)
        return {name: index.serials[name] for name in names if seen.get(name, -1) < index.serials[name]}
