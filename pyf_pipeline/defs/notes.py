"""The curated notes, read when the definitions are loaded, so that a mistake shows before anything runs."""

from pyf_pipeline.curated import load_notes
from pyf_pipeline.settings import load_settings

NOTES = load_notes(*load_settings().profile_paths)
