"""Publishes to an embedded index until it is killed; takes its path and a number of documents, and maybe of turns."""

import sys
from itertools import count
from pathlib import Path

from pyf_pipeline.search.client import connect_embedded
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline_tests.search.conftest import numbered


def main() -> None:
    """Rebuild and update by turns, and say so when it begins."""
    server = connect_embedded(Path(sys.argv[1]), "key")
    print("publishing", flush=True)
    for turn in range(int(sys.argv[3])) if len(sys.argv) > 3 else count():
        Publisher(server).publish("plone", numbered(int(sys.argv[2]), f"turn {turn}"), rebuild=turn % 2 == 0)


if __name__ == "__main__":
    main()
