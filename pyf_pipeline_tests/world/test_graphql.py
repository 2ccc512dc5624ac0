"""GitHub's GraphQL endpoint: aliases, variables, fragments, partial errors, cost and limits."""

import gzip
from pathlib import Path
from typing import Any

import pytest
import requests
from graphql import GraphQLObjectType, build_schema

from pyf_pipeline_tests.world import Servers, World, graphql
from pyf_pipeline_tests.world.github import Figures, iso

PUBLISHED = Path(__file__).parents[3] / "shared" / "github" / "schema.graphql.gz"
FIELDS = """fragment F on Repository {
  nameWithOwner url stargazerCount watchers { totalCount } issues(states: OPEN) { totalCount }
  pullRequests(states: [OPEN]) { totalCount } updatedAt pushedAt isArchived
}"""


@pytest.fixture
def known(world: World) -> list[tuple[str, Figures]]:
    """Repositories that are there, with the names under which they are linked."""
    linked = [pair for name in world.pypi.names() if (pair := world.github.repository_of(name))]
    found = [(pair, world.github.truth(*pair.split("/"))) for pair in dict.fromkeys(linked)]
    return [(pair, figures) for pair, figures in found if figures]


def ask(
    servers: Servers, world: World, query: str, variables: dict[str, Any] | None = None, **body: Any
) -> requests.Response:
    headers = {"Authorization": f"bearer {world.github.token}"}
    json = {"query": query, "variables": variables or {}, **body}
    return requests.post(f"{servers.github_url}/graphql", json=json, headers=headers, timeout=30)


def many(pairs: list[str]) -> str:
    aliases = [
        f'r{n}: repository(owner: "{o}", name: "{r}") {{ ...F }}'
        for n, (o, r) in enumerate(p.split("/") for p in pairs)
    ]
    return f"query {{ {' '.join(aliases)} rateLimit {{ cost remaining resetAt limit used }} }} {FIELDS}"


def test_many_aliases_give_every_figure(world: World, servers: Servers, known: list[tuple[str, Figures]]) -> None:
    body = ask(servers, world, many([pair for pair, _ in known])).json()
    assert "errors" not in body
    for number, (_, figures) in enumerate(known):
        assert body["data"][f"r{number}"] == {
            "nameWithOwner": figures.name_with_owner,
            "url": figures.url,
            "stargazerCount": figures.stars,
            "watchers": {"totalCount": figures.watchers},
            "issues": {"totalCount": figures.issues},
            "pullRequests": {"totalCount": figures.pull_requests},
            "updatedAt": iso(figures.updated),
            "pushedAt": iso(figures.pushed),
            "isArchived": figures.archived,
        }
    limit = body["data"]["rateLimit"]
    assert limit["cost"] == round(3 * len(known) / 100)
    assert limit["remaining"] == 5_000 - limit["cost"] == world.github.remaining


def test_both_roads_give_the_same_numbers(world: World, servers: Servers, known: list[tuple[str, Figures]]) -> None:
    pair, _ = known[0]
    one = ask(servers, world, many([pair])).json()["data"]["r0"]
    other = requests.get(f"{servers.github_url}/repos/{pair}", timeout=10).json()
    assert one["watchers"]["totalCount"] == other["subscribers_count"]
    assert one["issues"]["totalCount"] + one["pullRequests"]["totalCount"] == other["open_issues_count"]
    assert (one["updatedAt"], one["url"]) == (other["updated_at"], other["html_url"])


def test_variables_and_operation_names(world: World, servers: Servers, known: list[tuple[str, Figures]]) -> None:
    owner, name = known[0][0].split("/")
    query = """
        query A($o: String!, $n: String!) { a: repository(owner: $o, name: $n) { nameWithOwner } }
        query B { viewer { login } }
    """
    body = ask(servers, world, query, {"o": owner, "n": name}, operationName="A").json()
    assert body == {"data": {"a": {"nameWithOwner": known[0][1].name_with_owner}}}


def test_renames_are_followed(world: World, servers: Servers, known: list[tuple[str, Figures]]) -> None:
    pair, figures = known[0]
    owner, name = pair.split("/")
    world.github.rename(owner, name, "new-name")
    query = """query($o: String!, $n: String!) {
        a: repository(owner: $o, name: $n) { nameWithOwner }
        b: repository(owner: $o, name: $n, followRenames: false) { id }
    }"""
    body = ask(servers, world, query, {"o": owner, "n": name}).json()
    assert body["data"] == {"a": {"nameWithOwner": f"{figures.owner}/new-name"}, "b": None}


def test_missing_one_is_null_and_the_rest_is_good(
    world: World, servers: Servers, known: list[tuple[str, Figures]]
) -> None:
    response = ask(servers, world, many([known[0][0], "no/such", known[1][0]]))
    body = response.json()
    assert response.status_code == 200
    assert body["data"]["r1"] is None
    assert body["data"]["r0"]["url"] == known[0][1].url
    assert body["data"]["r2"]["url"] == known[1][1].url
    (error,) = body["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["r1"])
    assert "no/such" in error["message"]


def test_hostile_name_in_a_variable_is_only_a_name(world: World, servers: Servers) -> None:
    query = 'query($n: String!) { a: repository(owner: "x", name: $n) { url } }'
    body = ask(servers, world, query, {"n": '") { id } viewer { login'}).json()
    assert body["data"] == {"a": None}


@pytest.mark.parametrize(
    "query", ['{ repository(owner: "a"', "{ nothing }", '{ repository(owner: 1, name: "b") { id } }']
)
def test_what_is_no_query_is_an_error_with_200(world: World, servers: Servers, query: str) -> None:
    response = ask(servers, world, query)
    assert response.status_code == 200
    assert response.json()["errors"][0]["message"]
    assert "data" not in response.json()
    assert world.github.remaining == 5_000


def test_too_many_repositories_are_502(world: World, servers: Servers, known: list[tuple[str, Figures]]) -> None:
    world.github.max_repositories = 2
    assert ask(servers, world, many([pair for pair, _ in known[:3]])).status_code == 502
    assert ask(servers, world, many([pair for pair, _ in known[:2]])).status_code == 200


def test_end_of_the_quota_is_an_error_with_200(
    world: World, servers: Servers, known: list[tuple[str, Figures]]
) -> None:
    world.github.remaining = 1
    assert "data" in ask(servers, world, many([known[0][0]])).json()
    response = ask(servers, world, many([known[0][0]]))
    assert response.status_code == 200
    assert response.json()["errors"][0]["type"] == "RATE_LIMITED"
    assert response.headers["x-ratelimit-remaining"] == "0"
    assert int(response.headers["x-ratelimit-reset"]) == world.github.points.reset_at


def test_token_is_required(servers: Servers) -> None:
    url = f"{servers.github_url}/graphql"
    assert requests.post(url, json={"query": "{ viewer { login } }"}, timeout=10).status_code == 401
    headers = {"Authorization": "Bearer wrong"}
    response = requests.post(url, json={"query": "{ viewer { login } }"}, headers=headers, timeout=10)
    assert (response.status_code, response.json()["message"]) == (401, "Bad credentials")


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"GitHub's published schema is not at {PUBLISHED}")
def test_played_schema_is_a_part_of_the_published_one() -> None:
    # The published file defines two fields twice, which a strict reading refuses.
    published = build_schema(gzip.decompress(PUBLISHED.read_bytes()).decode(), assume_valid_sdl=True)
    played = build_schema(graphql._SDL)
    for name, kind in played.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__"):
            continue
        original = published.type_map[name]
        assert isinstance(original, GraphQLObjectType)
        for field_name, field in kind.fields.items():
            real = original.fields[field_name]
            assert str(field.type) == str(real.type), f"{name}.{field_name}"
            assert {a: str(v.type) for a, v in field.args.items()}.items() <= {
                a: str(v.type) for a, v in real.args.items()
            }.items()
