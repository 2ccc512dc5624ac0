"""Many small segments, with documents replaced and deleted in them, answer as one made at once does."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded import building
from pyf_pipeline_tests.embedded.conftest import client_of, definition

WORDS = ["form", "grid", "plone", "app", "café"]

DOCUMENT = st.fixed_dictionaries(
    {"name": st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)},
    optional={
        "tags": st.lists(st.sampled_from(WORDS), max_size=3),
        "stars": st.integers(-5, 5),
        "score": st.floats(-3, 3, width=32),
        "yanked": st.booleans(),
    },
)
STEP = st.one_of(
    st.tuples(st.just("upsert"), st.integers(0, 12), DOCUMENT),
    st.tuples(st.just("delete"), st.integers(0, 12), st.none()),
)

SEARCHES: list[dict[str, Any]] = [
    {"q": "*", "facet_by": "tags,stars,yanked", "sort_by": "stars:asc,name:desc"},
    {"q": "form", "query_by": "name,tags", "facet_by": "tags", "sort_by": "_text_match:desc,score:asc"},
    {"q": "plone app", "query_by": "name", "filter_by": "stars:>=0 || tags:=grid", "sort_by": "score:desc"},
    {"q": "ap", "query_by": "tags,name", "group_by": "tags", "sort_by": "name:asc"},
    {"q": '"form grid"', "query_by": "name", "sort_by": "name:asc"},
]


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    hits = answer["hits"] if "hits" in answer else [h for g in answer["grouped_hits"] for h in g["hits"]]
    return {
        "found": answer["found"], "ids": sorted(h["document"]["id"] for h in hits),
        "scores": sorted((h["document"]["id"], h.get("text_match")) for h in hits),
        "highlights": {h["document"]["id"]: h["highlight"] for h in hits},
        "facets": {
            f["field_name"]: ({c["value"]: c["count"] for c in f["counts"]}, f["stats"]) for f in answer["facet_counts"]
        },
    }  # fmt: skip


@pytest.fixture(autouse=True)
def eager_merging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "MERGE_AT", 3)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEP, min_size=1, max_size=14))
def test_the_way_to_a_state_does_not_matter(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    folder: Path = tmp_path_factory.mktemp("segments")
    slow, fast = client_of(folder / "slow.sqlite"), client_of(folder / "fast.sqlite")
    for client in (slow, fast):
        client.collections.create(definition("c"))
    final: dict[str, dict[str, Any]] = {}
    for action, number, document in steps:
        if action == "upsert":
            final[str(number)] = {"id": str(number), **document}
            slow.collections["c"].documents.upsert(final[str(number)])
        elif final.pop(str(number), None) is not None:
            slow.collections["c"].documents[str(number)].delete()
    if final:
        fast.collections["c"].documents.import_(list(final.values()), {"action": "create"})
    assert slow.collections["c"].retrieve()["num_documents"] == len(final)
    for search in SEARCHES:
        wide = {"per_page": 250, "group_limit": 99, "max_facet_values": 99, "facet_strategy": "exhaustive", **search}
        answers = [shown(c.collections["c"].documents.search(wide)) for c in (slow, fast)]
        assert answers[0] == answers[1], search


def test_a_long_list_of_documents_survives_merging(path: Path) -> None:
    client = client_of(path)
    client.collections.create(definition("c"))
    for low in range(0, 400, 20):
        lines = [{"id": str(i), "name": f"number{i} even{i % 2}", "stars": i} for i in range(low, low + 20)]
        client.collections["c"].documents.import_(lines, {"action": "create"})
    documents = client.collections["c"].documents
    assert documents.search({"q": "even1", "query_by": "name", "num_typos": 0})["found"] == 200
    assert documents.search({"q": "*", "filter_by": "stars:[100..149]"})["found"] == 50
    assert [
        h["document"]["id"]
        for h in documents.search({"q": "number37", "query_by": "name", "num_typos": 0, "per_page": 1})["hits"]
    ] == ["37"]
    assert documents.delete({"filter_by": "stars:<390"}) == {"num_deleted": 390}
    assert sorted(h["document"]["id"] for h in documents.search({"q": "*"})["hits"]) == [
        str(i) for i in range(390, 400)
    ]
