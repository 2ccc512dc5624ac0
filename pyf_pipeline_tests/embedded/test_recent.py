"""What is kept in memory: no more than there is room for, and the least wanted goes first."""

import numpy as np

from pyf_pipeline.embedded.recent import OVERHEAD, Recent


def test_what_was_asked_for_least_lately_goes_first() -> None:
    made: list[str] = []
    held: Recent[str, np.ndarray] = Recent(3 * (1000 + OVERHEAD))

    def get(key: str) -> None:
        def make() -> np.ndarray:
            made.append(key)
            return np.zeros(1000, dtype=np.uint8)

        assert len(held.get(key, make)) == 1000

    for key in "abcab":
        get(key)
    assert made == ["a", "b", "c"]
    for key in "dabc":
        get(key)
    assert made == ["a", "b", "c", "d", "c"]


def test_one_thing_is_kept_however_large_it_is() -> None:
    held: Recent[str, np.ndarray] = Recent(10)
    first = held.get("a", lambda: np.zeros(1000))
    assert held.get("a", lambda: np.ones(1)) is first
