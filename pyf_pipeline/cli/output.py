"""What a command says, and where: results on standard output, everything else on standard error."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


class Output:
    """A command's two streams.

    On a terminal results are tables; elsewhere they are lines with tabs between the columns, without a single control
    character, so that they can be mailed and cut.

    Attributes:
        quiet: Whether only results and errors are wanted.
        as_json: Whether results are wanted as JSON.
        notes: Where progress and remarks go.
    """

    def __init__(self, *, quiet: bool = False, as_json: bool = False) -> None:
        self.quiet = quiet
        self.as_json = as_json
        self.notes = Console(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self._results = Console(highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something that a person may want to know, unless they want quiet."""
        self.notes.print(escape(printable(text)))

    def error(self, text: str) -> None:
        """Say in one line what went wrong."""
        self._errors.print(escape(printable(text)), style="red")

    def line(self, text: str) -> None:
        """A line of the result, as it stands."""
        # Not by way of rich, which turns tabs into blanks.
        self._results.file.write(printable(text) + "\n")

    def json(self, value: Any) -> None:
        """The result, for machines."""
        self._results.file.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """The result, a row for each thing."""
        texts = [[printable(str(cell)) for cell in row] for row in rows]
        if not self._results.is_terminal:
            for row in [list(header), *texts]:
                self.line("\t".join(row))
            return
        table = Table(*header, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in texts:
            table.add_row(*map(escape, row))
        self._results.print(table, soft_wrap=False)

    def records(self, rows: Sequence[Mapping[str, Any]], header: Sequence[str]) -> None:
        """The same things as a table or, where that is wanted, as JSON with all that there is to them."""
        if self.as_json:
            self.json([dict(row) for row in rows])
        else:
            self.table(header, [[_shown(row[column]) for column in header] for row in rows])


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None or value == "" else str(value)


def printable(text: str) -> str:
    """A text on one line without control characters, which could do anything to a terminal; tabs stay."""
    return "".join(c if c.isprintable() or c == "\t" else " " for c in text)
