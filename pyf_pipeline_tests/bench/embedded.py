"""How fast the embedded index is, and how much memory it takes: in a process of its own, over made-up packages."""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import typesense

from pyf_pipeline.embedded.transport import EmbeddedTransport
from pyf_pipeline_tests.bench.figures import Figure
from pyf_pipeline_tests.bench.memory import own_peak

FEW, MANY = 20_000, 200_000
KEY = "bench"
REPEATS = 15
BATCH = 2_000
VOCABULARY = 30_000

FIELDS: list[dict[str, Any]] = [
    {"name": "name", "type": "string", "facet": True, "sort": True},
    {"name": "name_sortable", "type": "string", "facet": True, "sort": True},
    {"name": "version_sortable", "type": "string", "facet": True, "sort": True},
    {"name": "summary", "type": "string"},
    {"name": "description", "type": "string"},
    {"name": "keywords", "type": "string[]", "facet": True},
    {"name": "classifiers", "type": "string[]", "facet": True},
    {"name": "framework_versions", "type": "string[]", "facet": True},
    {"name": "python_versions", "type": "string[]", "facet": True},
    {"name": "upload_timestamp", "type": "int64"},
    {"name": "github_stars", "type": "int64", "optional": True},
]
FRAMEWORKS = ["Plone 5.2", "Plone 6.0", "Plone 6.1", "Django 4.2", "Django 5.2"]
PYTHONS = ["3.9", "3.10", "3.11", "3.12", "3.13"]
CLASSIFIERS = ["Framework :: Plone", "Framework :: Plone :: 6.0", "Framework :: Django", "Environment :: Web"]

FRONT_END = {
    "query_by": "name,keywords,summary,description", "group_by": "name_sortable", "group_limit": 1, "per_page": 100,
    "sort_by": "_text_match:desc,name_sortable:asc,version_sortable:desc", "exclude_fields": "description",
    "facet_by": "framework_versions,python_versions",
    "filter_by": "framework_versions:=['Plone 6.0','Plone 5.2'] && classifiers:=['Framework :: Plone']",
}  # fmt: skip
PLAIN = {"query_by": "name,keywords,summary,description", "exclude_fields": "description"}
PAGE = {"group_by": "name_sortable", "group_limit": 1, "per_page": 20, "facet_by": "framework_versions"}


def documents(count: int) -> Iterator[dict[str, Any]]:
    """Packages of about 4.5 kB; a few words are in nearly all of them, most words in few, as in real texts."""
    rnd = random.Random(3)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rnd.choices(letters, k=rnd.randint(3, 10))) for _ in range(VOCABULARY)]
    words[:6] = ["the", "package", "content", "plone", "django", "form"]
    weights = [1 / (rank + 2) for rank in range(VOCABULARY)]
    for number in range(count):
        text = rnd.choices(words, weights, k=620)
        name = f"{text[0]}.{text[1]}-{number}"
        yield {
            "id": str(number), "name": name, "name_sortable": name, "version_sortable": f"1.{number % 90:04d}",
            "summary": " ".join(text[:9]), "description": " ".join(text[9:]), "keywords": text[20:23],
            "classifiers": rnd.sample(CLASSIFIERS, 2), "framework_versions": rnd.sample(FRAMEWORKS, 2),
            "python_versions": rnd.sample(PYTHONS, 3), "upload_timestamp": 1_500_000_000 + number,
            "github_stars": number % 500,
        }  # fmt: skip


def queries() -> dict[str, tuple[dict[str, Any], str]]:
    """What is searched, by what it is, with the kind of bound that it has."""
    return {
        "front end: *": ({**FRONT_END, "q": "*"}, "rich"),
        "front end: common word": ({**FRONT_END, "q": "form"}, "rich"),
        "front end: two common words": ({**FRONT_END, "q": "plone form"}, "rich"),
        "front end: typo": ({**FRONT_END, "q": "contnet"}, "rich"),
        "facets and groups without a filter": ({**PLAIN, **PAGE, "q": "django"}, "rich"),
        "plain: rare word": ({**PLAIN, "q": "zq"}, "plain"),
        "plain: common word": ({**PLAIN, "q": "content"}, "plain"),
        "plain: two common words": ({**PLAIN, "q": "plone form"}, "plain"),
        "plain: three common words": ({**PLAIN, "q": "the package content"}, "plain"),
        "plain: nothing found": ({**PLAIN, "q": "zzzzqqqxx"}, "plain"),
        "plain: typo": ({**PLAIN, "q": "packgae"}, "plain"),
        "plain: *": ({**PLAIN, "q": "*", "sort_by": "github_stars:desc"}, "plain"),
    }


def measure(count: int) -> dict[str, float]:
    """Import, search and measure, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.sqlite3"
        client = _client(path)
        client.collections.create({"name": "c", "fields": FIELDS, "token_separators": [".", "-", "_", "@", "/"]})
        seconds = _imported(client, count)
        found = {"import": seconds / count * 1000, "import peak": own_peak()}
        searcher = subprocess.run(
            [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--search", str(path)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return found | json.loads(searcher.stdout)


def searched(path: Path) -> dict[str, float]:
    """Milliseconds of each search at the median, and the memory that this process has had at most."""
    client = _client(path)
    found = {}
    for what, (parameters, _) in queries().items():
        took = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            client.collections["c"].documents.search(parameters)  # type: ignore[arg-type] # as any caller may
            took.append(time.perf_counter() - started)
        found[what] = statistics.median(took) * 1000
    return found | {"search peak": own_peak()}


def _client(path: Path) -> typesense.Client:
    transport = EmbeddedTransport(path, admin_key=KEY)
    return typesense.Client(
        {"api_key": KEY, "nodes": [{"host": "embedded", "port": 80, "protocol": "http"}]},
        http_client=httpx.Client(transport=transport),
    )


def _imported(client: typesense.Client, count: int) -> float:
    seconds, lines = 0.0, []
    for number, document in enumerate(documents(count), 1):
        lines.append(orjson.dumps(document).decode())
        if len(lines) == BATCH or number == count:
            started = time.perf_counter()
            answer = client.collections["c"].documents.import_("\n".join(lines), {"action": "create"})
            seconds += time.perf_counter() - started
            if answer.count('"success":true') != len(lines):
                raise RuntimeError(f"documents were refused: {answer[:300]}")
            lines = []
    return seconds


def _figures(count: int, bounds: dict[str, float]) -> Iterator[Figure]:
    command = [sys.executable, "-m", __name__, "--measure", str(count)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    of = f"{count:,} documents"
    yield Figure(f"{of}: import, each", found["import"], "ms", bounds.get("import"))
    yield Figure(f"{of}: memory, importing", found["import peak"], "MB", bounds.get("memory"))
    yield Figure(f"{of}: memory, searching", found["search peak"], "MB", bounds.get("memory"))
    for what, (_, kind) in queries().items():
        yield Figure(f"{of}: {what}", found[what], "ms", bounds.get(kind))


def few() -> Iterator[Figure]:
    """A large profile."""
    yield from _figures(FEW, {"import": 0.5, "memory": 300, "rich": 50, "plain": 15})


def many() -> Iterator[Figure]:
    """Ten times as many."""
    yield from _figures(MANY, {"rich": 300, "plain": 300})


BENCHMARKS = {"embedded": few, "embedded-large": many}


def main() -> None:
    """What the benchmarks start: one measurement in a fresh process, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", type=int)
    parser.add_argument("--search", type=Path)
    arguments = parser.parse_args()
    print(json.dumps(searched(arguments.search) if arguments.search else measure(arguments.measure or FEW)))


if __name__ == "__main__":
    main()
