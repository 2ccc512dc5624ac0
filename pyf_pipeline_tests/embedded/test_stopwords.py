"""Words that searches leave out."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import typesense
from typesense.exceptions import ObjectNotFound

from pyf_pipeline_tests.embedded.conftest import definition

Raw = Callable[..., httpx.Response]


@pytest.fixture
def filled(client: typesense.Client) -> typesense.Client:
    client.collections.create(definition("c"))
    names = ["The Dark Knight Europe", "An American America", "An the", "A Deadman", "A Village of the Deadman"]
    lines = [{"id": str(i), "name": name} for i, name in enumerate(names)]
    client.collections["c"].documents.import_(lines, {"action": "create"})
    client.stopwords.upsert("articles", {"stopwords": ["the", "a", "an"], "locale": "en"})
    return client


def found(client: typesense.Client, q: str, **more: Any) -> list[str]:
    answer = client.collections["c"].documents.search({"q": q, "query_by": "name", **more})
    return sorted(h["document"]["id"] for h in answer["hits"])


def test_sets_are_kept_word_by_word_by_the_official_client(client: typesense.Client) -> None:
    assert client.stopwords.retrieve() == {"stopwords": []}
    made = {"id": "countries", "stopwords": ["germany", "united", "states"], "locale": "en"}
    assert client.stopwords.upsert("countries", {"stopwords": ["Germany", "United States"], "locale": "en"}) == made
    assert client.stopwords["countries"].retrieve() == {"stopwords": made}
    client.stopwords.upsert("countries", {"stopwords": ["Italy"]})
    assert client.stopwords.retrieve() == {"stopwords": [{"id": "countries", "stopwords": ["italy"]}]}
    assert client.stopwords["countries"].delete() == {"id": "countries"}
    with pytest.raises(ObjectNotFound, match="Stopword `countries` not found"):
        client.stopwords["countries"].retrieve()
    with pytest.raises(ObjectNotFound):
        client.stopwords["countries"].delete()


@pytest.mark.parametrize(
    "body", ["[]", "{}", '{"stopwords": []}', '{"stopwords": [1]}', '{"stopwords": ["a"], "locale": 12}', "{no"]
)
def test_what_is_no_set_is_refused(raw: Raw, body: str) -> None:
    assert raw("PUT", "/stopwords/s", content=body).status_code == 400


def test_words_of_the_sets_are_not_looked_for(filled: typesense.Client) -> None:
    assert found(filled, "a deadman", drop_tokens_threshold=0) == ["3", "4"]
    assert found(filled, "the deadman", drop_tokens_threshold=0) == ["4"]
    assert found(filled, "the deadman", stopwords="articles", drop_tokens_threshold=0) == ["3", "4"]
    filled.stopwords.upsert("people", {"stopwords": ["deadman"]})
    assert found(filled, "the deadman europe", stopwords="articles, people") == ["0"]


def test_nothing_is_found_by_stop_words_alone(filled: typesense.Client) -> None:
    assert found(filled, "the") == ["0", "2", "4"]
    assert found(filled, "the", stopwords="articles") == []
    assert found(filled, "*", stopwords="articles") == ["0", "1", "2", "3", "4"]


def test_a_set_that_is_not_there_is_said(filled: typesense.Client) -> None:
    with pytest.raises(ObjectNotFound, match="Stopword `none` not found"):
        found(filled, "the", stopwords="articles,none")
