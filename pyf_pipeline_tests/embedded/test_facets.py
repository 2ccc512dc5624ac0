"""Which values of a facet are counted and shown where a search is for everything."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import typesense
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline_tests.embedded.conftest import client_of

FIELDS: list[Any] = [
    {"name": "tags", "type": "string[]", "facet": True, "optional": True},
    {"name": "stars", "type": "int64", "facet": True, "optional": True},
]


@pytest.fixture
def empty(client: typesense.Client) -> typesense.Client:
    client.collections.create({"name": "c", "fields": FIELDS})
    return client


def write(client: typesense.Client, name: str, *tags: str, stars: int | None = None) -> None:
    client.collections["c"].documents.upsert({"id": name, "tags": list(tags), "stars": stars})


def facet(client: typesense.Client, field: str = "tags", **more: Any) -> dict[str, Any]:
    parameters = {"q": "*", "facet_by": field, "per_page": 0, **more}
    found: dict[str, Any] = client.collections["c"].documents.search(parameters)["facet_counts"][0]
    return found


def first(client: typesense.Client, count: int, field: str = "tags") -> set[str]:
    """The values that are shown where so many are asked for."""
    return {c["value"] for c in facet(client, field, max_facet_values=count)["counts"]}


def test_what_is_hidden_counts_where_everything_is_searched_for(empty: typesense.Client) -> None:
    for name in ("1", "2", "3"):
        write(empty, name, "Plone", stars=int(name))
    shown = facet(empty, "tags", hidden_hits="2,3")["counts"]
    assert [(c["value"], c["count"]) for c in shown] == [("Plone", 3)]
    stats = facet(empty, "stars", hidden_hits="2,3")["stats"]
    assert stats == {"min": 1, "max": 1, "sum": 6, "avg": 2, "total_values": 3}
    shown = facet(empty, "tags", hidden_hits="2,3", filter_by="stars:>0")["counts"]
    assert [(c["value"], c["count"]) for c in shown] == [("Plone", 1)]


def test_of_equally_frequent_values_the_one_that_changed_last_is_looked_at_last(empty: typesense.Client) -> None:
    write(empty, "1", "a")
    write(empty, "2", "b")
    assert first(empty, 1) == {"a"}
    write(empty, "3", "a")
    assert first(empty, 1) == {"a"}
    empty.collections["c"].documents["3"].delete()
    assert first(empty, 1) == {"b"}, "a has changed since"
    write(empty, "4", "c", "c")
    write(empty, "2", "b", "d")
    assert first(empty, 2) == {"a", "c"}, "b was written again, with another value beside it"


def test_a_document_that_is_written_as_it_was_changes_nothing(empty: typesense.Client) -> None:
    write(empty, "1", "a")
    write(empty, "2", "b")
    write(empty, "1", "a", stars=5)
    assert first(empty, 1) == {"a"}
    assert first(empty, 1, "stars") == {"5"}


def test_fields_that_are_added_and_dropped_begin_anew(empty: typesense.Client) -> None:
    write(empty, "1", "a")
    write(empty, "2", "b")
    empty.collections["c"].update({"fields": [{"name": "tags", "drop": True}]})
    write(empty, "1", "b")
    write(empty, "2", "a")
    empty.collections["c"].update({"fields": [FIELDS[0]]})
    assert first(empty, 1) == {"a"}, "documents that are there are counted like a batch: the last one first"


def test_a_file_that_knows_nothing_of_it_is_read_and_written(path: Path, empty: typesense.Client) -> None:
    write(empty, "1", "a")
    write(empty, "2", "b", "b")
    with sqlite3.connect(path) as file:
        file.execute("DROP TABLE standings")
    again = client_of(path)
    assert first(again, 2) == {"a", "b"}
    write(again, "1", "c")
    assert first(again, 9) == {"b", "c"}


def test_a_large_collection_counts_all_values_of_a_field_that_few_documents_have(empty: typesense.Client) -> None:
    lines = [{"id": str(i), "stars": i % 40} | ({"tags": [str(i % 40)]} if i < 400 else {}) for i in range(10_000)]
    answers = empty.collections["c"].documents.import_(lines, {"action": "create"})
    assert all(a["success"] for a in answers)
    assert facet(empty, "tags")["stats"]["total_values"] == 40
    assert facet(empty, "stars")["stats"]["total_values"] == 10


class Counts:
    """The same by a list that is moved about in, as the documents are written one by one."""

    def __init__(self) -> None:
        self.documents: dict[str, list[str]] = {}
        self.counts: dict[str, int] = {}
        self.listed: list[str] = []

    def move(self, value: str) -> None:
        """To behind all that are as frequent."""
        if self.counts.pop(value, 0):
            self.listed.remove(value)
        if number := sum(value in tags for tags in self.documents.values()):
            place = next((i for i, v in enumerate(self.listed) if self.counts[v] < number), len(self.listed))
            self.listed.insert(place, value)
            self.counts[value] = number

    def write(self, name: str, tags: Sequence[str]) -> None:
        old = self.documents.get(name, [])
        if old == list(tags):
            return
        self.documents[name] = []
        for value in dict.fromkeys(old):
            self.move(value)
        self.documents[name] = list(tags)
        for value in dict.fromkeys(tags):
            self.move(value)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("123456"), st.lists(st.sampled_from("abcdef"), max_size=3)), max_size=25),
    st.integers(1, 6),
)
def test_values_move_about_as_in_a_list(writes: list[tuple[str, list[str]]], count: int) -> None:
    with TemporaryDirectory() as folder:
        client = client_of(Path(folder) / "index.sqlite")
        client.collections.create({"name": "c", "fields": FIELDS})
        expected = Counts()
        for name, tags in writes:
            write(client, name, *tags)
            expected.write(name, tags)
        assert first(client, count) == set(expected.listed[:count])
