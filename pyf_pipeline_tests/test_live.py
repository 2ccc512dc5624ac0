"""Six projects that this project itself depends on, from the real PyPI into documents; `pytest -m live` runs it."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import requests

from pyf_pipeline.catalog.versions import newest_first
from pyf_pipeline.search.client import connect_embedded
from pyf_pipeline.settings import NO_SERVER_KEY, Settings

PROJECTS = {
    "dagster": "dagster",
    "requests": "requests",
    "typesense": "typesense",
    "pandas": "pandas",
    "pydantic": "pydantic",
    "sqlalchemy": "SQLAlchemy",
}
PROFILE = f"profiles: {{ours: {{packages: [{', '.join(PROJECTS.values())}]}}}}"

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
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
    lines = server.client.collections["ours"].documents.export().splitlines()
    server.close()
    return {document["id"]: document for document in map(json.loads, lines)}


def test_the_six_are_there(documents: dict[str, dict[str, Any]]) -> None:
    assert documents.keys() == PROJECTS.keys()


@pytest.mark.parametrize("name", PROJECTS)
def test_a_document_says_what_pypi_says(documents: dict[str, dict[str, Any]], name: str) -> None:
    pypi_url = Settings.model_fields["pypi_url"].default
    answer = requests.get(f"{pypi_url}/pypi/{name}/json", timeout=60).json()
    info, document = answer["info"], documents[name]
    assert document["name"] == info["name"] == PROJECTS[name]
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
