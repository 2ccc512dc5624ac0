from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.pypi.xmlrpc import Pace


class Clock:
    def __init__(self) -> None:
        self.time = 0.0
        self.slept = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds
        self.slept += seconds


@given(
    limits=st.lists(st.tuples(st.integers(1, 10), st.floats(0.1, 60)), min_size=1, max_size=3),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_calls_than_its_limit(limits: list[tuple[int, float]], gaps: list[float]) -> None:
    clock = Clock()
    pace = Pace(limits, clock.now, clock.sleep)
    made = []
    for gap in gaps:
        clock.time += gap
        pace.wait()
        made.append(clock.time)
    for calls, seconds in limits:
        for first, later in zip(made, made[calls:], strict=False):
            assert later - first >= seconds * (1 - 1e-9)


def test_calls_within_the_limits_do_not_wait() -> None:
    clock = Clock()
    pace = Pace([(2, 1.0), (30, 60.0)], clock.now, clock.sleep)
    for _ in range(29):
        pace.wait()
        clock.time += 0.5
    assert clock.slept == 0
    pace.wait()
    pace.wait()
    assert clock.slept > 40
