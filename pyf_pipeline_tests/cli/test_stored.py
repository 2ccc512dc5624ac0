from pathlib import Path

import pytest

from pyf_pipeline.cli.stored import open_outputs
from pyf_pipeline.settings import load_settings
from pyf_pipeline_tests import objectstore


def test_keys_of_object_storage_are_found_beside_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with objectstore.serving() as service:
        variables = {"PYF_STORAGE_URL": f"s3://{service.bucket()}/outputs", **service.environment}
        for name in variables:
            # Set and taken away, so that what the file sets is taken away as well in the end.
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)
        Path(".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        outputs = open_outputs(load_settings())
        assert not outputs.exists("filtered_packages", "plone")
