"""`pyfsearch`: the embedded index, served to any Typesense client."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyf_pipeline.cli.command import build_parser, run_command

if TYPE_CHECKING:
    from pyf_pipeline.cli.output import Output

DESCRIPTION = "Serve the embedded index, which is used where no Typesense server is set, over Typesense's protocol."

EXAMPLES = """\
  pyfsearch serve                                          on http://127.0.0.1:8108, until Ctrl-C
  TYPESENSE_API_KEY=... pyfsearch serve --port 9108        with an admin key of your own"""


def build() -> argparse.ArgumentParser:
    """The command's parser."""
    parser = build_parser("pyfsearch", DESCRIPTION, EXAMPLES)
    actions = parser.add_subparsers(dest="action", required=True, metavar="serve")
    serve = actions.add_parser("serve", help="answer requests until Ctrl-C", allow_abbrev=False)
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8108, help="the port to listen on (default: %(default)s)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(build(), _act, arguments)


def _act(options: argparse.Namespace, output: "Output") -> int:
    from pyf_pipeline.cli.serving import serve  # noqa: PLC0415 - not needed for --help and wrong calls

    return serve(options, output)


if __name__ == "__main__":
    raise SystemExit(main())
