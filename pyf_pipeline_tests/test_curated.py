from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.catalog.model import Note
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.curated import FILE_NAME, NoteError, load_notes
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
        ('notes: {a: {warning: "\\0"}}', ["'a'", "says nothing"]),
        ('notes: {a: {warning: "\\ud800"}}', ["'a'", "'warning'"]),
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


WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)
PACKAGES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True)
NOTES = st.fixed_dictionaries(
    {},
    optional={
        "score": st.integers(0, 100),
        "category": WORDS,
        "replacement": st.just("another-package") | st.just(""),
        "warning": WORDS,
    },
).filter(lambda note: "score" in note or any(str(value).split() for value in note.values()))
FILES = st.dictionaries(PACKAGES, NOTES, max_size=5).filter(
    lambda notes: len({normalise(name) for name in notes}) == len(notes)
)


@settings(max_examples=50, deadline=None)
@given(FILES)
def test_what_is_written_is_what_is_read(notes: dict[str, dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        write(Path(folder) / FILE_NAME, yaml.safe_dump({"notes": notes}, allow_unicode=True))
        found = load_notes(folder)
    assert found == load_notes() | {normalise(name): Note(**fields) for name, fields in notes.items()}
    for name, fields in notes.items():
        note = found[normalise(name)]
        assert (note.score, note.replacement) == (fields.get("score"), fields.get("replacement", ""))
        assert (note.category.split(), note.warning.split()) == (
            fields.get("category", "").split(),
            fields.get("warning", "").split(),
        )


@settings(max_examples=30, deadline=None)
@given(FILES, FILES)
def test_of_two_files_the_later_one_counts_package_by_package(
    one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]
) -> None:
    with TemporaryDirectory() as folder:
        first, second = Path(folder) / "first", Path(folder) / "second"
        for path, notes in ((first, one), (second, other)):
            write(path / FILE_NAME, yaml.safe_dump({"notes": notes}, allow_unicode=True))
        both, alone, later = load_notes(first, second), load_notes(first), load_notes(second)
        own = {normalise(name) for name in other}
        assert both.keys() == alone.keys() | later.keys()
        assert all(note == (later if name in own else alone)[name] for name, note in both.items())
        assert load_notes(first, second, second) == both


def notes_or_error(folder: str) -> dict[str, Note] | str:
    try:
        return load_notes(folder)
    except NoteError as error:
        return str(error)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.sampled_from(["score", "category", "replacement", "warning"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        ANYTHING.map(lambda value: yaml.safe_dump(value, allow_unicode=True)),
        st.dictionaries(PACKAGES, ANYTHING, min_size=1, max_size=2).map(lambda notes: yaml.safe_dump({"notes": notes})),
        st.text(max_size=40),
    )
)
def test_whatever_a_file_holds_it_is_notes_or_one_clear_error(text: str) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / FILE_NAME
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        found = notes_or_error(folder)
    if isinstance(found, str):
        assert str(file) in found
        assert "\n" not in found
    else:
        assert all(name == normalise(name) and isinstance(note, Note) for name, note in found.items())
