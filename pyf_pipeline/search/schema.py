"""The collection's schema: which fields a document has, and what each can be used for in a search.

Existing front ends query these fields, so names, types and facets stand. Everything that a search may look into,
filter or sort by is indexed; what is only shown is stored without an index, and then has to be optional, as Typesense
wants it (https://typesense.org/docs/29.0/api/collections.html#field-parameters).
"""

import hashlib
from typing import Any

import orjson

DEFAULT_SORTING_FIELD = "name_sortable"
TOKEN_SEPARATORS = (".", "-", "_", "@", "/")

Field = dict[str, Any]


def collection_schema(name: str) -> dict[str, Any]:
    """The schema of a collection with a given name, as `POST /collections` takes it."""
    return {
        "name": name,
        "fields": [dict(field) for field in FIELDS],
        "default_sorting_field": DEFAULT_SORTING_FIELD,
        "enable_nested_fields": True,
        "token_separators": list(TOKEN_SEPARATORS),
    }


def schema_fingerprint() -> str:
    """A short text that changes whenever the schema does; the same in every process."""
    return hashlib.blake2b(orjson.dumps(collection_schema(""), option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def _text(name: str, **options: bool) -> Field:
    return {"name": name, "type": "string", **options}


def _texts(name: str, **options: bool) -> Field:
    return {"name": name, "type": "string[]", **options}


def _number(name: str, kind: str = "int64", **options: bool) -> Field:
    return {"name": name, "type": kind, "sort": True, **options}


def _flag(name: str, **options: bool) -> Field:
    return {"name": name, "type": "bool", "sort": True, "facet": True, **options}


def _shown(name: str, kind: str = "string") -> Field:
    return {"name": name, "type": kind, "index": False, "optional": True}


FIELDS: tuple[Field, ...] = (
    # What it is called. Grouping asks for facets: `group_by: name_sortable` shows one release of each package.
    _text("name", facet=True, sort=True),
    _text("name_sortable", facet=True, sort=True),
    _text("identifier", facet=True),
    _text("registry", facet=True),
    # Which release it is.
    _text("version"),
    _text("version_raw", facet=True, sort=True),
    _text("version_sortable", facet=True, sort=True),
    _text("version_postfix", sort=True),
    _number("version_major", "int32"),
    _number("version_minor", "int32"),
    _number("version_bugfix", "int32"),
    _flag("is_prerelease"),
    _flag("yanked"),
    _shown("yanked_reason"),
    _number("upload_timestamp"),
    _number("first_upload_timestamp"),
    _texts("versions"),
    _number("release_count", "int32"),
    _number("last_serial"),
    # What it is about: the README as a whole for front ends that search and show it so, and in parts to weight them.
    _text("summary"),
    _text("description"),
    _shown("description_content_type"),
    _text("title"),
    _text("first_chapter"),
    _text("main_content"),
    _text("changelog"),
    _texts("keywords", facet=True),
    _texts("classifiers", facet=True),
    # Where no classifier says so, what the requirements allow, and then the source says that.
    _texts("framework_versions", facet=True),
    _text("framework_versions_source", facet=True, optional=True),
    _texts("python_versions", facet=True),
    _text("python_versions_source", facet=True, optional=True),
    _text("development_status", facet=True, sort=True, optional=True),
    _texts("topics", facet=True),
    _text("license"),
    _text("license_spdx", facet=True, sort=True, optional=True),
    _text("platform"),
    _text("requires_python"),
    _texts("requires_dist"),
    # Who made it.
    _texts("authors", facet=True),
    _text("author"),
    _text("author_email"),
    _text("maintainer"),
    _text("maintainer_email"),
    # Where it is found.
    _shown("home_page"),
    _shown("docs_url"),
    _shown("package_url"),
    _shown("project_url"),
    _shown("release_url"),
    _shown("project_urls", "object"),
    # What GitHub says, where there is a repository.
    _shown("github_url"),
    _number("github_stars", facet=True, optional=True),
    _number("github_watchers", facet=True, optional=True),
    _number("github_open_issues", facet=True, optional=True),
    _number("github_updated", facet=True, optional=True),
    _flag("github_archived", optional=True),
    # How often it is downloaded, where pypistats was asked and knows it, and when that was.
    _number("download_last_day", optional=True),
    _number("download_last_week", optional=True),
    _number("download_last_month", optional=True),
    _number("download_updated", optional=True),
    # How well it is looked after, and why that is so.
    _number("health_score", "int32", facet=True),
    _number("health_score_last_calculated"),
    _shown("health_score_breakdown", "object"),
    # What people noted on it, where anybody did.
    _number("curated_score", "int32", facet=True, optional=True),
    _text("curated_category", facet=True, sort=True, optional=True),
    _text("curated_replacement", facet=True, optional=True),
    _text("curated_warning", optional=True),
    # What the document was built from, for telling which documents have to be sent again.
    _shown("content_hash"),
)
