"""What is exactly so, by the values of a facet: the same as by the words of a field that is none."""

from pathlib import Path
from typing import Any

import pytest
import typesense
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.columns import build_labels
from pyf_pipeline.embedded.labelled import LabelWords
from pyf_pipeline_tests.embedded.conftest import client_of

WORDS = ["plone", "6", "Framework", "::", "é", "a" * 60]
VALUES = st.lists(st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join), max_size=3)


def ids(client: typesense.Client, condition: str) -> list[str]:
    found = client.collections["c"].documents.search({"q": "*", "filter_by": condition, "per_page": 250})
    return sorted(hit["document"]["id"] for hit in found["hits"])


@settings(max_examples=40, deadline=None)
@given(documents=st.lists(VALUES, min_size=1, max_size=8), asked=st.lists(VALUES, min_size=1, max_size=6))
def test_facets_and_other_fields_are_filtered_alike(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[str]], asked: list[list[str]]
) -> None:
    path: Path = tmp_path_factory.mktemp("labelled") / "index.sqlite"
    client = client_of(path)
    fields: list[Any] = [{"name": "facet", "type": "string[]", "facet": True}, {"name": "other", "type": "string[]"}]
    client.collections.create({"name": "c", "fields": fields})
    lines = [{"id": str(i), "facet": values, "other": values} for i, values in enumerate(documents)]
    client.collections["c"].documents.import_(lines, {"action": "create", "batch_size": 3})
    client.collections["c"].documents["0"].delete()
    for values in asked:
        texts = [text for text in values if text.replace(":", "").strip()]
        for text in texts:
            for sign in ("=", "!="):
                for end in ("", "*"):
                    conditions = [f"{name}:{sign}`{text}{end}`" for name in ("facet", "other")]
                    assert ids(client, conditions[0]) == ids(client, conditions[1]), conditions[0]
        if texts:
            listed = ",".join(f"`{text}`" for text in texts)
            assert ids(client, f"facet:=[{listed}]") == ids(client, f"other:=[{listed}]")


def test_what_may_have_been_cut_is_not_judged() -> None:
    whole = " ".join(["word"] * 5)
    cut = "x" * 40 + " " + "y" * 59
    labels = build_labels([[whole], [cut], [whole, cut]], [1, 2, 3])
    known = LabelWords(labels, str.split)
    found = known.documents((b"word",) * 5, whole=True)
    assert found is not None
    assert found.tolist() == [0, 2]
    begun = known.documents((b"word",) * 2, whole=False)
    assert begun is not None
    assert begun.tolist() == [0, 2]
    assert known.documents((b"x" * 40, b"y" * 59), whole=True) is None
    assert known.documents((b"x" * 40, b"y" * 70), whole=True) is None
