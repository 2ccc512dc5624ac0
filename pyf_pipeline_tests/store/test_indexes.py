from pathlib import Path

from pyf_pipeline.store.store import Store


def test_an_index_is_kept_for_each_address(tmp_path: Path) -> None:
    snapshots = Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}").snapshots
    snapshots.put("http://pypi.example/simple/", '"one"', {"a": 1})
    snapshots.put("http://pypi.example/simple/", '"two"', {"b": 3, "a": 2})
    assert snapshots.summary("http://pypi.example/simple/") == ('"two"', 2, 3)
    assert snapshots.get("http://pypi.example/simple/") == {"a": 2, "b": 3}
    assert snapshots.summary("http://other.example/simple/") is None
    assert snapshots.get("http://other.example/simple/") is None
    snapshots.put("http://other.example/simple/", "", {})
    assert snapshots.summary("http://other.example/simple/") == ("", 0, 0)
