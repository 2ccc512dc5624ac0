"""READMEs into HTML, as PyPI does it: the same renderer, the same choice of markup, the same sanitising.

PyPI renders by `description_content_type` and shows what does not render as plain text
(https://packaging.python.org/en/latest/specifications/core-metadata/#description-content-type). On top of that, every
text gives the same bytes at any time and in any process, and none makes the renderer read files.
"""

import html
import logging
import re
import threading
from typing import Any, ClassVar, NamedTuple

import nh3
from docutils import nodes
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.directives.images import Figure, Image
from readme_renderer import markdown, rst
from readme_renderer.clean import ALLOWED_ATTRIBUTES, ALLOWED_TAGS

from pyf_pipeline.catalog import nesting
from pyf_pipeline.catalog.fields import clean

logger = logging.getLogger(__name__)

# In characters; one README in a hundred thousand is longer, and those are generated.
LONGEST_SOURCE = 1_000_000
LONGEST_HTML = 8_000_000

CUT_NOTE = "<p>The description goes on, but is too long to be shown in full.</p>"

_HEADING_TAG = re.compile(r"<(/?)h([1-5])(?=[\s>])")

# docutils keeps roles in a module of its own, for all documents of a process.
_docutils_in_use = threading.Lock()


class Rendered(NamedTuple):
    """A README as HTML.

    Attributes:
        html: Sanitised; the highest heading is an h2, because the page that shows it has its own h1.
        fell_back: Whether the text is not what its content type says, so that it is shown as plain text.
    """

    html: str
    fell_back: bool


def render(text: str, content_type: str) -> Rendered:
    """A README as sanitised HTML.

    Args:
        text: The source. What goes beyond `LONGEST_SOURCE` is cut off, and a note says so.
        content_type: As in the metadata, parameters included; "" is reStructuredText, as on PyPI.
    """
    source, note = _bounded(text)
    if not source:
        return Rendered("", fell_back=False)
    kind, parameters = _content_type(content_type)
    if kind == "text/plain":
        return Rendered(_plain(source) + note, fell_back=False)
    rendered = _marked_up(source, kind, parameters.get("variant", "GFM"))
    if not rendered or len(rendered) > LONGEST_HTML:
        return Rendered(_plain(source) + note, fell_back=True)
    return Rendered(_HEADING_TAG.sub(_one_level_down, _without_referrers(rendered)) + note, fell_back=False)


def plain(text: str) -> Rendered:
    """A README as escaped text, for one that cannot be rendered in reasonable time."""
    source, note = _bounded(text)
    return Rendered(_plain(source) + note if source else "", fell_back=True)


def _bounded(text: str) -> tuple[str, str]:
    """A source that is not too long, "" if there is nothing in it, and a note where something was cut off."""
    source = clean(text).replace("\r\n", "\n").replace("\r", "\n")
    if len(source) <= LONGEST_SOURCE:
        return source if source.strip() else "", ""
    source = source[:LONGEST_SOURCE]
    return source.rpartition("\n")[0].strip("\n") or source, CUT_NOTE


def _content_type(value: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters; the charset among them says nothing, as the text is decoded already."""
    kind, *rest = value.split(";")
    named = (parameter.partition("=") for parameter in rest)
    return kind.strip().lower(), {name.strip().lower(): found.strip(" \t\"'") for name, _, found in named}


def _marked_up(source: str, kind: str, variant: str) -> str | None:
    """The HTML, or None where the source is not sound markup of its kind."""
    try:
        if kind == "text/markdown":
            return None if nesting.is_excessive(source) else markdown.render(source, variant=_variant(variant))
        if kind in {"", "text/x-rst"}:
            return _restructured_text(source)
    except Exception as error:  # noqa: BLE001 - docutils fails on odd input in any way that Python knows
        logger.debug("a README of type %s is shown as plain text: %r", kind or "text/x-rst", error)
    return None


def _without_referrers(rendered: str) -> str:
    """Sanitised HTML whose images do not tell their hosts which page shows them.

    PyPI fetches images itself, so that their hosts learn nothing of its visitors. Whoever shows these documents may do
    the same; where they do not, a host learns at least no more than that some page shows its image.
    """
    if "<img" not in rendered:
        return rendered
    # By the sanitiser and not as text: an attribute may hold what looks like a tag.
    return nh3.clean(
        rendered,
        tags=ALLOWED_TAGS,
        attributes=ALLOWED_ATTRIBUTES,
        link_rel="nofollow",
        url_schemes={"http", "https", "mailto"},
        set_tag_attribute_values={"input": {"disabled": ""}, "img": {"referrerpolicy": "no-referrer"}},
    )


def _variant(name: str) -> str:
    return {"gfm": "GFM", "commonmark": "CommonMark"}.get(name.lower(), name)


def _restructured_text(source: str) -> str | None:
    with _docutils_in_use:
        # A role that one document defines would be known to all later ones, and change what they render to.
        vars(roles)["_roles"].clear()
        return rst.render(source)


def _plain(source: str) -> str:
    return "<pre>" + html.escape(source.strip("\n"), quote=False) + "</pre>"


def _one_level_down(tag: re.Match[str]) -> str:
    return f"<{tag[1]}h{int(tag[2]) + 1}"


class _NoDate(Directive):
    """`date`, which gives the time of rendering, gives nothing: the same text must always render to the same HTML."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        return [nodes.Text("")]


def _never_embedded(argument: str) -> str:
    """The `loading` option without `embed`, by which an image makes docutils read any local file."""
    chosen: str = directives.choice(argument, ("embed", "link", "lazy"))
    return "link" if chosen == "embed" else chosen


class _Image(Image):
    option_spec: ClassVar[dict[str, Any]] = {**(Image.option_spec or {}), "loading": _never_embedded}


class _Figure(Figure):
    option_spec: ClassVar[dict[str, Any]] = {**(Figure.option_spec or {}), "loading": _never_embedded}


directives.register_directive("date", _NoDate)
directives.register_directive("image", _Image)
directives.register_directive("figure", _Figure)
