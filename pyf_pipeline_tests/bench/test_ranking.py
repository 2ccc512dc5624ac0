from collections.abc import Iterator
from pathlib import Path

import pytest

from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.search.query import QUERY_BY, search, search_parameters
from pyf_pipeline.search.schema import FIELDS
from pyf_pipeline_tests.bench.ranking import TOP, figures, fill, places
from pyf_pipeline_tests.bench.wishes import MADE_UP, REAL, SIX, SIX_PROJECTS, Wish
from pyf_pipeline_tests.world import World

# The two that are missed have the very words among their keywords, and the one that is found first says so in its own.
FOUND_FIRST = 28


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchServer]:
    server = connect_embedded(Path(tmp_path_factory.mktemp("ranking")) / "search.sqlite3", "key")
    fill(server, World.sample())
    yield server
    server.close()


def test_people_find_what_they_look_for(server: SearchServer) -> None:
    found = places(server, MADE_UP)
    assert sum(place == 1 for place in found.values()) >= FOUND_FIRST, found
    assert all(place is not None and place <= TOP for place in found.values()), found


def test_stars_decide_between_packages_that_say_the_same(server: SearchServer) -> None:
    found = search(server.client, "django", search_parameters("single sign-on by oauth"))["hits"]
    documents = [hit["document"] for hit in found]
    assert documents[0]["summary"] == documents[1]["summary"]
    assert [document.get("github_stars") for document in documents[:2]] == [3140, None]


def test_downloads_decide_where_they_are_asked_to(server: SearchServer) -> None:
    parameters = search_parameters("single sign-on by oauth", tie_breaker="download_last_month")
    first, second = (hit["document"] for hit in search(server.client, "django", parameters)["hits"][:2])
    assert first["summary"] == second["summary"]
    assert first["download_last_month"] > second["download_last_month"]
    found = places(server, MADE_UP, tie_breaker="download_last_month")
    assert all(place is not None and place <= TOP for place in found.values()), found


def test_there_are_thirty_of_each() -> None:
    for wishes in (MADE_UP, REAL, SIX):
        assert len({(wish.collection, wish.text) for wish in wishes}) == 30
    assert {wish.package for wish in SIX} == set(SIX_PROJECTS.values())


def test_the_figures_count_what_was_found() -> None:
    wishes = [Wish("flask", text, "Flask") for text in "abcd"]
    shown = list(figures("a test", dict(zip(wishes, (1, 3, 4, None), strict=True)), at_most=2))
    assert [figure.value for figure in shown] == [25, 50, 3, 3, 4, 0]
    assert not shown[2].holds


def test_every_field_that_is_searched_is_one_that_can_be() -> None:
    searchable = {
        field["name"] for field in FIELDS if field["type"] in {"string", "string[]"} and field.get("index", True)
    }
    assert QUERY_BY.keys() <= searchable


def test_parameters_of_ones_own_win() -> None:
    assert search_parameters("maps", sort_by="name_sortable:asc")["sort_by"] == "name_sortable:asc"
    assert search_parameters("maps")["q"] == "maps"
