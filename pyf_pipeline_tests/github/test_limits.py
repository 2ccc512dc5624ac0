"""Limits: what GitHub's answers say of them, in all the ways in which they do."""

from typing import Any

import pytest

from pyf_pipeline.github.limits import Quota, Refusal, message_of, refusal

NOW = 1_780_000_000.0
RESET = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 1800)}
PRIMARY = Refusal(NOW + 1800, primary=True)
OVER = {"message": "API rate limit exceeded for 192.0.2.1."}
SLOW = {"message": "You have exceeded a secondary rate limit. Please wait."}


@pytest.mark.parametrize("status", [403, 429])
def test_the_hourly_limit_by_rest(status: int) -> None:
    assert refusal(status, RESET, OVER, NOW) == PRIMARY


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_the_hourly_limit_by_graphql_comes_with_success(kind: str) -> None:
    assert refusal(200, RESET, {"errors": [{"type": kind, "message": "no more"}]}, NOW) == PRIMARY


def test_the_last_good_answer_is_no_refusal() -> None:
    assert refusal(200, RESET, {"data": {"r0": {}}}, NOW) is None
    assert refusal(200, RESET, {"full_name": "a/b"}, NOW) is None


def test_a_repository_that_speaks_of_limits_is_no_refusal() -> None:
    body = {"data": {"r0": None}, "errors": [{"type": "NOT_FOUND", "message": "no 'some/rate limit'"}]}
    assert refusal(200, {}, body, NOW) is None


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_says_how_long(status: int) -> None:
    assert refusal(status, {"retry-after": "17", "x-ratelimit-remaining": "4000"}, SLOW, NOW) == Refusal(
        NOW + 17, primary=False
    )


@pytest.mark.parametrize(("status", "body"), [(403, SLOW), (429, None), (200, {"errors": [SLOW]})])
def test_or_does_not_and_then_it_is_a_minute(status: int, body: Any) -> None:
    assert refusal(status, {}, body, NOW) == Refusal(NOW + 60, primary=False)
    assert refusal(status, {"retry-after": "soon"}, body, NOW) == Refusal(NOW + 60, primary=False)


def test_a_primary_limit_that_does_not_say_until_when_lasts_an_hour() -> None:
    assert refusal(403, {"x-ratelimit-remaining": "0"}, OVER, NOW) == Refusal(NOW + 3600, primary=True)


@pytest.mark.parametrize("body", [None, [], {"message": "Forbidden"}, {"message": 3, "errors": "x"}])
def test_other_refusals_have_nothing_to_do_with_limits(body: Any) -> None:
    assert refusal(403, {"x-ratelimit-remaining": "10"}, body, NOW) is None
    assert refusal(404, RESET, body, NOW) is None


def test_messages_are_found_in_either_form() -> None:
    assert message_of({"message": "a", "errors": [{"message": "b"}, 3, {}]}) == "a; b"
    assert message_of(["a"]) == ""


def test_the_quota_is_what_the_last_answer_told() -> None:
    quota = Quota()
    quota.read({})
    assert quota.used_up_until(NOW) is None
    quota.read({"x-ratelimit-limit": "60", **RESET})
    assert (quota.limit, quota.remaining) == (60, 0)
    assert quota.used_up_until(NOW) == NOW + 1800
    assert quota.used_up_until(NOW + 1800) is None
    quota.read({"x-ratelimit-remaining": "many"})
    assert quota.remaining == 0
