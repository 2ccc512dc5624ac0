"""What a command says at the end of a run: a few figures, what was not as it should be, and why it failed."""

from typing import Any

from pyf_pipeline.cli.materialise import Outcome
from pyf_pipeline.cli.output import Output
from pyf_pipeline.profiles import Profile

# What is said of each asset, in this order: the words for it, and the label of its metadata.
FIGURES = {
    "raw_pypi_metadata": (
        ("projects looked at", "looked_at"),
        ("downloaded", "downloaded"),
        ("unchanged", "reused"),
        ("removed", "removed"),
        ("failed", "failed"),
    ),
    "filtered_packages": (("packages", "packages"), ("kept out", "rejected")),
    "github_enrichment": (
        ("with figures", "enriched"),
        ("asked", "asked"),
        ("cached", "cached"),
        ("not found", "not_found"),
        ("pending", "pending"),
        ("calls", "calls"),
        ("remaining", "remaining"),
    ),
    "typesense_collection": (
        ("documents", "documents"),
        ("added", "added"),
        ("changed", "changed"),
        ("removed", "removed"),
        ("refused", "refused"),
    ),
}
TITLES = {
    "raw_pypi_metadata": "PyPI",
    "filtered_packages": "packages",
    "github_enrichment": "GitHub",
    "typesense_collection": "collection",
}


def report_outcome(output: Output, profile: Profile, outcome: Outcome) -> bool:
    """Say what became of a run; returns whether all is well."""
    for warning in outcome.warnings:
        output.note(f"{profile.key}: {warning}")
    if output.as_json:
        output.json(_for_machines(profile, outcome))
    elif not output.quiet:
        for line in _lines(profile, outcome):
            output.line(line)
    if outcome.problem:
        hint = " (here: --allow-shrink)" if "shrink" in outcome.problem else ""
        output.error(f"{profile.key}: {outcome.problem}{hint}")
    return not outcome.problem


def _lines(profile: Profile, outcome: Outcome) -> list[str]:
    lines = []
    for asset, figures in FIGURES.items():
        if asset in outcome.metadata:
            values = outcome.metadata[asset]
            shown = ", ".join(f"{word} {values.get(label, '-')}" for word, label in figures)
            lines.append(f"{profile.key}: {TITLES[asset]}: {shown}")
    served = outcome.metadata.get("typesense_collection", {}).get("collection")
    where = f", searched as {profile.collection} ({served})" if served else ""
    state = "failed" if outcome.problem else "done"
    lines.append(f"{profile.key}: {state} in {outcome.seconds:.1f} s{where}")
    return lines


def _for_machines(profile: Profile, outcome: Outcome) -> dict[str, Any]:
    return {
        "profile": profile.key,
        "collection": profile.collection,
        "success": not outcome.problem,
        "problem": outcome.problem,
        "warnings": outcome.warnings,
        "run_id": outcome.run_id,
        "seconds": round(outcome.seconds, 2),
        "assets": outcome.metadata,
    }
