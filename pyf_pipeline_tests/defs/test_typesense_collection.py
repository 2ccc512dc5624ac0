"""What the fourth asset says of a publish, and how bad it is said to be."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pyf_pipeline.defs.assets import typesense_collection as asset
from pyf_pipeline.defs.resources import build_typesense
from pyf_pipeline.search.client import connect, connect_embedded
from pyf_pipeline.search.publish import Published
from pyf_pipeline.settings import load_settings

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def published(**more: Any) -> Published:
    return Published("plone", "plone-2", "plone-1", documents=1_000, added=5, seconds=2.0, **more)


def refused(count: int) -> dict[str, str]:
    return {f"p{number}": "Field `a` must be a string." for number in range(count)}


@pytest.mark.parametrize(
    ("outcome", "passed", "severity"),
    [
        ({}, True, WARN),
        ({"refused": refused(1)}, False, WARN),
        ({"refused": refused(11)}, False, ERROR),
        ({"problems": ["plone-2 holds 9 documents instead of 10"]}, False, ERROR),
    ],
)
def test_single_refused_documents_warn_and_anything_worse_is_an_error(
    outcome: dict[str, Any], passed: bool, severity: dg.AssetCheckSeverity
) -> None:
    check = asset._completeness(published(**outcome))
    assert (check.passed, check.severity) == (passed, severity)


def test_a_name_that_does_not_lead_to_its_collection_is_an_error() -> None:
    check = asset._service(published(serving=["the alias plone points at nothing instead of plone-2"]))
    assert (check.passed, check.severity) == (False, ERROR)
    assert "points at nothing" in check.metadata["problems"].value
    assert asset._service(published()).passed


@pytest.mark.parametrize(
    ("ranks", "passed", "severity"),
    [
        ({"a": 1, "b": 3, "c": 1}, True, WARN),
        ({"a": 1, "b": None, "c": 1}, False, WARN),
        ({"a": 1, "b": None, "c": None}, False, ERROR),
        ({}, True, WARN),
    ],
)
def test_a_package_behind_others_warns_and_a_search_that_finds_few_is_an_error(
    ranks: dict[str, int | None], passed: bool, severity: dg.AssetCheckSeverity
) -> None:
    check = asset._findability(published(ranks=ranks))
    assert (check.passed, check.severity) == (passed, severity)


def test_the_metadata_says_what_happened_and_where_it_is(tmp_path: Path) -> None:
    shown = asset._metadata(published(refused=refused(1), bytes=1234))
    assert shown.keys() >= {
        *("alias", "collection", "documents", "added", "changed", "removed", "unchanged", "refused"),
        *("refused_documents", "sent_bytes", "documents_per_second", "seconds"),
    }
    assert (shown["alias"], shown["collection"], shown["documents_per_second"]) == ("plone", "plone-2", 2.5)
    assert "| p0 | Field `a` must be a string. |" in str(shown["refused_documents"])
    remote = connect(["http://a.example:8108", "http://b.example:8108"], "secret", 1)
    link = asset._place(remote, published())["link"]
    assert link == dg.MetadataValue.url("http://a.example:8108/collections/plone")
    embedded = connect_embedded(tmp_path / "search.sqlite3", "secret")
    assert asset._place(embedded, published())["link"] == dg.MetadataValue.path(str(tmp_path / "search.sqlite3"))
    for server in (remote, embedded):
        assert "secret" not in str(asset._place(server, published()))
        server.close()


def test_nodes_reach_the_resource_and_a_missing_key_is_told() -> None:
    resource = build_typesense(load_settings({"TYPESENSE_NODES": "a.example:1,b.example:2"}))
    assert resource.nodes == ["http://a.example:1", "http://b.example:2"]
    with pytest.raises(dg.Failure, match="TYPESENSE_API_KEY is not set"), resource.server():
        raise AssertionError("it was connected to")
