"""Measurements of how fast the pipeline is; not part of the tests."""
