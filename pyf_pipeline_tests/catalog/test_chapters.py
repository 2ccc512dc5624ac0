import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.catalog.chapters import Chapters, split
from pyf_pipeline.catalog.readme import render
from pyf_pipeline_tests.catalog.hostile import FRAGMENTS, Inspection

MARKDOWN = """
[![build](https://ci.example/badge.svg)](https://ci.example) <img src="https://x.example/logo.png" alt="Logo">

Before the title.

# Maps *for* Plone

Better maps, see the [documentation](https://docs.example/maps) or https://maps.example/.

## Installation

    pip install maps
    maps --init

## Usage

Call `show(<map>)`.

## Changelog

### 2.0

- Faster

### 1.0

- First

## Credits

Many people.
"""


def test_the_parts_of_a_readme() -> None:
    found = split(render(MARKDOWN, "text/markdown").html, "Maps & more <3")
    assert found.title == "Maps for Plone"
    assert found.first_chapter == (
        "Maps & more 3\nBefore the title.\nMaps for Plone\nBetter maps, see the documentation or ."
    )
    assert found.main_content == (
        "Installation\npip install maps\nmaps --init\nUsage\nCall show( map ).\nCredits\nMany people."
    )
    assert found.changelog == "Changelog\n2.0\nFaster\n1.0\nFirst"


def test_the_parts_of_restructured_text() -> None:
    source = "Maps\n====\n\nIntro.\n\nChanges\n=======\n\n1.0\n---\n\n- First\n\nLicence\n=======\n\nGPL\n"
    found = split(render(source, "").html, "")
    assert found == Chapters("Maps", "Maps\nIntro.", "Licence\nGPL", "Changes\n1.0\nFirst")


@pytest.mark.parametrize(
    "heading",
    [
        "Changelog", "CHANGELOG", "Change log", "Change-log", "Changes", "Changes:", "History", "Release notes",
        "Release Notes:", "What's new", "What\N{RIGHT SINGLE QUOTATION MARK}s New", "What's new in 2.0?", "Versions",
        "News", "3. Changelog", "7 Changes", "\N{SCROLL} Changelog", "<em>Changelog</em>", "Changelog \N{PILCROW SIGN}",
        "Release history", "Version history", "<a href='#x'>Changelog</a>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("level", [2, 3, 6])
def test_headings_of_changelogs(heading: str, level: int) -> None:
    html = f"<h2>T</h2><p>intro</p><h{level}>{heading}</h{level}><p>what changed</p>"
    found = split(html, "")
    assert "what changed" in found.changelog
    assert found.first_chapter == "T\nintro"


@pytest.mark.parametrize(
    "heading", ["Changing things", "Newsletter", "History of maps", "Version", "Changelog generator", "Unchanged", ""]
)
def test_headings_that_only_look_like_it(heading: str) -> None:
    assert split(f"<h2>T</h2><h2>{heading}</h2><p>x</p>", "").changelog == ""


@pytest.mark.parametrize(
    "heading",
    [
        "1.0", "1.0 (2024-05-01)", "1.0a1 (unreleased)", "v2.3.1", "v2", "V 2.0", "Version 1.2", "Release 7",
        "version: 3", "[1.0.0] - 2024-05-01", "1.0.0 - First release", "1.0: faster", "2024-05-01", "2024.5",
        "Unreleased", "[Unreleased]", "3 (2024-05-01)", "1.2.x", "1.0.0rc1", "2.0+local", "7", "<code>1.0</code>",
    ],
)  # fmt: skip
def test_versions_of_the_same_level_stay_in_the_changelog(heading: str) -> None:
    html = f"<h2>T</h2>x<h3>Changes</h3>a<h3>{heading}</h3>b<h3>{heading}</h3>c<h3>Credits</h3>d"
    found = split(html, "")
    assert found.main_content == "Credits\nd"
    assert found.changelog.split("\n")[-1] == "c"


@pytest.mark.parametrize(
    "heading",
    [
        "3. Credits",
        "4 Usage",
        "Credits",
        "Versioning",
        "Releasing",
        "Python 3.12",
        "Vision 2030",
        "Developers",
        "Next steps",
    ],
)
def test_other_headings_of_the_same_level_end_the_changelog(heading: str) -> None:
    found = split(f"<h2>T</h2>x<h3>Changes</h3>a<h3>1.0</h3>b<h3>{heading}</h3>c", "")
    assert found.changelog == "Changes\na\n1.0\nb"
    assert found.main_content == f"{heading}\nc"


def test_a_version_of_a_higher_level_ends_the_changelog() -> None:
    assert split("<h2>T</h2><h3>Changes</h3>a<h2>1.0</h2>b", "") == Chapters("T", "T", "1.0\nb", "Changes\na")


def test_versions_outside_a_changelog_are_content() -> None:
    assert split("<h2>T</h2><h3>1.0</h3>a", "").main_content == "1.0\na"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", Chapters("", "", "", "")),
        ("<p>no heading</p>", Chapters("", "no heading", "", "")),
        ("<h2>A</h2><p>x</p>", Chapters("A", "A\nx", "", "")),
        ("<h2>A</h2><h2>B</h2>", Chapters("A", "A", "B", "")),
        ("<h3>A</h3>x<h2>History</h2>y<h3>1.0</h3>z<h2>B</h2>w", Chapters("A", "A\nx", "B\nw", "History\ny\n1.0\nz")),
        ("<h2>A</h2><h4>News</h4>n<h3>B</h3>m", Chapters("A", "A", "B\nm", "News\nn")),
        ("<h2>A</h2><h2>News</h2>n<h2>Changes</h2>c<h3>1</h3><h2>B</h2>",
         Chapters("A", "A", "B", "News\nn\nChanges\nc\n1")),
        ("<h2>Changelog</h2>x<h2>B</h2>", Chapters("Changelog", "", "B", "Changelog\nx")),
        ("<div><div><h2>A</h2></div><p>x<h3>B</h3></div>y", Chapters("A", "A\nx", "B\ny", "")),
        ("<h2>two<br>lines</h2>", Chapters("two lines", "two\nlines", "", "")),
        ("<p>a  b\n c</p><pre>d  e\n\n  f</pre>", Chapters("", "a b c\nd e\nf", "", "")),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", Chapters("", "a b\nc", "", "")),
        ("<p>x<b>y</b>z &amp; &lt;w&gt;</p>", Chapters("", "xyz & w", "", "")),
        ("<script>bad()</script><p>good", Chapters("", "good", "", "")),
        ("<a href='x'> https://x.example/a?b </a><a href='y'>kept</a>", Chapters("", "kept", "", "")),
    ],
)  # fmt: skip
def test_odd_structures(html: str, expected: Chapters) -> None:
    assert split(html, "") == expected


def test_the_summary_stands_in_front() -> None:
    assert split("<h2>A</h2><h2>B</h2>", " sum\nmary ").first_chapter == "sum mary\nA"
    assert split("", "summary").first_chapter == "summary"
    assert split("", "<script>alert(1)</script>").first_chapter == "script alert(1) /script"


WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "1.0", "Changelog", "History", "ünï", "a&b"]), max_size=4)
BLOCK = st.tuples(
    st.sampled_from(["h2", "h3", "h4", "p", "li", "pre", "td", "div", "em", "blockquote", "section"]), WORDS
)


@settings(max_examples=150)
@given(st.lists(BLOCK, max_size=12), st.booleans())
def test_no_word_is_lost_and_none_comes_twice(blocks: list[tuple[str, list[str]]], nested: bool) -> None:
    closing = "" if nested else "</{0}>"
    html = "".join(f"<{tag}> {' '.join(words).replace('&', '&amp;')} {closing.format(tag)}" for tag, words in blocks)
    found = split(render_free(html), "")
    parts = f"{found.first_chapter} {found.main_content} {found.changelog}".split()
    assert Counter(parts) == Counter(word for _, words in blocks for word in words)


def render_free(html: str) -> str:
    """Table cells stand in a table, or a parser moves them about."""
    return re.sub(r"<td>(.*?)</td>", r"<table><tr><td>\1</td></tr></table>", html)


@settings(max_examples=100)
@given(
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=20)), max_size=6).map("".join), st.text(max_size=9)
)
def test_no_part_can_become_markup(source: str, summary: str) -> None:
    for html in (source, render(source, "text/markdown").html):
        for part in split(html, summary):
            assert not set("<>") & set(part)
            assert not Inspection(part).problems
