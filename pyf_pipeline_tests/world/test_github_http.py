"""GitHub's REST API as a client that knows only its documentation meets it."""

import time

import pytest
import requests

from pyf_pipeline_tests.world import Servers, World


@pytest.fixture
def repository(world: World) -> tuple[str, str]:
    """A repository that is there under the name by which it is linked."""
    for name in world.pypi.names():
        linked = world.github.repository_of(name)
        figures = world.github.truth(*linked.split("/")) if linked else None
        if figures and figures.name_with_owner == linked:
            return figures.owner, figures.name
    raise AssertionError("no repository in this world")


def get(servers: Servers, path: str, token: str | None = None, **headers: str) -> requests.Response:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return requests.get(f"{servers.github_url}{path}", headers=headers, allow_redirects=False, timeout=10)


def test_repository_has_the_figures(world: World, servers: Servers, repository: tuple[str, str]) -> None:
    figures = world.github.truth(*repository)
    body = get(servers, "/repos/{}/{}".format(*repository)).json()
    assert figures is not None
    assert body["full_name"] == "/".join(repository)
    assert body["stargazers_count"] == body["watchers_count"] == figures.stars
    assert body["subscribers_count"] == figures.watchers
    assert body["open_issues_count"] == figures.issues + figures.pull_requests
    assert body["html_url"] == figures.url
    assert body["archived"] is figures.archived


def test_name_in_another_case_is_the_same_repository(servers: Servers, repository: tuple[str, str]) -> None:
    assert get(servers, "/repos/{}/{}".format(*(part.upper() for part in repository))).status_code == 200


def test_renamed_repository_is_a_redirect(world: World, servers: Servers, repository: tuple[str, str]) -> None:
    owner, name = repository
    moved = world.github.rename(owner, name, "other-name")
    response = get(servers, f"/repos/{owner}/{name}")
    assert response.status_code == 301
    assert response.headers["location"] == f"{servers.github_url}/repositories/{moved.id}"
    followed = requests.get(f"{servers.github_url}/repos/{owner}/{name}", timeout=10)
    assert followed.json()["full_name"] == f"{owner}/other-name"
    assert servers.log.count("redirect") == 2


def test_vanished_repository_is_404(world: World, servers: Servers, repository: tuple[str, str]) -> None:
    world.github.vanish(*repository)
    response = get(servers, "/repos/{}/{}".format(*repository))
    assert (response.status_code, response.json()["message"]) == (404, "Not Found")
    assert world.github.truth(*repository) is None


def test_conditional_request_is_free(world: World, servers: Servers, repository: tuple[str, str]) -> None:
    path = "/repos/{}/{}".format(*repository)
    first = get(servers, path)
    again = get(servers, path, **{"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"] == "59"
    world.github.set(*repository, stars=12_345)
    assert get(servers, path, **{"If-None-Match": first.headers["etag"]}).json()["stargazers_count"] == 12_345
    world.github.anonymous_304_free = False
    etag = get(servers, path).headers["etag"]
    assert get(servers, path, **{"If-None-Match": etag}).headers["x-ratelimit-remaining"] == "56"


def test_anonymous_quota_ends_at_sixty(world: World, servers: Servers, repository: tuple[str, str]) -> None:
    path = "/repos/{}/{}".format(*repository)
    statuses = [get(servers, path).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [403]
    refused = get(servers, path)
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert time.time() < int(refused.headers["x-ratelimit-reset"]) <= time.time() + 3600
    assert "API rate limit exceeded" in refused.json()["message"]
    assert get(servers, path, world.github.token).headers["x-ratelimit-limit"] == "5000"


def test_quota_comes_back_with_the_next_window(world: World, servers: Servers, repository: tuple[str, str]) -> None:
    world.github.anonymous.refresh()
    world.github.anonymous.remaining, world.github.anonymous.reset_at = 0, int(time.time()) - 1
    assert get(servers, "/repos/{}/{}".format(*repository)).status_code == 200


def test_bad_token_is_401(servers: Servers, repository: tuple[str, str]) -> None:
    response = get(servers, "/repos/{}/{}".format(*repository), "wrong")
    assert (response.status_code, response.json()["message"]) == (401, "Bad credentials")


def test_user_agent_is_required(servers: Servers, repository: tuple[str, str]) -> None:
    assert get(servers, "/repos/{}/{}".format(*repository), **{"User-Agent": ""}).status_code == 403
