"""Patterns for names: what they mean, and which are not taken."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.embedded.patterns import MAX_NAME, compiled, matches


@pytest.mark.parametrize(
    ("pattern", "meant", "not_meant"),
    [
        (".*_facet", "colour_facet", "facet"),
        ("num_.*", "num_of_it", "number"),
        ("packages.*", "packages-7", "package"),
        ("(plone|django)-.*", "django-3", "flask-3"),
        ("[a-c]+_(x)", "abc_x", "abd_x"),
        (r"[\]+]a\+b", "+a+b", "aab"),
    ],
)
def test_a_pattern_means_whole_names(pattern: str, meant: str, not_meant: str) -> None:
    assert matches(pattern, meant)
    assert not matches(pattern, not_meant)
    assert not matches(pattern, meant + "\n")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "((a*)b)*", "(a*){20}", ".*.*.*.*x", "(", "a{2}{3}*", "*a"])
def test_what_may_take_ages_or_is_no_pattern_is_refused_and_means_nothing(pattern: str) -> None:
    with pytest.raises(re.error):
        compiled(pattern)
    assert not matches(pattern, "a" * 40)


def test_a_name_longer_than_any_is_not_meant() -> None:
    assert matches(".*", "a" * MAX_NAME)
    assert not matches(".*", "a" * (MAX_NAME + 1))


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@given(st.text("ab(|)*+{}[]\\^.?2,", max_size=12))
def test_any_text_is_judged_at_once(pattern: str) -> None:
    assert matches(pattern, "ab" * (MAX_NAME // 2)) in {True, False}
