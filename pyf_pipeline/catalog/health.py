"""How well a package is looked after, as a number from 0 to 100 with its reasons; `docs/health-score.md` explains it.

The clock is passed in, and enters by nothing but `as_of`: the last moment at which a release, an update or the passing
of time changed the score. So a score stays byte for byte the same until it has to change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyf_pipeline.catalog import people
from pyf_pipeline.catalog.images import shows_screenshot
from pyf_pipeline.catalog.links import documentation_address, documentation_label, leads_to_github
from pyf_pipeline.catalog.model import Package, Repository

HIGHEST = 100

DAY = 86_400
YEAR = 365 * DAY
# (under this age in seconds, points), the youngest first.
RECENCY = ((YEAR // 2, 40), (YEAR, 30), (2 * YEAR, 20), (3 * YEAR, 10), (5 * YEAR, 5))
ACTIVITY = ((30 * DAY, 10), (90 * DAY, 7), (180 * DAY, 5), (365 * DAY, 3))
# (at least this many, points), the most first.
STARS = ((1_000, 10), (500, 7), (100, 5), (50, 3), (10, 1))
# (under this many open issues per star, points), the fewest first.
ISSUES = ((0.1, 10), (0.3, 7), (0.5, 5), (1.0, 3))

DESCRIPTION_POINTS, DOCS_LINK_POINTS, PROJECT_LINK_POINTS, SCREENSHOT_POINTS = 18, 4, 3, 5
METADATA_POINTS = 10
LONG_DESCRIPTION = 150
ENOUGH_CLASSIFIERS = 3

_LAST_DATE = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that is looked at.

    Attributes:
        name: What it is called in the breakdown.
        points: How many it gives.
        maximum: How many it could give.
        found: What was found, in a few words.
        advice: What the maintainer could do for more; "" where there is nothing.
    """

    name: str
    points: int
    maximum: int
    found: str
    advice: str


@dataclass(frozen=True, slots=True)
class Health:
    """A score and its reasons.

    Attributes:
        score: From 0 to 100.
        criteria: What it is made of; they may add up to more than 100.
    """

    score: int
    criteria: tuple[Criterion, ...]

    def breakdown(self) -> dict[str, dict[str, Any]]:
        """The reasons in the form that documents have."""
        return {
            criterion.name: {
                "points": criterion.points,
                "maximum": criterion.maximum,
                "found": criterion.found,
                "advice": criterion.advice,
            }
            for criterion in self.criteria
        }


def as_of(package: Package, repository: Repository | None, now: int) -> int:
    """The last moment up to now at which the score changed by a release, an update or the passing of time.

    Args:
        package: The package.
        repository: Its repository on GitHub, if one is known.
        now: The time in epoch seconds.

    Returns:
        Epoch seconds; 0 where no time is known. The score is the same at any time from then until now.
    """
    moments = [package.upload_timestamp, *(package.upload_timestamp + age for age, _ in RECENCY)]
    if not package.upload_timestamp:
        moments = []
    if repository and repository.updated:
        moments += [repository.updated, *(repository.updated + age for age, _ in ACTIVITY)]
    return max((moment for moment in moments if 0 < moment <= now), default=0)


def health(package: Package, html: str, repository: Repository | None, now: int) -> Health:
    """How well a package is looked after.

    Args:
        package: The package.
        html: Its README as `readme.render` gives it.
        repository: Its repository on GitHub, if one is known.
        now: The time in epoch seconds.
    """
    criteria = (
        _recency(package, now),
        *_documentation(package, html),
        *_metadata(package),
        *_github(package, repository, now),
    )
    return Health(min(HIGHEST, sum(criterion.points for criterion in criteria)), criteria)


def _recency(package: Package, now: int) -> Criterion:
    if not package.upload_timestamp:
        return Criterion("recency", 0, 40, "it is not known when the release was uploaded", "upload a release")
    points = _points_by_age(now - package.upload_timestamp, RECENCY)
    advice = "" if points == 40 else "make a release: one that is younger than six months gives 40 points"
    return Criterion("recency", points, 40, f"the release is of {_day(package.upload_timestamp)}", advice)


def _documentation(package: Package, html: str) -> Iterator[Criterion]:
    length = len(package.description.strip())
    yield _granted(
        "description",
        length > LONG_DESCRIPTION,
        DESCRIPTION_POINTS,
        f"a description of {length} characters" if length else "no description",
        f"describe the package in more than {LONG_DESCRIPTION} characters",
    )
    address = documentation_address(package)
    yield _granted(
        "docs_link",
        bool(address),
        DOCS_LINK_POINTS,
        f"documentation at {address}" if address else "no link to a documentation site",
        "link to a documentation site, such as one on Read the Docs",
    )
    label = documentation_label(package)
    yield _granted(
        "project_links",
        bool(label),
        PROJECT_LINK_POINTS,
        f"a project link {label!r}" if label else "no project link to documentation",
        "name the documentation in the project's links, as `Documentation`",
    )
    screenshot = shows_screenshot(html)
    yield _granted(
        "screenshot",
        screenshot,
        SCREENSHOT_POINTS,
        "an image that is neither badge nor logo" if screenshot else "no image but badges and logos, if any",
        "show a screenshot in the description",
    )


def _metadata(package: Package) -> Iterator[Criterion]:
    names = people.authors(package.author, package.author_email, package.maintainer, package.maintainer_email)
    anybody = bool(names or package.author_email or package.maintainer_email or package.author or package.maintainer)
    yield _granted(
        "author",
        anybody,
        METADATA_POINTS,
        f"by {', '.join(names[:3])}" if names else "an address" if anybody else "no author or maintainer",
        "name an author or a maintainer",
    )
    licensed = package.license or package.license_expression or _licence_classifier(package)
    yield _granted(
        "license",
        bool(licensed),
        METADATA_POINTS,
        "a licence" if licensed else "no licence",
        "name the licence, best as an SPDX expression",
    )
    count = len(package.classifiers)
    yield _granted(
        "classifiers",
        count >= ENOUGH_CLASSIFIERS,
        METADATA_POINTS,
        f"{count} classifier{'' if count == 1 else 's'}",
        f"give at least {ENOUGH_CLASSIFIERS} classifiers",
    )


def _github(package: Package, repository: Repository | None, now: int) -> Iterator[Criterion]:
    if repository is None:
        for name in ("github_stars", "github_activity", "github_issues"):
            yield _without_repository(name, linked=leads_to_github(package))
        return
    stars = max(0, repository.stars)
    points = next((points for least, points in STARS if stars >= least), 0)
    yield Criterion("github_stars", points, 10, f"{stars} star{'' if stars == 1 else 's'}", "")
    yield _activity(repository, now)
    yield _issues(stars, max(0, repository.open_issues))


def _without_repository(name: str, *, linked: bool) -> Criterion:
    """Where there is a link, GitHub may have no such repository, or may not have been asked yet."""
    if linked:
        return Criterion(name, 0, 10, "a link to GitHub, but no figures", "see that the link leads to the repository")
    return Criterion(name, 0, 10, "no link to GitHub", "link the repository in the project's links, if it is there")


def _activity(repository: Repository, now: int) -> Criterion:
    if repository.updated <= 0:
        return Criterion("github_activity", 0, 10, "it is not known when the repository was updated", "")
    points = _points_by_age(now - repository.updated, ACTIVITY)
    if repository.archived:
        advice = "the repository is archived; name one that is worked on"
    else:
        advice = "" if points == 10 else "work on the repository: an update within 30 days gives 10 points"
    return Criterion("github_activity", points, 10, f"the repository was updated on {_day(repository.updated)}", advice)


def _issues(stars: int, issues: int) -> Criterion:
    said = f"{issues} open issue{'' if issues == 1 else 's'} and pull requests"
    if not stars:
        return Criterion("github_issues", 0, 10, f"{said}, and no star to set them against", "")
    # The share is compared as a product of whole numbers, so that 0.1, which has no exact binary form, is exact.
    points = next((points for share, points in ISSUES if issues * 10 < round(share * 10) * stars), 0)
    advice = "" if points == 10 else "close issues: fewer than one for ten stars give 10 points"
    return Criterion("github_issues", points, 10, f"{said}, {stars} star{'' if stars == 1 else 's'}", advice)


def _granted(name: str, granted: bool, points: int, found: str, advice: str) -> Criterion:
    return Criterion(name, points if granted else 0, points, found, "" if granted else advice)


def _points_by_age(age: int, steps: Sequence[tuple[int, int]]) -> int:
    return next((points for limit, points in steps if age < limit), 0)


def _licence_classifier(package: Package) -> bool:
    return any(classifier.startswith("License :: ") for classifier in package.classifiers)


def _day(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(min(timestamp, _LAST_DATE), UTC):%Y-%m-%d}"
