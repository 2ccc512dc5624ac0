"""What GitHub says when it is asked for repositories, whichever of its interfaces it is asked by."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.links import RepositoryName

# Texts as they must be to be used; timestamps come as text, where everything else must be of its type.
FullName = Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]
WebAddress = Annotated[str, Field(pattern=r"^https?://[^/]")]
Timestamp = Annotated[AwareDatetime, Field(strict=False)]

AnswerStatus = Literal["ok", "unchanged", "not_found", "unanswered"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub says of one repository.

    Attributes:
        name: The name by which it was asked for.
        status: Whether there are figures, the same ones as by the ETag that was sent, no such repository (any more,
            or for us), or no answer for it although GitHub was asked several times.
        repository: The figures, where there are new ones.
        etag: What to send with the next request for the same, where the interface has such.
        detail: What GitHub said, where it gave no figures.
    """

    name: RepositoryName
    status: AnswerStatus
    repository: Repository | None = None
    etag: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one call brought.

    Attributes:
        answers: What GitHub said of repositories.
        unanswered: Why there is nothing for the others; asking again may help.
        cost: What it cost of the hourly limit; 0 where GitHub does not say.
        too_large: Whether GitHub left some out because it was asked for too much at once.
    """

    answers: list[Answer]
    unanswered: dict[RepositoryName, str]
    cost: int
    too_large: bool = False
