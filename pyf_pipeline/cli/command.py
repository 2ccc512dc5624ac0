"""What all commands have in common: options, exit codes, and errors that are one line and say what to do.

Nothing heavy is imported here, so that `--help` and mistakes in a call are answered at once.
"""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyf_pipeline.cli.output import Output

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

Action = Callable[[argparse.Namespace, "Output"], int]


class CommandError(RuntimeError):
    """A command cannot do what it was asked to; the text says why and what to do."""


class UsageError(CommandError):
    """A command was called in a way that means nothing."""


def build_parser(prog: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser with the options that every command has."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    common = parser.add_argument_group("common options")
    common.add_argument("--json", action="store_true", help="results as JSON on standard output")
    common.add_argument("-q", "--quiet", action="store_true", help="say nothing but results and errors")
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def add_selection(parser: argparse.ArgumentParser) -> None:
    """The options that name a profile."""
    group = parser.add_argument_group("which profile")
    group.add_argument("-p", "--profile", metavar="NAME", help="the profile, such as plone; else DEFAULT_PROFILE")
    group.add_argument("-t", "--target", metavar="NAME", help="the collection, by the name that people search by")


def run_command(parser: argparse.ArgumentParser, action: Action, arguments: Sequence[str] | None) -> int:
    """Parse the arguments and act; returns the exit code.

    0 where all is well, 1 where something failed, 2 for a wrong call, 130 on Ctrl-C.
    """
    try:
        options = parser.parse_args(arguments)
    except SystemExit as ending:
        return int(ending.code or OK)
    from pyf_pipeline.cli.output import Output  # noqa: PLC0415 - not needed for --help and wrong calls

    output = Output(quiet=options.quiet, as_json=options.json)
    if not options.debug:
        # What fails in the end is told in one line; that it was tried more than once is for who looks closer.
        logging.getLogger("pyf_pipeline.search.transport").addHandler(logging.NullHandler())
    try:
        code = action(options, output)
        sys.stdout.flush()
    except KeyboardInterrupt:
        output.error("stopped; what was done is kept, and the same command goes on from there")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the result has seen enough; the interpreter must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 - this is where every error ends, and is told
        return _told(error, parser, output, debug=options.debug)
    return code


def _told(error: Exception, parser: argparse.ArgumentParser, output: "Output", *, debug: bool) -> int:
    if _is_interruption(error):
        output.error("stopped; what was done is kept, and the same command goes on from there")
        return INTERRUPTED
    if debug:
        traceback.print_exception(error)
    output.error(f"{parser.prog}: {explain(error)}")
    return USAGE if isinstance(error, UsageError) else FAILED


def explain(error: Exception) -> str:
    """An error in one line: what it says of itself where it is one of ours, and else its kind as well."""
    text = " ".join(str(error).split())
    if type(error).__module__.startswith("pyf_pipeline"):
        return text
    return f"{type(error).__name__}: {text or 'no more is known'} (--debug shows where)"


def _is_interruption(error: BaseException) -> bool:
    """Whether Dagster has made an exception of its own of Ctrl-C."""
    return type(error).__name__ == "DagsterExecutionInterruptedError"


def confirm(question: str, output: "Output", *, force: bool) -> None:
    """Ask before something is lost, unless told not to.

    Raises:
        CommandError: The answer was no, or there is nobody to ask.
    """
    if force:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{question} There is no terminal to answer on: -f does it without asking")
    output.notes.quiet = False
    output.notes.print(f"{question} [y/N] ", end="", markup=False)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CommandError("nothing was changed")
