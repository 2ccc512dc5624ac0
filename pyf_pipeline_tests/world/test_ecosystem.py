"""What the made-up ecosystem promises: the same for the same seed, counts that hold, and every oddity somewhere."""

import statistics
import time
from collections import Counter
from typing import Any

import pytest
from packaging.version import InvalidVersion, Version
from trove_classifiers import classifiers as trove_classifiers

from pyf_pipeline_tests.world import World
from pyf_pipeline_tests.world.links import repository_of

FRAMEWORKS = ("Framework :: Plone", "Framework :: Django", "Framework :: Flask")


def documents(world: World) -> dict[str, dict[str, Any]]:
    found = {name: world.pypi.document(world.pypi.project(name)) for name in world.pypi.names()}
    return {name: document for name, document in found.items() if document is not None}


@pytest.fixture(scope="module")
def large() -> dict[str, dict[str, Any]]:
    return documents(World(size=1_500, seed=3))


def test_same_size_and_seed_same_world_whatever_is_asked_first() -> None:
    one, other = World(size=120, seed=5), World(size=120, seed=5)
    members = one.pypi.members("Programming Language :: Python")
    assert documents(one) == documents(other)
    assert members == other.pypi.members("Programming Language :: Python")
    assert one.pypi.index() == other.pypi.index()
    assert one.pypi.changelog_since(0) == other.pypi.changelog_since(0)
    pairs = [pair.split("/") for name in one.pypi.names() if (pair := one.github.repository_of(name))]
    assert [one.github.truth(*pair) for pair in pairs] == [other.github.truth(*pair) for pair in pairs]


def test_another_seed_is_another_world() -> None:
    assert World(size=120, seed=5).pypi.names() != World(size=120, seed=6).pypi.names()


def test_sample_has_the_promised_members() -> None:
    world = World.sample()
    assert len(world.pypi) == 300
    members = {classifier: world.pypi.members(classifier) for classifier in FRAMEWORKS}
    assert [len(found) for found in members.values()] == [60, 60, 40]
    assert members["Framework :: Django"] & members["Framework :: Flask"]
    assert members["Framework :: Plone"] & members["Framework :: Django"]
    assert {"plone"} <= members["Framework :: Plone"]
    assert all(world.pypi.ever_members(c) > members[c] for c in FRAMEWORKS), "some carried it once"


@pytest.mark.parametrize("subject", ["calendar", "rest api", "form validation", "login oauth", "image gallery"])
@pytest.mark.parametrize("classifier", FRAMEWORKS)
def test_sample_has_something_for_searches_that_people_try(subject: str, classifier: str) -> None:
    world = World.sample()
    found = documents(world)
    texts = [
        str(found[n]["info"]["summary"]) + str(found[n]["info"]["description"]) for n in world.pypi.members(classifier)
    ]
    assert any(all(word in text.lower() for word in subject.split()) for text in texts)


@pytest.mark.parametrize("classifier", ["Framework :: Plone", "Framework :: Flask", "Framework :: Pyramid"])
def test_members_only_is_exact_now_and_ever(classifier: str) -> None:
    world = World.members_only(classifier, members=40, size=400)
    assert len(world.pypi) == 400
    assert len(world.pypi.members(classifier)) == len(world.pypi.ever_members(classifier)) == 40


def test_twenty_thousand_projects_are_there_in_seconds() -> None:
    started = time.perf_counter()
    world = World.members_only("Framework :: Plone", members=200, size=20_000)
    assert len(world.pypi.members("Framework :: Plone")) == 200
    assert len(world.pypi.index()) == 20_000
    assert time.perf_counter() - started < 5


def test_serials_fit_xml_rpc_and_rise_with_time() -> None:
    world = World(size=20_000, seed=2)
    assert world.pypi.serial < 2**31
    for name in world.pypi.names()[:200]:
        releases = world.pypi.releases(world.pypi.project(name))
        assert [r.serial for r in releases] == sorted({r.serial for r in releases})
        assert [r.time for r in releases] == sorted({r.time for r in releases})
    journal = World(size=100, seed=2).pypi.changelog_since(0)
    assert [entry.serial for entry in journal] == sorted({entry.serial for entry in journal})
    assert [entry.timestamp for entry in journal] == sorted(entry.timestamp for entry in journal)


def test_readmes_have_realistic_sizes(large: dict[str, dict[str, Any]]) -> None:
    sizes = [len(d["info"]["description"] or "") for d in large.values()]
    assert 2_000 < statistics.median(sizes) < 4_500
    assert 100_000 < max(sizes) <= 210_000


def test_current_release_is_the_one_that_pypi_shows(large: dict[str, dict[str, Any]]) -> None:
    for document in large.values():
        versions = {}
        for spelled, files in document["releases"].items():
            try:
                versions[spelled] = Version(spelled)
            except InvalidVersion:
                continue
            if files and files[0]["yanked"]:
                del versions[spelled]
        finals = [version for version in versions.values() if not version.is_prerelease]
        shown = document["info"]["version"]
        if finals and shown in versions and not document["info"]["yanked"]:
            without_files = [v for v, files in document["releases"].items() if not files]
            assert versions[shown] == max(finals) or without_files


def test_oddities_occur(large: dict[str, dict[str, Any]]) -> None:
    infos = [document["info"] for document in large.values()]
    for field in ("keywords", "license", "description_content_type", "requires_dist", "project_urls", "author"):
        assert len({type(info[field]) for info in infos}) >= 3, field
    versions = [version for document in large.values() for version in document["releases"]]
    kinds: Counter[str] = Counter()
    for version in versions:
        try:
            parsed = Version(version)
        except InvalidVersion:
            kinds["legacy"] += 1
            continue
        kinds["epoch"] += parsed.epoch > 0
        kinds["pre"] += parsed.is_prerelease
        kinds["post"] += parsed.is_postrelease
    assert all(kinds[kind] for kind in ("legacy", "epoch", "pre", "post")), kinds
    assert any(info["yanked"] for info in infos)
    assert any(not files for document in large.values() for files in document["releases"].values())
    descriptions = " ".join(str(info["description"]) for info in infos)
    assert all(text in descriptions for text in ("<script>", "onerror=", ".. include::", "日本語", "🎉", "für"))
    listed = {c for info in infos for c in info["classifiers"] or ()}
    assert {c for c in listed if c not in trove_classifiers} == {
        "Private :: Do Not Upload",
        "Framework :: Starfish :: 3.0",
        "Programming Language :: Klingon",
    }


def test_some_members_carry_only_what_is_below_the_classifier(large: dict[str, dict[str, Any]]) -> None:
    below = [
        name
        for name, document in large.items()
        if (listed := document["info"]["classifiers"])
        and "Framework :: Plone" not in listed
        and any(c.startswith("Framework :: Plone ::") for c in listed)
    ]
    assert below


def test_classifiers_that_are_missing_in_odd_ways_agree_with_browse() -> None:
    world = World(size=1_500, seed=3)
    odd = {name: d["info"]["classifiers"] for name, d in documents(world).items() if not d["info"]["classifiers"]}
    assert None in odd.values()
    assert "" in odd.values()
    assert not world.pypi.ever_members("Programming Language :: Python") & set(odd)


def test_some_names_have_no_release() -> None:
    world = World(size=600, seed=3)
    empty = [name for name in world.pypi.names() if not world.pypi.releases(world.pypi.project(name))]
    assert empty
    assert not any(world.pypi.members(c) & set(empty) for c in FRAMEWORKS)


def test_links_mean_the_repository_that_the_world_says(large: dict[str, dict[str, Any]]) -> None:
    world = World(size=1_500, seed=3)
    for name, document in large.items():
        info = document["info"]
        found = repository_of(info["project_urls"], info["home_page"])
        said = world.github.repository_of(name)
        assert ("/".join(found).lower() if found else None) == (said.lower() if said else None), (name, info)


def test_repositories_are_renamed_vanished_and_archived() -> None:
    world = World(size=1_500, seed=3)
    fates: Counter[str] = Counter()
    for name in world.pypi.names():
        linked = world.github.repository_of(name)
        if linked is None:
            fates["none"] += 1
            continue
        figures = world.github.truth(*linked.split("/"))
        fates["all"] += 1
        fates["vanished"] += figures is None
        fates["renamed"] += figures is not None and figures.name_with_owner.lower() != linked.lower()
        fates["archived"] += figures is not None and figures.archived
    assert 0.02 < fates["vanished"] / fates["all"] < 0.07
    assert 0.01 < fates["renamed"] / fates["all"] < 0.06
    assert fates["archived"]
    assert fates["none"]
