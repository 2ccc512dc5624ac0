"""PyPI, filtered by framework, enriched from GitHub, searchable in Typesense: a Dagster project."""

from importlib.metadata import version

__version__ = version("pyf-pipeline")
