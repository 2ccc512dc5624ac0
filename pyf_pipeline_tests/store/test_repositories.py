import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pyf_pipeline.store.database import open_database
from pyf_pipeline.store.repositories import Repositories


@dataclass(frozen=True)
class Entry:
    key: str
    checked_at: int
    stars: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def test_entries_come_back_by_key_and_the_latest_counts(tmp_path: Path) -> None:
    cache = Repositories(
        open_database(f"sqlite:///{tmp_path / 'store.sqlite3'}"), lambda text: Entry(**json.loads(text))
    )
    cache.put_many([Entry("a/b", 1, 5), Entry("c/d", 1, 6), Entry("a/b", 2, 7)])
    cache.put_many([Entry("c/d", 3, 8)])
    cache.put_many([])
    assert cache.get_many(["a/b", "c/d", "e/f"]) == {"a/b": Entry("a/b", 2, 7), "c/d": Entry("c/d", 3, 8)}
    assert cache.get_many([]) == {}
