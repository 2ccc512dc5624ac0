"""How many at once: fewer after trouble, more again only when that has proved itself."""

from pyf_pipeline.github.batches import LARGEST, PROOF, BatchSize


def test_it_starts_full_and_halves_down_to_one() -> None:
    size = BatchSize()
    seen = [size.current]
    while size.current > 1:
        size.shrink(size.current)
        seen.append(size.current)
    assert seen == [100, 50, 25, 12, 6, 3, 1]
    size.shrink(1)
    assert size.current == 1


def test_it_grows_again_after_proof_and_never_beyond_its_start() -> None:
    size = BatchSize()
    size.shrink(LARGEST)
    for _ in range(PROOF - 1):
        size.grow()
        assert size.current == LARGEST // 2
    size.grow()
    assert size.current == LARGEST
    for _ in range(10):
        size.grow()
    assert size.current == LARGEST


def test_what_failed_counts_and_not_what_would_have_been_allowed() -> None:
    size = BatchSize()
    size.shrink(8)
    assert size.current == 4
