from collections.abc import Iterator

from pyf_pipeline.cli.display import progress_lines


def listen(times: Iterator[float], said: list[str]):  # type: ignore[no-untyped-def]
    return progress_lines("plone", said.append, lambda: next(times))


def test_lines_come_now_and_then_with_a_rate_and_what_is_left() -> None:
    said: list[str] = []
    listener = listen(iter([0.0, 1.0, 5.0, 6.0, 10.0]), said)
    for done in (0, 10, 50, 60, 100):
        listener("plone", "download", done, 100)
    assert said == [
        "plone: downloading metadata, 0 of 100",
        "plone: downloading metadata, 50 of 100, 10 a second, about 5 s to go",
        "plone: downloading metadata, 100 of 100, 10 a second",
    ]


def test_slow_stages_are_told_by_the_minute() -> None:
    said: list[str] = []
    listener = listen(iter([0.0, 10.0]), said)
    for done in (0, 2):
        listener("plone", "github", done, 8)
    assert said[-1] == "plone: asking GitHub, 2 of 8, 12 a minute, about 30 s to go"


def test_what_else_there_is_to_say_stands_behind() -> None:
    said: list[str] = []
    listen(iter([0.0]), said)("plone", "download", 0, 7, "63 reused, 2 failed")
    assert said == ["plone: downloading metadata, 0 of 7 (63 reused, 2 failed)"]
