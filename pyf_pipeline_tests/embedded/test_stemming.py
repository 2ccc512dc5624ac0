"""Fields whose words are indexed and looked for by their stems."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typesense
from typesense.exceptions import ObjectNotFound, RequestMalformed

from pyf_pipeline.embedded.stemming import stem_of
from pyf_pipeline_tests.embedded.conftest import client_of

Raw = Callable[..., httpx.Response]

TEXTS = [
    "Walking the dog",
    "A walk in the park",
    "He walked; they talk",
    "Wolves at the door",
    "The wolf is in the parks",
]


def filled(client: typesense.Client, field: dict[str, Any], texts: list[str]) -> None:
    fields = [{"name": "text", "type": "string", **field}, {"name": "plain", "type": "string"}]
    client.collections.create({"name": "c", "fields": fields})  # type: ignore[typeddict-item] # options as they come
    lines = [{"id": str(i), "text": t, "plain": t} for i, t in enumerate(texts)]
    client.collections["c"].documents.import_(lines, {"action": "create"})


def found(client: typesense.Client, q: str, query_by: str = "text", **more: Any) -> list[str]:
    search = {"q": q, "query_by": query_by, "num_typos": 0, "prefix": "false", "drop_tokens_threshold": 0, **more}
    return sorted(h["document"]["id"] for h in client.collections["c"].documents.search(search)["hits"])


@pytest.mark.parametrize("q", ["walk", "walks", "walking", "Walked", "WALKING"])
def test_every_form_of_a_word_finds_every_other(client: typesense.Client, q: str) -> None:
    filled(client, {"stem": True}, TEXTS)
    assert found(client, q) == ["0", "1", "2"]
    assert len(found(client, q, "plain")) <= 1


def test_the_original_word_is_marked_and_given_back(client: typesense.Client) -> None:
    filled(client, {"stem": True}, TEXTS)
    answer = client.collections["c"].documents.search({"q": "walks dogs", "query_by": "text", "prefix": "false"})
    (hit,) = answer["hits"]
    assert hit["document"]["text"] == TEXTS[0]
    assert hit["highlight"]["text"] == {
        "matched_tokens": ["Walking", "dog"], "snippet": "<mark>Walking</mark> the <mark>dog</mark>"
    }  # fmt: skip


def test_a_beginning_is_looked_for_among_the_stems(client: typesense.Client) -> None:
    filled(client, {"stem": True}, TEXTS)
    answer = client.collections["c"].documents.search({"q": "wal", "query_by": "text"})
    assert {h["highlight"]["text"]["snippet"] for h in answer["hits"]} == {
        "<mark>Wal</mark>king the dog", "A <mark>wal</mark>k in the park", "He <mark>wal</mark>ked; they talk"
    }  # fmt: skip


def test_phrases_exclusions_and_filters_go_by_stems_too(client: typesense.Client) -> None:
    filled(client, {"stem": True}, TEXTS)
    assert found(client, '"the parks"') == ["1", "4"]
    assert found(client, "walks -dogs") == ["1", "2"]
    assert found(client, "*", filter_by="text:walks") == ["0", "1", "2"]
    assert found(client, "*", filter_by="text:=Walking the dogs") == ["0"]
    assert found(client, "*", filter_by="text:!=Walking the dogs") == ["1", "2", "3", "4"]


def test_a_query_is_read_as_the_texts_of_its_heaviest_field(client: typesense.Client) -> None:
    filled(client, {"stem": True}, TEXTS)
    assert found(client, "walking", "text,plain") == ["0", "1", "2"]
    assert found(client, "walking", "plain,text") == ["0"]
    assert found(client, "walking", "plain,text", query_by_weights="1,2") == ["0", "1", "2"]


def test_the_locale_says_by_which_rules(client: typesense.Client) -> None:
    filled(client, {"stem": True, "locale": "de"}, ["Viele Häuser am Meer", "Ein Haus", "Der Bau", "ÜBER DIE DÖRFER"])
    assert found(client, "häuser") == ["0", "1"]
    assert found(client, "Dörfern") == ["3"]
    shown = client.collections["c"].retrieve()["fields"][0]
    assert (shown["stem"], shown["locale"], shown["stem_dictionary"]) == (True, "de", "")


def test_other_locales_keep_accents_and_fold_case(client: typesense.Client) -> None:
    filled(client, {"locale": "fr"}, ["Évènement", "evenement", "ÉVÈNEMENT"])
    assert found(client, "évènement") == ["0", "2"]
    assert found(client, "evenement") == ["1"]
    assert found(client, "evenement", "plain") == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"type": "int32", "stem": True}, "only allowed for string"),
        ({"stem": True, "locale": "vi"}, "stemming in locale `vi` is not supported by the embedded index"),
        ({"locale": "ja"}, "locale `ja` is not supported by the embedded index"),
        ({"locale": "German"}, "locale `German` is not supported"),
        ({"stem_dictionary": "none"}, "there is no stemming dictionary `none`"),
        ({"stem": "yes"}, "should be a boolean"),
        ({"token_separators": "-"}, "array of character symbols"),
    ],
)
def test_what_cannot_be_is_refused(client: typesense.Client, field: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestMalformed, match=message):
        filled(client, field, [])


def test_words_are_stemmed_alike_on_several_threads() -> None:
    words = [f"{w}{e}" for w in ("walk", "organis", "relation", "connect") for e in ("ing", "ed", "s", "ation")] * 20
    expected = [stem_of("en")(w) for w in words]
    stem_of.cache_clear()
    outcomes: list[list[str]] = []
    threads = [threading.Thread(target=lambda: outcomes.append([stem_of("en")(w) for w in words])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [expected] * 8


# -- dictionaries -----------------------------------------------------------------------------------------------------

IRREGULAR = [{"word": "wolves", "root": "wolf"}, {"word": "walking", "root": "walk"}]


def test_dictionaries_are_kept_by_the_official_client(client: typesense.Client, raw: Raw) -> None:
    assert client.stemming.dictionaries.retrieve() == {"dictionaries": []}
    assert client.stemming.dictionaries.upsert("irregular", IRREGULAR) == IRREGULAR
    assert client.stemming.dictionaries.retrieve() == {"dictionaries": ["irregular"]}
    assert client.stemming.dictionaries["irregular"].retrieve() == {"id": "irregular", "words": IRREGULAR}
    assert raw("DELETE", "/stemming/dictionaries/irregular").json() == {"id": "irregular"}
    with pytest.raises(ObjectNotFound):
        client.stemming.dictionaries["irregular"].retrieve()


@pytest.mark.parametrize(
    "body", ["", "{no json", '{"word": "a"}', '{"word": "a", "root": 1}', '{"word":"a","root":"b"}\n[]']
)
def test_what_is_no_dictionary_is_refused_whole(raw: Raw, body: str) -> None:
    assert raw("POST", "/stemming/dictionaries/import?id=d", content=body).status_code == 400
    assert raw("GET", "/stemming/dictionaries").json() == {"dictionaries": []}
    assert raw("POST", "/stemming/dictionaries/import", content='{"word":"a","root":"b"}').status_code == 400


def test_a_field_goes_by_its_dictionary_alone(client: typesense.Client) -> None:
    client.stemming.dictionaries.upsert("irregular", IRREGULAR)
    filled(client, {"stem_dictionary": "irregular"}, TEXTS)
    assert client.collections["c"].retrieve()["fields"][0]["stem"] is True
    assert found(client, "wolf") == found(client, "wolves") == ["3", "4"]
    assert found(client, "walk") == ["0", "1"]
    assert found(client, "parks") == ["4"]


def test_a_changed_dictionary_holds_for_what_is_indexed_already(client: typesense.Client, raw: Raw, path: Path) -> None:
    client.stemming.dictionaries.upsert("irregular", IRREGULAR)
    filled(client, {"stem_dictionary": "irregular"}, TEXTS)
    assert found(client, "wolves") == ["3", "4"]
    client.stemming.dictionaries.upsert("irregular", [{"word": "walked", "root": "walk"}])
    for each in (client, client_of(path)):
        assert found(each, "wolves") == ["3"]
        assert found(each, "walked") == ["1", "2"]
    refused = raw("DELETE", "/stemming/dictionaries/irregular")
    assert (refused.status_code, "is used by `c`" in refused.text) == (400, True)


def test_a_dictionary_of_texts_that_are_not_kept_stays_as_it_is(client: typesense.Client) -> None:
    client.stemming.dictionaries.upsert("irregular", IRREGULAR)
    filled(client, {"stem_dictionary": "irregular", "store": False}, TEXTS)
    with pytest.raises(RequestMalformed, match="field `text` of `c` is not stored"):
        client.stemming.dictionaries.upsert("irregular", [{"word": "walked", "root": "walk"}])
    assert found(client, "wolves") == ["3", "4"]


# -- a field's own words ----------------------------------------------------------------------------------------------


def test_a_field_may_have_separators_and_symbols_of_its_own(client: typesense.Client) -> None:
    texts = ["c++ non-stick", "c nonstick"]
    filled(client, {"token_separators": ["-"], "symbols_to_index": ["+"]}, texts)
    assert found(client, "stick") == ["0"]
    assert found(client, "c++") == ["0"]
    assert found(client, "c++", "plain") == ["0", "1"]
    assert found(client, "non-stick", "plain") == ["0", "1"]
    assert found(client, "*", filter_by="text:=c++ non stick") == ["0"]
    shown = client.collections["c"].retrieve()["fields"]
    assert (shown[0]["token_separators"], shown[0]["symbols_to_index"]) == (["-"], ["+"])
    assert "token_separators" not in shown[1]
    answer = client.collections["c"].documents.search({"q": "stick", "query_by": "text"})
    assert answer["hits"][0]["highlight"]["text"]["snippet"] == "c++ non-<mark>stick</mark>"


def test_a_field_that_was_dropped_and_added_again_is_read_anew(client: typesense.Client) -> None:
    filled(client, {}, ["non-stick"])
    assert found(client, "stick") == []
    again: Any = [{"name": "text", "drop": True}, {"name": "text", "type": "string", "token_separators": ["-"]}]
    client.collections["c"].update({"fields": again})
    assert found(client, "stick") == ["0"]


def test_a_collection_can_be_made_with_the_fields_of_another(client: typesense.Client, raw: Raw) -> None:
    filled(client, {"stem": True, "token_separators": ["-"]}, TEXTS)
    made = raw("POST", "/collections?src_name=c", json={"name": "d"})
    assert made.status_code == 201
    assert made.json()["fields"] == client.collections["c"].retrieve()["fields"]
    assert client.collections["d"].retrieve()["num_documents"] == 0
    assert raw("POST", "/collections?src_name=none", json={"name": "e"}).status_code == 404
    assert raw("POST", "/collections?src_name=c", json={"name": "d"}).status_code == 409
    assert raw("POST", "/collections?src_name=c", json={}).status_code == 400
