import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog.model import Downloads
from pyf_pipeline.pypistats.errors import UnusableAnswerError
from pyf_pipeline.pypistats.recent import endpoint, read
from pyf_pipeline_tests.pypistats.support import figures


def test_where_a_project_is_asked_for() -> None:
    assert endpoint("https://stats.example/", "a-b") == "https://stats.example/api/packages/a-b/recent"
    assert endpoint("http://x/y", "../z?") == "http://x/y/api/packages/..%2Fz%3F/recent"


def test_the_documented_answer() -> None:
    body = b'{"data":{"last_day":1,"last_month":2,"last_week":3},"package":"Package_Name","type":"recent_downloads"}\n'
    assert read("package-name", body, 77) == Downloads(1, 3, 2, 77)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": None}, "data: "),
        ({"data": {"last_day": 1, "last_week": 2}}, "data.last_month: Field required"),
        ({"data": {"last_day": None, "last_week": 2, "last_month": 3}}, "data.last_day: "),
        ({"data": {"last_day": "1", "last_week": 2, "last_month": 3}}, "data.last_day: "),
        ({"data": {"last_day": -1, "last_week": 2, "last_month": 3}}, "data.last_day: "),
        ({"data": {"last_day": 1.5, "last_week": 2, "last_month": 3}}, "data.last_day: "),
        ({"data": {"last_day": True, "last_week": 2, "last_month": 3}}, "data.last_day: "),
        ({"data": {"last_day": 2**63, "last_week": 2, "last_month": 3}}, "data.last_day: "),
        ({"data": []}, "data: "),
        ({"type": "overall_downloads"}, "type: "),
        ({"package": "b"}, "another project"),
        ({"package": None}, "package: "),
    ],
)
def test_what_is_not_the_documented_answer_is_none(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableAnswerError, match=said):
        read("a", json.dumps({**figures("a"), **change}).encode(), 0)


@given(st.one_of(st.binary(max_size=40), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_anything_else_is_told_in_one_line_without_what_was_sent(body: bytes | str) -> None:
    with pytest.raises(UnusableAnswerError) as caught:
        read("a", body if isinstance(body, bytes) else body.encode(), 0)
    assert re.match("the answer is not usable: (body|package|type|data): ", str(caught.value))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(0, 2**40))
def test_every_count_comes_through(day: int, week: int, month: int, at: int) -> None:
    assert read("a", json.dumps(figures("a", day, week, month)).encode(), at) == Downloads(day, week, month, at)
