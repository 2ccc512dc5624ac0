"""The values that travel through the pipeline: what PyPI said, what a package is, what others say of it."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pyf_pipeline.catalog.fields import clean


class MalformedProjectError(ValueError):
    """PyPI's answer for a project is not what its JSON API documents; the text says in which respect."""


class Release(BaseModel):
    """One release of a project, cut down to what the catalogue needs.

    Attributes:
        version: The version as the project spells it; not necessarily PEP 440.
        upload_timestamp: When its first file was uploaded, in epoch seconds; 0 where it has no files.
        yanked: Whether every one of its files is yanked (PEP 592).
        yanked_reason: Why, in the maintainer's words; "" where none was given.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    upload_timestamp: int = 0
    yanked: bool = False
    yanked_reason: str = ""


@dataclass(frozen=True, slots=True)
class ProjectDocument:
    """A project as PyPI's JSON API described it at one serial.

    Attributes:
        name: The project's name, normalised by PEP 503; the key by which everything is joined.
        serial: PyPI's `last_serial` of the project at the time of the answer.
        info: The answer's `info` mapping as it came, oddities included.
        releases: All releases, in the order in which PyPI listed them.
        fetched_at: When it was downloaded, in epoch seconds.
    """

    name: str
    serial: int
    info: dict[str, Any]
    releases: tuple[Release, ...]
    fetched_at: int


class Package(BaseModel):
    """A project's release, validated and brought into one form: a row of `filtered_packages`.

    Texts are never null ("" where PyPI has nothing), lists never hold empty entries. URLs are as the project spells
    them, which may be a form that no browser opens.
    """

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1, max_length=400)
    project: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=200)
    version: str = Field(min_length=1, max_length=200)
    summary: str = ""
    description: str = ""
    description_content_type: str = ""
    classifiers: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    license: str = ""
    license_expression: str = ""
    author: str = ""
    author_email: str = ""
    maintainer: str = ""
    maintainer_email: str = ""
    requires_python: str = ""
    requires_dist: tuple[str, ...] = ()
    platform: str = ""
    home_page: str = ""
    docs_url: str = ""
    package_url: str = ""
    project_url: str = ""
    release_url: str = ""
    project_urls: dict[str, str] = Field(default_factory=dict)
    yanked: bool = False
    yanked_reason: str = ""
    upload_timestamp: int = Field(default=0, ge=0, lt=2**63)
    releases: tuple[Release, ...] = ()
    last_serial: int = Field(default=0, ge=0, lt=2**63)


def _squeezed(text: str) -> str:
    return " ".join(clean(text).split())


NoteText = Annotated[str, Field(max_length=500), AfterValidator(_squeezed)]


class Note(BaseModel):
    """What a person noted on a package.

    Attributes:
        score: How much it is recommended, from 0 to 100.
        category: What it is for.
        replacement: The package to use instead.
        warning: What everybody should read before they install it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    score: int | None = Field(None, ge=0, le=100)
    category: NoteText = ""
    replacement: Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,198}[A-Za-z0-9])?)?$")] = ""
    warning: NoteText = ""

    @model_validator(mode="after")
    def _says_something(self) -> "Note":
        if self.score is None and not (self.category or self.replacement or self.warning):
            raise ValueError("says nothing: give a score, a category, a replacement or a warning")
        return self


@dataclass(frozen=True, slots=True)
class Repository:
    """A GitHub repository's figures at one time.

    Attributes:
        full_name: `owner/name` as GitHub spells it today, whatever name it was asked by.
        url: The canonical address, `https://github.com/owner/name`.
        stars: Stargazers.
        watchers: Subscribers: REST's `subscribers_count`, GraphQL's `watchers.totalCount`.
        open_issues: Open issues and open pull requests together, as REST's `open_issues_count`.
        updated: GitHub's `updated_at`, in epoch seconds.
        archived: Whether the owner has archived it.
        fetched_at: When GitHub said so, in epoch seconds.
    """

    full_name: str
    url: str
    stars: int
    watchers: int
    open_issues: int
    updated: int
    archived: bool
    fetched_at: int


@dataclass(frozen=True, slots=True)
class Downloads:
    """How often a project was downloaded up to one day, as pypistats counts it: without known mirrors.

    Attributes:
        last_day: On the last day that was counted.
        last_week: On the last seven.
        last_month: On the last thirty.
        updated: When pypistats said so, in epoch seconds.
    """

    last_day: int
    last_week: int
    last_month: int
    updated: int


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """What is remembered of a project's downloads.

    Attributes:
        name: The project's normalised name.
        asked_at: When it was last asked for, with or without success, in epoch seconds.
        answered_at: When pypistats last answered, be it that it does not know the project; 0 where it never has.
        known: Whether pypistats knew the project then.
        downloads: The last figures, also of a project that pypistats no longer knows.
    """

    name: str
    asked_at: int
    answered_at: int
    known: bool
    downloads: Downloads | None
