"""What object storage does otherwise than a folder."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pyf_pipeline.store import objects
from pyf_pipeline.store.files import StorageAwayError, StorageError
from pyf_pipeline.store.outputs import Outputs
from pyf_pipeline_tests.objectstore import ObjectStore
from pyf_pipeline_tests.processes import clean_environment, free_port

# What is sent, and read, in several parts.
LARGE = 2 * objects.PART_BYTES + 1


def content(outputs: Outputs, partition: str = "plone") -> bytes:
    (value,) = outputs.rows("asset", partition).table()["n"].to_pylist()
    return bytes(value)


def write(outputs: Outputs, value: bytes, partition: str = "plone") -> None:
    outputs.write("asset", partition, pa.table({"n": [value]}))


@pytest.fixture
def url(on_s3: ObjectStore) -> str:
    return f"s3://{on_s3.bucket()}/some/prefix"


@pytest.fixture
def outputs(url: str) -> Outputs:
    return Outputs(url)


def test_a_partition_is_one_object_where_anybody_finds_it(on_s3: ObjectStore, outputs: Outputs, url: str) -> None:
    write(outputs, b"x")
    bucket = url.split("/")[2]
    found = on_s3.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in found] == ["some/prefix/asset/plone.parquet"]
    assert outputs.rows("asset", "plone").file.address == f"{url}/asset/plone.parquet"


def test_a_writer_that_is_killed_leaves_what_was_there(on_s3: ObjectStore, url: str, tmp_path: Path) -> None:
    """Killed after the first part of a large object, or right before all of them would become one."""
    operations = ["upload_part", "complete_multipart_upload"]
    outputs = Outputs(url)
    env = {**clean_environment(tmp_path), **on_s3.environment, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "pyf_pipeline_tests.store.upload_killed", url]
    for operation in operations:
        write(outputs, operation.encode(), operation)
    writers = [subprocess.Popen([*command, operation, operation], env=env) for operation in operations]
    assert [writer.wait(60) for writer in writers] == [-9, -9]
    for operation in operations:
        assert content(outputs, operation) == operation.encode()
    # What never became an object is no object, and the next writer is not in its way.
    assert len(on_s3.client().list_multipart_uploads(Bucket=url.split("/")[2])["Uploads"]) == 2
    write(outputs, b"next", "upload_part")
    assert content(outputs, "upload_part") == b"next"


@pytest.mark.parametrize("heeded", [True, False], ids=["told", "not heeding what it is told"])
def test_an_object_that_is_replaced_between_its_parts_is_read_anew(
    outputs: Outputs, monkeypatch: pytest.MonkeyPatch, heeded: bool
) -> None:
    import s3fs.core

    before, after = os.urandom(LARGE), os.urandom(LARGE)
    write(outputs, before)
    fetched, starts = s3fs.core._fetch_range, []

    def fetch(*where: Any, **more: Any) -> bytes:
        starts.append(where[4])
        if len(starts) == 2:
            write(outputs, after)
        if not heeded:
            more["req_kw"] = {}
        return bytes(fetched(*where, **more))

    monkeypatch.setattr(s3fs.core, "_fetch_range", fetch)
    assert content(outputs) == after
    assert starts.count(0) == 2


def test_an_object_that_never_stays_the_same_is_given_up(outputs: Outputs, monkeypatch: pytest.MonkeyPatch) -> None:
    write(outputs, b"x")
    monkeypatch.setattr(objects, "READ_ATTEMPTS", 2)
    monkeypatch.setattr(objects, "PART_BYTES", 10)
    versions = iter(range(100))
    monkeypatch.setattr(objects.Bucket, "version", lambda *_: str(next(versions)))
    with pytest.raises(StorageAwayError, match="was replaced each of the 2 times it was read"):
        outputs.rows("asset", "plone").table()


def test_an_object_that_is_removed_before_it_is_read_is_missed(outputs: Outputs) -> None:
    write(outputs, b"x")
    rows = outputs.rows("asset", "plone")
    outputs.remove("asset", "plone")
    with pytest.raises(StorageError, match="removed before it could be read"):
        rows.table()


def test_the_bucket_is_looked_for_before_there_is_anything_to_store(on_s3: ObjectStore, outputs: Outputs) -> None:
    outputs.check()
    missing = Outputs("s3://no-such-bucket/prefix")
    for attempt in (missing.check, lambda: missing.exists("asset", "plone"), lambda: write(missing, b"x")):
        with pytest.raises(StorageError, match=r"PYF_STORAGE_URL: s3://no-such-bucket/prefix: .*bucket") as caught:
            attempt()
        assert not isinstance(caught.value, StorageAwayError)


def test_refused_keys_are_told_without_what_they_are(on_s3: ObjectStore, outputs: Outputs) -> None:
    write(outputs, b"x")
    with on_s3.refusing_every_key():
        for attempt in (outputs.check, lambda: content(outputs), lambda: write(outputs, b"y")):
            with pytest.raises(StorageError, match=r"does not let us in \(.+\): check AWS_ACCESS_KEY_ID and") as caught:
                attempt()
            assert not isinstance(caught.value, StorageAwayError)
            assert on_s3.secret not in str(caught.value)
    assert content(outputs) == b"x"


def test_missing_keys_are_told(on_s3: ObjectStore, outputs: Outputs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(StorageError, match=r"does not let us in \(Unable to locate credentials\)"):
        Outputs("s3://bucket/prefix").check()


def test_a_service_that_is_away_may_be_back(on_s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    outputs = Outputs("s3://bucket/prefix")
    for attempt in (outputs.check, lambda: outputs.exists("asset", "plone"), lambda: write(outputs, b"x")):
        with pytest.raises(StorageAwayError, match="PYF_STORAGE_URL: s3://bucket/prefix cannot be reached") as caught:
            attempt()
        assert isinstance(caught.value, OSError)
        assert on_s3.secret not in str(caught.value)


def test_variables_that_are_set_to_nothing_count_as_unset(on_s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compose file passes on what nobody has set as nothing."""
    for name in ("AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")
    outputs = Outputs(f"s3://{on_s3.bucket()}")
    write(outputs, b"x")
    assert content(outputs) == b"x"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://bucket", "PYF_STORAGE_URL: s3://bucket needs a package that is missing: pip install 'pyf-pipeline[s3]'"),
        (
            "pigeon://bucket",
            "PYF_STORAGE_URL: pigeon://bucket needs a package that is missing: Protocol not known: pigeon",
        ),
    ],
)
def test_a_package_that_is_not_installed_is_named(url: str, told: str, tmp_path: Path) -> None:
    script = f"import sys; sys.modules['s3fs'] = None; from pyf_pipeline.store.outputs import Outputs; Outputs({url!r})"
    command = [sys.executable, "-c", script]
    outcome = subprocess.run(command, env=clean_environment(tmp_path), capture_output=True, text=True, check=False)
    assert outcome.returncode == 1
    assert told in outcome.stderr.splitlines()[-1]
