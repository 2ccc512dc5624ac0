"""A made-up ecosystem, the same for the same size and seed: projects, releases, classifiers, repositories.

What an index needs is drawn at once; releases, texts and metadata are drawn when somebody asks, each project from a
generator of its own, so that an ecosystem of any size is there in seconds and the order of questions changes nothing.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from trove_classifiers import classifiers as trove_classifiers

from pyf_pipeline_tests.world import links, metadata, names
from pyf_pipeline_tests.world.topics import CORE_TOPIC, PLAIN_TOPICS, TOPICS, Topic

START = 1_293_840_000  # 2011-01-01: no release is older
END = 1_782_820_800  # 2026-06-30: no release is younger, until somebody changes the world
_YEAR = 31_557_600
_FIRST_SERIAL = 1_000_000
# XML-RPC's integers have 32 bits, so serials must stay below.
_LAST_SERIAL = 2_000_000_000
ENTRIES_PER_RELEASE = 3

# When a framework's version came out, so that a release names those of its time.
_VERSIONS: dict[str, tuple[tuple[str, float], ...]] = {
    "Framework :: Plone": (
        ("4.1", 2011.6), ("4.2", 2012.5), ("4.3", 2013.3), ("5.0", 2015.7), ("5.1", 2018.1), ("5.2", 2019.5),
        ("6.0", 2022.9), ("6.1", 2025.1),
    ),
    "Framework :: Django": (
        ("1.4", 2012.2), ("1.8", 2015.3), ("1.11", 2017.3), ("2.2", 2019.3), ("3.2", 2021.3), ("4.2", 2023.3),
        ("5.0", 2023.9), ("5.1", 2024.6), ("5.2", 2025.3), ("6.0", 2025.9),
    ),
}  # fmt: skip
_EXTRAS: dict[str, tuple[str, ...]] = {
    "Framework :: Plone": ("Framework :: Plone :: Addon", "Framework :: Plone :: Theme", "Framework :: Zope :: 5"),
}
_BYSTANDERS = (
    "Framework :: Django CMS", "Framework :: Django CMS :: 3.9", "Framework :: Zope :: 4", "Framework :: Pyramid",
    "Framework :: FastAPI", "Framework :: Pytest", "Framework :: Jupyter", "Framework :: AsyncIO",
    "Framework :: Sphinx",
)  # fmt: skip
_YANK_REASONS = ("", "Broken wheel", "Wrong metadata, use the next release")
_UNKNOWN = ("Private :: Do Not Upload", "Framework :: Starfish :: 3.0", "Programming Language :: Klingon")
_PYTHONS = (
    ("2.7", 2010.5), ("3.4", 2014.2), ("3.6", 2016.9), ("3.8", 2019.8), ("3.9", 2020.8), ("3.10", 2021.8),
    ("3.11", 2022.8), ("3.12", 2023.8), ("3.13", 2024.8),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What an ecosystem is made of.

    Attributes:
        members: How many projects carry a classifier (or one below it) now.
        overlaps: (classifier, classifier, how many projects carry both); these count in `members`, too.
        cores: (name, classifier) of projects that are members and whose name is given.
        mean_releases: Releases per project, on average.
        quirks: Whether there are projects that once carried a classifier, without releases, with odd metadata.
    """

    members: dict[str, int]
    overlaps: tuple[tuple[str, str, int], ...] = ()
    cores: tuple[tuple[str, str], ...] = ()
    mean_releases: float = 6.0
    quirks: bool = True

    @classmethod
    def mixed(cls, size: int, *, cores: bool = False) -> "Plan":
        """A fifth Plone, a fifth Django, two fifteenths Flask, some of them two at a time, and the rest unrelated."""
        plone, django, flask = "Framework :: Plone", "Framework :: Django", "Framework :: Flask"
        return cls(
            members={plone: size // 5, django: size // 5, flask: size * 2 // 15},
            overlaps=((django, flask, size // 50), (plone, django, size // 100)),
            cores=(("Plone", plone), ("Django", django), ("Flask", flask)) if cores else (),
        )


@dataclass(frozen=True, slots=True)
class ReleaseSpec:
    """A release as it was made.

    Attributes:
        version: The version as the project spells it.
        time: Upload time of its first file, in epoch seconds.
        serial: The serial of its first journal entry; it has `ENTRIES_PER_RELEASE` of them.
        classifiers: Its classifiers.
        yanked: Whether it is yanked.
        reason: Why it was yanked.
        files: How many files it has: 0, 1 (source) or 2 (and a wheel).
    """

    version: str
    time: float
    serial: int
    classifiers: tuple[str, ...]
    yanked: bool
    reason: str
    files: int


@dataclass(frozen=True, slots=True)
class RepositorySpec:
    """A repository: its name now, the name that links use, and whether it is still there."""

    owner: str
    name: str
    linked_as: tuple[str, str]
    vanished: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class ProjectSpec:
    """What is settled about a project from the start.

    Attributes:
        index: Its place in the ecosystem.
        name: Its display name.
        frameworks: The profile classifiers that its latest release carries, or carries something below of.
        former: A profile classifier that only its older releases carry.
        topic: What it is about.
        releases: How many releases it has; 0 makes it a name without content.
        first_slot: When it began.
        last_slot: When it last released.
        repository: Where its last release says that its code lives.
        former_repository: Where older releases said so, if elsewhere.
    """

    index: int
    name: str
    frameworks: tuple[str, ...]
    former: str | None
    topic: Topic
    releases: int
    first_slot: int
    last_slot: int
    repository: RepositorySpec | None
    former_repository: RepositorySpec | None

    @property
    def framework(self) -> str | None:
        """The first framework's short name, such as "Plone"."""
        return self.frameworks[0].split(" :: ")[1] if self.frameworks else None


@dataclass(slots=True)
class Ecosystem:
    """All projects and repositories, and how to draw the rest of a project."""

    size: int
    seed: int
    plan: Plan
    slots: int
    projects: list[ProjectSpec] = field(default_factory=list)
    repositories: list[RepositorySpec] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    turns: Counter[str] = field(default_factory=Counter)

    def serial(self, spec: ProjectSpec, slot: int) -> int:
        """The first serial of what a project did in a slot; no two projects share one."""
        return _FIRST_SERIAL + (slot * self.size + spec.index) * ENTRIES_PER_RELEASE

    def last_serial(self, spec: ProjectSpec) -> int:
        """The serial of the last thing that happened to a project."""
        return self.serial(spec, spec.last_slot) + ENTRIES_PER_RELEASE - 1

    def time(self, spec: ProjectSpec, slot: int) -> float:
        """When it happened, in epoch seconds; times and serials have the same order."""
        return round(START + (slot + spec.index / self.size) * (END - START) / self.slots, 3)

    def releases(self, spec: ProjectSpec) -> list[ReleaseSpec]:
        """The releases of a project, the oldest first."""
        return _releases(self, spec)

    def info(self, spec: ProjectSpec, releases: Sequence[tuple[str, float]], position: int) -> dict[str, Any]:
        """The metadata that a release came with, without its classifiers and version.

        Args:
            spec: The project.
            releases: (version, time) of its releases, the oldest first.
            position: Which of them.
        """
        rng = random.Random(f"{self.seed}/{spec.name}/info")
        described = metadata.Described(spec.name, spec.framework, spec.topic, tuple(releases[: position + 1]))
        info = metadata.info(rng, described, quirks=self.plan.quirks)
        link_rng = random.Random(f"{self.seed}/{spec.name}/links")
        info["project_urls"], info["home_page"] = self._links(link_rng, spec, self.repository(spec, position))
        if self.bare(spec):
            info["classifiers"] = link_rng.choice((None, "", []))
        return info

    def bare(self, spec: ProjectSpec) -> bool:
        """Whether a project has no classifiers at all, and says so in an odd way."""
        if spec.frameworks or spec.former or not self.plan.quirks:
            return False
        return random.Random(f"{self.seed}/{spec.name}/bare").random() < 0.02

    def repository(self, spec: ProjectSpec, position: int) -> RepositorySpec | None:
        """The repository that a release's links mean."""
        latest = position == spec.releases - 1
        return spec.repository if latest or spec.former_repository is None else spec.former_repository

    def _links(self, rng: random.Random, spec: ProjectSpec, repository: RepositorySpec | None) -> tuple[Any, Any]:
        if repository is None:
            return links.without_repository(rng, names.owner(rng), names.normalise(spec.name), quirks=self.plan.quirks)
        other = self.repositories[rng.randrange(len(self.repositories))]
        return links.with_repository(rng, repository.linked_as, other.linked_as, quirks=self.plan.quirks)


def build(size: int, seed: int, plan: Plan) -> Ecosystem:
    """The ecosystem of a size, by a plan; the same for the same arguments.

    Raises:
        ValueError: If the plan has more members than there is room for.
    """
    slots = max(400, min(8_000, (_LAST_SERIAL - _FIRST_SERIAL) // (ENTRIES_PER_RELEASE * max(size, 1))))
    ecosystem = Ecosystem(size, seed, plan, slots)
    rng = random.Random(f"{seed}/{size}")
    taken: set[str] = set()
    for index, (frameworks, core) in enumerate(_assignments(rng, size, plan)):
        spec = _project(ecosystem, rng, index, frameworks=frameworks, core=core, taken=taken)
        ecosystem.projects.append(spec)
    return ecosystem


def _assignments(rng: random.Random, size: int, plan: Plan) -> list[tuple[tuple[str, ...], str | None]]:
    wanted = dict(plan.members)
    assigned: list[tuple[tuple[str, ...], str | None]] = []
    for name, classifier in plan.cores:
        assigned.append(((classifier,), name))
        wanted[classifier] -= 1
    for one, other, count in plan.overlaps:
        assigned.extend([((one, other), None)] * count)
        wanted[one] -= count
        wanted[other] -= count
    for classifier, count in wanted.items():
        assigned.extend([((classifier,), None)] * count)
    if len(assigned) > size:
        raise ValueError(f"{len(assigned)} members do not fit into an ecosystem of {size} projects")
    assigned.extend([((), None)] * (size - len(assigned)))
    rng.shuffle(assigned)
    return assigned


def _project(
    ecosystem: Ecosystem,
    rng: random.Random,
    index: int,
    *,
    frameworks: tuple[str, ...],
    core: str | None,
    taken: set[str],
) -> ProjectSpec:
    plan, slots = ecosystem.plan, ecosystem.slots
    short = frameworks[0].split(" :: ")[1] if frameworks else None
    topic = CORE_TOPIC if core else _topic(ecosystem, rng, short)
    name = core or _free_name(rng, short, topic, taken)
    taken.add(names.normalise(name))
    quirk = rng.random() if plan.quirks and not core else 1.0
    releases = 1 + min(int(10 * plan.mean_releases), int(rng.expovariate(1 / max(plan.mean_releases - 1, 0.01)) + 0.5))
    former = None
    if not frameworks and quirk < 0.02:
        releases = 0
    elif not frameworks and quirk < 0.08:
        classifiers = sorted(plan.members)
        former, releases = classifiers[ecosystem.turns["former"] % len(classifiers)], max(releases, 2)
        ecosystem.turns["former"] += 1
    last_slot = int(rng.triangular(slots // 10, slots - 1, slots - 1))
    first_slot = max(0, last_slot - int(rng.expovariate(1 / (slots / 4))) - 2 * releases)
    repository = _repository(ecosystem, rng, name)
    former_repository = None
    if repository and repository.vanished and releases > 1 and rng.random() < 0.5:
        former_repository = _repository(ecosystem, rng, name, sound=True)
    return ProjectSpec(
        index, name, frameworks, former, topic, releases, first_slot, last_slot, repository, former_repository
    )  # fmt: skip


def _topic(ecosystem: Ecosystem, rng: random.Random, framework: str | None) -> Topic:
    if framework is None:
        return rng.choice(TOPICS if rng.random() < 0.6 else PLAIN_TOPICS)
    # In turn, so that even a small ecosystem has something about everything for each framework.
    turn = ecosystem.turns[framework]
    ecosystem.turns[framework] += 1
    return TOPICS[turn % len(TOPICS)]


def _free_name(rng: random.Random, framework: str | None, topic: Topic, taken: set[str]) -> str:
    candidates = names.candidates(rng, framework, topic.nouns, topic.title)
    return next(name for name in candidates if names.normalise(name) not in taken)


def _repository(
    ecosystem: Ecosystem, rng: random.Random, project: str, *, sound: bool = False
) -> RepositorySpec | None:
    roll = 1.0 if sound else rng.random()
    if roll < 0.13:
        return None
    if roll < 0.15 and ecosystem.repositories:
        return rng.choice(ecosystem.repositories[-20:])
    owner = names.owner(rng) + ("" if rng.random() < 0.5 else f"-{len(ecosystem.repositories)}")
    name = rng.choice((project, project.lower(), names.normalise(project)))
    # Owner and name are unique without regard to case, which GitHub ignores.
    if f"{owner}/{name}".lower() in ecosystem.taken:
        owner = f"{owner}-{len(ecosystem.repositories)}"
    ecosystem.taken.add(f"{owner}/{name}".lower())
    fate = 1.0 if sound else rng.random()
    linked_as = (owner.upper() if rng.random() < 0.03 else owner, name)
    now = f"{name}-ng" if 0.04 <= fate < 0.07 else name
    spec = RepositorySpec(owner, now, linked_as, vanished=fate < 0.04, archived=0.07 <= fate < 0.12)
    ecosystem.repositories.append(spec)
    return spec


def _releases(ecosystem: Ecosystem, spec: ProjectSpec) -> list[ReleaseSpec]:
    rng = random.Random(f"{ecosystem.seed}/{spec.name}/releases")
    count = spec.releases
    if count == 0:
        return []
    versions = metadata.versions(rng, count, quirks=ecosystem.plan.quirks)
    slots = _spread(rng, spec.first_slot, spec.last_slot, count)
    fixed = _fixed_classifiers(rng, ecosystem.plan, spec)
    bare = ecosystem.bare(spec)
    only_below = rng.random() < 0.15
    all_yanked = ecosystem.plan.quirks and rng.random() < 0.007
    yanked = [all_yanked or rng.random() < 0.015 for _ in versions]
    current = metadata.current(versions, yanked)
    joined = rng.randint(0, current) if ecosystem.plan.quirks and rng.random() < 0.1 else 0
    result = []
    for position, (version, slot) in enumerate(zip(versions, slots, strict=True)):
        frameworks = spec.frameworks if position >= joined else ()
        if spec.former and position != current:
            frameworks = (*frameworks, spec.former)
        time = ecosystem.time(spec, slot)
        result.append(
            ReleaseSpec(
                version=version,
                time=time,
                serial=ecosystem.serial(spec, slot),
                classifiers=() if bare else _classifiers(fixed, frameworks, time, only_below=only_below),
                yanked=yanked[position],
                reason=rng.choice(_YANK_REASONS) if yanked[position] else "",
                files=0 if rng.random() < 0.01 else rng.choice((1, 2, 2)),
            )
        )
    return result


def _spread(rng: random.Random, first: int, last: int, count: int) -> list[int]:
    if count == 1:
        return [last]
    room = last - first - count
    marks = sorted(rng.randrange(max(room, 1)) for _ in range(count - 2))
    return [first, *(first + 1 + mark + i for i, mark in enumerate(marks)), last]


def _fixed_classifiers(rng: random.Random, plan: Plan, spec: ProjectSpec) -> tuple[str, ...]:
    chosen = [
        f"Development Status :: {rng.choice(('3 - Alpha', '4 - Beta', '5 - Production/Stable'))}",
        "Intended Audience :: Developers",
        spec.topic.trove,
        *rng.choice(metadata.LICENSES).classifiers,
    ]
    if not spec.frameworks and rng.random() < 0.35:
        chosen.append(rng.choice([c for c in _BYSTANDERS if not any(_covers(p, c) for p in plan.members)]))
    if plan.quirks and rng.random() < 0.02:
        chosen.append(rng.choice(_UNKNOWN))
    return tuple(chosen)


def _covers(parent: str, classifier: str) -> bool:
    return classifier == parent or classifier.startswith(parent + " :: ")


@cache
def _below(parent: str) -> tuple[str, ...]:
    return tuple(sorted(c for c in trove_classifiers if c.startswith(parent + " :: ")))


def _classifiers(
    fixed: tuple[str, ...], frameworks: tuple[str, ...], time: float, *, only_below: bool
) -> tuple[str, ...]:
    quarter = int((1970 + time / _YEAR) * 4)
    return tuple(sorted({*fixed, *_pythons(quarter), *_frameworks(frameworks, quarter, only_below)}))


@cache
def _pythons(quarter: int) -> tuple[str, ...]:
    known = [version for version, year in _PYTHONS if year * 4 <= quarter][-4:]
    return ("Programming Language :: Python", *(f"Programming Language :: Python :: {v}" for v in known))


@cache
def _frameworks(bases: tuple[str, ...], quarter: int, only_below: bool) -> tuple[str, ...]:
    result: list[str] = []
    for base in bases:
        if base in _VERSIONS:
            known = [f"{base} :: {v}" for v, year in _VERSIONS[base] if year * 4 <= quarter][-3:]
        else:
            known = list(_below(base)[-2:])
        if not (only_below and known):
            result.append(base)
        result += known
        result += _EXTRAS.get(base, ())[: quarter % 4]
    return tuple(result)


def popularity(rng: random.Random) -> int:
    """A number of stars: few for most, thousands for some."""
    return int(math.exp(rng.gauss(3.0, 1.8)))
