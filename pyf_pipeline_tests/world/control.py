"""The control endpoint below `/_world/` on PyPI's port: the Python verbs for tests that run in other processes.

`POST /_world/<part>/<verb>` takes the verb's arguments as a JSON object; `GET /_world/log` and `GET /_world/truth/…`
tell.
"""

import inspect
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Any, Protocol

import orjson

from pyf_pipeline_tests.world.exchange import Answer, Request, segments
from pyf_pipeline_tests.world.faults import Fault, Faults
from pyf_pipeline_tests.world.github import GitHub
from pyf_pipeline_tests.world.log import RequestLog
from pyf_pipeline_tests.world.pypi import PyPI
from pyf_pipeline_tests.world.pypistats import PyPIStats

_PYPI_VERBS = (
    "create", "release", "reclassify", "remove", "remove_release", "yank", "unyank", "quarantine", "unquarantine",
    "xmlrpc_limit",
)  # fmt: skip
_GITHUB_VERBS = ("archive", "create", "rename", "set", "vanish")
_PYPISTATS_VERBS = ("forget", "limit", "set")


class Controlled(Protocol):
    """The world as the control endpoint sees it."""

    pypi: PyPI
    github: GitHub
    pypistats: PyPIStats
    faults: Faults
    log: RequestLog
    latency: float


class Control:
    """Runs verbs and tells the truth."""

    def __init__(self, world: Controlled) -> None:
        self._world = world
        self._verbs: dict[str, Callable[..., Any]] = {
            **{f"pypi/{verb}": getattr(world.pypi, verb) for verb in _PYPI_VERBS},
            **{f"github/{verb}": getattr(world.github, verb) for verb in _GITHUB_VERBS},
            **{f"pypistats/{verb}": getattr(world.pypistats, verb) for verb in _PYPISTATS_VERBS},
            "github/quota": self._quota,
            "github/settings": self._settings,
            "faults/add": lambda **fault: world.faults.add(Fault(**fault)),
            "faults/clear": world.faults.clear,
            "log/reset": world.log.reset,
            "latency": self._latency,
        }
        self._truths: dict[str, Callable[..., Any]] = {
            "log": self._log,
            "truth/serial": lambda: world.pypi.serial,
            "truth/names": world.pypi.names,
            "truth/members": lambda classifier: sorted(world.pypi.members(classifier)),
            "truth/ever_members": lambda classifier: sorted(world.pypi.ever_members(classifier)),
            "truth/project": self._project,
            "truth/repository": world.github.repository_of,
            "truth/github": world.github.truth,
            "truth/downloads": world.pypistats.truth,
        }

    def answer(self, request: Request) -> Answer:
        """The verb's result as `{"result": …, "serial": …}`; an unknown verb is a 404, a refused one a 400."""
        verb = "/".join(segments(request)[1:])
        known = self._verbs if request.method == "POST" else self._truths
        if verb not in known:
            return _json(404, {"error": f"no {request.method} {verb!r}; known are {', '.join(sorted(known))}"})
        try:
            arguments = orjson.loads(request.body or b"{}") if request.method == "POST" else request.params
            bound = inspect.signature(known[verb]).bind(**arguments)
            result = known[verb](*bound.args, **bound.kwargs)
        except (LookupError, TypeError, ValueError) as error:
            return _json(400, {"error": str(error)})
        return _json(200, {"result": result, "serial": self._world.pypi.serial})

    def _latency(self, seconds: float) -> None:
        self._world.latency = float(seconds)

    def _quota(self, points: int | None = None, core: int | None = None, anonymous: int | None = None) -> None:
        github = self._world.github
        for quota, remaining in ((github.points, points), (github.core, core), (github.anonymous, anonymous)):
            if remaining is not None:
                quota.refresh()
                quota.remaining = remaining

    def _settings(self, **settings: Any) -> None:
        for name, value in settings.items():
            if name not in ("token", "max_repositories", "anonymous_304_free", "rate_limit_type"):
                raise ValueError(f"no setting {name!r}")
            setattr(self._world.github, name, value)

    def _log(self, full: str = "") -> dict[str, Any]:
        summary = self._world.log.summary()
        return {**summary, "list": self._world.log.full()} if full else summary

    def _project(self, name: str) -> dict[str, Any]:
        pypi = self._world.pypi
        project = pypi.project(name)
        latest = pypi.latest(project)
        return {
            "name": project.name,
            "serial": project.serial,
            "latest": latest.version if latest else None,
            "classifiers": list(pypi.classifiers_of(project)),
            "versions": [release.version for release in pypi.releases(project)],
            "quarantined": project.quarantined,
        }


def _json(status: int, value: dict[str, Any]) -> Answer:
    return Answer(status, orjson.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
