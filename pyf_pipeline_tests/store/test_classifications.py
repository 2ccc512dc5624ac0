from pathlib import Path

import pytest

from pyf_pipeline.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}")


def test_a_classifier_covers_itself_and_what_is_below_it_and_nothing_beside_it(store: Store) -> None:
    store.knowledge.put(
        {
            "itself": (1, ["Framework :: Django"]),
            "below": (1, ["Topic :: Other", "Framework :: Django :: 5.2"]),
            "beside": (1, ["Framework :: Django CMS"]),
            "longer": (1, ["My Framework :: Django"]),
            "none": (1, []),
        }
    )
    assert store.knowledge.carrying(["Framework :: Django"]) == {"itself", "below"}
    assert store.knowledge.carrying([]) == set()
    assert store.knowledge.count() == 5


def test_characters_that_mean_something_in_sql_are_taken_literally(store: Store) -> None:
    store.knowledge.put({"a": (1, ["50% :: x_y"]), "b": (1, ["500 :: xzy"])})
    assert store.knowledge.carrying(["50% :: x_y"]) == {"a"}


def test_a_project_is_classified_anew_when_it_moves(store: Store) -> None:
    store.knowledge.put({"a": (1, ["Framework :: Plone"])})
    store.knowledge.put({"a": (2, ["Framework :: Flask"])})
    assert store.knowledge.serials(["a", "b"]) == {"a": 2}
    assert store.knowledge.carrying(["Framework :: Plone"]) == set()


def test_an_answer_is_kept_with_its_serial_and_time(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    store.knowledge._now = lambda: 1234.9
    store.knowledge.put_discovery("Framework :: Plone", 77, {"b", "a"})
    answer = store.knowledge.discovery("Framework :: Plone")
    assert answer is not None
    assert (answer.serial, answer.asked_at, answer.names) == (77, 1234, frozenset("ab"))
    assert store.knowledge.discovery("Framework :: Flask") is None


def test_what_is_known_of_a_later_serial_stays(store: Store) -> None:
    store.knowledge.put({"a": (5, ["Framework :: Plone"])})
    store.knowledge.put({"a": (4, ["Framework :: Flask"]), "b": (1, [])})
    assert store.knowledge.serials(["a", "b"]) == {"a": 5, "b": 1}
    assert store.knowledge.carrying(["Framework :: Plone"]) == {"a"}
