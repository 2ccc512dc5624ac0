"""Words in fields: where they are by way of the file, against where they are in the texts."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded import building, inverted, storage
from pyf_pipeline.embedded.arrays import offsets_of, pack, unpack
from pyf_pipeline.embedded.catalogue import get_collection
from pyf_pipeline.embedded.inverted import ELEMENT, LAST, PLACE
from pyf_pipeline.embedded.service import Service
from pyf_pipeline_tests.embedded.conftest import ADMIN, client_of, definition

WORDS = ["form", "grid", "plone"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
DOCUMENTS = st.lists(
    st.fixed_dictionaries({"name": TEXTS, "tags": st.lists(TEXTS, max_size=3)}), min_size=1, max_size=12
)


def places(value: Any, word: str) -> list[tuple[int, int, bool]]:
    """Where a word is in a value: which text, which place, whether last."""
    texts = value if isinstance(value, list) else [value]
    return [
        (element, place, place == len(text.split()) - 1)
        for element, text in enumerate(texts)
        for place, each in enumerate(text.split())
        if each == word
    ]


@settings(max_examples=40, deadline=None)
@given(documents=DOCUMENTS, batch=st.integers(1, 5), dead=st.sets(st.integers(0, 11), max_size=4))
def test_a_word_is_where_it_is_in_the_living_documents(
    tmp_path_factory: pytest.TempPathFactory, documents: list[dict[str, Any]], batch: int, dead: set[int]
) -> None:
    path = tmp_path_factory.mktemp("postings") / "index.sqlite"
    client = client_of(path)
    client.collections.create(definition("c"))
    numbered = [{"id": str(i), **d} for i, d in enumerate(documents)]
    client.collections["c"].documents.import_(numbered, {"action": "create", "batch_size": batch})
    for number in dead & set(range(len(documents))):
        client.collections["c"].documents[str(number)].delete()
    living = [d for d in numbered if int(d["id"]) not in dead]
    service = Service(path, admin_key=ADMIN)
    with service.storage.read() as connection:
        view = service.view(connection, get_collection(connection, "c"))
        every = np.arange(len(living))
        for field in ("name", "tags"):
            for word in WORDS:
                postings = view.postings(connection, field, word.encode())
                expected = [places(d[field], word) for d in living]
                assert postings.documents.tolist() == [i for i, found in enumerate(expected) if found]
                assert view.document_count(connection, field, word.encode()) == len(postings)
                runs = view.runs(connection, field, postings, every)
                for i, found in enumerate(expected):
                    some = runs.values[runs.starts[i] : runs.starts[i + 1]].tolist()
                    assert [(o >> 16 & ELEMENT, o & PLACE, o & LAST != 0) for o in some] == found
    service.close()


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0, 1, ELEMENT]), st.sampled_from([0, 5, 0x7FFF, 0x8000, PLACE])))
)
def test_occurrences_are_the_same_whether_stored_short_or_long(parts: list[tuple[bool, int, int]]) -> None:
    given = np.array([last << 31 | element << 16 | place for last, element, place in parts], dtype=np.uint32)
    stored = inverted.shortened(given)
    assert inverted.lengthened(stored).tolist() == given.tolist()
    assert (stored.dtype == np.uint16) == all(element == 0 and place <= 0x7FFF for _, element, place in parts)


def as_format_1(path: Path) -> None:
    """Puts the places of words beside the documents, as files of format 1 have them."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT segment_id, name, chunk, data FROM parts WHERE name LIKE 'places:%'"
        ).fetchall()
        for segment, name, chunk, data in rows:
            key = (segment, name.replace("places:", "postings:"), chunk)
            where = "segment_id = ? AND name = ? AND chunk = ?"
            found = unpack(connection.execute(f"SELECT data FROM parts WHERE {where}", key).fetchone()[0])
            block = pack(
                first=found["first"], starts=found["starts"], documents=found["documents"].astype(np.uint32),
                occurrence_starts=offsets_of(found["lengths"]).astype(np.uint32),
                occurrences=inverted.lengthened(unpack(data)["occurrences"]),
            )  # fmt: skip
            connection.execute(f"UPDATE parts SET data = ? WHERE {where}", (block, *key))
        connection.execute("DELETE FROM parts WHERE name LIKE 'places:%'")
        connection.execute("UPDATE settings SET value = 1 WHERE name = 'format'")


def test_a_file_of_format_1_is_read_and_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(path)
    client.collections.create(definition("c"))
    documents = [{"id": str(i), "name": f"form grid {i}", "tags": ["plone form", "x"]} for i in range(40)]
    client.collections["c"].documents.import_(documents, {"action": "create", "batch_size": 7})
    searches = [
        {"q": q, "query_by": "name,tags", "per_page": 50} for q in ("form", "grid form", '"form grid"', "plone x")
    ]
    before = [client.collections["c"].documents.search(s)["hits"] for s in searches]
    as_format_1(path)
    monkeypatch.setattr(building, "MERGE_AT", 2)
    client = client_of(path)
    assert [client.collections["c"].documents.search(s)["hits"] for s in searches] == before
    client.collections["c"].documents.import_([{"id": "new", "name": "other"}], {"action": "create"})
    assert [client.collections["c"].documents.search(s)["hits"] for s in searches] == before


def test_a_file_of_a_format_to_come_is_refused(path: Path) -> None:
    client_of(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE settings SET value = ? WHERE name = 'format'", (storage.FORMAT + 1,))
    with pytest.raises(RuntimeError, match="was written in format"):
        Service(path, admin_key=ADMIN)
