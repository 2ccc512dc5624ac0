import threading

from pyf_pipeline.pypi.throttle import Throttle


def answer(throttle: Throttle, times: int = 1, **how: bool) -> None:
    for _ in range(times):
        throttle.leave(throttle.enter(), **how)


def test_too_many_halves_what_may_be_under_way_and_success_brings_it_back() -> None:
    throttle = Throttle(32)
    answer(throttle, too_many=True)
    assert throttle.allowed == 16
    answer(throttle, times=16)
    assert throttle.allowed == 17
    answer(throttle, times=600)
    assert throttle.allowed == 32


def test_requests_that_were_sent_before_it_slowed_do_not_slow_it_again() -> None:
    throttle = Throttle(8)
    entered = [throttle.enter() for _ in range(8)]
    for token in entered:
        throttle.leave(token, too_many=True)
    assert (throttle.allowed, throttle.slowed) == (4, 1)


def test_it_never_stops_altogether() -> None:
    throttle = Throttle(4)
    answer(throttle, times=20, too_many=True)
    assert throttle.allowed == 1
    answer(throttle)
    assert throttle.allowed == 2


def test_one_failure_in_ten_is_lived_with_and_rising_trouble_is_not() -> None:
    throttle = Throttle(16)
    for n in range(500):
        answer(throttle, trouble=n % 10 == 0)
    assert (throttle.allowed, throttle.slowed) == (16, 0)
    answer(throttle, times=20, trouble=True)
    assert throttle.slowed == 1


def test_a_pause_holds_everybody() -> None:
    time = [100.0]
    throttle = Throttle(4, now=lambda: time[0])
    throttle.hold(60)
    assert throttle._owed() == 60
    throttle.hold(10)
    assert throttle._owed() == 60
    time[0] += 61
    answer(throttle)


def test_no_more_than_allowed_are_under_way() -> None:
    throttle = Throttle(3)
    tokens = [throttle.enter() for _ in range(3)]
    entered = threading.Event()

    def enter() -> None:
        throttle.enter()
        entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.05)
    throttle.leave(tokens[0])
    assert entered.wait(5)
    thread.join()
