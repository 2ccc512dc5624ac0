"""The problem report: which packages have no figures of today, by reason, and what their links were."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from pyf_pipeline.github.enrichment import PackageOutcome, Status

_HEADINGS: dict[Status, str] = {
    "not_found": "The repository is gone",
    "not_a_repository": "No link to GitHub names a repository",
    "no_link": "No link leads to GitHub",
    "pending": "GitHub is yet to be asked",
}


def problems(outcomes: Iterable[PackageOutcome]) -> dict[Status, list[dict[str, Any]]]:
    """The packages that are not enriched, by reason; every reason is there, if only with an empty list."""
    found: dict[Status, list[dict[str, Any]]] = {reason: [] for reason in _HEADINGS}
    for outcome in outcomes:
        if outcome.status in found:
            found[outcome.status].append(_problem(outcome))
    return found


def as_json(outcomes: Iterable[PackageOutcome]) -> bytes:
    """The report as JSON."""
    return orjson.dumps(problems(outcomes), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_markdown(outcomes: Iterable[PackageOutcome], at_most: int | None = None) -> str:
    """The report as Markdown.

    Args:
        outcomes: What became of the packages.
        at_most: How many packages to name for each reason; by default all.
    """
    blocks = []
    for reason, rows in problems(outcomes).items():
        if rows:
            blocks.append("\n".join(_section(reason, rows, at_most)))
    return "\n\n".join(blocks) + "\n" if blocks else "No problems.\n"


def write_report(folder: Path, name: str, outcomes: Sequence[PackageOutcome]) -> None:
    """Write the report to `github-NAME.json` and `github-NAME.md` in a folder, which is made if need be.

    Raises:
        OSError: It cannot be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"github-{name}.json").write_bytes(as_json(outcomes))
    (folder / f"github-{name}.md").write_text(as_markdown(outcomes), encoding="utf-8")


def _problem(outcome: PackageOutcome) -> dict[str, Any]:
    kept = outcome.repository
    return {
        "package": outcome.project,
        "asked_for": list(outcome.asked_for),
        "links_seen": list(outcome.links_seen),
        "detail": outcome.detail,
        "figures_kept_from": kept.fetched_at if kept else None,
    }


def _section(reason: Status, rows: list[dict[str, Any]], at_most: int | None) -> list[str]:
    lines = [f"### {_HEADINGS[reason]} ({reason}): {len(rows)}", ""]
    lines += [_line(row) for row in rows[:at_most]]
    if at_most is not None and len(rows) > at_most:
        lines.append(f"- and {len(rows) - at_most} more")
    return lines


def _line(row: dict[str, Any]) -> str:
    parts = [f"**{row['package']}**"]
    if row["asked_for"]:
        parts.append("asked for " + ", ".join(map(_code, row["asked_for"])))
    if row["detail"]:
        parts.append(_code(row["detail"]))
    parts.append("links: " + (", ".join(map(_code, row["links_seen"])) or "none"))
    return "- " + "; ".join(parts)


def _code(text: str) -> str:
    """A text of strangers as inline code, where it can neither be markup nor end the line."""
    return f"`{' '.join(text.replace('`', chr(39)).split()) or ' '}`"
