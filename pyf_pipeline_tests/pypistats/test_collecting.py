import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.catalog.model import DownloadRecord, Downloads
from pyf_pipeline.pypistats.collecting import HOPELESS, KEPT_SECONDS, SUSPICIOUS, Collected, collect
from pyf_pipeline_tests.pypistats.support import START, Answer, Clock, MemoryRecords, client_of, well

DAY = 86_400
MISSING: Answer = (404, b"404", {})
BROKEN: Answer = (500, b"500", {})


def record(name: str, age: float, month: int = 5, *, known: bool = True) -> DownloadRecord:
    """A record of so many seconds ago."""
    at = int(START - age)
    return DownloadRecord(name, at, at, known, Downloads(1, 2, month, at))


def names(count: int) -> list[str]:
    return [f"p{number:03}" for number in range(count)]


def test_what_is_due_is_asked_for_and_kept() -> None:
    records = MemoryRecords(record("fresh", DAY), record("old", 8 * DAY), record("other-profile", 9 * DAY))
    client, asked, _, clock = client_of(lambda name: MISSING if name == "gone" else well(name))
    told: list[tuple[str, int, int]] = []
    run = collect(
        ["fresh", "old", "new", "gone", "new"],
        client,
        records,
        max_age=7 * DAY,
        seconds=600,
        progress=lambda *step: told.append(step),
        now=clock.now,
    )
    assert asked.asked == ["gone", "new", "old"]
    assert (run.asked, run.cached, run.pending, run.failed, run.stopped) == (3, 1, (), {}, "")
    assert {name: known.last_month for name, known in run.figures.items()} == {"fresh": 5, "old": 30, "new": 30}
    assert run.unknown == ("gone",)
    assert run.warnings == ()
    assert told == [("pypistats", 0, 3), ("pypistats", 1, 3), ("pypistats", 2, 3)]
    assert records.kept["old"] == DownloadRecord("old", int(START + 4), int(START + 4), True, run.figures["old"])
    again = collect(["fresh", "old", "new", "gone"], client, records, max_age=7 * DAY, seconds=600, now=clock.now)
    assert (len(asked.asked), again.cached, again.unknown, again.figures) == (3, 4, ("gone",), run.figures)


def test_a_refresh_asks_for_all() -> None:
    client, asked, _, clock = client_of(well)
    collect(["a"], client, MemoryRecords(record("a", 1)), max_age=DAY, seconds=600, refresh=True, now=clock.now)
    assert asked.asked == ["a"]


def test_the_time_of_a_run_is_bounded_and_the_next_one_goes_on() -> None:
    records, clock = MemoryRecords(record("p003", 9 * DAY), record("p001", 8 * DAY)), Clock()
    everything: list[str] = []
    ends = []
    for _ in range(3):
        client, asked, _, _ = client_of(well, clock)
        began = clock.time
        run = collect(names(7), client, records, max_age=7 * DAY, seconds=4, now=clock.now)
        everything += asked.asked
        ends.append((run.asked, run.pending, clock.time - began))
        assert ("pending: the 0.0666667 minutes that a run may ask are over" in str(run.warnings)) is bool(run.pending)
        clock.time += 60
    # Those that nobody ever asked for, and then the stalest.
    assert everything == ["p000", "p002", "p004", "p005", "p006", "p003", "p001"]
    assert [(asked, len(pending)) for asked, pending, _ in ends] == [(3, 4), (3, 1), (1, 0)]
    assert all(took <= 4 for _, _, took in ends)


def test_a_run_that_is_killed_has_lost_nothing() -> None:
    records = MemoryRecords(fail_after=4)
    client, _, _, clock = client_of(well)
    with pytest.raises(KeyboardInterrupt):
        collect(names(10), client, records, max_age=DAY, seconds=600, now=clock.now)
    records.fail_after = None
    client, asked, _, clock = client_of(well)
    run = collect(names(10), client, records, max_age=DAY, seconds=600, now=clock.now)
    assert asked.asked == names(10)[4:]
    assert len(run.figures) == 10


@pytest.mark.parametrize("trouble", [BROKEN, (403, b"", {}), (200, b"<html>", {})])
def test_one_project_that_fails_stops_nobody_and_comes_last_the_next_time(trouble: Answer) -> None:
    records = MemoryRecords(record("p001", 8 * DAY))
    client, _, _, clock = client_of(lambda name: trouble if name in {"p000", "p001"} else well(name))
    run = collect(names(5), client, records, max_age=7 * DAY, seconds=600, now=clock.now)
    assert (run.asked, run.failed.keys(), run.pending, run.stopped) == (3, {"p000", "p001"}, (), "")
    # The last known figures stay, with their own date.
    assert run.figures["p001"] == record("p001", 8 * DAY).downloads
    assert "p000" not in run.figures
    clock.time += 8 * DAY
    records.put(DownloadRecord("p009", 0, 0, known=False, downloads=None))
    client, asked, _, _ = client_of(well, clock)
    collect([*names(5), "p009"], client, records, max_age=7 * DAY, seconds=600, now=clock.now)
    assert asked.asked[0] == "p009"
    assert records.kept["p000"].known


@pytest.mark.parametrize("trouble", [BROKEN, (403, b"", {})])
def test_an_outage_leaves_the_rest_pending_with_the_last_figures(trouble: Answer) -> None:
    records = MemoryRecords(*(record(name, 9 * DAY, month=40) for name in names(20)))
    client, asked, _, clock = client_of(lambda _: trouble)
    run = collect(names(20), client, records, max_age=7 * DAY, seconds=600, now=clock.now)
    assert len(set(asked.asked)) == len(run.failed) == HOPELESS
    assert len(run.pending) == 20 - HOPELESS
    assert "no usable answer for 3 projects in a row, at last: HTTP" in run.warnings[0]
    assert {known.last_month for known in run.figures.values()} == {40}
    assert len(run.figures) == 20


def test_a_refusal_ends_the_run_and_is_no_failure_of_the_project() -> None:
    records = MemoryRecords()
    client, _, turns, clock = client_of(
        lambda name: (429, b"", {"Retry-After": "3600"}) if name == "p002" else well(name)
    )
    run = collect(names(5), client, records, max_age=DAY, seconds=600, now=clock.now)
    assert (run.asked, run.pending, run.failed) == (2, ("p002", "p003", "p004"), {})
    assert run.warnings == ("3 projects are pending: pypistats refuses: it wants fewer calls (HTTP 429)",)
    assert turns.held == [3600]
    assert "p002" not in records.kept


def test_a_short_refusal_is_waited_for() -> None:
    refused = ["p002"]

    def handler(name: str) -> Answer:
        return (429, b"", {"Retry-After": "30"}) if refused and refused[0] == name and refused.pop() else well(name)

    client, _, _, clock = client_of(handler)
    run = collect(names(5), client, MemoryRecords(), max_age=DAY, seconds=600, now=clock.now)
    assert (run.asked, run.pending, run.stopped) == (5, (), "")
    assert clock.time - START >= 30


def test_figures_of_a_project_that_is_no_longer_known_count_for_a_month() -> None:
    records = MemoryRecords(record("a", 20 * DAY))
    client, _, _, clock = client_of(lambda _: MISSING)
    run = collect(["a"], client, records, max_age=7 * DAY, seconds=600, now=clock.now)
    assert (run.unknown, run.figures.keys()) == (("a",), {"a"})
    clock.time = START - 20 * DAY + KEPT_SECONDS
    run = collect(["a"], client, records, max_age=7 * DAY, seconds=600, now=clock.now)
    assert (run.unknown, run.figures) == (("a",), {})


def test_a_pypistats_that_knows_nothing_is_suspicious() -> None:
    client, _, _, clock = client_of(lambda _: MISSING)
    run = collect(names(SUSPICIOUS), client, MemoryRecords(), max_age=DAY, seconds=600, now=clock.now)
    assert run.warnings == (f"pypistats knows none of {SUSPICIOUS} projects: check PYPISTATS_URL",)
    run = collect(names(SUSPICIOUS - 1), client, MemoryRecords(), max_age=DAY, seconds=600, now=clock.now)
    assert run.warnings == ()


def test_a_record_from_the_future_is_not_good_for_ever() -> None:
    client, asked, _, clock = client_of(well)
    collect(["a"], client, MemoryRecords(record("a", -30 * DAY)), max_age=7 * DAY, seconds=600, now=clock.now)
    assert asked.asked == ["a"]


AGES = st.integers(0, 30 * DAY)
TROUBLES = st.sampled_from(["well", "missing", "broken", "odd", "refused"])


@settings(max_examples=60, deadline=None)
@given(
    known=st.dictionaries(st.integers(0, 14), st.tuples(AGES, st.booleans()), max_size=10),
    troubles=st.lists(TROUBLES, min_size=15, max_size=15),
    runs=st.lists(st.floats(0, 30), min_size=1, max_size=6),
)
def test_whatever_happens_every_project_is_accounted_for_and_all_are_asked_in_the_end(
    known: dict[int, tuple[int, bool]], troubles: list[str], runs: list[float]
) -> None:
    records = MemoryRecords(*(record(f"p{n:03}", age, known=good) for n, (age, good) in known.items()))
    answers: dict[str, Answer] = {
        "missing": MISSING,
        "broken": BROKEN,
        "odd": (200, b"[]", {}),
        "refused": (429, b"", {}),
    }
    clock = Clock()
    wanted = names(15)

    def troubled(name: str) -> Answer:
        return answers.get(troubles[int(name[1:])]) or well(name)

    def once(handler: object, seconds: float) -> Collected:
        client, asked, _, _ = client_of(handler, clock)  # type: ignore[arg-type]
        before = {name: records.kept[name].asked_at if name in records.kept else 0 for name in wanted}
        run = collect(wanted, client, records, max_age=7 * DAY, seconds=seconds, now=clock.now)
        assert run.asked + len(run.failed) + run.cached + len(run.pending) == len(wanted)
        assert not set(run.failed) & set(run.pending)
        assert bool(run.pending) <= bool(run.stopped)
        order = [before[name] for name in dict.fromkeys(asked.asked)]
        assert order == sorted(order)
        return run

    for seconds in runs:
        once(troubled, seconds)
        clock.time += 3600
    last = once(well, 10_000)
    assert (last.pending, last.failed) == ((), {})
    assert last.figures.keys() | set(last.unknown) == set(wanted)
    assert all(START - 30 * DAY < record.answered_at <= clock.time for record in records.kept.values())
