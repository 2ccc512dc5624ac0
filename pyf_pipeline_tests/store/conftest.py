from collections.abc import Iterator

import pytest

from pyf_pipeline_tests import objectstore
from pyf_pipeline_tests.objectstore import ObjectStore


@pytest.fixture(scope="session")
def service() -> Iterator[ObjectStore]:
    """An S3-compatible service; `on_s3` has this process use it."""
    with objectstore.serving() as service:
        yield service


@pytest.fixture
def on_s3(service: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """The service, for whoever looks for one in the environment."""
    from s3fs import S3FileSystem

    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    # Connections are kept for the process's life, with the keys that they were opened with.
    S3FileSystem.clear_instance_cache()
    yield service
    S3FileSystem.clear_instance_cache()
