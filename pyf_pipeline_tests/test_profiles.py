from pathlib import Path

import pytest

from pyf_pipeline.catalog.classifiers import expand
from pyf_pipeline.profiles import ProfileError, load_profiles


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_built_in_profiles() -> None:
    profiles = load_profiles()
    assert list(profiles) == ["plone", "django", "flask"]
    assert profiles["plone"].name == "Plone"
    assert profiles["plone"].collection == "plone"
    assert profiles["plone"].releases == "latest"
    assert profiles["plone"].scheduled
    assert "Framework :: Plone :: 6.0" in expand(profiles["plone"].classifiers[0])


def test_a_file_adds_and_overrides(tmp_path: Path) -> None:
    file = write(
        tmp_path / "mine.yaml",
        """
        profiles:
          tools:
            packages: [Zope.Interface, zope_interface, requests]
            excludes: [Some_Thing]
            scheduled: false
          plone:
            name: Our Plone
            classifiers: ["Framework :: Plone :: 6.0"]
            collection: plone6
            releases: all
        """,
    )
    profiles = load_profiles(file)
    assert list(profiles) == ["plone", "django", "flask", "tools"]
    assert profiles["tools"].packages == ("zope-interface", "requests")
    assert profiles["tools"].excludes == ("some-thing",)
    assert profiles["tools"].name == "Tools"
    assert not profiles["tools"].scheduled
    assert profiles["plone"].collection == "plone6"
    assert profiles["plone"].releases == "all"


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "profiles: {one: {packages: [a]}}")
    write(tmp_path / "b.yml", "profiles: {two: {packages: [b]}}")
    write(tmp_path / "notes.txt", "not a profile")
    assert {"one", "two"} <= load_profiles(tmp_path).keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "profiles: {p: {classifiers: ['Framework :: Plane']}}",
            ["'p'", "'classifiers'", "did you mean 'Framework :: Plone'"],
        ),
        ("profiles: {p: {classifier: ['Framework :: Plone']}}", ["'p'", "'classifier'", "did you mean 'classifiers'"]),
        ("profiles: {p: {packages: [a], releases: some}}", ["'p'", "'releases'"]),
        ("profiles: {p: {packages: a}}", ["'p'", "'packages'"]),
        ("profiles: {p: {}}", ["'p'", "neither classifiers nor packages"]),
        ("profiles: {p: []}", ["'p'", "mapping"]),
        ("profiles: {'Big Key': {packages: [a]}}", ["'Big Key'", "'key'"]),
        ("profiles: {p: {packages: [a]}, p: {packages: [b]}}", ["'p'", "twice", "line 1"]),
        ("profiles: [p]", ["profiles:"]),
        ("p: {packages: [a]}", ["profiles:"]),
        ("", ["profiles:"]),
        ("profiles: {p: {packages: [a]", ["YAML"]),
        ("profiles: {p: {packages: [a], collection: plone}}", ["'plone'", "'p'", "collection"]),
    ],
)
def test_a_mistake_names_the_file_the_profile_and_the_field(tmp_path: Path, text: str, said: list[str]) -> None:
    file = write(tmp_path / "mine.yaml", text)
    with pytest.raises(ProfileError) as caught:
        load_profiles(file)
    for words in said:
        assert words in str(caught.value)
    if "collection: plone" not in text:
        assert str(file) in str(caught.value)


def test_a_key_stands_once_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "profiles: {one: {packages: [a]}}")
    write(tmp_path / "b.yaml", "profiles: {one: {packages: [b]}}")
    with pytest.raises(ProfileError, match=r"b\.yaml: profile 'one' is defined twice \(also in .*a\.yaml\)"):
        load_profiles(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"nowhere\.yaml.*PYF_PROFILES"):
        load_profiles(tmp_path / "nowhere.yaml")
