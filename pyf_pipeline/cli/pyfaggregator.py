"""`pyfaggregator`: what PyPI says of a profile's packages, into the collection that people search."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyf_pipeline.cli.command import add_selection, build_parser, run_command
from pyf_pipeline.cli.sincefile import DEFAULT

if TYPE_CHECKING:
    from pyf_pipeline.cli.output import Output

DESCRIPTION = """\
Fetch the packages of a profile from PyPI and publish them to the collection that people search.
Figures from GitHub stay as they are; pyfgithub brings them up to date."""

EXAMPLES = """\
  pyfaggregator -f -p plone                                everything anew, into a new version of the collection
  pyfaggregator -i -p plone                                what changed since the last run
  pyfaggregator -i -p plone -s .since.plone                the same, with the time of the last run in a file
  pyfaggregator -f -p plone -t plone-test -l 50            50 packages into a collection of their own
  pyfaggregator -f -ft "Framework :: Zope" -t zope         by classifiers instead of a profile"""


def build() -> argparse.ArgumentParser:
    """The command's parser."""
    parser = build_parser("pyfaggregator", DESCRIPTION, EXAMPLES)
    actions = parser.add_argument_group("actions", "exactly one of them").add_mutually_exclusive_group(required=True)
    actions.add_argument("-f", "--first", action="store_true", help="fetch everything anew")
    actions.add_argument(
        "-i",
        "--incremental",
        action="store_true",
        help="fetch what changed; everything where there is nothing yet, going on where a run broke off",
    )
    add_selection(parser)
    parser.add_argument(
        "-ft",
        "--filter-troove",
        action="append",
        metavar="CLASSIFIER",
        help="packages with this classifier or one below it, instead of a profile; may be repeated, needs -t",
    )
    parts = parser.add_argument_group("a part of it, after which nothing is removed")
    parts.add_argument("-l", "--limit", type=_count, default=0, metavar="N", help="at most N packages")
    parts.add_argument("-fn", "--filter-name", default="", metavar="TEXT", help="packages with this in their name")
    parser.add_argument(
        "-s",
        "--sincefile",
        nargs="?",
        const=DEFAULT,
        type=Path,
        metavar="FILE",
        help="a file with the time of the last run, from which changes are looked at again; written when all went well "
        f"(default, where -s is given alone: {DEFAULT})",
    )
    parser.add_argument("--rebuild", action="store_true", help="build a new version of the collection in any case")
    parser.add_argument(
        "--allow-shrink", action="store_true", help="go on although over a fifth of the packages are gone"
    )
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of packages")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(build(), _act, arguments)


def _act(options: argparse.Namespace, output: "Output") -> int:
    from pyf_pipeline.cli.aggregating import aggregate  # noqa: PLC0415 - not needed for --help and wrong calls

    return aggregate(options, output)


if __name__ == "__main__":
    raise SystemExit(main())
