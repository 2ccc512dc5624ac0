"""`GET /api/packages/<name>/recent`: how often a project was downloaded in the last day, week and month.

The interface is described at /api/ of a pypistats. It leaves known mirrors out and is brought up to date once a day.
"""

from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pyf_pipeline.catalog.model import Downloads
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.pypistats.errors import UnusableAnswerError

_Count = Annotated[int, Field(ge=0, lt=2**63)]


class _Data(BaseModel):
    model_config = ConfigDict(strict=True)

    last_day: _Count
    last_week: _Count
    last_month: _Count


class _Recent(BaseModel):
    model_config = ConfigDict(strict=True)

    package: str
    type: Literal["recent_downloads"]
    data: _Data


def endpoint(url: str, name: str) -> str:
    """The address of a project's figures."""
    return f"{url.rstrip('/')}/api/packages/{quote(name, safe='')}/recent"


def read(name: str, body: bytes, at: int) -> Downloads:
    """Read an answer.

    Args:
        name: The normalised name that was asked for.
        body: The answer's body.
        at: When it came, in epoch seconds.

    Raises:
        UnusableAnswerError: It is not what the interface describes, or is about another project.
    """
    try:
        answer = _Recent.model_validate_json(body)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise UnusableAnswerError(f"the answer is not usable: {where}: {first['msg'].partition(':')[0]}") from None
    if normalise(answer.package) != name:
        raise UnusableAnswerError("the answer is about another project")
    return Downloads(answer.data.last_day, answer.data.last_week, answer.data.last_month, at)
