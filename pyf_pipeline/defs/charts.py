"""Pictures for the metadata of materialisations: bars, in one image that stands in the Markdown itself."""

import base64
import io
import os
from collections.abc import Mapping, Sequence

import dagster as dg

from pyf_pipeline.settings import load_settings

WIDTH, HEIGHT = 10.0, 6.2
COLUMNS = 2
DOTS_PER_INCH = 72
COLOUR = "#4f43dd"
# More names than this do not fit below their bars.
NAMES_SHOWN = 14


def bar_charts(charts: Mapping[str, Sequence[tuple[str, int]]], alt: str) -> dg.MarkdownMetadataValue:
    """Bar charts side by side, by their titles.

    Args:
        charts: For each title the bars, as (name, number), in their order.
        alt: What the picture shows, for those who do not see it.
    """
    # Its cache of fonts is state like any other, and belongs where that is kept.
    os.environ.setdefault("MPLCONFIGDIR", str(load_settings().pyf_home / "matplotlib"))
    # It takes half a second to import, which no other asset needs.
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    rows = -(-len(charts) // COLUMNS)
    figure = Figure(figsize=(WIDTH, HEIGHT * rows / 2), dpi=DOTS_PER_INCH, layout="constrained")
    for axes, (title, bars) in zip(figure.subplots(rows, COLUMNS, squeeze=False).flat, charts.items(), strict=False):
        axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
        axes.spines[["top", "right"]].set_visible(False)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelsize=8)
        if not any(number for _, number in bars):
            axes.text(0.5, 0.5, "nothing to show", ha="center", va="center", transform=axes.transAxes)
            axes.set(xticks=[], yticks=[])
            continue
        positions = range(len(bars))
        axes.bar(positions, [number for _, number in bars], color=COLOUR)
        step = -(-len(bars) // NAMES_SHOWN)
        shown = list(positions)[::-step][::-1]
        axes.set_xticks(shown, [bars[at][0] for at in shown], rotation=40, ha="right", rotation_mode="anchor")
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{_encoded(figure)})")


def _encoded(figure: object) -> str:
    image = io.BytesIO()
    figure.savefig(image, format="png", metadata={"Software": None})  # type: ignore[attr-defined]
    return base64.b64encode(image.getvalue()).decode("ascii")
