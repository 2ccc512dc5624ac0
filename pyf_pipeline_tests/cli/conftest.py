import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from pyf_pipeline.cli.instance import CONFIGURATION
from pyf_pipeline.search.client import connect_embedded
from pyf_pipeline.settings import NO_SERVER_KEY, Settings
from pyf_pipeline_tests.instances import QUIET, furnish
from pyf_pipeline_tests.world import Servers, World

# What reads the settings when it is imported, and what refers to that: a process of its own would import it anew.
READ_ONCE = ("pyf_pipeline.definitions", "pyf_pipeline.defs", "pyf_pipeline.cli")


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs commands in this process, each as if it were one of its own, on the stand-in world."""

    world: World
    home: Path
    capture: pytest.CaptureFixture[str]
    seen: list[str] = field(default_factory=list)

    def __call__(self, *words: str) -> Ran:
        command, *arguments = words
        if (settings := self._settings()) != self.seen:
            forget()
            self.seen = settings
        self.capture.readouterr()
        code = import_module(f"pyf_pipeline.cli.{command}").main(arguments)
        captured = self.capture.readouterr()
        return Ran(code, captured.out, captured.err)

    def _settings(self) -> list[str]:
        """All that is read when the definitions are loaded; as long as it stays, so may they."""
        variables = [f"{name}={os.environ.get(name.upper())}" for name in Settings.model_fields]
        files = [*sorted(self.home.glob("profiles/*.yaml")), *Path().glob(".env")]
        return [*variables, *(file.read_text() for file in files)]

    def ok(self, *words: str) -> Ran:
        """Run a command that has to end well."""
        ran = self(*words)
        assert ran.code == 0, f"{words}: {ran.err}"
        return ran

    def documents(self, name: str) -> dict[str, dict[str, Any]]:
        """The documents that a search by a name reaches, by id."""
        server = connect_embedded(self.home / "search.sqlite3", NO_SERVER_KEY)
        try:
            lines = server.client.collections[name].documents.export().splitlines()
        finally:
            server.close()
        return {document["id"]: document for document in map(orjson.loads, lines)}


def forget() -> None:
    """Have the next command begin as a process of its own would."""
    for name in [name for name in sys.modules if name.startswith(READ_ONCE)]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def world() -> World:
    world = World(size=60, seed=5)
    world.pypi.xmlrpc_limit(per_second=1_000, per_minute=60_000)
    return world


@pytest.fixture(scope="module")
def servers(world: World) -> Iterator[Servers]:
    with world.serve() as servers:
        yield servers


def fresh_settings(folder: Path, world: World, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings of a fresh installation on the stand-in world, in an empty working directory."""
    home = folder / "home"
    home.mkdir()
    furnish(home)
    (home / "dagster.yaml").write_text(CONFIGURATION + yaml.safe_dump(QUIET))
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    values = {
        "PYF_HOME": str(home),
        "DAGSTER_HOME": str(home),
        "PYPI_URL": servers.pypi_url,
        "GITHUB_API_URL": servers.github_url,
        "GITHUB_TOKEN": world.github.token,
        "PYF_RETRY_SECONDS": "0",
    }
    # A process that renders READMEs takes half a second to start, and sixty of them no longer than that.
    monkeypatch.setattr("pyf_pipeline.search.documents.processors", lambda: 1)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@contextmanager
def restored() -> Iterator[None]:
    """Leave modules and variables as they were."""
    before = {name: module for name, module in sys.modules.items() if name.startswith(READ_ONCE)}
    variables = dict(os.environ)
    yield
    forget()
    sys.modules.update(before)
    for name, module in before.items():
        # A package keeps the module that was imported last; what patches by name would find that one.
        package, _, leaf = name.rpartition(".")
        setattr(sys.modules[package], leaf, module)
    os.environ.clear()
    os.environ.update(variables)


@pytest.fixture
def environment(
    tmp_path: Path, world: World, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """The settings that commands find."""
    yield fresh_settings(tmp_path, world, servers, monkeypatch)
    world.faults.clear()


@pytest.fixture
def shell(environment: dict[str, str], world: World, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """Runs commands as they are typed."""
    with restored():
        yield Shell(world, Path(environment["PYF_HOME"]), capsys)
