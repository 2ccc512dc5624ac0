"""REST: the same figures as GraphQL's, out of fields whose names mislead."""

from typing import Any

import pytest

from pyf_pipeline.github import graphql, rest
from pyf_pipeline.github.errors import GitHubUnavailableError, TroubledError
from pyf_pipeline.github.links import RepositoryName
from pyf_pipeline_tests.github.support import figures, rest_figures

NOW = 1_780_000_000
ONE = RepositoryName("some", "thing")


def test_both_interfaces_give_the_same_repository() -> None:
    by_rest = rest.read(ONE, 200, rest_figures("Some/Thing"), '"tag"', NOW)
    (by_graphql,) = graphql.read({"data": {"r0": figures("Some/Thing")}}, [ONE], NOW).answers
    assert by_rest.repository == by_graphql.repository
    assert by_rest.etag == '"tag"'


@pytest.mark.parametrize(("status", "body"), [(404, {"message": "Not Found"}), (451, {}), (410, None)])
def test_what_is_gone_or_withheld_is_not_found(status: int, body: Any) -> None:
    assert rest.read(ONE, status, body, None, NOW).status == "not_found"


def test_a_blocked_repository_is_not_found() -> None:
    body = {"message": "Repository access blocked", "block": {"reason": "tos"}}
    answer = rest.read(ONE, 403, body, None, NOW)
    assert (answer.status, answer.detail) == ("not_found", "Repository access blocked")


@pytest.mark.parametrize("missing", sorted({"full_name", "html_url", "subscribers_count", "updated_at", "archived"}))
def test_an_answer_that_lacks_something_is_trouble_that_names_it(missing: str) -> None:
    body = {key: value for key, value in rest_figures("a/b").items() if key != missing}
    with pytest.raises(TroubledError, match=missing):
        rest.read(ONE, 200, body, None, NOW)


def test_a_list_is_no_repository() -> None:
    with pytest.raises(TroubledError, match="body"):
        rest.read(ONE, 200, [], None, NOW)


def test_any_other_refusal_says_what_to_check() -> None:
    with pytest.raises(GitHubUnavailableError, match="GITHUB_API_URL"):
        rest.read(ONE, 403, {"message": "Forbidden by administrative rules"}, None, NOW)


def test_a_hostile_name_stays_in_its_place() -> None:
    url = rest.endpoint("https://api.github.example", RepositoryName("../user?x=", "a/b#c"))
    assert url == "https://api.github.example/repos/..%2Fuser%3Fx%3D/a%2Fb%23c"
