"""A process that imports batches until it is done or killed: writer.py PATH COLLECTION NAME BATCHES SIZE.

Prints a line when it begins and one for each batch that was answered.
"""

import sys
from pathlib import Path

from pyf_pipeline_tests.embedded.conftest import client_of


def main() -> None:
    path, collection, name, batches, size = sys.argv[1:]
    documents = client_of(Path(path)).collections[collection].documents
    print("ready", flush=True)
    for batch in range(int(batches)):
        lines = [
            {"id": f"{name}-{batch}-{i}", "name": f"{name} package {i}", "tags": [f"{name}-{batch}"], "stars": batch}
            for i in range(int(size))
        ]
        answers = documents.import_(lines, {"action": "upsert", "batch_size": int(size)})
        if not all(a["success"] for a in answers):
            raise SystemExit(f"{name}: {next(a for a in answers if not a['success'])}")
        print(batch, flush=True)


if __name__ == "__main__":
    main()
