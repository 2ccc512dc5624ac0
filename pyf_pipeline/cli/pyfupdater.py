"""`pyfupdater`: the collections on the search server, with their aliases and keys."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyf_pipeline.cli.command import add_selection, build_parser, run_command

if TYPE_CHECKING:
    from pyf_pipeline.cli.output import Output

DESCRIPTION = "Look at and manage the collections on the search server, with their aliases and search-only keys."

EXAMPLES = """\
  pyfupdater -ls                                           all collections, with documents, aliases and dates
  pyfupdater -lsn                                          the names that people search by
  pyfupdater --migrate -s django -t django-v1              a copy of a collection, such as a snapshot
  pyfupdater --add-alias -s django-current -t django       another name for what django leads to, now and later
  pyfupdater --add-search-only-apikey -p django            a key for a search page
  pyfupdater --delete-collection plone-test -f             a collection with all its versions, without asking
  pyfupdater --rollback -p plone                           back to the version that was served before"""


def build() -> argparse.ArgumentParser:
    """The command's parser."""
    parser = build_parser("pyfupdater", DESCRIPTION, EXAMPLES)
    actions = parser.add_argument_group("actions", "exactly one of them").add_mutually_exclusive_group(required=True)

    def action(*flags: str, name: str, text: str, metavar: str | None = None) -> None:
        if metavar is None:
            actions.add_argument(*flags, dest=name, action="store_true", help=text)
        else:
            actions.add_argument(*flags, dest=name, metavar=metavar, help=text)

    action("-ls", "--list-collections", name="collections", text="list the collections in detail")
    action("-lsn", "--list-collection-names", name="names", text="list the names that people search by, one a line")
    action("-lsa", "--list-aliases", name="aliases", text="list the aliases")
    action("-lssoa", "--list-search-only-apikeys", name="keys", text="list the search-only keys, without their values")
    action("--migrate", name="migrate", text="copy the collection -s into a new one, -t")
    action("--add-alias", name="add_alias", text="have the alias -s lead to the collection -t, wherever it led before")
    action("--delete-alias", name="delete_alias", text="remove an alias; the collection stays", metavar="ALIAS")
    action("--add-search-only-apikey", name="add_key", text="make a key that can only search, for -p or -t")
    action("--delete-apikey", name="delete_key", text="remove a key, by its number", metavar="ID")
    action("--delete-collection", name="delete", text="remove a collection with all its versions", metavar="NAME")
    action("--recreate-collection", name="recreate", text="build the collection of -p or -t anew from what is stored")
    action("--rollback", name="rollback", text="lead searches for -p or -t to the version that was served before")
    add_selection(parser)
    parser.add_argument("-s", "--source", metavar="NAME", help="the collection to copy, or the alias to add")
    parser.add_argument("-key", "--key", metavar="VALUE", help="a value of your own for the new key")
    parser.add_argument("-f", "--force", action="store_true", help="do not ask before something is removed")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(build(), _act, arguments)


def _act(options: argparse.Namespace, output: "Output") -> int:
    from pyf_pipeline.cli.managing import manage  # noqa: PLC0415 - not needed for --help and wrong calls

    return manage(options, output)


if __name__ == "__main__":
    raise SystemExit(main())
