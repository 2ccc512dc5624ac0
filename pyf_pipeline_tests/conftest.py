"""What holds for all tests."""

import os

import pytest

# Definitions read it when they are loaded: steps that are tried again are so at once.
os.environ["PYF_RETRY_SECONDS"] = "0"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that the other process does all the rest in the meantime."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
