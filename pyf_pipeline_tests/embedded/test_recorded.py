"""What a real Typesense answered to the same questions; needs the recordings beside the repository."""

import gzip
import importlib.util
import json
from collections import Counter
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

import pyf_pipeline
from pyf_pipeline.embedded.messages import Request, parse_parameters
from pyf_pipeline.embedded.router import dispatch
from pyf_pipeline.embedded.service import Service
from pyf_pipeline_tests.embedded.conftest import ADMIN

RECORDINGS = Path(pyf_pipeline.__file__).parents[2] / "shared" / "typesense"
SEED = 11

SHARES = {
    "status": 1.0, "import lines": 1.0, "error message": 0.99, "found": 0.99, "first hit": 0.99, "hits as a set": 0.99,
    "hits in order": 0.98, "facets": 0.98, "documents": 0.99, "highlights": 0.98, "other answers": 0.99,
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"no recordings of a real Typesense at {RECORDINGS}: nothing to compare with"
)


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, RECORDINGS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answered(service: Service, arguments: tuple[object, ...], key: str | None) -> tuple[int, object]:
    """The index's answer to a question of the recording program."""
    method, address, body = str(arguments[0]), str(arguments[1]), arguments[2] if len(arguments) > 2 else ""
    path, _, query = address.partition("?")
    sent = (body if isinstance(body, str) else json.dumps(body)).encode()
    parts = tuple(unquote(p) for p in path.strip("/").split("/"))
    answer = dispatch(service, Request(method, parts, parse_parameters(query), key or "", sent))
    text = (answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)).decode()
    try:
        return answer.status, json.loads(text)
    except json.JSONDecodeError:
        return answer.status, text


def test_answers_agree_with_the_recorded_ones(path: Path) -> None:
    record, compare = program("record"), program("compare")
    service = Service(path, admin_key=ADMIN)
    agree: Counter[str] = Counter()
    total: Counter[str] = Counter()
    with gzip.open(RECORDINGS / f"recorded-{SEED}.jsonl.gz", "rt") as lines:
        for (arguments, over), line in zip(record.questions(SEED), lines, strict=True):
            real = json.loads(line)
            status, answer = answered(service, arguments, over.get("key", ADMIN))
            have = list(compare.aspects({**real, "status": status, "answer": answer}))
            for i, (aspect, wanted) in enumerate(compare.aspects(real)):
                total[aspect] += 1
                same = i < len(have) and json.dumps(have[i], sort_keys=True) == json.dumps(
                    (aspect, wanted), sort_keys=True
                )
                agree[aspect] += same
    shares = {aspect: agree[aspect] / total[aspect] for aspect in total}
    assert {a: s for a, s in shares.items() if s < SHARES[a]} == {}
    assert sum(total.values()) > 1500


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_questions_of_the_same_kinds_never_fail(path: Path, seed: int) -> None:
    record = program("record")
    service = Service(path, admin_key=ADMIN)
    for arguments, over in record.questions(seed):
        status, answer = answered(service, arguments, over.get("key", ADMIN))
        if status == 500:
            assert isinstance(answer, dict)
            assert "conflicts" in answer["message"] or "Embedded params" in answer["message"], (arguments, answer)
