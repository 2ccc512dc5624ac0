"""pypistats over HTTP: `GET /api/packages/<name>/recent` and the limit on calls."""

import time
from dataclasses import asdict

import orjson

from pyf_pipeline_tests.world.exchange import Answer, Request, segments
from pyf_pipeline_tests.world.faults import Fault
from pyf_pipeline_tests.world.names import normalise
from pyf_pipeline_tests.world.pypistats import FixedWindow, PyPIStats

_HTML = "text/html; charset=utf-8"


class PyPIStatsHandler:
    """Answers as pypistats does."""

    def __init__(self, pypistats: PyPIStats) -> None:
        self._pypistats = pypistats

    def classify(self, request: Request) -> tuple[str, str]:
        """See `exchange.Handler`."""
        match segments(request):
            case ["api", "packages", name, "recent"]:
                return "downloads", normalise(name)
        return "other", ""

    def answer(self, request: Request, route: str, name: str, fault: Fault | None) -> Answer:
        """See `exchange.Handler`."""
        allowed, window = self._pypistats.hit(request.client[0])
        if allowed:
            answer = self._recent(request, name) if route == "downloads" else _missing()
        else:
            answer = Answer(429, b'<a href="/api/#etiquette">429 RATE LIMIT EXCEEDED</a>', _HTML)
        answer.headers = _told(window)
        return answer

    def _recent(self, request: Request, name: str) -> Answer:
        counts = self._pypistats.truth(name)
        period = request.params.get("period")
        if counts is None or period not in (None, "day", "week", "month"):
            return _missing()
        data = {key: value for key, value in asdict(counts).items() if period in (None, key.removeprefix("last_"))}
        body = {"data": data, "package": name, "type": "recent_downloads"}
        return Answer(200, orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))


def _missing() -> Answer:
    return Answer(404, b"404", _HTML)


def _told(window: FixedWindow | None) -> tuple[tuple[str, str], ...]:
    """The header fields of every answer: `Retry-After`, too, tells of the window, be the call refused or not."""
    if window is None:
        return ()
    return (
        ("X-RateLimit-Limit", str(window.amount)),
        ("X-RateLimit-Remaining", str(window.remaining)),
        ("X-RateLimit-Reset", str(int(window.reset_at) + 1)),
        ("Retry-After", str(max(0, int(window.reset_at + 1 - time.time())))),
    )
