"""The client: tokens, limits, trouble, and how many calls all that takes."""

import logging
from typing import Any

import pytest
import requests

from pyf_pipeline.github.answers import Answer
from pyf_pipeline.github.batches import TRIES
from pyf_pipeline.github.client import FAILURES_IN_A_ROW, GitHubClient
from pyf_pipeline.github.errors import BadTokenError, GitHubError, GitHubUnavailableError, RateLimitedError
from pyf_pipeline.github.links import RepositoryName
from pyf_pipeline_tests.github.support import (
    API,
    TOKEN,
    Call,
    Clock,
    client_of,
    graphql_answer,
    names,
    rest_figures,
)

BAD_GATEWAY = (502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})


def all_of(client: GitHubClient, wanted: list[RepositoryName], etags: dict[str, str] | None = None) -> list[Answer]:
    return [answer for answers in client.look_up(wanted, etags) for answer in answers]


def test_with_a_token_a_hundred_are_asked_for_at_once() -> None:
    client, github = client_of(graphql_answer)
    answers = all_of(client, names(250))
    assert [len(call.names) for call in github.calls] == [100, 100, 50]
    assert [answer.name for answer in answers] == names(250)
    assert {call.url for call in github.calls} == {f"{API}/graphql"}
    assert {call.headers["Authorization"] for call in github.calls} == {f"Bearer {TOKEN}"}
    assert {call.headers["User-Agent"] for call in github.calls} == {"tests"}
    assert (client.traffic.calls, client.traffic.points) == (3, 3)


def test_a_query_too_large_is_halved_and_grows_again() -> None:
    client, github = client_of(lambda call: graphql_answer(call) if len(call.names) <= 60 else BAD_GATEWAY)
    answers = all_of(client, names(500))
    assert [answer.name for answer in answers] == names(500)
    sizes = [len(call.names) for call in github.calls]
    assert sizes[:6] == [100, 50, 50, 50, 100, 50]
    assert max(sizes[1:4]) == 50


@pytest.mark.parametrize(
    "trouble",
    [
        BAD_GATEWAY,
        (504, b"", {}),
        (200, b"<html>", {}),
        (200, b'{"data": {"r0"', {}),
        (200, {"data": None, "errors": [{"message": "Something went wrong while executing your query."}]}, {}),
        requests.ReadTimeout("slow"),
        requests.ConnectionError("reset"),
        requests.exceptions.ChunkedEncodingError("cut off"),
    ],
    ids=str,
)
def test_passing_trouble_of_any_kind_is_overcome(trouble: Any) -> None:
    troubles = [trouble] * 3
    client, github = client_of(lambda call: troubles.pop() if troubles else graphql_answer(call))
    assert len(all_of(client, names(100))) == 100
    assert [len(call.names) for call in github.calls][:4] == [100, 50, 25, 12]
    assert len(client.traffic.problems) == 3


def test_one_repository_that_spoils_every_query_does_not_take_the_others_along() -> None:
    client, github = client_of(lambda call: BAD_GATEWAY if "some/thing37" in call.names else graphql_answer(call))
    answers = all_of(client, names(200))
    assert {answer.name.name for answer in answers if answer.status == "unanswered"} == {"thing37"}
    assert len(answers) == 200
    assert sum(call.names == ["some/thing37"] for call in github.calls) == TRIES
    assert len(github.calls) < 40


def test_repositories_without_an_answer_in_good_queries_cost_little() -> None:
    broken = {f"some/thing{n}": {"message": "Something went wrong"} for n in range(0, 1000, 100)}
    client, github = client_of(lambda call: graphql_answer(call, broken=broken))
    answers = all_of(client, names(1000))
    unanswered = [answer for answer in answers if answer.status == "unanswered"]
    assert {answer.name.full_name for answer in unanswered} == set(broken)
    assert {answer.detail for answer in unanswered} == {"Something went wrong"}
    assert len(github.calls) == 10 + TRIES - 1


def test_what_githubs_resource_limits_cut_off_is_asked_for_in_smaller_queries() -> None:
    cut = {"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."}
    client, github = client_of(lambda call: graphql_answer(call, broken=dict.fromkeys(call.names[40:], cut)))
    answers = all_of(client, names(300))
    assert {answer.status for answer in answers} == {"ok"}
    assert {answer.name for answer in answers} == set(names(300))
    assert len(github.calls) < 15


def test_a_github_that_is_down_is_left_alone_soon() -> None:
    clock = Clock()
    client, github = client_of(lambda _: BAD_GATEWAY, clock)
    with pytest.raises(GitHubUnavailableError, match=r"HTTP 502.*GITHUB_API_URL"):
        all_of(client, names(1000))
    assert len(github.calls) == FAILURES_IN_A_ROW
    assert 10 < sum(clock.slept) < 60


def test_a_github_that_is_down_is_no_answer_for_a_single_repository_either() -> None:
    client, github = client_of(lambda _: BAD_GATEWAY)
    with pytest.raises(GitHubUnavailableError):
        all_of(client, names(1))
    assert len(github.calls) == TRIES


@pytest.mark.parametrize(
    ("token", "status"), [(TOKEN, 401), (TOKEN, 403)], ids=["no such token", "not allowed to this token"]
)
def test_a_bad_token_is_one_clear_error_at_once(token: str, status: int) -> None:
    client, github = client_of(lambda _: (status, {"message": "Bad credentials"}, {}), token=token)
    with pytest.raises(BadTokenError, match=r"GITHUB_TOKEN.*Bad credentials") as caught:
        all_of(client, names(2500))
    assert len(github.calls) == 1
    assert token not in str(caught.value)


@pytest.mark.parametrize("token", ["two\nlines", "two words", "t\u00f6ken", "bell\x07"])
def test_a_token_that_cannot_be_sent_is_refused_before_it_is(token: str) -> None:
    with pytest.raises(BadTokenError) as caught:
        GitHubClient(API, token, user_agent="tests")
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("token", [None, "", "  \n"])
def test_no_token_is_no_token(token: str | None) -> None:
    assert not GitHubClient(API, token, user_agent="tests").uses_graphql


def test_blanks_around_a_token_are_not_part_of_it() -> None:
    client, github = client_of(graphql_answer, token=f" {TOKEN}\n")
    all_of(client, names(1))
    assert github.calls[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_the_token_is_in_no_text(caplog: pytest.LogCaptureFixture) -> None:
    errors = []
    answers: list[Any] = [
        (401, {"message": "Bad credentials"}, {}),
        (404, {"message": "Not Found"}, {}),
        (403, {"message": "secondary rate limit"}, {"retry-after": "900"}),
        requests.ConnectionError(f"{API} Authorization"),
    ]
    with caplog.at_level(logging.DEBUG):
        for answer in answers:
            client, _ = client_of(lambda _, answer=answer: answer)
            with pytest.raises(GitHubError) as caught:
                all_of(client, names(1))
            errors += [str(caught.value), repr(caught.value), repr(client), repr(client.traffic)]
    assert TOKEN not in "".join(errors) + caplog.text


def test_a_wrong_address_says_which_setting_to_look_at() -> None:
    client, github = client_of(lambda _: (404, b"nothing here", {}))
    with pytest.raises(GitHubUnavailableError, match=r"404.*GITHUB_API_URL"):
        all_of(client, names(10))
    assert len(github.calls) == 1


def test_the_hourly_limit_is_found_at_the_last_good_answer() -> None:
    clock = Clock()
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(clock.time) + 1800)}
    client, github = client_of(lambda call: graphql_answer(call, headers=headers), clock)
    coming = client.look_up(names(150))
    assert len(next(coming)) == 100
    with pytest.raises(RateLimitedError, match=r"resets at 2026-.* UTC") as caught:
        next(coming)
    assert len(github.calls) == 1
    assert caught.value.reset_at == clock.time + 1800
    assert clock.slept == []


def test_the_last_points_are_used_up() -> None:
    clock = Clock()
    headers = {"x-ratelimit-remaining": "2", "x-ratelimit-reset": str(int(clock.time) + 1800)}
    client, github = client_of(lambda call: graphql_answer(call, headers=headers), clock)
    all_of(client, names(150))
    assert [len(call.names) for call in github.calls] == [100, 50]
    all_of(client, names(100))
    assert [len(call.names) for call in github.calls][2:] == [66, 34]


def test_a_secondary_limit_is_waited_for_as_long_as_it_says() -> None:
    clock = Clock()
    slow = [(403, {"message": "You have exceeded a secondary rate limit"}, {"retry-after": "7"})]
    client, github = client_of(lambda call: slow.pop() if slow else graphql_answer(call), clock)
    assert len(all_of(client, names(10))) == 10
    assert clock.slept == [7]
    assert [len(call.names) for call in github.calls] == [10, 10]


@pytest.mark.parametrize("retry_after", ["5", "3600"])
def test_a_secondary_limit_is_not_waited_for_for_ever(retry_after: str) -> None:
    clock = Clock()
    client, github = client_of(lambda _: (429, {}, {"retry-after": retry_after}), clock)
    with pytest.raises(RateLimitedError) as caught:
        all_of(client, names(10))
    assert caught.value.reset_at >= clock.time + 60
    assert sum(clock.slept) <= 15
    assert len(github.calls) <= 4


def test_between_calls_there_is_the_time_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock.now)
    client, github = client_of(graphql_answer, clock, cool_off=0.75)
    all_of(client, names(300))
    assert len(github.calls) == 3
    assert clock.slept == pytest.approx([0.75, 0.75])


def test_without_a_token_they_are_asked_for_one_by_one_and_on_condition() -> None:
    def answer(call: Call) -> tuple[int, Any, dict[str, str]]:
        if call.headers.get("If-None-Match") == '"known"':
            return 304, b"", {"ETag": '"known"', "x-ratelimit-remaining": "59"}
        return 200, rest_figures("some/thing1"), {"ETag": '"new"', "x-ratelimit-remaining": "59"}

    client, github = client_of(answer, token=None)
    first, second = all_of(client, names(2), {"some/thing0": '"known"'})
    assert [call.url for call in github.calls] == [f"{API}/repos/some/thing0", f"{API}/repos/some/thing1"]
    assert (first.status, second.status, second.etag) == ("unchanged", "ok", '"new"')
    assert all("Authorization" not in call.headers for call in github.calls)


def test_no_token_is_taken_from_elsewhere(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.github.example login somebody password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client, github = client_of(lambda _: (200, rest_figures("a/b"), {}), token=None)
    all_of(client, names(1))
    assert "Authorization" not in github.calls[0].headers


def test_a_server_that_wants_a_token_says_so() -> None:
    client, _ = client_of(lambda _: (401, {"message": "Requires authentication"}, {}), token=None)
    with pytest.raises(GitHubUnavailableError, match="set GITHUB_TOKEN"):
        all_of(client, names(1))


def test_enterprise_servers_have_graphql_elsewhere() -> None:
    client, github = client_of(graphql_answer, api_url="https://ghe.example/api/v3")
    all_of(client, names(1))
    assert github.calls[0].url == "https://ghe.example/api/graphql"
    client, github = client_of(
        lambda _: (200, rest_figures("a/b"), {}), api_url="https://ghe.example/api/v3/", token=None
    )
    all_of(client, names(1))
    assert github.calls[0].url == "https://ghe.example/api/v3/repos/some/thing0"
