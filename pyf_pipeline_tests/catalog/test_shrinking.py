import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog.shrinking import ShrunkError, guard


@given(before=st.integers(0, 100_000), now=st.integers(0, 100_000))
def test_it_stops_exactly_what_lost_over_a_fifth_and_over_twenty(before: int, now: int) -> None:
    shrank = now < 0.8 * before and before - now > 20
    try:
        guard(before, now, what="packages", allow=False)
        stopped = False
    except ShrunkError:
        stopped = True
    assert stopped is shrank
    guard(before, now, what="packages", allow=True)


def test_it_says_what_fell_and_how_to_go_on() -> None:
    with pytest.raises(ShrunkError, match=r"packages of profile plone fell from 2500 to 100.*allow_shrink"):
        guard(2500, 100, what="packages of profile plone", allow=False)
