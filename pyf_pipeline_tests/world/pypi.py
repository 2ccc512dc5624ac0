"""The state of the stand-in PyPI: its projects, what changes them, and the truth about them for tests."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from packaging.version import Version

from pyf_pipeline_tests.world import documents, links, metadata
from pyf_pipeline_tests.world.ecosystem import END, ENTRIES_PER_RELEASE, Ecosystem, ProjectSpec
from pyf_pipeline_tests.world.names import normalise
from pyf_pipeline_tests.world.ratelimit import RateLimiter


@dataclass(slots=True)
class Release:
    """A release as it stands now; `info` is None where the ecosystem still knows it."""

    version: str
    time: float
    serial: int
    classifiers: tuple[str, ...]
    yanked: bool = False
    reason: str = ""
    files: int = 2
    position: int = -1
    info: dict[str, Any] | None = None


@dataclass(slots=True)
class Project:
    """A project as it stands now.

    Attributes:
        name: The display name.
        normalised: The name by PEP 503.
        serial: Its last serial.
        created: When it was created, in epoch seconds.
        spec: What the ecosystem knows of it; None for one that was created while the world ran.
        touched: Whether anything changed since the world began.
        quarantined: Whether its pages are 404.
        listed: Whether the index lists it.
        previous: Its document before the last change, for stale answers.
    """

    name: str
    normalised: str
    serial: int
    created: float
    spec: ProjectSpec | None = None
    touched: bool = False
    quarantined: bool = False
    listed: bool = True
    previous: tuple[int, bytes] | None = None
    _releases: list[Release] | None = field(default=None, repr=False)


class JournalEntry(NamedTuple):
    """A line of the changelog, in XML-RPC's order."""

    name: str
    version: str | None
    timestamp: int
    action: str
    serial: int


class UnknownProjectError(LookupError):
    """No project of that name is in the world."""


class PyPI:
    """The projects, changeable from any thread.

    Every change takes a serial, as on PyPI, and every verb gives the serial that it ended with.
    """

    def __init__(self, ecosystem: Ecosystem) -> None:
        self.lock = threading.RLock()
        self._ecosystem = ecosystem
        self._projects: dict[str, Project] = {}
        for spec in ecosystem.projects:
            normalised = normalise(spec.name)
            created = ecosystem.time(spec, spec.first_slot if spec.releases > 1 else spec.last_slot)
            self._projects[normalised] = Project(spec.name, normalised, ecosystem.last_serial(spec), created, spec)
        self._serial = max((project.serial for project in self._projects.values()), default=0)
        self._journal: list[JournalEntry] = []
        self._history: tuple[int, list[JournalEntry]] | None = None
        self._rows: tuple[int, list[tuple[str, int]]] | None = None
        self.limiter = RateLimiter()

    # What is there

    @property
    def serial(self) -> int:
        """The last serial of all."""
        return self._serial

    def __len__(self) -> int:
        return len(self._projects)

    def names(self) -> list[str]:
        """The normalised names of all projects, sorted."""
        with self.lock:
            return sorted(self._projects)

    def find(self, name: str) -> Project | None:
        """The project of a name in any spelling."""
        return self._projects.get(normalise(name))

    def project(self, name: str) -> Project:
        """The project of a name in any spelling.

        Raises:
            UnknownProjectError: If there is none.
        """
        project = self.find(name)
        if project is None:
            raise UnknownProjectError(f"no project named {name!r} in this world")
        return project

    def releases(self, project: Project) -> list[Release]:
        """All releases, the oldest first."""
        if project._releases is None:
            with self.lock:
                if project._releases is None:
                    project._releases = self._drawn(project)
        return project._releases

    def _drawn(self, project: Project) -> list[Release]:
        if project.spec is None:
            return []
        return [
            Release(r.version, r.time, r.serial, r.classifiers, r.yanked, r.reason, r.files, position)
            for position, r in enumerate(self._ecosystem.releases(project.spec))
        ]

    def latest(self, project: Project) -> Release | None:
        """The release whose metadata is current; None for a project without releases."""
        releases = self.releases(project)
        if not releases:
            return None
        return releases[metadata.current([r.version for r in releases], [r.yanked for r in releases])]

    def info(self, project: Project, release: Release) -> dict[str, Any]:
        """The metadata of a release, without what `documents.document` adds."""
        if release.info is not None:
            return release.info
        assert project.spec is not None
        drawn = [(r.version, r.time) for r in self.releases(project) if r.position >= 0]
        return self._ecosystem.info(project.spec, drawn, release.position)

    def repository_of(self, name: str) -> tuple[str, str] | None:
        """Owner and name of the repository that a project's current links mean, as they write it.

        The rule: a link under Source, Repository, Code or GitHub, else under Homepage, else under any other label.
        """
        with self.lock:
            project = self.project(name)
            latest = self.latest(project)
            if latest is None:
                return None
            if latest.info is not None:
                return links.repository_of(latest.info.get("project_urls"), latest.info.get("home_page"))
            assert project.spec is not None
            repository = self._ecosystem.repository(project.spec, latest.position)
            return repository.linked_as if repository else None

    def classifiers_of(self, project: Project) -> tuple[str, ...]:
        """The classifiers of the current metadata."""
        latest = self.latest(project)
        return latest.classifiers if latest else ()

    def document(self, project: Project, release: Release | None = None) -> dict[str, Any] | None:
        """The JSON document of a project, or of one release; None where PyPI answers 404."""
        with self.lock:
            shown = release or self.latest(project)
            if shown is None or project.quarantined:
                return None
            everything = None if release else self.releases(project)
            info = self.info(project, shown)
            return documents.document(
                project.name, project.normalised, serial=project.serial, shown=shown, info=info, releases=everything
            )

    def index(self) -> list[tuple[str, int]]:
        """(display name, last serial) of the listed projects, ordered by normalised name."""
        with self.lock:
            if self._rows is None or self._rows[0] != self._serial:
                rows = [(p.name, p.serial) for _, p in sorted(self._projects.items()) if p.listed]
                self._rows = (self._serial, rows)
            return self._rows[1]

    def browse(self, classifiers: Sequence[str]) -> list[tuple[str, str]]:
        """(name, version) of the releases that carry all the classifiers; a repeated or unknown one matches nothing."""
        wanted = set(classifiers)
        if not wanted or len(wanted) != len(classifiers):
            return []
        with self.lock:
            found = [
                (project.name, release.version)
                for project in self._carriers(classifiers[0])
                for release in self.releases(project)
                if wanted.issubset(release.classifiers)
            ]
        return sorted(found)

    def changelog_since(self, serial: int, limit: int = 50_000) -> list[JournalEntry]:
        """The journal after a serial, the oldest entry first."""
        with self.lock:
            entries = [entry for entry in self._journal if entry.serial > serial]
            start = self._journal[0].serial if self._journal else self._serial + 1
            if serial < start - 1:
                entries = [*self._past(serial), *entries]
            return entries[:limit]

    def _past(self, serial: int) -> list[JournalEntry]:
        if self._history is None or self._history[0] > serial:
            entries = []
            for spec in self._ecosystem.projects:
                if self._ecosystem.last_serial(spec) > serial:
                    entries += [entry for entry in self._history_of(spec) if entry.serial > serial]
            entries.sort(key=lambda entry: entry.serial)
            self._history = (serial, entries)
        return [entry for entry in self._history[1] if entry.serial > serial]

    def _history_of(self, spec: ProjectSpec) -> list[JournalEntry]:
        if spec.releases == 0:
            moment = int(self._ecosystem.time(spec, spec.last_slot))
            return [JournalEntry(spec.name, None, moment, "create", self._ecosystem.last_serial(spec))]
        entries = []
        for position, release in enumerate(self._ecosystem.releases(spec)):
            stem = f"{normalise(spec.name).replace('-', '_')}-{release.version}"
            actions = [
                "create" if position == 0 else "new release",
                "new release" if position == 0 else f"add source file {stem}.tar.gz",
                "yank release" if release.yanked else f"add py3 file {stem}-py3-none-any.whl",
            ]
            for offset, action in enumerate(actions):
                version = None if action == "create" else release.version
                entries.append(JournalEntry(spec.name, version, int(release.time), action, release.serial + offset))
        return entries

    def updates(self, limit: int = 100) -> list[tuple[Project, Release]]:
        """The latest releases, the newest first."""
        with self.lock:
            # Nobody outside the `limit` projects that moved last can have one of the `limit` latest releases,
            # but for projects that moved without releasing.
            recent = sorted(self._visible(), key=lambda project: -project.serial)
            spare = sum(project.touched for project in recent)
            found = [(p, release) for p in recent[: limit + spare] for release in self.releases(p)]
            found.sort(key=lambda item: (-item[1].time, -item[1].serial))
            return found[:limit]

    def newest(self, limit: int = 40) -> list[tuple[Project, Release]]:
        """The latest projects with their first release, the newest first."""
        with self.lock:
            recent = sorted(self._visible(), key=lambda project: (-project.created, -project.serial))
            with_release = [(p, releases[0]) for p in recent[: limit * 2] if (releases := self.releases(p))]
            return with_release[:limit]

    def _visible(self) -> Iterable[Project]:
        return [p for p in self._projects.values() if not p.quarantined]

    # The truth, for tests

    def members(self, classifier: str) -> set[str]:
        """Normalised names of the projects whose current metadata carries a classifier, or one below it."""
        with self.lock:
            return {
                project.normalised
                for project in self._carriers(classifier)
                if not project.quarantined and any(_covers(classifier, c) for c in self.classifiers_of(project))
            }

    def ever_members(self, classifier: str) -> set[str]:
        """Normalised names of the projects of which any release carries a classifier, or one below it."""
        with self.lock:
            return {
                project.normalised
                for project in self._carriers(classifier)
                if any(_covers(classifier, c) for release in self.releases(project) for c in release.classifiers)
            }

    def _carriers(self, classifier: str) -> list[Project]:
        base = next((b for b in self._ecosystem.plan.members if _covers(b, classifier)), None)
        return [p for p in self._projects.values() if p.touched or base is None or _may_carry(p, base)]

    # What changes it

    def create(
        self, name: str, classifiers: Sequence[str] = (), *, version: str = "1.0", empty: bool = False, **info: Any
    ) -> int:
        """A new project with one release (none with `empty`).

        Raises:
            ValueError: If the name is taken.
        """
        with self.lock:
            if self.find(name):
                raise ValueError(f"project {name!r} exists already")
            now = self._now()
            project = Project(name, normalise(name), 0, now, touched=True, _releases=[])
            self._projects[project.normalised] = project
            self._note(project, None, "create", now)
            if not empty:
                base = {
                    "author": "Someone",
                    "author_email": "someone@mail.example",
                    "description": f"# {name}\n\nA project that came while the world was running.\n",
                    "description_content_type": "text/markdown",
                    "home_page": None,
                    "project_urls": None,
                    "summary": f"{name} came while the world was running",
                }
                self._add(project, version, tuple(classifiers), {**base, **info}, now)
            return project.serial

    def release(self, name: str, version: str, classifiers: Sequence[str] | None = None, **info: Any) -> int:
        """A new release; classifiers and metadata are those of the latest one, but for what is given.

        Raises:
            UnknownProjectError: If there is no such project.
            ValueError: If the version exists.
        """
        with self.lock:
            project = self.project(name)
            if any(release.version == version for release in self.releases(project)):
                raise ValueError(f"{project.name} {version} exists already")
            latest = self.latest(project)
            base = dict(self.info(project, latest)) if latest else {}
            given = tuple(classifiers) if classifiers is not None else latest.classifiers if latest else ()
            if classifiers is not None:
                base.pop("classifiers", None)
            self._keep_previous(project)
            self._add(project, version, given, {**base, **info}, self._now())
            return project.serial

    def reclassify(self, name: str, classifiers: Sequence[str]) -> int:
        """A new release, above all others, with other classifiers."""
        with self.lock:
            return self.release(name, self._next_major(self.project(name)), classifiers)

    def _next_major(self, project: Project) -> str:
        orders = [metadata.order(release.version) for release in self.releases(project)]
        known: list[Version] = [order[1] for order in orders if order[0]]
        if not known:
            return "1.0"
        top = max(known)
        return f"{top.epoch}!{top.major + 1}.0" if top.epoch else f"{top.major + 1}.0"

    def remove(self, name: str) -> int:
        """Remove a project for good."""
        with self.lock:
            project = self.project(name)
            self._note(project, None, "remove project", self._now())
            del self._projects[project.normalised]
            return project.serial

    def remove_release(self, name: str, version: str) -> int:
        """Remove one release."""
        with self.lock:
            project, release = self._release(name, version)
            self._keep_previous(project)
            # What the ecosystem draws depends on a release's place, which is about to change.
            for other in self.releases(project):
                other.info = self.info(project, other)
            self.releases(project).remove(release)
            self._note(project, version, "remove release", self._now())
            return project.serial

    def yank(self, name: str, version: str, reason: str = "") -> int:
        """Yank a release."""
        return self._set_yanked(name, version, yanked=True, reason=reason)

    def unyank(self, name: str, version: str) -> int:
        """Take a yank back."""
        return self._set_yanked(name, version, yanked=False, reason="")

    def _set_yanked(self, name: str, version: str, *, yanked: bool, reason: str) -> int:
        with self.lock:
            project, release = self._release(name, version)
            self._keep_previous(project)
            release.yanked, release.reason = yanked, reason
            self._note(project, version, "yank release" if yanked else "unyank release", self._now())
            return project.serial

    def quarantine(self, name: str, *, listed: bool = True) -> int:
        """Put a project into quarantine: its documents are 404.

        With `listed` the index still has it, as a cached index does; without, it is gone from there, too.
        """
        with self.lock:
            project = self.project(name)
            project.quarantined, project.listed = True, listed
            self._note(project, None, "project quarantined", self._now())
            return project.serial

    def unquarantine(self, name: str) -> int:
        """Let a project out of quarantine."""
        with self.lock:
            project = self.project(name)
            project.quarantined, project.listed = False, True
            self._note(project, None, "project quarantine cleared", self._now())
            return project.serial

    def xmlrpc_limit(self, per_second: int | None = 2, per_minute: int | None = 30, *, strict: bool = False) -> None:
        """Limit XML-RPC calls per client; None is no limit. For `strict` see `RateLimiter`."""
        self.limiter.set(per_second, per_minute, strict=strict)

    def _release(self, name: str, version: str) -> tuple[Project, Release]:
        project = self.project(name)
        for release in self.releases(project):
            if release.version == version:
                return project, release
        raise UnknownProjectError(f"{project.name} has no release {version!r}")

    def _add(
        self, project: Project, version: str, classifiers: tuple[str, ...], info: dict[str, Any], now: float
    ) -> None:
        self._note(project, version, "new release", now)
        stem = f"{project.normalised.replace('-', '_')}-{version}"
        self._note(project, version, f"add source file {stem}.tar.gz", now)
        self._note(project, version, f"add py3 file {stem}-py3-none-any.whl", now)
        self.releases(project).append(Release(version, now, project.serial, classifiers, info=info))

    def _note(self, project: Project, version: str | None, action: str, now: float) -> None:
        self._serial += 1
        project.serial, project.touched = self._serial, True
        self._journal.append(JournalEntry(project.name, version, int(now), action, self._serial))

    def _keep_previous(self, project: Project) -> None:
        before = self.document(project)
        if before is not None:
            project.previous = (project.serial, orjson.dumps(before))

    def _now(self) -> float:
        # Never before what happened last, whatever this machine's clock says.
        last = self._journal[-1].timestamp if self._journal else END
        return max(round(time.time(), 3), last)


def _covers(parent: str, classifier: str) -> bool:
    return classifier == parent or classifier.startswith(parent + " :: ")


def _may_carry(project: Project, base: str) -> bool:
    spec = project.spec
    return spec is None or base in spec.frameworks or spec.former == base


assert ENTRIES_PER_RELEASE == 3, "the journal of a release has three entries"
