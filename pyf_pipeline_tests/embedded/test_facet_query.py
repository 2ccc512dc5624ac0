"""Looking for values of a facet, and searching for pieces of words."""

from typing import Any

import pytest
import typesense

TAGS = [["Plone 6.0", "Zope"], ["Django"], ["Flask", "Plone 5.2"], ["Framework"], []]


@pytest.fixture
def tagged(client: typesense.Client) -> typesense.Client:
    fields: list[Any] = [
        {"name": "tags", "type": "string[]", "facet": True},
        {"name": "text", "type": "string", "infix": True},
    ]
    client.collections.create({"name": "c", "fields": fields})
    texts = ["a workflow", "networking", "py2neo works", "framework", "nothing"]
    lines = [{"id": str(i), "tags": t, "text": x} for i, (t, x) in enumerate(zip(TAGS, texts, strict=True))]
    client.collections["c"].documents.import_(lines, {"action": "create"})
    return client


def values(client: typesense.Client, query: str, **more: Any) -> dict[str, str]:
    parameters = {"q": "*", "facet_by": "tags", "facet_query": f"tags:{query}", **more}
    found = client.collections["c"].documents.search(parameters)["facet_counts"][0]
    return {c["value"]: c["highlighted"] for c in found["counts"]}


def test_values_are_found_by_their_beginnings_and_marked(tagged: typesense.Client) -> None:
    assert values(tagged, "plo") == {"Plone 6.0": "<mark>Plo</mark>ne 6.0", "Plone 5.2": "<mark>Plo</mark>ne 5.2"}
    assert values(tagged, "plone 5") == {"Plone 5.2": "<mark>Plone</mark> <mark>5</mark>.2"}
    assert values(tagged, "nothing") == {}


def test_a_slip_is_forgiven_as_far_as_is_asked(tagged: typesense.Client) -> None:
    assert set(values(tagged, "plnoe")) == {"Plone 6.0", "Plone 5.2"}
    assert values(tagged, "djagno") == {"Django": "<mark>Django</mark>"}
    assert values(tagged, "djagno", facet_query_num_typos=0) == {}
    assert values(tagged, "zpo") == {}, "short words are taken as they are"
    assert set(values(tagged, "framxwoxk")) == {"Framework"}
    assert values(tagged, "framxwoxk", facet_query_num_typos=1) == {}


def found(client: typesense.Client, query: str, **more: Any) -> list[str]:
    hits = client.collections["c"].documents.search({"q": query, "query_by": "text", **more})["hits"]
    return sorted(h["document"]["id"] for h in hits)


def test_pieces_of_words_are_found_where_that_is_asked_for(tagged: typesense.Client) -> None:
    assert found(tagged, "work") == ["0", "2"]
    assert found(tagged, "work", infix="always") == ["0", "1", "2", "3"]
    assert found(tagged, "work", infix="fallback") == ["0", "2"]
    assert found(tagged, "etwor", infix="fallback", num_typos=0) == ["1"]
    assert found(tagged, "etwor", infix="always", num_typos=0, max_extra_prefix=0) == []
    assert found(tagged, "etwor", infix="always", num_typos=0, max_extra_suffix=2) == []


def test_words_of_letters_and_digits_can_be_taken_as_they_are(tagged: typesense.Client) -> None:
    assert found(tagged, "py2nea") == ["2"]
    assert found(tagged, "py2nea", enable_typos_for_alpha_numerical_tokens="false") == []
    assert found(tagged, "netwrking", enable_typos_for_alpha_numerical_tokens="false") == ["1"]
