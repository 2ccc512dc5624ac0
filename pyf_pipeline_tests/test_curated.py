from pathlib import Path

import pytest

from pyf_pipeline.catalog.model import Note
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.curated import NoteError, load_notes
from pyf_pipeline.profiles import load_profiles


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_built_in_notes() -> None:
    notes = load_notes()
    assert notes["products-ploneformgen"].replacement == "collective.easyform"
    assert all(name == normalise(name) for name in notes)
    replaced = {name for name, note in notes.items() if note.replacement}
    # Nobody is sent to a package that is itself replaced.
    assert not {normalise(notes[name].replacement) for name in replaced} & replaced


@pytest.mark.parametrize("given", ["mine", "mine/profiles.yaml", "mine/missing.yaml"])
def test_notes_beside_the_profiles_add_and_override(tmp_path: Path, given: str) -> None:
    write(tmp_path / "mine" / "profiles.yaml", "profiles: {ours: {packages: [a]}}")
    write(
        tmp_path / "mine" / "curated.yaml",
        "notes: {Our_Thing: {score: 70, category: ' Good   things '}, raven: {warning: Fine}}",
    )
    notes = load_notes(tmp_path / given)
    assert notes["our-thing"] == Note(score=70, category="Good things")
    assert notes["raven"] == Note(warning="Fine")
    assert len(notes) == len(load_notes()) + 1


def test_notes_in_a_folder_of_profiles_are_no_profiles(tmp_path: Path) -> None:
    write(tmp_path / "curated.yaml", "notes: {a: {score: 1}}")
    write(tmp_path / "ours.yaml", "profiles: {ours: {packages: [a]}}")
    assert "ours" in load_profiles(tmp_path)


def test_there_need_be_none(tmp_path: Path) -> None:
    assert load_notes(tmp_path, tmp_path / "profiles.yaml") == load_notes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("notes: {a: {score: 101}}", ["'a'", "'score'", "100"]),
        ("notes: {a: {score: '7'}}", ["'a'", "'score'"]),
        ("notes: {a: {score: true}}", ["'a'", "'score'"]),
        ("notes: {a: {score: 1.5}}", ["'a'", "'score'"]),
        ("notes: {a: {warnung: x}}", ["'a'", "'warnung'", "a note; did you mean 'warning'"]),
        ("notes: {a: {replacement: 'two words'}}", ["'a'", "'replacement'"]),
        ("notes: {My.Pkg: {replacement: my-pkg}}", ["'My.Pkg'", "'replacement'", "itself"]),
        ("notes: {a: {category: [x]}}", ["'a'", "'category'"]),
        ("notes: {a: {}}", ["'a'", "says nothing"]),
        ("notes: {a: {category: '  '}}", ["'a'", "says nothing"]),
        ("notes: {a: 7}", ["'a'", "mapping"]),
        ("notes: {a: {score: 1}, a: {score: 2}}", ["'a'", "twice", "line 1"]),
        ("notes: {a.b: {score: 1}, A_B: {score: 2}}", ["'A_B'", "'a.b'", "same package"]),
        ("notes: [a]", ["notes:"]),
        ("a: {score: 1}", ["notes:"]),
        ("", ["notes:"]),
        ("notes: {a: {score: 1", ["YAML"]),
    ],
)
def test_a_mistake_names_the_file_the_package_and_the_field(tmp_path: Path, text: str, said: list[str]) -> None:
    file = write(tmp_path / "curated.yaml", text)
    with pytest.raises(NoteError) as caught:
        load_notes(tmp_path)
    for words in [str(file), *said]:
        assert words in str(caught.value)
