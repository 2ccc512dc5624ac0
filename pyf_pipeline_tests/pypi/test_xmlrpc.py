import xmlrpc.client

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.pypi.xmlrpc import _names, _plain_names


def answer(value: object) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True).encode()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("abcXYZ019._-", min_size=1, max_size=6),
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6),
        ),
        max_size=8,
    )
)
def test_reading_quickly_gives_what_parsing_gives(rows: list[tuple[str, str]]) -> None:
    assert _plain_names(answer(rows)) == _names(answer(rows))


@pytest.mark.parametrize(
    "body",
    [
        answer([["a", "1"], ["b", 2]]),
        answer([["a", "1"], [["b", "1"], "2"]]),
        answer([["a", "1"], ["b&amp;", "1"]]),
        answer([["a", "1"]])[:-30],
        answer("a"),
        xmlrpc.client.dumps(xmlrpc.client.Fault(1, "x")).encode(),
        b"",
    ],
)
def test_what_is_not_plainly_pypis_answer_is_left_to_the_parser(body: bytes) -> None:
    assert _plain_names(body) == set()
