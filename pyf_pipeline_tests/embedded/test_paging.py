"""Hits are in one order, however few of them are asked for at a time, with and without groups."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline_tests.embedded.conftest import client_of, definition

WORDS = ["form", "grid", "plone", "app"]
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
DOCUMENT = st.fixed_dictionaries(
    {"name": TEXT, "summary": TEXT, "tags": st.lists(TEXT, max_size=3), "stars": st.integers(0, 2)}
)
SORTS = st.sampled_from(
    [
        "_text_match:desc",
        "stars:desc,_text_match:desc",
        "_text_match:asc,stars:desc",
        "_text_match(buckets: 3):desc",
        "",
    ]
)


def flat(answer: dict[str, Any]) -> list[tuple[str, int]]:
    hits = answer["hits"] if "hits" in answer else [h for g in answer["grouped_hits"] for h in g["hits"]]
    return [(h["document"]["id"], h["text_match"]) for h in hits]


SEARCHES = st.fixed_dictionaries(
    {
        "q": st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), "sort_by": SORTS,
        "drop_tokens_threshold": st.just(9), "query_by": st.just("name,summary,tags"),
    },
    optional={"group_by": st.just("stars"), "group_limit": st.just(99)},
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(documents=st.lists(DOCUMENT, min_size=1, max_size=40), search=SEARCHES, size=st.integers(1, 7))
def test_pages_put_one_after_another_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, documents: list[dict[str, Any]], search: Any, size: int
) -> None:
    path: Path = tmp_path_factory.mktemp("paging") / "index.sqlite"
    client = client_of(path)
    client.collections.create(definition("c"))
    lines = [{"id": str(i), **d} for i, d in enumerate(documents)]
    client.collections["c"].documents.import_(lines, {"action": "create", "batch_size": 11})
    whole = flat(client.collections["c"].documents.search({**search, "per_page": 250}))
    pages = []
    for page in range(1, len(documents) + 2):
        pages += flat(client.collections["c"].documents.search({**search, "per_page": size, "page": page}))
    assert pages == whole
    assert len(dict(whole)) == len(whole)
