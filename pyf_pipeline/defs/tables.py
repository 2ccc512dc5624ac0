"""Small Markdown tables for the metadata of materialisations."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

ROWS_SHOWN = 50


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """A table, cut off with a note where it gets long."""
    lines = [_line(header), _line(["---"] * len(header))]
    every = list(rows)
    lines += [_line(row) for row in every[:ROWS_SHOWN]]
    if not every:
        return dg.MetadataValue.md("none")
    if len(every) > ROWS_SHOWN:
        lines.append(f"\n… and {len(every) - ROWS_SHOWN} more")
    return dg.MetadataValue.md("\n".join(lines))


def reasons_table(problems: Mapping[str, str], what: str) -> dg.MarkdownMetadataValue:
    """What went wrong, one row for each thing that it went wrong with."""
    return markdown_table([what, "reason"], sorted(problems.items()))


def _line(cells: Sequence[object]) -> str:
    texts = (" ".join(str(cell).split()).replace("|", "\\|")[:160] for cell in cells)
    return "| " + " | ".join(texts) + " |"
