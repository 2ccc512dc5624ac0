"""What holds for all tests."""

import os
import shutil
from pathlib import Path

import pytest

MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30

# Definitions read it when they are loaded: steps that are tried again are so at once.
os.environ["PYF_RETRY_SECONDS"] = "0"

# What tests write are many small files, which take a fifth of the time where each has to reach a disk.
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that the other process does all the rest in the meantime."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
