import multiprocessing
from pathlib import Path
from typing import Any

from pyf_pipeline.store.store import Store


def _add(url: str, times: int) -> None:
    store = Store.open(url)

    def change(entry: dict[str, Any]) -> dict[str, Any]:
        return {"n": entry.get("n", 0) + 1}

    for _ in range(times):
        store.ledgers.update("service", change)


def test_an_entry_is_changed_by_one_process_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    Store.open(url).close()
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add, args=(url, 50)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    ledgers = Store.open(url).ledgers
    assert ledgers.update("service", dict) == {"n": 150}
    assert ledgers.update("another", dict) == {}
