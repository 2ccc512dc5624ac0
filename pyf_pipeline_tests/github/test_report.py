"""The problem report: every package without figures of today, by reason, and nothing a link could spoil."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.enrichment import PackageOutcome
from pyf_pipeline.github.report import as_json, as_markdown, problems

KEPT = Repository("o/r", "https://github.com/o/r", 1, 2, 3, 4, False, 1_780_000_000)
OUTCOMES = [
    PackageOutcome("fine", "enriched", KEPT, ("o/r",), ("https://github.com/o/r",)),
    PackageOutcome("gone", "not_found", KEPT, ("o/r", "o/s"), ("https://github.com/o/r",)),
    PackageOutcome("alone", "no_link", None, (), ()),
    PackageOutcome("later", "pending", None, ("o/t",), ("https://github.com/o/t",), "GitHub's limit is used up"),
]


def test_json_has_every_reason_and_every_package_without_figures() -> None:
    report = json.loads(as_json(OUTCOMES))
    assert {reason: [row["package"] for row in rows] for reason, rows in report.items()} == {
        "not_found": ["gone"],
        "not_a_repository": [],
        "no_link": ["alone"],
        "pending": ["later"],
    }
    assert report["not_found"][0] == {
        "package": "gone",
        "asked_for": ["o/r", "o/s"],
        "links_seen": ["https://github.com/o/r"],
        "detail": "",
        "figures_kept_from": 1_780_000_000,
    }
    assert report == problems(OUTCOMES)


def test_markdown_says_the_same_to_people() -> None:
    text = as_markdown(OUTCOMES)
    assert "### The repository is gone (not_found): 1" in text
    assert "- **gone**; asked for `o/r`, `o/s`; links: `https://github.com/o/r`" in text
    assert "- **alone**; links: none" in text
    assert "not_a_repository" not in text
    assert as_markdown(OUTCOMES[:1]) == "No problems.\n"


def test_long_reports_are_cut_and_say_so() -> None:
    many = [PackageOutcome(f"p{n}", "no_link", None, (), ()) for n in range(30)]
    lines = as_markdown(many, at_most=10).splitlines()
    assert lines[0].endswith(": 30")
    assert lines[-1] == "- and 20 more"
    assert len(lines) == 13


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_link_leaves_its_line_or_its_quotes(link: str) -> None:
    (line,) = as_markdown([PackageOutcome("p", "no_link", None, (), (link,))]).splitlines()[2:]
    assert line.startswith("- **p**; links: `")
    assert line.count("`") == 2
    assert line.endswith("`")
