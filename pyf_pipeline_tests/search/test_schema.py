import subprocess
import sys

import pytest

from pyf_pipeline.search.schema import FIELDS, collection_schema, schema_fingerprint

TEXTS = [
    "name", "name_sortable", "identifier", "version", "version_raw", "version_sortable", "version_postfix", "summary",
    "description", "description_content_type", "title", "first_chapter", "main_content", "changelog", "license",
    "author", "author_email", "maintainer", "maintainer_email", "requires_python", "platform", "registry", "github_url",
    "home_page", "docs_url", "package_url", "project_url", "release_url", "yanked_reason", "content_hash",
    "framework_versions_source", "python_versions_source", "development_status", "license_spdx",
    "curated_category", "curated_replacement", "curated_warning",
]  # fmt: skip
LISTS = [
    "classifiers", "keywords", "framework_versions", "python_versions", "requires_dist", "versions", "topics",
    "authors",
]  # fmt: skip
INT32 = ["version_major", "version_minor", "version_bugfix", "release_count", "health_score", "curated_score"]
INT64 = [
    "upload_timestamp", "first_upload_timestamp", "last_serial", "github_stars", "github_watchers",
    "github_open_issues", "github_updated", "health_score_last_calculated", "download_last_day", "download_last_week",
    "download_last_month", "download_updated",
]  # fmt: skip
FLAGS = ["yanked", "is_prerelease", "github_archived"]

BY_NAME = {field["name"]: field for field in FIELDS}


def test_every_field_has_the_type_that_front_ends_count_on() -> None:
    wanted = dict.fromkeys(TEXTS, "string") | dict.fromkeys(LISTS, "string[]") | dict.fromkeys(INT32, "int32")
    wanted |= dict.fromkeys(INT64, "int64") | dict.fromkeys(FLAGS, "bool")
    wanted |= dict.fromkeys(("project_urls", "health_score_breakdown"), "object")
    assert {name: field["type"] for name, field in BY_NAME.items()} == wanted
    assert len(BY_NAME) == len(FIELDS)


@pytest.mark.parametrize(
    "name",
    [
        "name", "registry", "classifiers", "keywords", "framework_versions", "python_versions", "topics", "authors",
        "framework_versions_source", "python_versions_source", "development_status", "license_spdx",
    ],
)  # fmt: skip
def test_facets(name: str) -> None:
    assert BY_NAME[name]["facet"] is True


@pytest.mark.parametrize("name", ["name", "name_sortable", "version_sortable", *INT32, *INT64])
def test_what_can_be_sorted_by(name: str) -> None:
    assert BY_NAME[name]["sort"] is True


def test_what_is_not_indexed_is_optional_and_nothing_else() -> None:
    for field in FIELDS:
        if field.get("index") is False:
            assert set(field) == {"name", "type", "index", "optional"}, field
            assert field["optional"] is True


def test_only_what_may_be_unknown_and_what_is_not_indexed_is_optional() -> None:
    optional = {field["name"] for field in FIELDS if field.get("optional") and field.get("index", True)}
    assert optional == {
        "github_stars", "github_watchers", "github_open_issues", "github_updated", "github_archived",
        "framework_versions_source", "python_versions_source", "development_status", "license_spdx",
        "curated_score", "curated_category", "curated_replacement", "curated_warning",
        "download_last_day", "download_last_week", "download_last_month", "download_updated",
    }  # fmt: skip


def test_the_collection() -> None:
    schema = collection_schema("plone-1")
    assert schema["name"] == "plone-1"
    assert schema["default_sorting_field"] == "name_sortable"
    assert schema["enable_nested_fields"] is True
    assert schema["token_separators"] == [".", "-", "_", "@", "/"]
    schema["fields"][0]["type"] = "int32"
    assert collection_schema("plone-1")["fields"][0]["type"] == "string"


def test_the_fingerprint_is_the_same_everywhere() -> None:
    program = "from pyf_pipeline.search.schema import schema_fingerprint; print(schema_fingerprint())"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert schema_fingerprint() == other


def test_the_fingerprint_changes_with_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema_fingerprint()
    monkeypatch.setattr("pyf_pipeline.search.schema.FIELDS", (*FIELDS, {"name": "more", "type": "string"}))
    assert schema_fingerprint() != before
