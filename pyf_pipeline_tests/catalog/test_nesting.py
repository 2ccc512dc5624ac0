import time

import pytest

from pyf_pipeline.catalog.nesting import is_excessive
from pyf_pipeline.catalog.readme import render

MANY = 100_000
BOMBS = {
    "block quotes": ">" * MANY,
    "block quotes with spaces": "> " * MANY,
    "lists in lists": "- + " * MANY + "x",
    "numbered lists": "1. " * MANY + "x",
    "elements": "<div>" * MANY,
    "unknown elements": "<x-y>" * MANY,
    "formatting": "<b>\n\n" * MANY,
    "formatting of two kinds": "<b id=1><i id=2>\n\n" * MANY,
    "some formatting and many paragraphs": "<b><i><s><u><tt>" * 20 + "\n\nx" * MANY,
}
HARMLESS = {
    "a long list": "- item\n" * MANY,
    "a thematic break": "- " * 200 + "\n\n* * *",
    "quotes": "> a\n>> b\n>>> c\n" * 1000,
    "paragraphs that nothing closes": "<p>x\n<li>y\n<br>" * 2000,
    "a table": "<table>" + "<tr><td>x" * 2000 + "</table>",
    "elements that are closed": "<div><b>x</b></div>\n\n" * 20_000,
    "a list of elements": "`<a>`, `<b>`, `<code>`, `<em>`, `<i>`, `<strong>`\n" + "text\n" * 2000,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_found_before_they_go_off(kind: str) -> None:
    started = time.process_time()
    assert is_excessive(BOMBS[kind])
    assert render(BOMBS[kind], "text/markdown").fell_back
    assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_people_write_is_rendered(kind: str) -> None:
    assert not is_excessive(HARMLESS[kind])
    assert not render(HARMLESS[kind], "text/markdown").fell_back
