"""Six projects that this project itself depends on, from the real PyPI into documents; `pytest -m live` runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pyf_pipeline.catalog.versions import newest_first
from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.settings import NO_SERVER_KEY, Settings
from pyf_pipeline_tests.bench.ranking import TOP, places
from pyf_pipeline_tests.bench.wishes import SIX, SIX_PROJECTS

PROFILE = f"profiles: {{ours: {{packages: [{', '.join(SIX_PROJECTS.values())}]}}}}"

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchServer]:
    home = tmp_path_factory.mktemp("live")
    (home / "profiles.yaml").write_text(PROFILE)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYF_", "PYPI_", "TYPESENSE_"))},
        "PYF_HOME": str(home / "state"),
        "PYF_PROFILES": str(home / "profiles.yaml"),
        "DAGSTER_HOME": str(home),
    }
    command = [sys.executable, "-m", "pyf_pipeline.cli.run", "--profile", "ours"]
    run = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    server = connect_embedded(home / "state" / "search.sqlite3", NO_SERVER_KEY)
    yield server
    server.close()


@pytest.fixture(scope="module")
def documents(server: SearchServer) -> dict[str, dict[str, Any]]:
    lines = server.client.collections["ours"].documents.export().splitlines()
    return {document["id"]: document for document in map(json.loads, lines)}


def test_the_six_are_there(documents: dict[str, dict[str, Any]]) -> None:
    assert documents.keys() == SIX_PROJECTS.keys()


@pytest.mark.parametrize("name", SIX_PROJECTS)
def test_a_document_says_what_pypi_says(documents: dict[str, dict[str, Any]], name: str) -> None:
    pypi_url = Settings.model_fields["pypi_url"].default
    answer = requests.get(f"{pypi_url}/pypi/{name}/json", timeout=60).json()
    info, document = answer["info"], documents[name]
    assert document["name"] == info["name"] == SIX_PROJECTS[name]
    assert document["version"] == document["version_raw"] == info["version"]
    assert document["identifier"] == f"{name}-{info['version']}"
    assert document["summary"] == info["summary"]
    assert document["classifiers"] == info["classifiers"]
    assert document["requires_dist"] == (info["requires_dist"] or [])
    assert document["requires_python"] == info["requires_python"]
    assert document["last_serial"] == answer["last_serial"]
    assert document["versions"] == newest_first(answer["releases"])
    assert document["release_count"] == len(answer["releases"])
    assert document["license"] == (info["license_expression"] or info["license"] or "")
    assert document["package_url"] == info["package_url"]
    assert document["release_url"] == info["release_url"]
    assert document["project_urls"] == info["project_urls"]
    assert document["yanked"] is info["yanked"]
    # Rendered, with the page's own heading left to the page.
    assert "<p" in document["description"]
    assert "<h1" not in document["description"]
    assert document["first_chapter"].startswith(info["summary"])


def test_people_find_what_they_look_for(server: SearchServer) -> None:
    found = places(server, SIX)
    # Their READMEs change: so many of thirty, and not each of them.
    assert sum(place == 1 for place in found.values()) >= 25, found
    assert sum(place is not None and place <= TOP for place in found.values()) >= 28, found
