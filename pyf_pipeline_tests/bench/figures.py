"""What was measured, beside what was measured the last time."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

KEPT = Path(".pyf") / "bench"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured.

    Attributes:
        what: In words; the same each time.
        value: How much.
        unit: Of what.
        at_most: What it should not exceed; None where there is no such bound.
    """

    what: str
    value: float
    unit: str
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it stays within its bound."""
        return self.at_most is None or self.value <= self.at_most


def last(name: str) -> dict[str, float]:
    """The figures of the last run of a benchmark by what they are."""
    path = KEPT / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def keep(name: str, figures: Iterable[Figure]) -> None:
    """Keep the figures of a benchmark in place of the last ones."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps({f"{f.what} ({f.unit})": f.value for f in figures}, indent=1))


def table(name: str, figures: Iterable[Figure], before: dict[str, float]) -> Table:
    """The figures with the last ones and the bounds beside them."""
    shown = Table(title=name, title_justify="left")
    for header in ("", "now", "last time", "at most", "unit"):
        shown.add_column(header, justify="left" if header in ("", "unit") else "right")
    for figure in figures:
        earlier = before.get(f"{figure.what} ({figure.unit})")
        shown.add_row(
            figure.what,
            f"{figure.value:,.4g}",
            "-" if earlier is None else f"{earlier:,.4g}",
            "" if figure.at_most is None else f"{figure.at_most:,g}",
            figure.unit,
            style=None if figure.holds else "red",
        )
    return shown
