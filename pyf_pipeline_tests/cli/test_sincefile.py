from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.cli.command import CommandError
from pyf_pipeline.cli.sincefile import read_since, write_since


@given(seconds=st.floats(min_value=0, max_value=4e9))
def test_what_is_written_is_read_back_to_the_second(tmp_path_factory: pytest.TempPathFactory, seconds: float) -> None:
    path = tmp_path_factory.mktemp("since") / "since"
    write_since(path, seconds)
    assert read_since(path) == int(seconds)
    assert [file.name for file in path.parent.iterdir()] == ["since"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1700000000\n", 1.7e9), ("1700000000.5", 1700000000.5), ("2023-11-14T22:13:20+00:00", 1.7e9), ("-5", 0)],
)
def test_forms_of_a_time(tmp_path: Path, text: str, seconds: float) -> None:
    (tmp_path / "since").write_text(text)
    assert read_since(tmp_path / "since") == seconds


def test_a_file_that_is_missing_is_the_beginning_of_time(tmp_path: Path) -> None:
    assert read_since(tmp_path / "since") == 0


def test_a_file_that_could_never_be_written_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="give another path with -s"):
        read_since(tmp_path / "no such folder" / "since")
