"""`pyfsearch`: the embedded index, served to any Typesense client, and a search page over a Typesense server."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyf_pipeline.cli.command import build_parser, run_command

if TYPE_CHECKING:
    from pyf_pipeline.cli.output import Output

DESCRIPTION = """\
serve: the embedded index, which is used where no Typesense server is set, over Typesense's protocol, and a search page.
page: the same search page over the Typesense server that is set."""

EXAMPLES = """\
  pyfsearch serve                                          on http://127.0.0.1:8108, until Ctrl-C
  TYPESENSE_API_KEY=... pyfsearch serve --port 9108        with an admin key of your own
  pyfsearch page                                           on http://127.0.0.1:8109, for the server that is set
  pyfsearch page --collection plone --collection books     for these collections alone"""


def build() -> argparse.ArgumentParser:
    """The command's parser."""
    parser = build_parser("pyfsearch", DESCRIPTION, EXAMPLES)
    actions = parser.add_subparsers(dest="action", required=True, metavar="serve|page")
    serve = actions.add_parser("serve", help="answer requests until Ctrl-C", allow_abbrev=False)
    page = actions.add_parser("page", help="show a search page until Ctrl-C", allow_abbrev=False)
    for action, port in ((serve, 8108), (page, 8109)):
        action.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
        action.add_argument("--port", type=int, default=port, help="the port to listen on (default: %(default)s)")
    page.add_argument(
        "--collection", metavar="NAME", action="append", default=[],
        help="offer this collection or alias, also one of another tool; can be given more than once (default: all that "
        "were published here)",
    )  # fmt: skip
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(build(), _act, arguments)


def _act(options: argparse.Namespace, output: "Output") -> int:
    if options.action == "page":
        from pyf_pipeline.cli.page import show  # noqa: PLC0415 - not needed for --help and wrong calls

        return show(options, output)
    from pyf_pipeline.cli.serving import serve  # noqa: PLC0415

    return serve(options, output)


if __name__ == "__main__":
    raise SystemExit(main())
