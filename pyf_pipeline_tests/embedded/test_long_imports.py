"""Bodies of imports that are too long to be held in memory."""

import io
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.embedded import document_api
from pyf_pipeline.embedded.router import MAX_BODY_BYTES
from pyf_pipeline_tests.embedded.conftest import ADMIN, definition

HEADERS = {"X-TYPESENSE-API-KEY": ADMIN}


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b" ", b"{}", b"a longer line"])), st.integers(1, 9), st.integers(1, 4))
def test_lines_are_those_of_the_whole_wherever_it_is_cut(pieces: list[bytes], block: int, size: int) -> None:
    body = b"".join(pieces)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(document_api, "READ_BYTES", block)
        batches = list(document_api._batches(io.BytesIO(body), size))
    assert [line for batch in batches for line in batch] == [line for line in body.split(b"\n") if line.strip()]
    assert all(len(batch) == size for batch in batches[:-1])


@pytest.mark.parametrize("lengths", ["told", "not told"])
def test_a_long_import_is_taken_in_whole(port: int, lengths: str) -> None:
    base = f"http://127.0.0.1:{port}/collections"
    assert httpx.post(base, headers=HEADERS, json=definition("c")).status_code == 201
    lines = [json.dumps({"id": str(n), "name": f"n{n}", "summary": "word " * 2_000}) for n in range(2_000)]
    lines[1_500] = "not json"
    body = "\n".join(lines).encode()
    assert len(body) > MAX_BODY_BYTES
    content = body if lengths == "told" else (body[i : i + 300_001] for i in range(0, len(body), 300_001))
    answer = httpx.post(f"{base}/c/documents/import", headers=HEADERS, content=content, timeout=60)
    answers = [json.loads(line) for line in answer.text.splitlines()]
    assert [n for n, a in enumerate(answers) if not a["success"]] == [1_500]
    assert httpx.get(f"{base}/c", headers=HEADERS).json()["num_documents"] == 1_999
