import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pyf_pipeline.catalog.fields import clean
from pyf_pipeline.catalog.model import Downloads, MalformedProjectError, Note, Package, Release, Repository
from pyf_pipeline.catalog.parsing import package_from, parse_project
from pyf_pipeline.search import documents, schema
from pyf_pipeline.search.documents import BuildFailure, Context, build_document, build_documents, content_hash
from pyf_pipeline_tests.catalog.hostile import FRAGMENTS, Inspection

REPOSITORY = Repository(
    full_name="collective/maps",
    url="https://github.com/collective/maps",
    stars=12,
    watchers=3,
    open_issues=4,
    updated=1_700_000_000,
    archived=False,
    fetched_at=1_800_000_000,
)


def package(**fields: Any) -> Package:
    sample: dict[str, Any] = {
        "id": "collective-maps",
        "project": "collective-maps",
        "name": "Collective.Maps",
        "version": "2.0rc1",
        "summary": "Maps for Plone",
        "description": "Maps\n====\n\nIntro\n\nUsage\n-----\n\nEasy\n\nChanges\n-------\n\nMany\n",
        "classifiers": ("Framework :: Plone :: 6.0", "Programming Language :: Python :: 3.12"),
        "keywords": ("maps", "geo"),
        "project_urls": {"Source": "https://github.com/collective/maps", "Bad": "javascript:alert(1)"},
        "home_page": "https://maps.example",
        "upload_timestamp": 1_700_000_000,
        "releases": (Release(version="1.0"), Release(version="2.0rc1"), Release(version="1.10")),
        "last_serial": 77,
    }
    return Package(**(sample | fields))


def problems(document: dict[str, Any]) -> list[str]:
    """What a strict search server would find wrong about a document; ours, not theirs."""
    found = [f"{name} is not in the schema" for name in document.keys() - _FIELDS.keys() - {"id"}]
    for name, field in _FIELDS.items():
        if name not in document:
            found += [] if field.get("optional") else [f"{name} is missing"]
        elif not _FITS[field["type"]](document[name]):
            found.append(f"{name} is no {field['type']}: {document[name]!r:.80}")
    if not (isinstance(document.get("id"), str) and document["id"]):
        found.append("id")
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value == value.encode("utf-8", "ignore").decode() and "\x00" not in value


def _is_int(bits: int) -> Any:
    limit = 2 ** (bits - 1)
    return lambda value: type(value) is int and -limit <= value < limit


_FIELDS = {field["name"]: field for field in schema.FIELDS}
_FITS: dict[str, Any] = {
    "string": _is_text,
    "string[]": lambda value: isinstance(value, list) and all(_is_text(v) and v for v in value),
    "int32": _is_int(32),
    "int64": _is_int(64),
    "bool": lambda value: isinstance(value, bool),
    "object": lambda value: (
        isinstance(value, dict) and all(_is_text(k) and k and _is_shown(v) for k, v in value.items())
    ),
}


def _is_shown(value: object) -> bool:
    return _is_text(value) or (isinstance(value, dict) and all(_is_text(v) or type(v) is int for v in value.values()))


def test_the_checker_finds_what_is_wrong() -> None:
    good = build_document(package(), REPOSITORY)
    assert problems(good) == []
    for name, bad in [
        ("name", None), ("summary", "a\ud800"), ("keywords", [None]), ("version_major", 2**31), ("last_serial", 2**63),
        ("yanked", 0), ("upload_timestamp", 1.5), ("release_count", True), ("project_urls", {"a": None}), ("id", ""),
        ("more", 1),
    ]:  # fmt: skip
        assert len(problems({**good, name: bad})) == 1, name
    assert problems({k: v for k, v in good.items() if k != "name"}) == ["name is missing"]


def test_every_field_of_a_document() -> None:
    document = build_document(package(), REPOSITORY, Context(now=1_700_000_001))
    assert document.pop("description").startswith("<section")
    assert document.pop("content_hash") == content_hash(package(), REPOSITORY, Context(now=1_700_000_002))
    assert document.pop("health_score_breakdown")["recency"]["found"] == "the release is of 2023-11-14"
    assert document.pop("version_sortable") < build_document(package(version="1.0"), None)["version_sortable"]
    assert document == {
        "id": "collective-maps",
        "name": "Collective.Maps",
        "name_sortable": "collective.maps",
        "identifier": "collective-maps-2.0rc1",
        "registry": "pypi",
        "version": "2.0rc1",
        "version_raw": "2.0rc1",
        "version_major": 2,
        "version_minor": 0,
        "version_bugfix": 0,
        "version_postfix": "rc1",
        "is_prerelease": True,
        "yanked": False,
        "yanked_reason": "",
        "upload_timestamp": 1_700_000_000,
        "first_upload_timestamp": 1_700_000_000,
        "health_score": 40 + 1 + 10 + 5,
        "health_score_last_calculated": 1_700_000_000,
        "versions": ["1.10", "1.0", "2.0rc1"],
        "release_count": 3,
        "last_serial": 77,
        "summary": "Maps for Plone",
        "description_content_type": "",
        "title": "Maps",
        "first_chapter": "Maps for Plone\nMaps\nIntro",
        "main_content": "Usage\nEasy",
        "changelog": "Changes\nMany",
        "keywords": ["maps", "geo"],
        "classifiers": ["Framework :: Plone :: 6.0", "Programming Language :: Python :: 3.12"],
        "framework_versions": ["Plone 6.0"],
        "framework_versions_source": "classifiers",
        "python_versions": ["3.12"],
        "python_versions_source": "classifiers",
        "topics": [],
        "authors": [],
        "license": "",
        "platform": "",
        "requires_python": "",
        "requires_dist": [],
        "author": "",
        "author_email": "",
        "maintainer": "",
        "maintainer_email": "",
        "home_page": "https://maps.example",
        "docs_url": "",
        "package_url": "",
        "project_url": "",
        "release_url": "",
        "project_urls": {"Source": "https://github.com/collective/maps"},
        "github_url": "https://github.com/collective/maps",
        "github_stars": 12,
        "github_watchers": 3,
        "github_open_issues": 4,
        "github_updated": 1_700_000_000,
        "github_archived": False,
    }


def test_without_a_repository_there_is_nothing_of_github() -> None:
    assert not [name for name in build_document(package(), None) if name.startswith("github")]


def test_what_people_filter_by() -> None:
    document = build_document(
        package(
            classifiers=("Development Status :: 4 - Beta", "Topic :: Internet :: WWW/HTTP", "Framework :: Plone"),
            requires_dist=("Products.CMFPlone >=5.2,<6",),
            requires_python=">=3.9,<3.11",
            license="GPL version 2",
            author_email="Jane Doe <jane@x.example>",
        ),
        None,
    )
    assert problems(document) == []
    assert document["framework_versions"] == ["Plone 5.2", "Plone 5.3"]
    assert document["framework_versions_source"] == "requires_dist"
    assert document["python_versions"] == ["3.9", "3.10"]
    assert document["python_versions_source"] == "requires_python"
    assert document["development_status"] == "4 - Beta"
    assert document["topics"] == ["Internet", "Internet :: WWW/HTTP"]
    assert document["license"] == "GPL version 2"
    assert document["license_spdx"] == "GPL-2.0-only"
    assert document["authors"] == ["Jane Doe"]


def test_what_is_not_said_is_no_value_to_filter_by() -> None:
    document = build_document(package(classifiers=()), None)
    names = ("framework_versions_source", "python_versions_source", "development_status", "license_spdx")
    assert not document.keys() & set(names)


def test_a_release_that_is_not_listed_counts() -> None:
    document = build_document(package(version="3.0", releases=(Release(version="1.0"),)), None)
    assert document["versions"] == ["3.0", "1.0"]
    assert document["release_count"] == 2


def test_the_first_upload_is_that_of_any_release() -> None:
    releases = (
        Release(version="1.0", upload_timestamp=7),
        Release(version="0.9"),
        Release(version="1.1", upload_timestamp=9),
    )
    assert build_document(package(releases=releases), None)["first_upload_timestamp"] == 7
    assert build_document(package(releases=(), upload_timestamp=0), None)["first_upload_timestamp"] == 0


DAY = 86_400
UPLOADED = 1_700_000_000


def test_a_document_changes_on_the_day_on_which_its_score_does_and_on_no_other() -> None:
    changed = []
    previous = build_document(package(), None, Context(now=UPLOADED))
    for day in range(1, 366):
        document = build_document(package(), None, Context(now=UPLOADED + day * DAY))
        assert (document == previous) is (document["content_hash"] == previous["content_hash"])
        if document != previous:
            changed.append((day, document["health_score"] - previous["health_score"]))
        previous = document
    assert changed == [(183, -10), (365, -10)]


def test_a_note_is_merged_as_far_as_it_goes() -> None:
    full = Note(score=0, category="Maps", replacement="better-maps", warning="Gone")
    context = Context(now=UPLOADED, notes={"collective-maps": full, "other": Note(score=3)})
    document = build_document(package(), None, context)
    assert problems(document) == []
    assert {name: value for name, value in document.items() if name.startswith("curated_")} == {
        "curated_score": 0,
        "curated_category": "Maps",
        "curated_replacement": "better-maps",
        "curated_warning": "Gone",
    }
    only_a_category = build_document(package(), None, Context(notes={"collective-maps": Note(category="Maps")}))
    assert [name for name in only_a_category if name.startswith("curated_")] == ["curated_category"]
    assert not [name for name in build_document(package(), None) if name.startswith("curated_")]


def test_a_note_changes_the_hash_of_its_package_and_of_no_other() -> None:
    other = content_hash(package(project="other"), None)
    found = {content_hash(package(), None)}
    for note in (Note(score=1), Note(score=2), Note(warning="Gone")):
        context = Context(notes={"collective-maps": note})
        found.add(content_hash(package(), None, context))
        assert content_hash(package(project="other"), None, context) == other
        assert build_document(package(), None, context)["content_hash"] == content_hash(package(), None, context)
    assert len(found) == 4


NOTE_TEXTS = st.one_of(st.just(""), st.text(alphabet=st.characters(codec="utf-8"), max_size=20))
SAID = st.fixed_dictionaries(
    {
        "score": st.none() | st.integers(0, 100),
        "category": NOTE_TEXTS,
        "replacement": st.sampled_from(["", "Better.Maps"]),
        "warning": NOTE_TEXTS,
    }
).filter(
    lambda said: (
        said["score"] is not None or bool(clean(said["category"] + said["replacement"] + said["warning"]).split())
    )
)


@settings(max_examples=60, deadline=None)
@given(SAID, SAID)
def test_a_document_says_what_the_note_says_and_nothing_else_changes(
    said: dict[str, Any], other: dict[str, Any]
) -> None:
    note, context = Note(**said), Context(now=UPLOADED, notes={"collective-maps": Note(**said)})
    plain, noted = build_document(package(), None, Context(now=UPLOADED)), build_document(package(), None, context)
    assert problems(noted) == []
    added = {name: value for name, value in noted.items() if name not in plain}
    assert added == {f"curated_{name}": v for name, v in note.model_dump().items() if v is not None and v != ""}
    assert {name for name, value in plain.items() if noted[name] != value} == {"content_hash"}
    another = replace(context, notes={"collective-maps": Note(**other)})
    assert (content_hash(package(), None, another) == noted["content_hash"]) is (Note(**other) == note)


def test_downloads_are_there_where_they_are_known() -> None:
    context = Context(
        downloads={"collective-maps": Downloads(0, 7, 2**70, 1_700_000_000), "other": Downloads(9, 9, 9, 9)}
    )
    document = build_document(package(), None, context)
    assert problems(document) == []
    assert {name: value for name, value in document.items() if name.startswith("download_")} == {
        "download_last_day": 0,
        "download_last_week": 7,
        "download_last_month": 2**63 - 1,
        "download_updated": 1_700_000_000,
    }
    assert not [name for name in build_document(package(), None) if name.startswith("download_")]


@pytest.mark.parametrize("name", ["last_day", "last_week", "last_month", "updated"])
def test_the_hash_covers_the_downloads_of_a_package_and_of_no_other(name: str) -> None:
    counts = {"last_day": 1, "last_week": 2, "last_month": 3, "updated": 4}
    found = set()
    for figures in (counts, {**counts, name: 5}):
        context = Context(downloads={"collective-maps": Downloads(**figures)})
        found.add(content_hash(package(), None, context))
        assert build_document(package(), None, context)["content_hash"] == content_hash(package(), None, context)
        assert content_hash(package(project="other"), None, context) == content_hash(package(project="other"), None)
    assert len(found | {content_hash(package(), None)}) == 3


def test_numbers_from_outside_are_kept_in_range() -> None:
    odd = Repository("a/b", "https://github.com/a/b", 2**70, -1, 0, 2**63, archived=True, fetched_at=0)
    document = build_document(package(version="20261123000001.2"), odd)
    assert problems(document) == []
    assert document["version_major"] == 2**31 - 1
    assert document["github_watchers"] == 0


ODD = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "UNKNOWN", "x, y", "https://x.example", "javascript:alert(1)", "1.0", "text/markdown", *FRAGMENTS]
    ),
    st.text(alphabet=st.characters(codec=None), max_size=30),
    st.lists(st.text(alphabet=st.characters(codec=None), max_size=10), max_size=3),
    st.dictionaries(st.text(max_size=5), st.none() | st.text(max_size=10), max_size=3),
    st.integers(),
    st.booleans(),
)
INFO_FIELDS = (set(Package.model_fields) | {"license_expression"}) - {"id", "project", "name", "version"}
DOWNLOADS = st.dictionaries(st.just("odd"), st.builds(Downloads, *[st.integers()] * 4), max_size=1)
INFO = st.dictionaries(st.sampled_from(sorted(INFO_FIELDS)), ODD)
VERSIONS = st.one_of(st.sampled_from(["1.0", "1!2.0.dev3", "2004d", "1.0+local"]), st.text(min_size=1, max_size=12))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(INFO, VERSIONS, st.lists(VERSIONS, max_size=4), st.one_of(st.none(), st.just(REPOSITORY)), DOWNLOADS)
def test_whatever_pypi_says_the_document_fits_the_schema(
    info: dict[str, Any],
    version: str,
    listed: list[str],
    repository: Repository | None,
    downloads: dict[str, Downloads],
) -> None:
    answer = {"info": {**info, "name": "Odd", "version": version}, "releases": {v: [] for v in listed}}
    project = parse_project(answer, name="odd", header_serial=1, fetched_at=0)
    try:
        found = package_from(project)
    except (ValidationError, MalformedProjectError):
        assert not version.replace("\x00", "").strip()
        return
    document = build_document(found, repository, Context(downloads=downloads))
    assert problems(document) == []
    assert ("download_updated" in document) is ("odd" in downloads)
    assert orjson.loads(orjson.dumps(document)) == document
    assert Inspection(document["description"]).problems == []


RESTRUCTURED = """
Same
====

Same
----

`a <b_>`_ [1]_ [#auto]_

.. _b: c
.. [1] d
.. [#auto] e
.. contents::

.. code:: python

   x = {1}
"""
HOSTILE = clean("".join(FRAGMENTS))
SAMPLES = [
    package(description=HOSTILE, description_content_type="text/markdown", id="markdown"),
    package(description=HOSTILE, id="fallback"),
    package(description=RESTRUCTURED),
    package(version="2004d", releases=tuple(Release(version=v) for v in ("2004d", "1.0", "1.0.0", "x"))),
]
PROGRAM = """
import hashlib, sys, orjson
from pyf_pipeline_tests.search.test_documents import REPOSITORY, SAMPLES
from pyf_pipeline.search.documents import build_document
samples = reversed(SAMPLES) if sys.argv[1] == "backwards" else SAMPLES
built = sorted(orjson.dumps(build_document(sample, REPOSITORY)) for sample in samples)
print(hashlib.sha256(b"".join(built)).hexdigest())
"""


def test_documents_are_the_same_bytes_in_every_process() -> None:
    found = set()
    for seed, order, zone in (("0", "forwards", "UTC"), ("1", "backwards", "Asia/Tokyo"), ("2", "forwards", "UTC")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LANG": "C"}
        command = [sys.executable, "-c", PROGRAM, order]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found.add(ran.stdout.strip())
    assert len(found) == 1
    assert len(found.pop()) == 64


def test_the_hash_is_that_of_the_document() -> None:
    assert build_document(package(), None)["content_hash"] == content_hash(package(), None)


@pytest.mark.parametrize("name", sorted(set(Package.model_fields) - {"releases", "id"}))
def test_the_hash_covers_every_source_field(name: str) -> None:
    value = getattr(package(), name)
    other: dict[type, Any] = {str: "other", int: 5, bool: True, tuple: ("other",), dict: {"a": "https://b.example"}}
    assert content_hash(package(**{name: other[type(value)]}), None) != content_hash(package(), None)


def test_the_hash_covers_the_releases() -> None:
    assert content_hash(package(releases=(Release(version="1.0"),)), None) != content_hash(package(), None)


@pytest.mark.parametrize("name", ["url", "stars", "watchers", "open_issues", "updated", "archived"])
def test_the_hash_covers_what_is_shown_of_the_repository(name: str) -> None:
    facts = {field: getattr(REPOSITORY, field) for field in Repository.__dataclass_fields__}
    facts[name] = "https://github.com/x/y" if name == "url" else 1
    assert content_hash(package(), Repository(**facts)) != content_hash(package(), REPOSITORY)


def test_the_hash_stays_when_only_the_asking_was_later() -> None:
    facts = {field: getattr(REPOSITORY, field) for field in Repository.__dataclass_fields__}
    assert content_hash(package(), Repository(**{**facts, "fetched_at": 5})) == content_hash(package(), REPOSITORY)


def test_the_hash_changes_with_builder_and_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {content_hash(package(), None)}
    for name, value in (("BUILDER_VERSION", documents.BUILDER_VERSION + 1), ("schema_fingerprint", lambda: "other")):
        with monkeypatch.context() as changed:
            changed.setattr(documents, name, value)
            documents._basis.cache_clear()
            found.add(content_hash(package(), None))
    documents._basis.cache_clear()
    assert len(found) == 3


def test_nothing_is_rendered_for_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyf_pipeline.catalog.readme.render", lambda *_: pytest.fail("rendered"))
    assert content_hash(package(), None)


@pytest.mark.parametrize("processes", [None, 1, 2])
def test_many_documents_come_in_order(processes: int | None) -> None:
    pairs = [(package(id=f"p{n}", summary=str(n)), REPOSITORY if n % 2 else None) for n in range(120)]
    built = list(build_documents(iter(pairs), processes=processes))
    assert built == [build_document(*pair) for pair in pairs]


@pytest.mark.parametrize("processes", [None, 1, 2])
def test_a_package_that_cannot_be_built_is_named(processes: int | None) -> None:
    broken = package(id="broken").model_copy(update={"classifiers": (None,)})
    found = list(build_documents([(package(), None), (broken, None), (package(), None)], processes=processes))
    assert isinstance(found[1], BuildFailure)
    assert found[1].id == "broken"
    assert "NoneType" in found[1].reason
    assert [isinstance(document, dict) for document in found] == [True, False, True]


@pytest.mark.parametrize(
    ("readme", "content_type", "shown"),
    [
        # The Markdown parser's time grows with the square of a block of HTML; what colours code, with that of the code.
        ("<div><b>x</b></div>\n" * 40_000, "text/markdown", "<pre>&lt;div&gt;"),
        ("```java\n" + "a " * 20_000 + "\n```\n", "text/markdown", "<pre>```java"),
        (".. code:: java\n\n" + ("   " + "a " * 1_000 + "\n") * 20, "", "<pre>.. code:: java"),
    ],
)
def test_a_readme_that_takes_too_long_is_shown_as_plain_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, readme: str, content_type: str, shown: str
) -> None:
    slow = package(id="slow", description=readme, description_content_type=content_type)
    within_a_second = documents.work
    monkeypatch.setattr(documents, "work", lambda *args, **options: within_a_second(*args, **options, seconds=1))
    found = list(build_documents([(package(), None), (slow, REPOSITORY), (package(), None)], processes=None))
    assert all(isinstance(document, dict) and not problems(document) for document in found)
    assert json.loads(json.dumps(found[1]))["description"].startswith(shown)
    assert "the README of slow is shown as plain text: it took more than 1 s" in caplog.text
    assert found[0] == found[2] == build_document(package(), None)


def test_building_is_lazy() -> None:
    endless = ((package(id=f"p{n}"), None) for n in count())
    built = build_documents(endless, processes=1)
    assert isinstance(next(built), dict)
