"""What all commands have in common."""

import os
import subprocess
import sys
from importlib import import_module

import pytest

from pyf_pipeline_tests.cli.conftest import Shell
from pyf_pipeline_tests.processes import free_port

COMMANDS = ("pyfaggregator", "pyfgithub", "pyfupdater", "pyfsearch")
HEAVY = ("dagster", "pandas", "pyarrow", "typesense", "pydantic", "rich")


def quickest(*arguments: str, times: int = 3) -> float:
    """Processor seconds of the quickest of a few runs: by the clock others at work on the machine would count, too."""
    seconds = []
    for _ in range(times):
        before = os.times()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(seconds)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_there_at_once_and_has_examples(shell: Shell, command: str) -> None:
    assert "examples:\n  " in shell.ok(command, "--help").out
    assert quickest("-m", f"pyf_pipeline.cli.{command}", "--help") < 0.3


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_heavy_is_imported_before_a_call_is_understood(command: str) -> None:
    code = f"import sys; import pyf_pipeline.cli.{command} as c; c.build(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not set(HEAVY) & set(loaded)


def test_names_are_listed_within_a_second_and_without_dagster(shell: Shell) -> None:
    code = "import sys; from pyf_pipeline.cli.pyfupdater import main; assert not main(['-lsn']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "dagster" not in loaded
    assert quickest("-m", "pyf_pipeline.cli.pyfupdater", "-lsn") < 1.0


@pytest.mark.parametrize(
    "words", [("pyfaggregator", "-i", "-p", "plone"), ("pyfupdater", "-lsn"), ("pyfupdater", "-ls", "--json")]
)
def test_no_server_is_one_line_that_says_what_to_do(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TYPESENSE_HOST", "127.0.0.1")
    monkeypatch.setenv("TYPESENSE_PORT", str(free_port()))
    ran = shell(*words)
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert "TYPESENSE_API_KEY" in line
    monkeypatch.setenv("TYPESENSE_API_KEY", "a-key")
    monkeypatch.setattr("pyf_pipeline.search.transport.Patience.away", 0.1, raising=False)
    ran = shell(*words)
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert "is it running" in line
    assert "TYPESENSE_HOST" in line
    assert "a-key" not in line


def test_no_network_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYPI_URL", f"http://127.0.0.1:{free_port()}")
    ran = shell("pyfaggregator", "-i", "-p", "plone")
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert "check the network, the proxy or PYPI_URL" in line


def test_a_setting_that_cannot_be_used_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYPESENSE_PORT", "many")
    ran = shell("pyfupdater", "-ls")
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert line.startswith("pyfupdater: TYPESENSE_PORT='many'")


def test_what_nobody_expected_is_one_line_and_a_traceback_on_demand(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("odd\nthing")

    monkeypatch.setattr("pyf_pipeline.settings.load_settings", broken)
    ran = shell("pyfupdater", "-ls")
    assert (ran.code, ran.err) == (1, "pyfupdater: ZeroDivisionError: odd thing (--debug shows where)\n")
    ran = shell("pyfupdater", "-ls", "--debug")
    assert ran.code == 1
    assert "Traceback" in ran.err


def test_what_is_written_where_there_is_no_terminal_is_plain(shell: Shell) -> None:
    ran = shell.ok("pyfaggregator", "-i", "-p", "flask")
    assert "flask: publishing documents" in ran.err
    assert "flask: done in" in ran.out
    assert all(character.isprintable() or character == "\n" for character in ran.out + ran.err)
    quiet = shell.ok("pyfaggregator", "-i", "-p", "flask", "-q")
    assert quiet.out + quiet.err == ""


def test_an_instance_is_made_where_none_is_named_and_nothing_is_said_of_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME")
    environment = {**os.environ, "PYF_HOME": str(shell.home / "new")}
    command = [sys.executable, "-m", "pyf_pipeline.cli.pyfaggregator", "-i", "-p", "flask", "-q"]
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert ran.stdout + ran.stderr == ""
    assert "enabled: false" in (shell.home / "new" / "dagster" / "dagster.yaml").read_text()


def test_runs_are_known_by_their_command_in_the_ui(shell: Shell) -> None:
    shell.ok("pyfaggregator", "-i", "-p", "flask", "-l", "2", "-q")
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        (record,) = instance.get_run_records()
    assert record.dagster_run.job_name == "pypi_update"
    assert record.dagster_run.tags["pyf_pipeline/command"] == "pyfaggregator -i -p flask -l 2"
    assert record.dagster_run.tags["dagster/partition"] == "flask"


@pytest.mark.parametrize("command", ["pyfaggregator", "pyfgithub", "pyfupdater", "pyfsearch"])
def test_no_option_is_taken_by_its_beginning(command: str) -> None:
    parser = import_module(f"pyf_pipeline.cli.{command}").build()
    assert not parser.allow_abbrev
