"""Who may know whom: `cli → defs → {pypi, github, pypistats, search, store} → catalog`, and what goes with it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "pyf_pipeline"
TESTS = "pyf_pipeline_tests"
WORLD = f"{TESTS}.world"

SIBLINGS = {"pypi", "github", "pypistats", "search", "store"}
SHARED = {"settings", "profiles", "curated"}
# What a room, a folder or a module right under the package, may import beside itself. "" is the package's own name.
MAY_KNOW: dict[str, set[str]] = {
    "": set(),
    "catalog": set(),
    "embedded": set(),
    "settings": set(),
    "entries": set(),
    "profiles": {"catalog", "entries"},
    "curated": {"catalog", "entries"},
    **{sibling: {"catalog", ""} for sibling in SIBLINGS},
    "defs": {*SIBLINGS, *SHARED, "catalog", ""},
    "definitions": {"defs", *SHARED, ""},
    "cli": {"definitions", "defs", *SIBLINGS, *SHARED, "catalog", "embedded", ""},
}
# The one place that turns a setting into the embedded index: everybody else sees a Typesense client.
DOOR_TO_EMBEDDED = f"{PACKAGE}.search.client"
KNOW_DAGSTER = {"definitions", "defs", "cli"}


def room(module: str) -> str:
    """The folder or module right under the package to which a module belongs."""
    return [*module.split("."), ""][1]


def objection(importer: str, imported: str) -> str:
    """Why a module must not import another; "" where it may."""
    if _is(importer, WORLD):
        return "the stand-in world stands alone" if _is(imported, PACKAGE) else ""
    if not _is(importer, PACKAGE):
        return ""
    if _is(imported, TESTS):
        return "what is shipped does not depend on its tests"
    if imported.startswith("dagster"):
        return "" if room(importer) in KNOW_DAGSTER else "only definitions, defs and cli know Dagster"
    return _objection_between_rooms(importer, imported) if _is(imported, PACKAGE) else ""


def _objection_between_rooms(importer: str, imported: str) -> str:
    here, there = room(importer), room(imported)
    if here not in MAY_KNOW:
        return f"{here!r} has no place in the house: give it one in MAY_KNOW"
    if here == there or there in MAY_KNOW[here] or (importer, there) == (DOOR_TO_EMBEDDED, "embedded"):
        return ""
    return f"{here} does not know {there or PACKAGE}"


def _is(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def imports(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """The modules that a source imports, wherever in it; relative ones by their full names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module, is_package)
            # `from pyf_pipeline import store` imports a room, `from pyf_pipeline import __version__` none.
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if base == PACKAGE and room(inner) in MAY_KNOW else base


def _base(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parents = module.split(".")
    kept = parents[: len(parents) - node.level + is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted([*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / TESTS).rglob("*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def test_every_import_is_one_that_the_house_allows() -> None:
    known = list(modules())
    assert {room(name) for name, _ in known if _is(name, PACKAGE)} == MAY_KNOW.keys()
    objections = [
        f"{path.relative_to(ROOT)} imports {imported}: {why}"
        for name, path in known
        for imported in imports(path.read_text(), name, is_package=path.name == "__init__.py")
        if (why := objection(name, imported))
    ]
    assert not objections, "\n".join(objections)


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("pyf_pipeline.catalog.model", "from pyf_pipeline.store.store import Store"),
        ("pyf_pipeline.catalog.model", "from pyf_pipeline.settings import Settings"),
        ("pyf_pipeline.catalog.model", "from pyf_pipeline import store"),
        ("pyf_pipeline.catalog.model", "from ..store import rows"),
        ("pyf_pipeline.catalog.model", "from .. import store"),
        ("pyf_pipeline.pypi.ingest", "import pyf_pipeline.store.store"),
        ("pyf_pipeline.pypi.ingest", "def later():\n    from pyf_pipeline.github import client"),
        ("pyf_pipeline.pypistats.client", "from pyf_pipeline.pypi.pace import Pace"),
        ("pyf_pipeline.search.publish", "from pyf_pipeline.defs.config import Mode"),
        ("pyf_pipeline.search.publish", "from pyf_pipeline.embedded.transport import EmbeddedTransport"),
        ("pyf_pipeline.store.store", "from pyf_pipeline.profiles import Profile"),
        ("pyf_pipeline.store.store", "import dagster as dg"),
        ("pyf_pipeline.store.store", "from dagster_postgres.utils import get_conn_string"),
        ("pyf_pipeline.profiles", "from pyf_pipeline.pypi.http import Http"),
        ("pyf_pipeline.embedded.engine", "from pyf_pipeline.catalog.model import Package"),
        ("pyf_pipeline.embedded.engine", "from pyf_pipeline import __version__"),
        ("pyf_pipeline.defs.resources", "from pyf_pipeline.cli.report import print_outcomes"),
        ("pyf_pipeline.defs.resources", "from pyf_pipeline.definitions import defs"),
        ("pyf_pipeline.defs.resources", "from pyf_pipeline.embedded import engine"),
        ("pyf_pipeline.definitions", "from pyf_pipeline.store.store import Store"),
        ("pyf_pipeline.cli.run", "from pyf_pipeline_tests.world import World"),
        ("pyf_pipeline.attic.junk", "from pyf_pipeline.catalog.model import Package"),
        ("pyf_pipeline_tests.world.pypi", "from pyf_pipeline.catalog.model import Package"),
        ("pyf_pipeline_tests.world.pypi", "import pyf_pipeline"),
    ],
)
def test_what_the_house_forbids_is_found(importer: str, source: str) -> None:
    assert [imported for imported in imports(source, importer) if objection(importer, imported)]


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("pyf_pipeline.catalog.model", "from pyf_pipeline.catalog.names import normalise\nimport json"),
        ("pyf_pipeline.catalog.model", "from .names import normalise"),
        ("pyf_pipeline.pypi.ingest", "from pyf_pipeline.catalog.model import Package"),
        ("pyf_pipeline.search.client", "from pyf_pipeline.embedded.transport import EmbeddedTransport"),
        ("pyf_pipeline.defs.resources", "import dagster\nfrom pyf_pipeline import __version__"),
        ("pyf_pipeline.definitions", "from pyf_pipeline.defs.jobs import JOBS\nimport dagster as dg"),
        ("pyf_pipeline.cli.run", "from pyf_pipeline.embedded.server import serve"),
        ("pyf_pipeline_tests.demo", "from pyf_pipeline.cli.report import print_searches"),
        ("pyf_pipeline_tests.world.pypi", "from pyf_pipeline_tests.world.log import RequestLog"),
    ],
)
def test_what_the_house_allows_is_not_held_against_anyone(importer: str, source: str) -> None:
    assert not [imported for imported in imports(source, importer) if objection(importer, imported)]


def test_relative_imports_of_a_package_start_in_it() -> None:
    assert list(imports("from .store import Store", "pyf_pipeline.store", is_package=True)) == [
        "pyf_pipeline.store.store"
    ]
    assert list(imports("from ..catalog import model", "pyf_pipeline.store", is_package=True)) == [
        "pyf_pipeline.catalog"
    ]
