"""What a real Typesense answered to imports; needs the recordings beside the repository."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import pyf_pipeline
from pyf_pipeline.search.fitting import Fitter, MisfitError
from pyf_pipeline.search.importing import _refused

RECORDING = Path(pyf_pipeline.__file__).parents[2] / "shared" / "typesense" / "recorded-11.jsonl.gz"

pytestmark = pytest.mark.skipif(not RECORDING.is_file(), reason=f"no recording of a real Typesense at {RECORDING}")


def recorded() -> list[dict[str, Any]]:
    with gzip.open(RECORDING, "rt") as lines:
        return [json.loads(line) for line in lines]


def imports() -> list[tuple[list[dict[str, Any]], str]]:
    """What was imported as it should be, and the answers."""
    asked = [row for row in recorded() if "/documents/import" in row["path"] and row["status"] == 200]
    found = []
    for row in asked:
        answer = row["answer"] if isinstance(row["answer"], str) else json.dumps(row["answer"])
        lines = (row["body"] or "").split("\n")
        if all(line.startswith("{") for line in lines):
            found.append(([json.loads(line) for line in lines], answer))
    return found


def test_every_line_of_a_real_answer_is_understood() -> None:
    checked = 0
    for documents, answer in imports():
        ids = [str(document.get("id", number)) for number, document in enumerate(documents)]
        told = [json.loads(line) for line in answer.split("\n")]
        failed = {name: line["error"] for name, line in zip(ids, told, strict=True) if not line["success"]}
        assert _refused(ids, answer.encode()) == failed
        checked += len(failed)
    assert checked > 40


def test_what_a_real_server_refused_for_its_form_is_made_to_fit_or_reported() -> None:
    (created,) = {json.dumps(row["body"]["fields"]) for row in recorded() if is_the_collection(row)}
    fields = json.loads(created)
    fitted, reported = set(), {}
    documents, answer = next(found for found in imports() if "must be an int64" in found[1])
    for document, line in zip(documents, answer.split("\n"), strict=True):
        if not json.loads(line)["success"]:
            try:
                Fitter(fields).line(document)
                fitted.add(document["id"])
            except MisfitError as error:
                reported[document["id"]] = str(error)
    assert fitted == {"b1", "b3", "b4", "b5", "b7", "b10", "b13"}
    assert reported == {
        "b2": "github_stars: 'many' is not an int64",
        7: "id: 7 cannot be one: it should be a text, and not an empty one",
        "b9": "github_stars: 1.7 is not an int64",
    }


def is_the_collection(row: dict[str, Any]) -> bool:
    return row["path"] == "/collections" and row["status"] == 201 and row["body"]["name"] == "packages-1"
