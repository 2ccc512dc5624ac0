from pathlib import Path

from sqlalchemy import inspect, text

from pyf_pipeline.catalog.model import DownloadRecord, Downloads
from pyf_pipeline.store.store import Store


def test_records_come_back_by_name_and_the_latest_counts(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    known = DownloadRecord("a", 9, 9, known=True, downloads=Downloads(1, 2, 2**62, 9))
    never = DownloadRecord("b", 9, 0, known=False, downloads=None)
    forgotten = DownloadRecord("c", 9, 9, known=False, downloads=Downloads(0, 0, 0, 3))
    for record in (DownloadRecord("a", 1, 1, known=False, downloads=None), known, never, forgotten):
        store.downloads.put(record)
    assert store.downloads.get_many(["a", "b", "c", "d"]) == {"a": known, "b": never, "c": forgotten}
    assert store.downloads.get_many([]) == {}
    many = [f"x{number}" for number in range(12_000)]
    assert store.downloads.get_many([*many, "a"]) == {"a": known}
    store.close()


def test_a_store_from_before_there_were_downloads_is_given_the_table(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    store = Store.open(url)
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE downloads"))
    assert not inspect(store.engine).has_table("downloads")
    store.close()
    store = Store.open(url)
    assert store.downloads.get_many(["a"]) == {}
    store.close()
