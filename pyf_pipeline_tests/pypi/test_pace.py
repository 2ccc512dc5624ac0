import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.pypi.pace import MOST_CALLS, OwnLedger, Pace


class Clock:
    def __init__(self, time: float = 1_000_000.0) -> None:
        self.time = time
        self.slept = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds
        self.slept += seconds


def call(pace: Pace) -> None:
    with pace.call():
        pass


def policy(windows: list[tuple[int, int]]) -> dict[str, str]:
    return {"RateLimit-Policy": ", ".join(f'"w{n}";q={q};w={w}' for n, (q, w) in enumerate(windows))}


@settings(max_examples=60, deadline=None)
@given(
    windows=st.lists(st.tuples(st.integers(2, 10), st.integers(1, 60)), min_size=1, max_size=3),
    gaps=st.lists(st.tuples(st.floats(0, 5), st.integers(0, 1)), min_size=1, max_size=60),
)
def test_no_window_is_ever_filled_up_however_many_share_the_ledger(
    windows: list[tuple[int, int]], gaps: list[tuple[float, int]]
) -> None:
    clock, ledger = Clock(), OwnLedger()
    paces = [Pace("pypi", ledger, clock.now, clock.sleep) for _ in range(2)]
    paces[0].heed(policy(windows))
    made = []
    for gap, which in gaps:
        clock.time += gap
        call(paces[which])
        made.append(clock.time)
    for calls, seconds in windows:
        for first, later in zip(made, made[calls - 1 :], strict=False):
            assert later - first >= seconds or calls == 1 or first == later


def test_without_a_word_from_pypi_the_limits_are_those_that_its_maintainers_named() -> None:
    clock = Clock()
    pace = Pace("pypi", OwnLedger(), clock.now, clock.sleep)
    for _ in range(29):
        call(pace)
    assert clock.slept == pytest.approx(28 * 1.02)
    call(pace)
    assert clock.slept == pytest.approx(60 * 1.02)


def test_a_policy_that_allows_more_makes_it_faster_and_one_that_allows_less_slower() -> None:
    clock = Clock()
    pace = Pace("pypi", OwnLedger(), clock.now, clock.sleep)
    call(pace)
    pace.heed(policy([(1_000, 1), (60_000, 60)]))
    for _ in range(500):
        call(pace)
    assert clock.slept == 0
    clock.time += 3600
    pace.heed(policy([(2, 30)]))
    call(pace)
    call(pace)
    assert clock.slept == pytest.approx(30.6)


def test_calls_are_remembered_up_to_a_number_and_never_exceed_it() -> None:
    clock, ledger = Clock(), OwnLedger()
    pace = Pace("pypi", ledger, clock.now, clock.sleep)
    pace.heed(policy([(10**9, 60)]))
    for _ in range(MOST_CALLS + 1):
        call(pace)
    assert clock.slept >= 60
    assert len(ledger.update("pypi", dict)["made"]) <= MOST_CALLS


@pytest.mark.parametrize(
    ("header", "value", "slept"),
    [
        ("RateLimit", '"second";r=1;t=1, "minute";r=0;t=17', 17 * 1.02),
        ("RateLimit", '"a, b; c";r=0;t=9;x="1;2"', 9 * 1.02),
        ("RateLimit", '"minute";r=0', 1.02),
        ("RateLimit", '"minute";r=3;t=50', 1.02),
        ("RateLimit", "nonsense;;;,,", 1.02),
        ("RateLimit-Policy", "3;w=40", 1.02 * 0),
        ("RateLimit-Policy", '"bytes";q=9;w=50;qu="content-bytes"', 1.02),
        ("RateLimit-Policy", '"no window";q=1', 1.02),
        ("RateLimit-Policy", '"zero";q=0;w=0', 1.02),
    ],
)
def test_what_an_answer_says_of_the_limits_is_obeyed(header: str, value: str, slept: float) -> None:
    clock = Clock()
    pace = Pace("pypi", OwnLedger(), clock.now, clock.sleep)
    call(pace)
    pace.heed({header: value})
    call(pace)
    assert clock.slept == pytest.approx(slept)


def test_a_clock_that_is_set_back_stops_nobody_for_long() -> None:
    clock, ledger = Clock(), OwnLedger()
    pace = Pace("pypi", ledger, clock.now, clock.sleep)
    call(pace)
    pace.hold(200)
    clock.time -= 86_400
    call(pace)
    assert clock.slept == 0


def test_a_call_counts_from_its_answer_on_and_one_under_way_as_if_it_were_made_now() -> None:
    clock, ledger = Clock(), OwnLedger()
    pace, other = Pace("pypi", ledger, clock.now, clock.sleep), Pace("pypi", ledger, clock.now, clock.sleep)
    with pace.call():
        clock.time += 5
        assert other._reserve() == pytest.approx(1.02)
        clock.time += 5
    assert other._reserve() == pytest.approx(1.02)
    clock.time += 1.1
    assert other._reserve() == 0


def test_a_call_whose_process_was_killed_is_forgotten() -> None:
    clock, ledger = Clock(), OwnLedger()
    pace = Pace("pypi", ledger, clock.now, clock.sleep)
    pace._reserve()
    call(pace)
    assert 25 < clock.slept < 35


def test_services_have_budgets_of_their_own() -> None:
    clock, ledger = Clock(), OwnLedger()
    call(Pace("one", ledger, clock.now, clock.sleep))
    call(Pace("other", ledger, clock.now, clock.sleep))
    assert clock.slept == 0


def test_another_service_has_windows_of_its_own() -> None:
    clock = Clock()
    pace = Pace("other", OwnLedger(), clock.now, clock.sleep, windows=((2, 5.0),))
    for _ in range(4):
        call(pace)
    assert clock.slept == pytest.approx(3 * 5.1)


def test_who_has_no_time_to_wait_is_told_so_and_is_not_counted() -> None:
    clock, ledger = Clock(), OwnLedger()
    pace = Pace("pypi", ledger, clock.now, clock.sleep)
    call(pace)
    pace.hold(50)
    with pytest.raises(TimeoutError, match="in 50 seconds"), pace.call(clock.time + 49):
        raise AssertionError("it was called")
    assert clock.slept == 0
    assert ledger.update("pypi", dict)["underway"] == []
    with pace.call(clock.time + 51):
        assert clock.slept == pytest.approx(50)
