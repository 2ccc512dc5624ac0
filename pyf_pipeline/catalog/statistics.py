"""What people ask of a whole profile: the framework versions of its packages, how alive it is, what is starred."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from packaging.version import InvalidVersion, Version

from pyf_pipeline.catalog.facets import framework_versions, python_versions
from pyf_pipeline.catalog.model import Package, Repository

MONTHS = 24

# The upper ends of the groups of stars; the last one has none.
STAR_GROUPS = (("0", 0), ("1-9", 9), ("10-99", 99), ("100-999", 999), ("1,000+", None))

Counts = list[tuple[str, int]]


@dataclass
class Statistics:
    """Figures of a profile's packages; each counts once, by its latest release.

    Attributes:
        packages: How many there are.
        enriched: How many of them have figures of a repository.
        framework_versions: Packages by version of the framework that most of them name, in the order of versions.
        python_versions: Packages by Python version, in the order of versions.
        releases_by_month: Releases in each of the last months, as `2026-05`, the current one last.
        stars: Packages by how many stars their repository has.
        latest: The latest release, as (time in epoch seconds, name, version); None where none has a time.
    """

    packages: int = 0
    enriched: int = 0
    framework_versions: Counts = field(default_factory=list)
    python_versions: Counts = field(default_factory=list)
    releases_by_month: Counts = field(default_factory=list)
    stars: Counts = field(default_factory=list)
    latest: tuple[int, str, str] | None = None

    @property
    def enriched_share(self) -> float:
        """The share of packages that have figures of a repository; 0 where there are no packages."""
        return self.enriched / self.packages if self.packages else 0.0


def statistics(packages: Iterable[Package], repositories: Mapping[str, Repository], now: float) -> Statistics:
    """Count a profile's packages.

    Args:
        packages: The packages; of a project with several releases the one uploaded last counts.
        repositories: The repositories of projects, by normalised name.
        now: The time in epoch seconds, which ends the months.
    """
    latest: dict[str, tuple[int, str, str]] = {}
    frameworks: dict[str, list[str]] = {}
    pythons: dict[str, list[str]] = {}
    uploads: dict[str, list[int]] = {}
    for package in packages:
        uploaded = (package.upload_timestamp, package.name, package.version)
        if package.project in latest and uploaded <= latest[package.project]:
            continue
        latest[package.project] = uploaded
        frameworks[package.project] = framework_versions(package.classifiers, package.requires_dist).values
        pythons[package.project] = python_versions(package.classifiers, package.requires_python).values
        uploads[package.project] = [release.upload_timestamp for release in package.releases]
    stars = [repositories[project].stars for project in latest if project in repositories]
    return Statistics(
        packages=len(latest),
        enriched=len(stars),
        framework_versions=_main_framework(Counter(value for values in frameworks.values() for value in values)),
        python_versions=_by_version(Counter(value for values in pythons.values() for value in values)),
        releases_by_month=_by_month((time for times in uploads.values() for time in times), now),
        stars=_by_stars(stars),
        latest=max((uploaded for uploaded in latest.values() if uploaded[0]), default=None),
    )


def _main_framework(counts: Counter[str]) -> Counts:
    """The versions of the framework that is named most: a profile's packages name those of others as well."""
    names: Counter[str] = Counter()
    for value, count in counts.items():
        names[value.rpartition(" ")[0]] += count
    if not names:
        return []
    # Of two that are named as often, always the same one.
    main = max(sorted(names), key=lambda name: names[name])
    return _by_version(Counter({value: n for value, n in counts.items() if value.rpartition(" ")[0] == main}))


def _by_version(counts: Counter[str]) -> Counts:
    return sorted(counts.items(), key=lambda item: (_version(item[0]), item[0]))


def _version(value: str) -> Version:
    try:
        return Version(value.rpartition(" ")[2])
    except InvalidVersion:
        return Version("0")


def _by_month(times: Iterable[int], now: float) -> Counts:
    current = datetime.fromtimestamp(now, UTC)
    last = 12 * current.year + current.month - 1
    counts = Counter(month for time in times if time and last - MONTHS < (month := _month(time)) <= last)
    return [(f"{month // 12}-{month % 12 + 1:02}", counts[month]) for month in range(last - MONTHS + 1, last + 1)]


def _month(time: int) -> int:
    """Months since the year 0; of a time that no calendar has, none that is ever asked for."""
    try:
        when = datetime.fromtimestamp(time, UTC)
    except (OverflowError, ValueError, OSError):
        return -1
    return 12 * when.year + when.month - 1


def _by_stars(stars: Iterable[int]) -> Counts:
    counts: Counter[str] = Counter()
    for number in stars:
        counts[next(name for name, most in STAR_GROUPS if most is None or number <= most)] += 1
    return [(name, counts[name]) for name, _ in STAR_GROUPS]
