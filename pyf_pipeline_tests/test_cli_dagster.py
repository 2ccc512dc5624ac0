"""Dagster's own commands, as the documentation has them, in a fresh checkout and with nothing exported."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyf_pipeline_tests.processes import clean_environment
from pyf_pipeline_tests.world import World

ROOT = Path(__file__).parents[1]
ASSETS = {"raw_pypi_metadata", "filtered_packages", "github_enrichment", "typesense_collection"}

Dagster = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that commands find in the working directory, and `.env` as `make` writes it."""
    checkout = tmp_path_factory.mktemp("checkout with a blank")
    for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml", "Makefile", ".env.example"):
        shutil.copy(ROOT / name, checkout / name)
    tools = checkout / ".venv" / "bin"
    tools.mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "dagster", tools / "dagster")
    (tools / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tools / "python").chmod(0o755)
    subprocess.run(["make", "--silent", ".env"], cwd=checkout, check=True)
    return checkout


@pytest.fixture(scope="module")
def dagster(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    home = tmp_path_factory.mktemp("home")
    world = World(size=60, seed=3)
    world.pypi.xmlrpc_limit(per_second=None, per_minute=None)
    with world.serve() as servers:
        env = {
            **clean_environment(home),
            "PYPI_URL": servers.pypi_url,
            "GITHUB_API_URL": servers.github_url,
            "GITHUB_TOKEN": world.github.token,
        }

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [str(checkout / ".venv/bin/dagster"), *arguments],
                cwd=checkout,
                env=env,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )

        yield run
    assert not list(home.iterdir()), "state belongs into the checkout, not into HOME"


def test_the_file_that_make_writes_names_the_checkout(checkout: Path) -> None:
    lines = (checkout / ".env").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [f"DAGSTER_HOME='{checkout}'"]
    (checkout / ".env").touch()
    subprocess.run(["make", "--silent", ".env"], cwd=checkout, check=True)
    assert (checkout / ".env").read_text().splitlines() == lines


def test_assets_are_listed(dagster: Dagster) -> None:
    outcome = dagster("asset", "list")
    assert outcome.returncode == 0, outcome.stderr
    assert set(outcome.stdout.split()) >= ASSETS
    assert "Warning" not in outcome.stderr


def test_a_partition_is_materialised_and_the_next_process_knows_of_it(dagster: Dagster, checkout: Path) -> None:
    outcome = dagster("asset", "materialize", "--select", "*", "--partition", "flask")
    assert outcome.returncode == 0, outcome.stderr
    assert "Warning" not in outcome.stderr
    # The backfill only queues runs, for the daemon to launch.
    outcome = dagster("job", "backfill", "-j", "full_refresh", "--partitions", "plone,django", "--noprompt")
    assert outcome.returncode == 0, outcome.stderr
    assert "Launched backfill job" in outcome.stdout
    history = dagster("run", "list")
    assert history.returncode == 0, history.stderr
    assert history.stdout.count("Job: __ASSET_JOB") == 1
    assert history.stdout.count("Job: full_refresh") == 2
    assert {path.name for path in checkout.iterdir()} == {
        *(".env", ".env.example", ".pyf", ".venv"),
        *("Makefile", "dagster.yaml", "pyproject.toml", "workspace.yaml"),
    }
