"""GitHub's GraphQL endpoint, as far as a client that asks for repositories can tell.

Queries are parsed, validated and executed by graphql-core against the part of GitHub's schema that is played here.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    Visitor,
    build_schema,
    execute,
    parse,
    validate,
    visit,
)
from graphql.language import DocumentNode, OperationDefinitionNode, OperationType

from pyf_pipeline_tests.world.github import Figures, GitHub, iso

# Types and nullability are GitHub's.
_SDL = """
scalar DateTime
scalar URI
enum IssueState { CLOSED OPEN }
enum PullRequestState { CLOSED MERGED OPEN }
type IssueConnection { totalCount: Int! }
type PullRequestConnection { totalCount: Int! }
type UserConnection { totalCount: Int! }
type StargazerConnection { totalCount: Int! }
interface RepositoryOwner { login: String! id: ID! }
type User implements RepositoryOwner { login: String! id: ID! }
type RateLimit {
  cost: Int! limit: Int! nodeCount: Int! remaining: Int! resetAt: DateTime! used: Int!
}
type Repository {
  id: ID!
  databaseId: Int
  name: String!
  nameWithOwner: String!
  owner: RepositoryOwner!
  url: URI!
  description: String
  homepageUrl: URI
  stargazerCount: Int!
  stargazers(first: Int, last: Int, after: String, before: String): StargazerConnection!
  watchers(first: Int, last: Int, after: String, before: String): UserConnection!
  issues(first: Int, last: Int, after: String, before: String, states: [IssueState!]): IssueConnection!
  pullRequests(
    first: Int, last: Int, after: String, before: String, states: [PullRequestState!]
  ): PullRequestConnection!
  forkCount: Int!
  createdAt: DateTime!
  updatedAt: DateTime!
  pushedAt: DateTime
  isArchived: Boolean!
  isDisabled: Boolean!
  isFork: Boolean!
  isPrivate: Boolean!
}
type Query {
  rateLimit(dryRun: Boolean = false): RateLimit
  repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
  viewer: User!
}
"""
_CONNECTIONS = {"stargazers", "watchers", "issues", "pullRequests"}


@dataclass(frozen=True, slots=True)
class GraphQLAnswer:
    """A status and a JSON body."""

    status: int
    body: dict[str, Any]


@dataclass(slots=True)
class _Context:
    github: GitHub
    cost: int


def answer(github: GitHub, request: Any) -> GraphQLAnswer:
    """The answer to a request's JSON body, `{"query": …, "variables": …, "operationName": …}`.

    Takes the query's cost from the quota of points. Every error but 502 comes with status 200, as on GitHub.
    """
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        return GraphQLAnswer(400, {"message": "A query attribute must be specified and must be a string."})
    variables = request.get("variables") or {}
    try:
        document = parse(request["query"])
    except GraphQLError as error:
        return GraphQLAnswer(200, {"errors": [_described(error, None)]})
    errors = validate(_schema(), document)
    if errors:
        return GraphQLAnswer(200, {"errors": [_described(error, None) for error in errors]})
    if any(d.operation is not OperationType.QUERY for d in _operations(document)):
        return GraphQLAnswer(200, {"errors": [{"type": "FORBIDDEN", "message": "This stand-in only answers queries."}]})
    return _execute(github, document, variables, request.get("operationName"))


def _execute(github: GitHub, document: DocumentNode, variables: Any, operation: Any) -> GraphQLAnswer:
    repositories, connections = _count(document)
    if repositories > github.max_repositories:
        message = "Something went wrong while executing your query. This may be the result of a timeout."
        return GraphQLAnswer(502, {"data": None, "errors": [{"message": message}]})
    with github.lock:
        cost = max(1, round(connections / 100))
        if not github.points.take(cost):
            error = {"type": github.rate_limit_type, "message": "API rate limit exceeded for user ID 1."}
            return GraphQLAnswer(200, {"errors": [error]})
        result = execute(
            _schema(),
            document,
            root_value={},
            context_value=_Context(github, cost),
            variable_values=variables,
            operation_name=operation,
        )
    # Execution is synchronous: no resolver here is a coroutine.
    assert not hasattr(result, "__await__")
    body: dict[str, Any] = {"data": result.data} if result.data is not None or not result.errors else {}
    if result.errors:
        body["errors"] = [_described(error, "NOT_FOUND") for error in result.errors]
    return GraphQLAnswer(200, body)


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]


class _Counter(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.repositories = 0
        self.spreads: dict[str, int] = {}

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.repositories += node.name.value == "repository"


def _count(document: DocumentNode) -> tuple[int, int]:
    """How many repositories and connections a document asks for, fragments counted where they are used."""
    counter = _Counter()
    visit(document, counter)
    fragments = {d.name.value: d for d in document.definitions if d.kind == "fragment_definition"}  # type: ignore[attr-defined]  # every fragment has a name
    connections = sum(_connections(operation.selection_set, fragments) for operation in _operations(document))
    return counter.repositories, connections


def _connections(selection_set: Any, fragments: dict[str, Any]) -> int:
    if selection_set is None:
        return 0
    total = 0
    for selection in selection_set.selections:
        if selection.kind == "fragment_spread":
            total += _connections(fragments[selection.name.value].selection_set, fragments)
            continue
        total += selection.kind == "field" and selection.name.value in _CONNECTIONS
        total += _connections(selection.selection_set, fragments)
    return total


def _described(error: GraphQLError, kind: str | None) -> dict[str, Any]:
    described: dict[str, Any] = {"type": kind} if kind and error.path else {}
    if error.path:
        described["path"] = list(error.path)
    if error.locations:
        described["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    described["message"] = error.message
    return described


@cache
def _schema() -> GraphQLSchema:
    schema = build_schema(_SDL)
    query, repository = schema.type_map["Query"], schema.type_map["Repository"]
    query.fields["repository"].resolve = _repository  # type: ignore[attr-defined]  # both are object types
    query.fields["rateLimit"].resolve = _rate_limit  # type: ignore[attr-defined]
    query.fields["viewer"].resolve = lambda *_: {"login": "stand-in", "id": "U_1"}  # type: ignore[attr-defined]
    repository.fields["issues"].resolve = _issues  # type: ignore[attr-defined]
    repository.fields["pullRequests"].resolve = _pull_requests  # type: ignore[attr-defined]
    schema.type_map["RepositoryOwner"].resolve_type = lambda *_: "User"  # type: ignore[attr-defined]  # an interface
    return schema


def _repository(_: Any, info: GraphQLResolveInfo, owner: str, name: str, **options: Any) -> dict[str, Any]:
    github: GitHub = info.context.github
    figures = github.truth(owner, name)
    asked = f"{owner}/{name}".lower()
    if figures is None or not (options.get("followRenames", True) or figures.name_with_owner.lower() == asked):
        raise GraphQLError(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    return _fields(figures)


def _fields(figures: Figures) -> dict[str, Any]:
    return {
        "id": f"R_{figures.id}",
        "databaseId": figures.id,
        "name": figures.name,
        "nameWithOwner": figures.name_with_owner,
        "owner": {"login": figures.owner, "id": f"O_{figures.owner.lower()}"},
        "url": figures.url,
        "description": None,
        "homepageUrl": None,
        "stargazerCount": figures.stars,
        "stargazers": {"totalCount": figures.stars},
        "watchers": {"totalCount": figures.watchers},
        "figures": figures,
        "forkCount": figures.stars // 9,
        "createdAt": iso(figures.pushed - 90_000_000),
        "updatedAt": iso(figures.updated),
        "pushedAt": iso(figures.pushed),
        "isArchived": figures.archived,
        "isDisabled": False,
        "isFork": False,
        "isPrivate": False,
    }


def _issues(parent: dict[str, Any], _: Any, **options: Any) -> dict[str, int]:
    figures: Figures = parent["figures"]
    states = options.get("states") or ["OPEN", "CLOSED"]
    closed = figures.stars * 2 if "CLOSED" in states else 0
    return {"totalCount": (figures.issues if "OPEN" in states else 0) + closed}


def _pull_requests(parent: dict[str, Any], _: Any, **options: Any) -> dict[str, int]:
    figures: Figures = parent["figures"]
    states = options.get("states") or ["OPEN", "CLOSED", "MERGED"]
    past = figures.stars * (("CLOSED" in states) + ("MERGED" in states))
    return {"totalCount": (figures.pull_requests if "OPEN" in states else 0) + past}


def _rate_limit(_: Any, info: GraphQLResolveInfo, **__: Any) -> dict[str, Any]:
    quota = info.context.github.points
    return {
        "cost": info.context.cost,
        "limit": quota.limit,
        "nodeCount": 0,
        "remaining": quota.remaining,
        "resetAt": iso(quota.reset_at),
        "used": quota.limit - quota.remaining,
    }
