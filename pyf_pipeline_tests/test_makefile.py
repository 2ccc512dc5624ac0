"""What `make` says and does before there is anything to run."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pyf_pipeline_tests.processes import clean_environment

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    checkout = tmp_path / "checkout"
    (checkout / "tools").mkdir(parents=True)
    for name in ("Makefile", ".env.example", "constraints.txt", "pyproject.toml", "tools/dagster"):
        shutil.copy(ROOT / name, checkout / name)
    return checkout


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A PATH without uv, so that pip's side is taken.
    env = {**clean_environment(checkout.parent), "PATH": "/usr/bin:/bin"}
    return subprocess.run(["make", *arguments], cwd=checkout, env=env, capture_output=True, text=True, check=False)


def python(checkout: Path, script: str) -> str:
    """A stand-in for a Python that is not as it should be."""
    file = checkout / "python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return f"PYTHON={file}"


def set_up(checkout: Path) -> None:
    """Have `make` believe that everything is installed."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / ".ready").touch()


def test_without_a_target_the_targets_are_listed(checkout: Path) -> None:
    outcome = make(checkout)
    assert outcome.returncode == 0
    listed = set(re.findall(r"^  (\w+) ", outcome.stdout, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert listed == set(phony[1].split()) - {"ready"}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('[ "$1" = -V ] && echo Python 3.9.2 || exit 1', "is Python 3.9.2, but 3.11 or newer is needed"),
        ('case "$*" in *ensurepip*) exit 1 ;; esac', "apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_explained_in_one_line(checkout: Path, script: str, said: str) -> None:
    outcome = make(checkout, "ready", python(checkout, script))
    assert outcome.returncode != 0
    explanation, *rest = outcome.stderr.splitlines()
    assert said in explanation
    # Beside it only make's own line about the target.
    assert all(line.startswith("make: ***") for line in rest)


def test_a_python_that_is_not_there_is_explained(checkout: Path) -> None:
    outcome = make(checkout, "ready", "PYTHON=python-of-nowhere")
    assert outcome.returncode != 0
    assert "python-of-nowhere is not to be found" in outcome.stderr


def test_nothing_is_done_again_where_nothing_changed(checkout: Path) -> None:
    set_up(checkout)
    outcome = make(checkout, "ready")
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml", "tools/dagster"])
def test_what_is_installed_is_renewed_when_its_description_changes(checkout: Path, name: str) -> None:
    set_up(checkout)
    changed = (checkout / ".venv" / ".ready").stat().st_mtime + 1
    os.utime(checkout / name, (changed, changed))
    assert "Setting up .venv" in make(checkout, "ready", "--dry-run").stdout


@pytest.mark.parametrize("given", ["", "DAGSTER_HOME=/elsewhere\n"])
def test_settings_of_yours_stay_and_what_they_lack_is_said_in_one_line(checkout: Path, given: str) -> None:
    set_up(checkout)
    settings = checkout / ".env"
    settings.write_text(f"PYF_CONTACT=me@example.com\n{given}")
    outcome = make(checkout, "ready")
    assert outcome.returncode == 0
    (line,) = outcome.stdout.splitlines()
    assert f"DAGSTER_HOME='{checkout}'" in line
    assert settings.read_text() == f"PYF_CONTACT=me@example.com\n{given}"


@pytest.mark.parametrize(
    ("there", "asked", "shown"),
    [
        ((), "", "live"),
        (("demo",), "", "demo"),
        (("demo", "store.sqlite3"), "", "live"),
        (("demo",), "STATE=live", "live"),
        (("store.sqlite3",), "STATE=demo", "demo"),
    ],
)
def test_the_ui_is_opened_over_the_state_that_there_is(
    checkout: Path, there: tuple[str, ...], asked: str, shown: str
) -> None:
    set_up(checkout)
    for name in there:
        (checkout / ".pyf" / name).mkdir(parents=True)
    commands = make(checkout, "--dry-run", "dev", *filter(None, [asked])).stdout
    assert ("pyf_pipeline_tests.demo --ui" in commands) is (shown == "demo")
    assert ("bin/dagster dev" in commands) is (shown == "live")


def test_a_state_that_there_is_not_is_refused(checkout: Path) -> None:
    set_up(checkout)
    outcome = make(checkout, "dev", "STATE=other")
    assert outcome.returncode != 0
    assert "it can be live or demo" in outcome.stderr
