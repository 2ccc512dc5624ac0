"""What a profile is, how profiles are read, and how mistakes in them are explained."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from pyf_pipeline.catalog import classifiers as trove
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.entries import EntryError, explain, read_entries

BUILT_IN = Path(__file__).with_name("profiles.yaml")

NOTES = "curated.yaml"

# A key becomes a partition, part of a path and, with a number behind it, a collection name.
KEY_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,63}$"


class ProfileError(EntryError):
    """A profile cannot be used; the text names the file, the profile and the field, and what to do."""


def _normalised(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(normalise(name) for name in names))


ProjectNames = Annotated[tuple[str, ...], AfterValidator(_normalised)]


class Profile(BaseModel):
    """An ecosystem: whose packages belong to it, and what its collection is called.

    Attributes:
        key: The partition's name.
        name: What people call it.
        classifiers: Trove classifiers; each stands for itself and all below it.
        packages: Projects that belong to it whatever their classifiers, by normalised name.
        excludes: Projects that never do.
        releases: One document per package (`latest`) or one per release (`all`).
        collection: The name under which the collection is searched.
        scheduled: Whether schedules and sensors keep it fresh.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=KEY_PATTERN)
    name: str = ""
    classifiers: tuple[str, ...] = ()
    packages: ProjectNames = ()
    excludes: ProjectNames = ()
    releases: Literal["latest", "all"] = "latest"
    collection: str = Field("", validate_default=True)
    scheduled: bool = True

    @field_validator("classifiers")
    @classmethod
    def _known(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not trove.is_known(value):
                near = trove.nearest(value, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"{value!r} is not a known trove classifier{hint}")
        return tuple(dict.fromkeys(values))

    @field_validator("collection")
    @classmethod
    def _collection(cls, value: str, info: ValidationInfo) -> str:
        return value or info.data.get("key", "")

    def model_post_init(self, _context: Any) -> None:
        """A profile that can have no members is a mistake.

        Raises:
            ValueError: It has neither classifiers nor packages.
        """
        if not self.classifiers and not self.packages:
            raise ValueError("has neither classifiers nor packages, so nothing could belong to it")


def load_profiles(*paths: Path | str) -> dict[str, Profile]:
    """The built-in profiles, and those of further files or folders on top of them, by key.

    A later file adds profiles or overrides those of an earlier one; within one file or folder a key stands once.

    Args:
        paths: YAML files, or folders whose `*.yaml` and `*.yml` files are read in the order of their names.

    Raises:
        ProfileError: A file cannot be read, or something in it cannot be used.
    """
    profiles = dict(_read_all([BUILT_IN]))
    for path in paths:
        profiles.update(_read_all(_files(Path(path))))
    _check_collections(profiles.values())
    return profiles


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise ProfileError(f"{path}: there is no such file or folder; PYF_PROFILES should name one")
    if path.is_dir():
        # Notes on packages may stand beside the profiles.
        yaml_files = (file for file in path.iterdir() if file.suffix in {".yaml", ".yml"})
        return sorted(file for file in yaml_files if file.name != NOTES)
    return [path]


def _read_all(files: Iterable[Path]) -> Iterator[tuple[str, Profile]]:
    seen: dict[str, Path] = {}
    for file in files:
        for key, fields in _entries(file):
            if key in seen:
                raise ProfileError(
                    f"{file}: profile {key!r} is defined twice (also in {seen[key]}); rename one of them"
                )
            seen[key] = file
            yield key, build_profile(str(file), key, fields)


def _entries(file: Path) -> list[tuple[str, Any]]:
    try:
        return read_entries(file, "profiles")
    except EntryError as error:
        raise ProfileError(str(error)) from None


def build_profile(origin: str, key: str, fields: Any) -> Profile:
    """A profile from what somebody wrote.

    Args:
        origin: Where they wrote it, for explanations.
        key: The profile's key.
        fields: Its fields by name.

    Raises:
        ProfileError: Something in it cannot be used.
    """
    if not isinstance(fields, dict):
        raise ProfileError(f"{origin}: profile {key!r}: should be a mapping of fields, not {type(fields).__name__}")
    if not re.fullmatch(KEY_PATTERN, key):
        raise ProfileError(
            f"{origin}: profile {key!r}: field 'key': a key has lower-case letters, digits, '.', '_' and '-' only, and "
            "at most 64 of them"
        )
    try:
        return Profile.model_validate({"name": key.capitalize(), **fields, "key": key})
    except ValidationError as error:
        raise ProfileError(f"{origin}: profile {key!r}: {explain(error, Profile, 'a profile')}") from None


def _check_collections(profiles: Iterable[Profile]) -> None:
    """Two profiles that publish to one collection would each delete the other's documents."""
    owners: dict[str, str] = {}
    for profile in profiles:
        other = owners.setdefault(profile.collection, profile.key)
        if other != profile.key:
            raise ProfileError(
                f"profiles {other!r} and {profile.key!r} both have the collection {profile.collection!r}; "
                "give one of them a collection of its own"
            )
