"""The profiles as partitions: every asset has one partition per profile.

They are read when the definitions are loaded, so a running code server sees a new profile after a reload.
"""

import dagster as dg

from pyf_pipeline.profiles import load_profiles
from pyf_pipeline.settings import load_settings

PROFILES = load_profiles(*load_settings().profile_paths)

profile_partitions = dg.StaticPartitionsDefinition(list(PROFILES))
