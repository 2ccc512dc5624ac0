"""The profiles as partitions: every asset has one partition per profile."""

import dagster as dg

from pyf_pipeline.profiles import Profile, load_profiles
from pyf_pipeline.settings import Settings, load_settings


def _load(settings: Settings) -> dict[str, Profile]:
    return load_profiles(*([settings.pyf_profiles] if settings.pyf_profiles else []))


PROFILES = _load(load_settings())

profile_partitions = dg.StaticPartitionsDefinition(list(PROFILES))
