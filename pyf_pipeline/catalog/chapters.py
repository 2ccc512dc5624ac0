"""A README's parts as plain text, so that a search can weigh them: a title says more than a changelog.

They are text and not HTML because a search engine takes markup for words, and glues tags to the words beside them.
"""

import html as html_module
import re
from typing import NamedTuple

from readme_renderer.clean import clean

_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_BLOCKS = frozenset(
    ("aside", "blockquote", "br", "caption", "dd", "details", "div", "dl", "dt", "figcaption", "figure", "hr", "li",
     "nav", "ol", "p", "pre", "section", "summary", "table", "tr", "ul")
)  # fmt: skip
_CELLS = frozenset(("td", "th"))

# All of these match what the sanitiser writes, which is HTML in one form: attributes quoted, "<" and ">" escaped.
_HEADING = re.compile(r"<h([1-6])>")
_PREFORMATTED = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
_LINK = re.compile(r"<a\b[^>]*>(.*?)</a>", re.DOTALL)
_TAG = re.compile(r"</?([a-z0-9]+)[^>]*>")
_SPACE = re.compile(r"\s+")
_SPACE_IN_LINE = re.compile(r"[^\S\n]+")
_ADDRESS = re.compile(r"\s*(https?://|www\.)\S*\s*")
_ANGLE_BRACKETS = str.maketrans("<>", "  ")

# "3. Changelog:", "What's new in 2.0", "Release notes"; emoji and numbering may stand before it.
_CHANGELOG = re.compile(
    r"[\W\d_]*(change\s?-?logs?|changes|(change|release|revision|version)\s+history|history|release\s?-?notes|"
    r"what\W?s\s+new(\s+in\s.*)?|versions|news)[\W_]*",
    re.IGNORECASE,
)


# Under such a heading one such as "1.0 (2024-05-01)", "v2", "[1.2.3] - 2024" or "Unreleased" goes on with it, even
# where its level is the same; "3. Credits" does not.
_VERSION = re.compile(
    r"[\W_]*(?:(?:version|release|v)\W{0,3}\d[\w.+-]{0,40}|v?\d{1,9}(?:\.\w{1,20}){1,8}|\d{1,9}(?=\W*(?:\(|$))|"
    r"\d{4}-\d\d-\d\d|unreleased|next release|development|upcoming)(?:\W.*)?",
    re.IGNORECASE,
)


class Chapters(NamedTuple):
    """The parts of a README, as plain text with one line a block; "<" and ">" are left out, so that they are safe.

    Attributes:
        title: The first heading.
        first_chapter: The project's summary, and all until the second heading; links' addresses are left out.
        main_content: All after that which is no changelog.
        changelog: All under headings such as "Changelog", until the next heading of the same or a higher level that is
            no version; there are READMEs that give versions the same level as the changelog itself.
    """

    title: str
    first_chapter: str
    main_content: str
    changelog: str


def split(html: str, summary: str) -> Chapters:
    """The parts of a README.

    Args:
        html: As `readme.render` gives it; any other HTML does as well.
        summary: The project's summary, which stands in front of the first chapter.
    """
    reduced = clean(html, tags=set(_HEADINGS | _BLOCKS | _CELLS | {"a"}), attributes={}) or ""
    before, *pieces = _HEADING.split(reduced)
    title, first, main, changelog = "", [_without_addresses(before)], list[str](), list[str]()
    changelog_level = 0
    for number, (level, piece) in enumerate(zip(map(int, pieces[::2]), pieces[1::2], strict=True)):
        heading = _text(piece.partition(f"</h{level}>")[0])
        title = title if number else heading.replace("\n", " ")
        if _CHANGELOG.fullmatch(heading):
            changelog_level = min(changelog_level or level, level)
        elif level <= changelog_level and not (level == changelog_level and _VERSION.fullmatch(heading)):
            changelog_level = 0
        if changelog_level:
            changelog.append(piece)
        elif number:
            main.append(piece)
        else:
            first.append(_without_addresses(piece))
    return Chapters(
        title,
        "\n".join(filter(None, (_text(html_module.escape(summary)), *map(_text, first)))),
        "\n".join(filter(None, map(_text, main))),
        "\n".join(filter(None, map(_text, changelog))),
    )


def _without_addresses(fragment: str) -> str:
    """A fragment without links that show nothing but their address."""
    return _LINK.sub(lambda link: "" if _ADDRESS.fullmatch(link[1]) else link[1], fragment)


def _text(fragment: str) -> str:
    """The text of a fragment: a line a block, and the lines of what is preformatted."""
    parts = _PREFORMATTED.split(fragment)
    parts[::2] = [_SPACE.sub(" ", part) for part in parts[::2]]
    text = html_module.unescape(_TAG.sub(_separator, "\n".join(parts)))
    lines = _SPACE_IN_LINE.sub(" ", text.translate(_ANGLE_BRACKETS)).split("\n")
    return "\n".join(filter(None, map(str.strip, lines)))


def _separator(tag: re.Match[str]) -> str:
    if tag[1] in _CELLS:
        return " "
    return "\n" if tag[1] in _BLOCKS or tag[1] in _HEADINGS else ""
