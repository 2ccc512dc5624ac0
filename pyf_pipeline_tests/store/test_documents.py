import multiprocessing
import multiprocessing.synchronize
import os
import signal
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.catalog.model import ProjectDocument, Release
from pyf_pipeline.store.database import StoreError, open_database
from pyf_pipeline.store.store import Store


def document(name: str, serial: int, **info: object) -> ProjectDocument:
    releases = (Release(version="1.0", upload_timestamp=5), Release(version="2.0", yanked=True, yanked_reason="oops"))
    return ProjectDocument(name, serial, {"name": name, **info}, releases, fetched_at=1_700_000_000)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'new folder' / 'store.sqlite3'}")


def test_a_document_comes_back_as_it_was_put(store: Store) -> None:
    odd = document(
        "a", 7, keywords=None, classifiers=["Framework :: Plone"], text="żółć 日本 🎉", nested={"x": [1, None]}
    )
    store.documents.put([odd])
    assert list(store.documents.read(["a"])) == [odd]


def test_the_latest_serial_is_read_and_the_one_before_it_kept(store: Store) -> None:
    for serial in (3, 9, 5):
        store.documents.put([document("a", serial)])
    assert store.documents.serials(["a", "unknown"]) == {"a": 9}
    assert [d.serial for d in store.documents.read(["a"])] == [9]
    assert [d.serial for d in store.documents.earlier("a")] == [5]


def test_documents_come_in_the_order_asked_for_and_unknown_ones_are_left_out(store: Store) -> None:
    names = [f"p{n}" for n in range(450)]
    store.documents.put(document(name, 1) for name in names)
    asked = [*reversed(names), "unknown"]
    assert [d.name for d in store.documents.read(asked)] == list(reversed(names))


@settings(max_examples=25, deadline=None)
@given(
    info=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**63)
            | st.text(st.characters(exclude_categories=["Cs"])),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_any_metadata_survives(tmp_path_factory: pytest.TempPathFactory, info: dict[str, object]) -> None:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite3'}")
    put = ProjectDocument("a", 1, info, (), 0)
    store.documents.put([put])
    assert list(store.documents.read(["a"])) == [put]
    store.close()


def test_release_metadata_is_kept_by_version(store: Store) -> None:
    store.releases.put("a", "1.0", {"summary": "one"})
    store.releases.put("a", "2.0", {"summary": "two"})
    store.releases.put("b", "1.0", {"summary": "other"})
    assert store.releases.versions("a", 1) == {"1.0", "2.0"}
    assert store.releases.read("a") == {"1.0": {"summary": "one"}, "2.0": {"summary": "two"}}


def test_a_release_that_was_missing_is_worth_asking_for_again_once_its_project_has_moved(store: Store) -> None:
    store.releases.put("a", "1.0", {})
    store.releases.put_missing("a", "2.0", 7)
    assert store.releases.versions("a", 7) == {"1.0", "2.0"}
    assert store.releases.versions("a", 8) == {"1.0"}
    assert store.releases.read("a").keys() == {"1.0"}


def _put_many(url: str, prefix: str, count: int) -> None:
    store = Store.open(url)
    for n in range(count):
        store.documents.put([document(f"{prefix}{n}", n + 1)])


def test_several_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_put_many, args=(url, prefix, 60)) for prefix in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    names = [f"{prefix}{n}" for prefix in "abc" for n in range(60)]
    assert Store.open(url).documents.serials(names).keys() == set(names)


def _put_until_killed(url: str, ready: multiprocessing.synchronize.Event) -> None:
    store = Store.open(url)
    n = 0
    while True:
        store.documents.put([document(f"p{n}", n + 1), document(f"q{n}", n + 1)])
        n += 1
        if n == 20:
            ready.set()


def test_a_killed_writer_leaves_whole_transactions_and_a_store_that_works(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    url = f"sqlite:///{path}"
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    writer = context.Process(target=_put_until_killed, args=(url, ready))
    writer.start()
    assert ready.wait(60)
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join(60)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        pairs = connection.execute("SELECT count(*), count(DISTINCT substr(name, 2)) FROM project_documents").fetchone()
    assert pairs[0] == 2 * pairs[1] >= 40
    store = Store.open(url)
    store.documents.put([document("after", 1)])
    assert store.documents.serials(["after", "p0", "q19"]).keys() == {"after", "p0", "q19"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "PYF_STORE_URL"),
        ("oracle+nothing://x", "PYF_STORE_URL"),
        ("postgresql://user:secret@127.0.0.1:9/none", "PYF_STORE_URL"),
    ],
)
def test_a_store_that_cannot_be_opened_says_which_setting_and_never_the_password(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)
