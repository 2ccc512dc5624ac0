"""GraphQL: queries that GitHub's own schema accepts, and answers that are good in parts."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.github import graphql
from pyf_pipeline.github.errors import TroubledError
from pyf_pipeline.github.links import RepositoryName
from pyf_pipeline_tests.github.support import figures

SCHEMA = Path(__file__).parents[2].parent / "shared" / "github" / "schema.graphql.gz"
NOW = 1_780_000_000
ONE = RepositoryName("some", "thing")


@pytest.fixture(scope="module")
def published_schema() -> GraphQLSchema:
    if not SCHEMA.exists():
        pytest.skip(f"GitHub's published schema is not at hand: {SCHEMA}")
    return build_schema(gzip.decompress(SCHEMA.read_bytes()).decode(), assume_valid=True)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_queries_are_valid_by_githubs_published_schema(published_schema: GraphQLSchema, size: int) -> None:
    assert validate(published_schema, parse(graphql.query(size))) == []


def test_the_schema_would_catch_a_wrong_field(published_schema: GraphQLSchema) -> None:
    assert validate(published_schema, parse(graphql.query(1).replace("stargazerCount", "starCount")))


@given(st.lists(st.builds(RepositoryName, st.text(), st.text()), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_no_name_alters_the_query(names: list[RepositoryName]) -> None:
    body = graphql.request_body(names)
    assert body["query"] == graphql.query(len(names))
    asked = [(body["variables"][f"owner{n}"], body["variables"][f"name{n}"]) for n in range(len(names))]
    assert asked == names


def test_open_pull_requests_count_as_open_issues() -> None:
    (answer,) = graphql.read({"data": {"r0": figures("Some/Thing")}}, [ONE], NOW).answers
    assert answer.repository is not None
    assert answer.repository.open_issues == 6
    assert answer.repository.watchers == 3
    assert answer.repository.updated == 1_772_366_400
    assert answer.repository.full_name == "Some/Thing"
    assert answer.repository.fetched_at == NOW


def test_what_is_wrong_with_one_leaves_the_others_good() -> None:
    names = [RepositoryName("o", f"r{n}") for n in range(6)]
    body = {
        "data": {
            "rateLimit": {"cost": 3},
            "r0": figures("o/r0"),
            "r1": None,
            "r2": None,
            "r3": None,
            "r4": {**figures("o/r4"), "watchers": None},
        },
        "errors": [
            {"type": "NOT_FOUND", "path": ["r1"], "message": "Could not resolve to a Repository"},
            {"type": "FORBIDDEN", "path": ["r2"], "message": "Resource protected by organization SAML"},
            {"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["r3", "issues"], "message": "Resource limits exceeded"},
            "nonsense",
        ],
    }
    reading = graphql.read(body, names, NOW)
    assert [(answer.name.name, answer.status) for answer in reading.answers] == [
        ("r0", "ok"),
        ("r1", "not_found"),
        ("r2", "not_found"),
    ]
    assert {name.name for name in reading.unanswered} == {"r3", "r4", "r5"}
    assert "watchers" in reading.unanswered[names[4]]
    assert reading.cost == 3


def test_a_null_without_a_reason_does_not_mean_that_the_repository_is_gone() -> None:
    reading = graphql.read({"data": {"r0": None}}, [ONE], NOW)
    assert reading.answers == []
    assert list(reading.unanswered) == [ONE]


@pytest.mark.parametrize(
    "body", [None, [], "", {}, {"data": None}, {"data": []}, {"errors": [{"message": "Parse error"}]}]
)
def test_an_answer_without_data_is_trouble(body: Any) -> None:
    with pytest.raises(TroubledError):
        graphql.read(body, [ONE], NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(figures("a/b"))), inner, max_size=8)
    ),
    max_leaves=8,
)


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_whatever_stands_for_a_repository_it_is_read_or_unanswered(value: Any) -> None:
    reading = graphql.read(json.loads(json.dumps({"data": {"r0": value}})), [ONE], NOW)
    assert len(reading.answers) + len(reading.unanswered) == 1


@pytest.mark.parametrize(
    ("api_url", "expected"),
    [
        ("https://api.github.example", "https://api.github.example/graphql"),
        ("https://api.github.example/", "https://api.github.example/graphql"),
        ("https://ghe.example/api/v3", "https://ghe.example/api/graphql"),
        ("https://ghe.example/api/v3/", "https://ghe.example/api/graphql"),
    ],
)
def test_where_graphql_is(api_url: str, expected: str) -> None:
    assert graphql.endpoint(api_url) == expected


def test_a_query_is_made_to_fit_what_is_left() -> None:
    """100 repositories have 300 connections, which cost 3 points."""
    assert graphql.affordable(3) == 100
    assert graphql.affordable(2) == 66
    assert graphql.affordable(0) == 1
