"""Profiles that commands make: kept as YAML under `PYF_HOME`, so that they are partitions from then on."""

import os
import tempfile
from pathlib import Path

import yaml

from pyf_pipeline.profiles import Profile
from pyf_pipeline.settings import Settings

HEADER = "# Made by pyfaggregator, which rewrites it. A profile of this key in PYF_PROFILES wins over it.\n"
FIELDS = ("name", "classifiers", "packages", "excludes", "releases", "collection", "scheduled")


def is_made(settings: Settings, key: str) -> bool:
    """Whether a command has made the profile with this key."""
    return _file(settings, key).exists()


def keep_profile(settings: Settings, profile: Profile) -> None:
    """Write a profile down, in place of one with the same key."""
    values = profile.model_dump(mode="json", include=set(FIELDS))
    text = HEADER + yaml.safe_dump(
        {"profiles": {profile.key: {name: values[name] for name in FIELDS}}}, sort_keys=False, allow_unicode=True
    )
    folder = settings.made_profiles
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{profile.key}-", suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(name).chmod(0o644)
    Path(name).replace(_file(settings, profile.key))


def forget_profile(settings: Settings, key: str) -> bool:
    """Remove a profile that a command has made; returns whether there was one."""
    made = is_made(settings, key)
    _file(settings, key).unlink(missing_ok=True)
    return made


def _file(settings: Settings, key: str) -> Path:
    return settings.made_profiles / f"{key}.yaml"
