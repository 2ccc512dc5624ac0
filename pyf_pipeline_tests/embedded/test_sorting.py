"""`sort_by`: what hits are ordered by beside plain fields."""

from typing import Any

import pytest
import typesense
from typesense.exceptions import ObjectNotFound, RequestMalformed

PHONES = {"Samsung": 1728383250, "Vivo": 1728384250, "Oneplus": 1728385250, "Pixel": 1728386250, "Moto": 1728387250}
PEOPLE = [("Mark Antony", 100), ("Marks Spencer", 200), ("Mark Twain", 100), ("Mark Payne", 300), ("Marks Henry", 200),
          ("Mark Aurelius", 200)]  # fmt: skip


@pytest.fixture
def phones(client: typesense.Client) -> typesense.Client:
    fields = [{"name": "name", "type": "string"}, {"name": "time", "type": "int64"}]
    client.collections.create({"name": "c", "fields": fields})  # type: ignore[typeddict-item] # options as they come
    lines = [
        {"id": str(i), "name": f"{name} Smartphone", "time": time} for i, (name, time) in enumerate(PHONES.items())
    ]
    client.collections["c"].documents.import_(lines, {"action": "create"})
    return client


@pytest.fixture
def people(client: typesense.Client) -> typesense.Client:
    fields = [{"name": "title", "type": "string"}, {"name": "points", "type": "int32"}]
    client.collections.create({"name": "c", "fields": fields})  # type: ignore[typeddict-item] # options as they come
    lines = [{"id": str(i), "title": t, "points": p} for i, (t, p) in enumerate(PEOPLE)]
    client.collections["c"].documents.import_(lines, {"action": "create"})
    return client


def found(client: typesense.Client, sort: str, q: str = "*", query_by: str = "", **more: Any) -> list[str]:
    search = {"q": q, "query_by": query_by, "sort_by": sort, **more}
    answer: Any = client.collections["c"].documents.search(search)  # type: ignore[arg-type] # as they come
    return [(h["document"].get("name") or h["document"]["title"]).removesuffix(" Smartphone") for h in answer["hits"]]


@pytest.mark.parametrize("function", ["gauss", "linear", "exp"])
def test_nearer_to_the_origin_is_worth_more(phones: typesense.Client, function: str) -> None:
    decay = f"time(origin: 1728385250, func: {function}, scale: 1000, decay: 0.5)"
    ordered = found(phones, f"{decay}:desc")
    assert ordered[0] == "Oneplus"
    assert set(ordered[1:3]) == {"Pixel", "Vivo"}
    assert set(found(phones, f"{decay}:asc")[:2]) == {"Moto", "Samsung"}


def test_a_pivot_sorts_by_distance(phones: typesense.Client) -> None:
    pivot = "time(origin: 1728386250, func: diff)"
    assert found(phones, f"{pivot}:asc,time:desc") == ["Pixel", "Moto", "Oneplus", "Vivo", "Samsung"]
    assert found(phones, f"{pivot}:desc,time:desc") == ["Samsung", "Vivo", "Moto", "Oneplus", "Pixel"]
    near = "time(origin: 1728386250, func: diff, offset: 1000)"
    assert found(phones, f"{near}:asc,time:asc") == ["Oneplus", "Pixel", "Moto", "Vivo", "Samsung"]


@pytest.mark.parametrize(
    "options",
    ["origin: x, func: diff", "origin: 5", "origin: 5, func: cubic", "origin: 5, func: gauss",
     "origin: 5, func: gauss, scale: 0", "origin: 5, func: gauss, scale: 1.5",
     "origin: 5, func: exp, scale: 1, decay: 1.0", "origin: 5, func: exp, scale: 1, decay: low",
     "origin: 5, func: diff, colour: red"],
)  # fmt: skip
def test_a_decay_that_means_nothing_is_refused(phones: typesense.Client, options: str) -> None:
    with pytest.raises(RequestMalformed):
        found(phones, f"time({options}):desc")
    with pytest.raises((RequestMalformed, ObjectNotFound)):
        found(phones, "name(origin: 5, func: diff):desc")


def test_random_order_is_the_same_by_the_same_seed(client: typesense.Client) -> None:
    client.collections.create({"name": "c", "fields": [{"name": "title", "type": "string"}]})
    lines = [{"id": str(i), "title": f"t{i}"} for i in range(60)]
    client.collections["c"].documents.import_(lines, {"action": "create"})
    orders = [
        found(client, sort, per_page=100) for sort in ("_rand(42)", "_rand(42):desc", "_rand(7)", "_rand()", "_rand()")
    ]
    assert all(sorted(o) == sorted(orders[0]) for o in orders)
    assert orders[0] == orders[1]
    assert len({tuple(o) for o in orders}) == 4
    pages = [found(client, "_rand(42)", per_page=25, page=p) for p in (1, 2, 3)]
    assert [t for page in pages for t in page] == orders[0]
    with pytest.raises(RequestMalformed, match="positive integer seed"):
        found(client, "_rand(-1)")


def test_hits_of_one_bucket_are_taken_to_match_alike(people: typesense.Client) -> None:
    points = dict(PEOPLE)
    plain = found(people, "_text_match:desc,points:desc", "mark", "title")
    assert [points[t] for t in plain] == [300, 200, 100, 100, 200, 200]
    parted = found(people, "_text_match(bucket_size: 3):desc,points:desc", "mark", "title")
    assert [points[t] for t in parted] == [300, 200, 100, 200, 200, 100]
    assert set(parted[:3]) == set(plain[:3])
    assert [points[t] for t in found(people, "_text_match(buckets: 1):desc,points:desc", "mark", "title")] == [
        300, 200, 200, 200, 100, 100
    ]  # fmt: skip
    for nothing in ("bucket_size: 0", "bucket_size: 7", "buckets: 7", "buckets: 0"):
        assert found(people, f"_text_match({nothing}):desc,points:desc", "mark", "title") == plain
    with pytest.raises(RequestMalformed, match="bucket_size"):
        found(people, "_text_match(bucket_size: x):desc", "mark", "title")
