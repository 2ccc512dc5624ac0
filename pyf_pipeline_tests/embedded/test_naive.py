"""Found, order, counts, groups and marks against what comes of looking at every document."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
import typesense

from pyf_pipeline_tests.embedded.conftest import client_of
from pyf_pipeline_tests.embedded.naive import (
    FIELDS,
    SORTS,
    Document,
    Filter,
    Question,
    counts,
    documents,
    filters,
    questions,
    sort_key,
    texts,
    words,
)  # fmt: skip

SEEDS = range(2)
EXACT = {"num_typos": 0, "drop_tokens_threshold": 0, "split_join_tokens": "off", "max_candidates": 10_000}


@pytest.fixture(params=SEEDS)
def rnd(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.param)


@pytest.fixture
def kept(client: typesense.Client, rnd: random.Random) -> dict[str, Document]:
    """The documents of a collection that has seen imports, updates and deletions."""
    client.collections.create({"name": "c", "fields": FIELDS, "token_separators": [".", "-", "_", "/"]})
    every = documents(rnd, 140)
    collection = client.collections["c"].documents
    for low in range(0, len(every), 20):
        collection.import_(every[low : low + 20], {"action": "create"})
    changed = [{**new, "id": old["id"]} for old, new in zip(rnd.sample(every, 15), documents(rnd, 15), strict=True)]
    collection.import_(changed, {"action": "upsert"})
    gone = {d["id"] for d in rnd.sample(every, 15)}
    collection.delete({"filter_by": f"id:=[{','.join(gone)}]"})
    by_id = {d["id"]: d for d in [*every, *changed]}
    return {name: d for name, d in by_id.items() if name not in gone}


def asked(client: typesense.Client, question: Question, condition: Filter | None, **more: Any) -> dict[str, Any]:
    search = {"q": question.q, "query_by": ",".join(question.fields), "prefix": str(question.prefix).lower(), **EXACT}
    if condition:
        search["filter_by"] = condition.text
    answer: Any = client.collections["c"].documents.search({**search, **more})  # type: ignore[arg-type] # as they come
    return answer


def expected(kept: dict[str, Document], question: Question, condition: Filter | None) -> list[Document]:
    return [d for d in kept.values() if question.holds(d) and (condition is None or condition.holds(d))]


def test_what_is_found_is_what_holds_on_every_page(
    client: typesense.Client, kept: dict[str, Document], rnd: random.Random
) -> None:
    for _ in range(60):
        question, condition = questions(rnd), filters(rnd) if rnd.random() < 0.7 else None
        wanted = expected(kept, question, condition)
        sort = rnd.choice(SORTS)
        pages = [asked(client, question, condition, per_page=40, page=p, sort_by=sort) for p in range(1, 5)]
        hits = [h for page in pages for h in page["hits"]]
        about = (question, condition)
        assert sorted(h["document"]["id"] for h in hits) == sorted(d["id"] for d in wanted), about
        assert {p["found"] for p in pages} == {len(wanted)}, about
        assert {p["out_of"] for p in pages} == {len(kept)}
        assert all(h["document"] == kept[h["document"]["id"]] for h in hits)
        keys = [sort_key(h["document"], sort) for h in hits]
        assert keys == sorted(keys), (sort, about)


def test_counts_are_those_of_the_hits(client: typesense.Client, kept: dict[str, Document], rnd: random.Random) -> None:
    for _ in range(40):
        question, condition = questions(rnd), filters(rnd)
        names = ["labels", "stars", "marks", "yanked", "name"]
        found = asked(
            client, question, condition, facet_by=",".join(names), max_facet_values=500, facet_strategy="exhaustive"
        )
        wanted = expected(kept, question, condition)
        for name, facet in zip(names, found["facet_counts"], strict=True):
            assert facet["field_name"] == name
            assert {c["value"]: c["count"] for c in facet["counts"]} == counts(wanted, name), (
                question,
                condition,
                name,
            )
            shown = [(c["count"], c["value"]) for c in facet["counts"]]
            assert shown == sorted(sorted(shown, key=lambda s: s[1], reverse=True), key=lambda s: (-s[0], len(s[1])))
            assert facet["stats"]["total_values"] == len(shown)
            values = [v for d in wanted if name in d for v in (d[name] if name == "marks" else [d[name]])]
            if values and name in {"stars", "marks"}:
                assert facet["stats"]["min"] == min(values)
                assert facet["stats"]["max"] == max(values)
                assert facet["stats"]["sum"] == sum(values)
                assert facet["stats"]["avg"] == pytest.approx(sum(values) / len(values))


def test_groups_are_all_the_hits_once(client: typesense.Client, kept: dict[str, Document], rnd: random.Random) -> None:
    for _ in range(30):
        question, condition = questions(rnd), filters(rnd) if rnd.random() < 0.5 else None
        name, limit = rnd.choice(["name", "labels", "yanked", "stars"]), rnd.randint(1, 3)
        found = asked(client, question, condition, group_by=name, group_limit=limit, per_page=250, sort_by="score:desc")
        wanted = expected(kept, question, condition)
        groups = found["grouped_hits"]
        assert found["found_docs"] == len(wanted) == sum(g["found"] for g in groups)
        assert found["found"] == len(groups) == len({str(d.get(name)) for d in wanted})
        for group in groups:
            key = group["group_key"][0] if group["group_key"] else None
            members = [d for d in wanted if d.get(name) == key]
            assert group["found"] == len(members)
            assert len(group["hits"]) == min(limit, len(members))
            assert {h["document"]["id"] for h in group["hits"]} <= {d["id"] for d in members}
        keys = [sort_key(g["hits"][0]["document"], "score:desc") for g in groups]
        assert keys == sorted(keys)


def test_what_is_marked_is_what_was_looked_for(
    client: typesense.Client, kept: dict[str, Document], rnd: random.Random
) -> None:
    for _ in range(40):
        question = questions(rnd)
        if question.q == "*":
            continue
        found = asked(client, question, None, highlight_full_fields="summary", per_page=250)
        for hit in found["hits"]:
            shown = hit["highlight"]
            assert shown, question
            for name, parts in shown.items():
                each = parts if isinstance(parts, list) else [parts]
                for part, text in zip(each, texts(hit["document"], name), strict=True):
                    check_marks(part, text, question)


def check_marks(part: dict[str, Any], text: str, question: Question) -> None:
    """Without its marks a snippet is a part of the text, and each mark is on a word, or its beginning, of the query."""
    assert part["snippet"].replace("<mark>", "").replace("</mark>", "") in text
    marked = re.findall("<mark>(.*?)</mark>", part["snippet"])
    assert marked == part["matched_tokens"]
    assert {w for m in marked for w in words(m)} <= set(question.wanted)
    if "value" in part:
        assert part["value"].replace("<mark>", "").replace("</mark>", "") == text
        whole = re.findall("<mark>(.*?)</mark>", part["value"])
        assert marked == whole[: len(marked)] or set(marked) <= set(whole)


def test_fields_left_out_or_kept_are_all_that_changes(
    client: typesense.Client, kept: dict[str, Document], rnd: random.Random
) -> None:
    for _ in range(20):
        question, names = questions(rnd), rnd.sample(["id", "name", "summary", "labels", "stars"], 2)
        plain = asked(client, question, None, per_page=250)["hits"]
        within = asked(client, question, None, per_page=250, include_fields=",".join(names))["hits"]
        without = asked(client, question, None, per_page=250, exclude_fields=",".join(names))["hits"]
        for all_, some, others in zip(plain, within, without, strict=True):
            assert some["document"] == {k: v for k, v in all_["document"].items() if k in names}
            assert others["document"] == {k: v for k, v in all_["document"].items() if k not in names}


def test_another_process_finds_the_same(client: typesense.Client, kept: dict[str, Document], path: Path) -> None:
    other = client_of(path)
    rnd = random.Random(99)
    for _ in range(10):
        question, condition = questions(rnd), filters(rnd)
        answers = [asked(c, question, condition, per_page=250) for c in (client, other)]
        assert answers[0]["hits"] == answers[1]["hits"]
