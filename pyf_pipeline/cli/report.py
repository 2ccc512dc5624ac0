"""What a person is shown after runs: figures per profile, and searches with what they find."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pyf_pipeline.cli.materialise import Outcome
from pyf_pipeline.cli.server import search_server
from pyf_pipeline.search.query import search, search_parameters
from pyf_pipeline.settings import Settings

HITS = 3


def print_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """One row for each run: what it found, how long it took and what it cost; and why it failed, where it did."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("profile", "candidates", "packages", "enriched", "documents", "seconds", "requests"):
        table.add_column(header, justify="left" if header == "profile" else "right")
    for outcome in outcomes:
        raw, filtered, github, collection = (
            outcome.metadata.get(asset, {})
            for asset in ("raw_pypi_metadata", "filtered_packages", "github_enrichment", "typesense_collection")
        )
        figures = (
            raw.get("candidates"),
            filtered.get("packages"),
            github.get("enriched"),
            collection.get("documents"),
            f"{outcome.seconds:.1f}",
            raw.get("requests"),
        )
        table.add_row(outcome.profile, *("-" if figure is None else str(figure) for figure in figures))
    console.print(table)
    for outcome in outcomes:
        if outcome.problem:
            console.print(f"{outcome.profile} failed: {escape(outcome.problem)}", style="red")


def print_searches(console: Console, settings: Settings, searches: Mapping[str, Sequence[str]]) -> None:
    """Search collections for words, and show the best hits with what they are."""
    with search_server(settings) as server, server.explained():
        for collection, texts in searches.items():
            for text in texts:
                found = search(server.client, collection, search_parameters(text, per_page=HITS))
                console.print(f"[bold]{collection}[/]: {escape(text)} [dim]({found['found']} found)[/]")
                for hit in found["hits"]:
                    document = hit["document"]
                    stars = f" ★ {document['github_stars']}" if "github_stars" in document else ""
                    console.print(
                        f"    {escape(document['name'])} {escape(document['version'])}[dim]{stars}[/]  "
                        f"{escape(document['summary'])}",
                        overflow="ellipsis",
                        no_wrap=True,
                    )
