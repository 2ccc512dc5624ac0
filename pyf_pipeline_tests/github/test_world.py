"""Against the stand-in GitHub, over HTTP: every field right, in few calls, whatever the weather."""

import time
from collections.abc import Iterator, Sequence

import pytest

from pyf_pipeline.catalog.model import Repository
from pyf_pipeline.github.client import GitHubClient
from pyf_pipeline.github.enrichment import EnrichmentResult, WantedPackage, enrich
from pyf_pipeline.github.errors import BadTokenError
from pyf_pipeline.github.links import RepositoryName, choose
from pyf_pipeline_tests.github.support import MemoryCache
from pyf_pipeline_tests.world.faults import Fault
from pyf_pipeline_tests.world.links import repository_of
from pyf_pipeline_tests.world.server import Servers
from pyf_pipeline_tests.world.world import World

DAY = 24 * 3600


@pytest.fixture
def world() -> World:
    return World(300, seed=11)


@pytest.fixture
def servers(world: World) -> Iterator[Servers]:
    with world.serve() as servers:
        yield servers


@pytest.fixture
def client(world: World, servers: Servers) -> Iterator[GitHubClient]:
    client = GitHubClient(
        servers.github_url, world.github.token, user_agent="tests", timeout=(5, 5), sleep=lambda _: None
    )
    yield client
    client.close()


def links_of(info: dict[str, object]) -> tuple[dict[str, str], str]:
    urls, home = info["project_urls"], info["home_page"]
    return (urls if isinstance(urls, dict) else {}), (home if isinstance(home, str) else "")


def wanted(world: World) -> list[WantedPackage]:
    documents = {name: world.pypi.document(world.pypi.project(name)) for name in world.pypi.names()}
    return [
        WantedPackage(name, choose(*links_of(document["info"]))) for name, document in documents.items() if document
    ]


def older(world: World, projects: Sequence[str]) -> dict[str, list[RepositoryName]]:
    found: dict[str, list[RepositoryName]] = {}
    for name in projects:
        project = world.pypi.project(name)
        for release in reversed(world.pypi.releases(project)):
            found.setdefault(name, []).extend(choose(*links_of(world.pypi.info(project, release))).candidates)
    return found


def truth(world: World, full_name: str | None) -> tuple[object, ...] | None:
    figures = world.github.truth(*full_name.split("/")) if full_name else None
    if figures is None:
        return None
    return (
        figures.name_with_owner,
        figures.url,
        figures.stars,
        figures.watchers,
        figures.open_issues,
        figures.updated,
        figures.archived,
    )


def told(repository: Repository | None) -> tuple[object, ...] | None:
    if repository is None:
        return None
    return (
        repository.full_name,
        repository.url,
        repository.stars,
        repository.watchers,
        repository.open_issues,
        repository.updated,
        repository.archived,
    )


def meant(world: World, project: str) -> str | None:
    """The repository that a project's document means, by the world's own reading of its links."""
    document = world.pypi.document(world.pypi.project(project))
    pair = repository_of(document["info"]["project_urls"], document["info"]["home_page"]) if document else None
    return "/".join(pair) if pair else None


def once_meant(world: World, name: str) -> Iterator[str]:
    """The repositories that a project's releases mean, newest first, by the world's own reading of their links."""
    project = world.pypi.project(name)
    for release in reversed(world.pypi.releases(project)):
        info = world.pypi.info(project, release)
        if pair := repository_of(info["project_urls"], info["home_page"]):
            yield "/".join(pair)


def assert_all_true(world: World, result: EnrichmentResult, *, with_older: bool = False) -> None:
    for outcome in result.outcomes:
        right = meant(world, outcome.project)
        expected = truth(world, right)
        if expected is None and with_older:
            expected = next(
                (found for name in once_meant(world, outcome.project) if (found := truth(world, name))), None
            )
        assert told(outcome.repository) == expected, outcome
        assert (outcome.status == "enriched") == (expected is not None), outcome
        assert (outcome.status == "not_found") == (right is not None and expected is None), outcome


def test_every_field_is_right_for_every_package(world: World, client: GitHubClient) -> None:
    result = enrich(wanted(world), client, MemoryCache(), max_age=DAY)
    assert_all_true(world, result)
    assert result.counts["enriched"] > 200
    assert result.counts["not_found"] > 3
    assert any(o.repository and o.repository.full_name.endswith("-ng") for o in result.outcomes)
    assert (result.remaining, result.limit) == (5000 - result.points, 5000)


def test_repositories_of_older_metadata_are_found(world: World, client: GitHubClient) -> None:
    result = enrich(wanted(world), client, MemoryCache(), max_age=DAY, older_links=lambda names: older(world, names))
    assert_all_true(world, result, with_older=True)


def test_without_a_token_the_numbers_are_the_same(world: World, servers: Servers) -> None:
    world.github.anonymous.limit = 5000
    world.github.anonymous.remaining = 5000
    anonymous = GitHubClient(servers.github_url, None, user_agent="tests")
    cache = MemoryCache()
    packages = wanted(world)[:100]
    result = enrich(packages, anonymous, cache, max_age=DAY)
    assert_all_true(world, result)
    assert result.points == 5000 - world.github.anonymous.remaining
    # Asked again, all that still is there is unchanged, and free.
    again = enrich(packages, anonymous, cache, max_age=DAY, refresh=True)
    assert_all_true(world, again)
    assert world.log.count("rest", status=304) >= result.counts["enriched"] * 0.9
    assert again.points < result.points / 5
    anonymous.close()


def test_without_a_token_sixty_an_hour_get_round_in_turn(world: World, servers: Servers) -> None:
    anonymous = GitHubClient(servers.github_url, None, user_agent="tests")
    cache = MemoryCache()
    packages = wanted(world)[:90]
    first = enrich(packages, anonymous, cache, max_age=DAY)
    assert first.counts["pending"] > 10
    assert "set GITHUB_TOKEN" in first.warnings[0]
    assert world.log.count("rest") <= 61
    world.github.anonymous.reset_at = int(time.time()) + 1
    later = GitHubClient(servers.github_url, None, user_agent="tests")
    second = enrich(packages, later, cache, max_age=DAY, wait_for_limit=True)
    assert_all_true(world, second)
    later.close()
    anonymous.close()


def test_three_profiles_and_a_second_run_ask_for_nothing_twice(world: World, client: GitHubClient) -> None:
    cache = MemoryCache()
    packages = wanted(world)
    results = [enrich(packages[start : start + 200], client, cache, max_age=DAY) for start in (0, 50, 100)]
    keys = {candidate.key for package in packages for candidate in package.links.candidates}
    assert sum(result.asked for result in results) <= len(keys)
    calls = world.log.count("graphql")
    again = enrich(packages, client, cache, max_age=DAY)
    assert world.log.count("graphql") == calls
    assert_all_true(world, again)


def test_a_thousand_packages_in_few_calls_and_little_time() -> None:
    world = World(1250, seed=3)
    packages = wanted(world)[:1000]
    assert len(packages) == 1000
    world.latency = 0.05
    with world.serve() as servers:
        client = GitHubClient(servers.github_url, world.github.token, user_agent="tests")
        started = time.monotonic()
        result = enrich(packages, client, MemoryCache(), max_age=DAY)
        seconds = time.monotonic() - started
        client.close()
    assert_all_true(world, result)
    assert result.calls == world.log.count("graphql") <= 25
    assert result.calls <= 12
    assert seconds < 5


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", route="graphql", status=502, times=3),
        Fault("reset", route="graphql", times=3),
        Fault("truncate", route="graphql", times=3),
        Fault("html", route="graphql", times=3),
        Fault("not_object", route="graphql", times=3),
        Fault("secondary", route="graphql", times=2, status=403, retry_after=1),
        Fault("secondary", route="graphql", times=2, status=429, retry_after=1, retry_after_date=True),
        Fault("status", route="graphql", status=502, share=0.4),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_in_bad_weather_every_field_is_right_all_the_same(world: World, client: GitHubClient, fault: Fault) -> None:
    world.faults.add(fault)
    assert_all_true(world, enrich(wanted(world), client, MemoryCache(), max_age=DAY))


def test_queries_that_are_too_large_for_this_github_are_halved(world: World, client: GitHubClient) -> None:
    world.github.max_repositories = 30
    result = enrich(wanted(world), client, MemoryCache(), max_age=DAY)
    assert_all_true(world, result)
    assert result.calls < 30


def test_a_slow_github_times_out_and_is_asked_for_less(world: World, servers: Servers) -> None:
    impatient = GitHubClient(
        servers.github_url, world.github.token, user_agent="tests", timeout=(5, 0.4), sleep=lambda _: None
    )
    world.faults.add(Fault("delay", route="graphql", times=1, delay=1.5))
    assert_all_true(world, enrich(wanted(world), impatient, MemoryCache(), max_age=DAY))
    assert "timed out" in impatient.traffic.problems
    impatient.close()


def test_down_is_down_and_what_was_answered_is_kept(world: World, client: GitHubClient) -> None:
    cache = MemoryCache()
    packages = wanted(world)
    enrich(packages[:150], client, cache, max_age=DAY)
    known = len(cache.entries)
    world.faults.add(Fault("status", status=503))
    result = enrich(packages, client, cache, max_age=0)
    assert len(cache.entries) == known
    assert result.counts["pending"] > 0
    assert result.counts["enriched"] == 0
    assert "HTTP 503" in result.warnings[0]
    # Those whose repositories were known keep the figures that were known of them.
    assert 0 < sum(outcome.repository is not None for outcome in result.outcomes) < result.counts["pending"]


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_at_the_end_of_the_quota_the_rest_is_pending_and_comes_later(
    world: World, servers: Servers, client: GitHubClient, kind: str
) -> None:
    world.github.rate_limit_type = kind
    world.github.remaining = 4
    cache = MemoryCache()
    packages = wanted(world)
    result = enrich(packages, client, cache, max_age=DAY)
    assert result.counts["pending"] > 50
    assert result.counts["enriched"] > 100
    assert "resets at" in result.warnings[0]
    assert world.github.remaining == 0
    world.github.points.reset_at = 0
    world.github.remaining = 5000
    later = GitHubClient(servers.github_url, world.github.token, user_agent="tests")
    after = enrich(packages, later, cache, max_age=DAY)
    assert_all_true(world, after)
    assert after.asked < 150
    later.close()


def test_a_bad_token_is_one_call(world: World, servers: Servers) -> None:
    stranger = GitHubClient(servers.github_url, "not-the-token", user_agent="tests")
    with pytest.raises(BadTokenError, match="GITHUB_TOKEN") as caught:
        enrich(wanted(world), stranger, MemoryCache(), max_age=DAY)
    assert "not-the-token" not in str(caught.value)
    assert len(world.log.requests) == 1
    stranger.close()


def test_what_changes_on_github_arrives_with_the_next_look(world: World, client: GitHubClient) -> None:
    cache = MemoryCache()
    packages = wanted(world)
    first = enrich(packages, client, cache, max_age=DAY)
    chosen = [outcome.repository for outcome in first.outcomes if outcome.repository][:4]
    world.github.set(*chosen[0].full_name.split("/"), stars=99_999)
    world.github.archive(*chosen[1].full_name.split("/"))
    world.github.rename(*chosen[2].full_name.split("/"), new_name="renamed", new_owner="elsewhere")
    world.github.vanish(*chosen[3].full_name.split("/"))
    after = enrich(packages, client, cache, max_age=DAY, refresh=True)
    by_name = {outcome.repository.full_name: outcome for outcome in after.outcomes if outcome.repository}
    assert by_name[chosen[0].full_name].repository.stars == 99_999  # type: ignore[union-attr]  # it is there by choice
    assert by_name[chosen[1].full_name].repository.archived  # type: ignore[union-attr]  # likewise
    assert "elsewhere/renamed" in by_name
    assert by_name[chosen[3].full_name].status == "not_found"
    assert by_name[chosen[3].full_name].repository == chosen[3]
