import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyf_pipeline.catalog import readme
from pyf_pipeline.catalog.fields import clean
from pyf_pipeline.catalog.readme import Rendered, plain, render
from pyf_pipeline_tests.catalog.hostile import FRAGMENTS, Inspection

TYPES = [
    "", "text/x-rst", "text/x-rst; charset=UTF-8", "text/markdown", "text/markdown; charset=UTF-8; variant=GFM",
    "text/markdown; variant=CommonMark", "text/plain", "text/html", "nonsense; ;=;",
]  # fmt: skip
ANY_TEXT = st.text(alphabet=st.characters(codec=None))
READMES = st.lists(st.one_of(st.sampled_from(FRAGMENTS), ANY_TEXT), max_size=6).map("".join)


@pytest.mark.parametrize("content_type", TYPES[3:5])
def test_markdown_as_github_writes_it(content_type: str) -> None:
    html, fell_back = render("# Maps\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n~~gone~~", content_type)
    assert not fell_back
    assert Inspection(html).headings == ["h2"]
    assert "<table>" in html
    assert "<del>gone</del>" in html


def test_commonmark_has_no_tables() -> None:
    html, fell_back = render("| a |\n|---|\n| 1 |", "text/markdown; variant=CommonMark")
    assert not fell_back
    assert "<table>" not in html


@pytest.mark.parametrize(
    "content_type", ["TEXT/Markdown", 'text/markdown; variant="GFM"', "text/markdown;variant=gfm", " text/markdown ;"]
)
def test_content_types_in_other_spellings(content_type: str) -> None:
    assert "<em>soft</em>" in render("*soft*", content_type).html


@pytest.mark.parametrize("content_type", ["", "text/x-rst", "text/x-rst; charset=UTF-8"])
def test_restructured_text_is_the_default_and_keeps_its_title(content_type: str) -> None:
    html, fell_back = render("Maps\n====\n\nBetter *maps*.\n\nUsage\n-----\n\nEasy.", content_type)
    assert not fell_back
    assert Inspection(html).headings == ["h2", "h3"]
    assert "Maps" in html
    assert "<em>maps</em>" in html


def test_headings_go_one_level_down() -> None:
    html = render("# 1\n## 2\n### 3\n#### 4\n##### 5\n###### 6\n", "text/markdown").html
    assert Inspection(html).headings == ["h2", "h3", "h4", "h5", "h6", "h6"]


def test_images_do_not_tell_their_hosts_who_looks() -> None:
    html = render(
        "![a](https://x.example/i.png)\n\n<img src='https://x.example/j.png' referrerpolicy='unsafe-url'>",
        "text/markdown",
    ).html
    assert html.count("<img") == html.count('referrerpolicy="no-referrer"') == 2
    assert "unsafe-url" not in html
    again = render("Title\n=====\n\n.. image:: https://x.example/i.png\n", "").html
    assert 'referrerpolicy="no-referrer"' in again


def test_nothing_else_is_loaded_from_elsewhere() -> None:
    elements = (
        "<video src=//x.example/a></video><audio src=//x.example/a></audio><link rel=stylesheet href=//x.example/a>"
        "<iframe src=//x.example/a></iframe><object data=//x.example/a></object><embed src=//x.example/a>"
        "<img srcset='//x.example/a 2x'><picture><source srcset=//x.example/a></picture>"
        "<p background=//x.example/a>x</p>"
        "<p style='background:url(//x.example/a)'>x</p><a href=https://x.example ping=//x.example/a>x</a>"
    )
    html = render(elements, "text/markdown").html
    # As the text of what is escaped it may stay.
    assert not re.findall(r"<[^>]*x\.example/a", html)


def test_a_heading_in_an_attribute_is_none() -> None:
    html = render('![<h1>](https://x.example/i.png "<h1>")\n\n`<h1>`', "text/markdown").html
    assert Inspection(html).headings == []
    assert "h2" not in html


@pytest.mark.parametrize(
    ("source", "content_type"),
    [
        ("Broken `link\n=====\n\n.. no-such-directive::\n\n|undefined|", "text/x-rst"),
        ("# <b>Not</b> markdown", "text/html"),
        ("# text", "text/markdown; variant=NoSuchVariant"),
        ("Title\n===\n\n.. include:: /etc/passwd\n", ""),
        (".. raw:: html\n\n   <b>raw</b>\n", ""),
        (":py:func:`only.sphinx.knows`", ""),
        ("x" * 20_000 + "\n*rst*", ""),
    ],
)
def test_what_does_not_render_is_escaped(source: str, content_type: str) -> None:
    html, fell_back = render(source, content_type)
    assert fell_back
    assert html.startswith("<pre>")
    assert html.endswith("</pre>")
    assert Inspection(html).text.strip() == source.strip("\n")


def test_plain_text_is_what_it_says() -> None:
    assert render("a < b\n  c & d\r\n", "text/plain") == Rendered("<pre>a &lt; b\n  c &amp; d</pre>", fell_back=False)


@pytest.mark.parametrize("nothing", ["", "  \n\t", "\x00", "\ud800\r\n"])
@pytest.mark.parametrize("content_type", TYPES)
def test_nothing_renders_to_nothing(nothing: str, content_type: str) -> None:
    assert render(nothing, content_type) == Rendered("", fell_back=False)
    assert plain(nothing).html == ""


@pytest.mark.parametrize("content_type", TYPES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(source=READMES)
def test_no_readme_does_harm(content_type: str, source: str) -> None:
    html, fell_back = render(source, content_type)
    seen = Inspection(html)
    assert seen.problems == []
    # The page that shows it has its own.
    assert "h1" not in seen.headings
    if fell_back:
        assert not seen.headings
        assert seen.text.strip() == clean(source).replace("\r\n", "\n").replace("\r", "\n").strip()
    assert "\x00" not in html
    assert html.encode().decode() == html
    assert render(source, content_type).html == html


@pytest.mark.parametrize("fragment", FRAGMENTS)
@pytest.mark.parametrize("content_type", ["", "text/markdown", "text/markdown; variant=CommonMark"])
def test_no_fragment_alone_does_harm(fragment: str, content_type: str) -> None:
    html = render(fragment, content_type).html
    assert Inspection(html).problems == []
    assert "root:" not in html


def test_what_one_document_defines_does_not_change_another() -> None:
    definition = ".. role:: custom\n\n.. default-role:: custom\n\n:custom:`x` and `y`\n"
    use = ":custom:`x`"
    before = render(use, "")
    assert before.fell_back
    assert not render(definition, "").fell_back
    render(definition + "\n.. no-such-directive::\n", "")
    assert render(use, "") == before


def test_the_time_of_rendering_is_not_shown() -> None:
    html, fell_back = render("Built on |today|.\n\n.. |today| date:: %Y-%m-%d %H:%M\n", "")
    assert not fell_back
    assert Inspection(html).text.split() == ["Built", "on", "."]


def test_no_image_is_read_from_the_disk(tmp_path: Path) -> None:
    drawing = tmp_path / "secret.svg"
    drawing.write_text("<svg xmlns='http://www.w3.org/2000/svg'><text>secret words</text></svg>")
    for directive in ("image", "figure"):
        html, fell_back = render(f".. {directive}:: {drawing}\n   :loading: embed\n", "")
        assert not fell_back
        assert "<img" in html
        assert "secret words" not in html
    assert render(".. image:: file:///dev/zero\n   :loading: embed\n", "").html.startswith("<img")


def test_a_text_that_is_too_long_is_cut_at_a_line_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "LONGEST_SOURCE", 100)
    source = "first line\n\n" + "x" * 60 + "\n\n" + "y" * 200
    for content_type in ("text/plain", "text/markdown", "", "text/html"):
        html, _ = render(source, content_type)
        assert "x" * 60 in html
        assert "yy" not in html
        assert html.endswith(readme.CUT_NOTE)
    assert render("z" * 300, "text/markdown").html == f"<p>{'z' * 100}</p>\n{readme.CUT_NOTE}"


def test_html_that_grows_out_of_bounds_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "LONGEST_HTML", 1000)
    html, fell_back = render("*a* " * 200, "text/markdown")
    assert fell_back
    assert html.startswith("<pre>")
