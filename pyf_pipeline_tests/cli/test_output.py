import json

import pytest

from pyf_pipeline.cli.output import Output, printable


def test_rows_are_lines_with_tabs_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    long = "word " * 60
    Output().records([{"name": "a", "aliases": ["x", "y"], "note": long}], ("name", "aliases", "note"))
    assert capsys.readouterr().out == f"name\taliases\tnote\na\tx, y\t{long}\n"


def test_rows_are_json_where_that_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).records([{"name": "a", "more": 1}], ("name",))
    assert json.loads(capsys.readouterr().out) == [{"name": "a", "more": 1}]


def test_quiet_keeps_remarks_back_and_neither_results_nor_errors(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(quiet=True)
    output.note("remark")
    output.line("[bold]result[/]")
    output.error("[red]error\x1b[31m")
    captured = capsys.readouterr()
    assert captured.out == "[bold]result[/]\n"
    assert captured.err == "[red]error [31m\n"


def test_no_control_character_gets_through() -> None:
    assert printable("a\x1b[2Jb\nc\td\x07") == "a [2Jb c\td "
