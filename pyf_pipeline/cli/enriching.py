"""What `pyfgithub` does."""

import argparse
import json
import os
import shlex
import tempfile
from pathlib import Path
from typing import Any

from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.cli.command import FAILED, OK, CommandError
from pyf_pipeline.cli.output import Output
from pyf_pipeline.cli.selection import existing_profile
from pyf_pipeline.cli.stored import open_outputs
from pyf_pipeline.profiles import Profile
from pyf_pipeline.settings import Settings, load_settings

FIGURES = ("package", "repository", "stars", "watchers", "open_issues", "reason", "links_seen")


def enrich(options: argparse.Namespace, output: Output) -> int:
    """Ask GitHub for the profile that the options mean, and publish; returns the exit code."""
    settings = load_settings()
    profile = existing_profile(options, settings)
    _check_packages(settings, profile, options.name)
    if options.report_dir:
        _check_folder(options.report_dir)
    from pyf_pipeline.cli.server import check_server  # noqa: PLC0415 - not needed for wrong calls

    check_server(settings)
    with tempfile.TemporaryDirectory() as folder:
        reports = options.report_dir or Path(folder)
        well = _run(options, output, settings, profile, reports)
        if well and options.verbose:
            _show(output, settings, profile, reports, options.name)
    if well and options.report_dir:
        output.note(f"{profile.key}: packages without figures are in {options.report_dir}/github-{profile.key}.md")
    return OK if well else FAILED


def _check_packages(settings: Settings, profile: Profile, name: str | None) -> None:
    """Whether the profile was fetched, and has the package.

    Raises:
        CommandError: It was not, or has not.
    """
    outputs = open_outputs(settings)
    if not outputs.exists("filtered_packages", profile.key):
        raise CommandError(f"nothing was fetched for {profile.key} yet: run `pyfaggregator -f -t {profile.collection}`")
    projects = set(outputs.rows("filtered_packages", profile.key).table(["project"])["project"].to_pylist())
    if name is not None and normalise(name) not in projects:
        raise CommandError(f"{name} is not among the {len(projects)} packages of {profile.key}")


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder}: no report can be written there: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise CommandError(f"{folder}: no report can be written there: give another folder with --report-dir")


def _run(options: argparse.Namespace, output: Output, settings: Settings, profile: Profile, reports: Path) -> bool:
    from pyf_pipeline.cli.instance import open_instance  # noqa: PLC0415 - Dagster takes its time to import
    from pyf_pipeline.cli.materialise import execute  # noqa: PLC0415
    from pyf_pipeline.cli.summary import report_outcome  # noqa: PLC0415
    from pyf_pipeline.defs.config import EnrichConfig, PublishConfig  # noqa: PLC0415

    enrichment = EnrichConfig(
        refresh=options.refresh or options.name is not None,
        projects=[options.name] if options.name else [],
        wait_for_limit=options.wait,
        report_dir=str(reports.absolute()),
    )
    ops = {"github_enrichment": enrichment, "typesense_collection": PublishConfig()}
    with open_instance(settings) as instance:
        outcome = execute("github_refresh", profile.key, instance, output.notes, ops=ops, command=_typed(options))
    return report_outcome(output, profile, outcome)


def _typed(options: argparse.Namespace) -> str:
    """The command as it might have been typed, for the run's tags."""
    given = (("-p", options.profile), ("-t", options.target), ("-n", options.name))
    words = ["pyfgithub", *(word for flag, value in given if value for word in (flag, value))]
    return shlex.join([*words, *(["--refresh"] if options.refresh else [])])


def _show(output: Output, settings: Settings, profile: Profile, reports: Path, name: str | None) -> None:
    """What was seen of each package, or of the one that is named: its figures, or why it has none."""
    rows = sorted([*_with_figures(settings, profile), *_without(reports, profile)], key=lambda row: str(row["package"]))
    if name is not None:
        rows = [row for row in rows if row["package"] == normalise(name)]
    if output.as_json:
        for row in rows:
            output.note(json.dumps(row))
    else:
        output.table(
            FIGURES, [["-" if row.get(column) in {None, ""} else row[column] for column in FIGURES] for row in rows]
        )


def _with_figures(settings: Settings, profile: Profile) -> list[dict[str, Any]]:
    stored = open_outputs(settings).rows("github_enrichment", profile.key).table().to_pylist()
    return [
        {"package": row["project"], "repository": row["full_name"], **{name: row[name] for name in FIGURES[2:5]}}
        for row in stored
    ]


def _without(reports: Path, profile: Profile) -> list[dict[str, Any]]:
    found = json.loads((reports / f"github-{profile.key}.json").read_bytes())
    return [
        {
            "package": problem["package"],
            "reason": f"{reason} {problem['detail']}".strip(),
            "links_seen": ", ".join(problem["links_seen"]),
        }
        for reason, problems in found.items()
        for problem in problems
        if not problem["figures_kept_from"]
    ]
