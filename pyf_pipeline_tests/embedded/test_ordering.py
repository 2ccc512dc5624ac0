"""Heap, sort and hash order: they keep every item and the order of values."""

from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.embedded.ordering import Heap, bucket_order, sorted_descending


@given(st.lists(st.integers(0, 5), max_size=60))
def test_a_heap_gives_everything_back_by_falling_value(values: list[int]) -> None:
    heap: Heap[int] = Heap()
    for i, value in enumerate(values):
        heap.push(value, i)
    popped = [heap.pop() for _ in values]
    assert sorted(popped) == list(range(len(values)))
    assert [values[i] for i in popped] == sorted(values, reverse=True)


@given(st.lists(st.integers(0, 5), max_size=80))
def test_sorting_orders_and_keeps_everything(values: list[int]) -> None:
    items = list(enumerate(values))
    ordered = sorted_descending(items, lambda e: e[1])
    assert sorted(ordered) == items
    assert [v for _, v in ordered] == sorted(values, reverse=True)


@given(st.lists(st.integers(0, 5), max_size=16))
def test_a_short_list_keeps_the_order_of_equals(values: list[int]) -> None:
    items = list(enumerate(values))
    assert sorted_descending(items, lambda e: e[1]) == sorted(items, key=lambda e: -e[1])


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=300))
def test_a_hash_map_gives_every_key_back(keys: list[int]) -> None:
    assert sorted(bucket_order(keys)) == sorted(keys)


def test_a_hash_map_that_never_grew_gives_keys_back_in_reverse() -> None:
    assert bucket_order([1, 2, 3]) == [3, 2, 1]
    assert bucket_order([0, 13, 1]) == [1, 13, 0]
