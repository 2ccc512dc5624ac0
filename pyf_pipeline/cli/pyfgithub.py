"""`pyfgithub`: what GitHub says of a profile's repositories, into the collection that people search."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyf_pipeline.cli.command import add_selection, build_parser, run_command

if TYPE_CHECKING:
    from pyf_pipeline.cli.output import Output

DESCRIPTION = """\
Ask GitHub for the stars, watchers and open issues of a profile's repositories and publish them.
Figures that are recent enough (GITHUB_CACHE_HOURS) are not asked for again."""

EXAMPLES = """\
  pyfgithub -p plone                                       all packages of a profile whose figures are due
  pyfgithub -t plone-test                                  the same, by the name of the collection
  pyfgithub -p plone -n plone.api -v                       one package, with what was seen of it
  pyfgithub -p plone --refresh --report-dir reports        ask for all of them, and report those without figures
  GITHUB_COOLOFFTIME=0.75 pyfgithub -p plone               with a pause between two calls"""


def build() -> argparse.ArgumentParser:
    """The command's parser."""
    parser = build_parser("pyfgithub", DESCRIPTION, EXAMPLES)
    add_selection(parser)
    parser.add_argument("-n", "--name", metavar="PACKAGE", help="one package only, however recent its figures are")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what was seen of each package")
    parser.add_argument(
        "--refresh", action="store_true", help="ask for every repository, however recent its figures are"
    )
    parser.add_argument(
        "--wait", action="store_true", help="where GitHub's hourly limit is used up, wait until it resets and go on"
    )
    parser.add_argument(
        "--report-dir", type=Path, metavar="DIR", help="write the packages without figures there, as JSON and Markdown"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(build(), _act, arguments)


def _act(options: argparse.Namespace, output: "Output") -> int:
    from pyf_pipeline.cli.enriching import enrich  # noqa: PLC0415 - not needed for --help and wrong calls

    return enrich(options, output)


if __name__ == "__main__":
    raise SystemExit(main())
