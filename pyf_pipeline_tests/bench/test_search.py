from pathlib import Path

from pyf_pipeline.search.client import connect_embedded
from pyf_pipeline.search.management import list_collections
from pyf_pipeline_tests.bench.search import Packages, measure


def test_what_is_measured_is_done_and_leaves_nothing_behind(tmp_path: Path) -> None:
    server = connect_embedded(tmp_path / "search.sqlite3", "key")
    figures = list(measure(server, Packages(60)))
    assert len(figures) == 7
    assert all(figure.what.startswith("60 documents: ") and figure.value > 0 for figure in figures)
    assert list_collections(server) == []
    server.close()
