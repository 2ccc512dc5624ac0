"""Curated notes: what people know of packages and no metadata says. How they are read and checked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pyf_pipeline.catalog.model import Note
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.entries import EntryError, explain, read_entries

FILE_NAME = "curated.yaml"
BUILT_IN = Path(__file__).with_name(FILE_NAME)


class NoteError(EntryError):
    """A note cannot be used; the text names the file, the package and the field, and what to do."""


def load_notes(*profile_paths: Path | str) -> dict[str, Note]:
    """The built-in notes, and on top of them those in a `curated.yaml` beside a user's own profiles, by package.

    Args:
        profile_paths: Files of profiles, beside which a `curated.yaml` may stand, or folders, in which one may.

    Raises:
        NoteError: A file cannot be read, or something in it cannot be used.
    """
    notes = dict(_read(BUILT_IN))
    for path in map(Path, profile_paths):
        beside = (path if path.is_dir() else path.parent) / FILE_NAME
        if beside.exists():
            notes.update(_read(beside))
    return notes


def _read(file: Path) -> Iterator[tuple[str, Note]]:
    try:
        entries = read_entries(file, "notes")
    except EntryError as error:
        raise NoteError(str(error)) from None
    seen: dict[str, str] = {}
    for name, fields in entries:
        package = normalise(name)
        if package in seen:
            raise NoteError(f"{file}: {name!r} and {seen[package]!r} are the same package; remove one of them")
        seen[package] = name
        yield package, _note(file, name, fields)


def _note(file: Path, name: str, fields: Any) -> Note:
    if not isinstance(fields, dict):
        raise NoteError(f"{file}: note {name!r}: should be a mapping of fields, not {type(fields).__name__}")
    try:
        note = Note.model_validate(fields)
    except ValidationError as error:
        raise NoteError(f"{file}: note {name!r}: {explain(error, Note, 'a note')}") from None
    if normalise(note.replacement) == normalise(name):
        raise NoteError(f"{file}: note {name!r}: field 'replacement': a package does not replace itself")
    return note
