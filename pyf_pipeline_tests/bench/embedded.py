"""How fast the embedded index is, and how much memory it takes: in a process of its own, over made-up packages."""

import argparse
import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
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
REPEATS = 21
BATCH = 2_000
MORE = 8_000
SLOW = ", one in twenty"
BESIDE = ("front end: two common words", "plain: two common words", "plain: typo")
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
        "three facets of everything": ({**PLAIN, "q": "*", "facet_by": "keywords,classifiers,python_versions"}, "rich"),
        "filter by numbers": ({**PLAIN, "q": "content", "filter_by": "github_stars:>100"}, "rich"),
        "plain: rare word": ({**PLAIN, "q": "zq"}, "plain"),
        "plain: common word": ({**PLAIN, "q": "content"}, "plain"),
        "plain: two common words": ({**PLAIN, "q": "plone form"}, "plain"),
        "plain: three common words": ({**PLAIN, "q": "the package content"}, "plain"),
        "plain: five common words": ({**PLAIN, "q": "the package content plone django"}, "rare"),
        "plain: phrase of common words": ({**PLAIN, "q": '"plone form"'}, "rare"),
        "plain: beginning of a word": ({**PLAIN, "q": "pa"}, "plain"),
        "plain: word and beginning": ({**PLAIN, "q": "plone fo"}, "plain"),
        "plain: nothing found": ({**PLAIN, "q": "zzzzqqqxx"}, "plain"),
        "plain: typo": ({**PLAIN, "q": "packgae"}, "plain"),
        "plain: word and typo": ({**PLAIN, "q": "plone packgae"}, "plain"),
        "plain: *": ({**PLAIN, "q": "*", "sort_by": "github_stars:desc"}, "plain"),
    }


def measure(count: int) -> dict[str, float]:
    """Import in this process, search in another, and in a third one while a fourth one imports."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.sqlite3"
        client = _client(path)
        client.collections.create({"name": "c", "fields": FIELDS, "token_separators": [".", "-", "_", "@", "/"]})
        seconds = _imported(client, documents(count))
        found = {"import": seconds / count * 1000, "import peak": own_peak(), "file": path.stat().st_size / 1e6}
        return found | _in_process("--search", path) | _in_process("--beside", path)


def _in_process(what: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, what, str(path)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def searched(path: Path) -> dict[str, float]:
    """Milliseconds of each search, at the median and of the slowest in twenty, and the memory that it took at most."""
    client = _client(path)
    found: dict[str, float] = {}
    for what, (parameters, _) in queries().items():
        found |= _times(what, [_timed(client, parameters) for _ in range(REPEATS)])
    return found | {"search peak": own_peak()}


def beside(path: Path) -> dict[str, float]:
    """The same of some searches while another process imports: each sees another version of the collection."""
    client = _client(path)
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--import", str(path)]
    took: dict[str, list[float]] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        while writer.poll() is None:
            for what in BESIDE:
                took.setdefault(what, []).append(_timed(client, queries()[what][0]))
        found: dict[str, float] = json.loads(writer.stdout.read() if writer.stdout else "")
    for what, times in took.items():
        found |= _times(f"{what}, beside an import", times)
    return found


def imported_beside(path: Path) -> dict[str, float]:
    """Milliseconds a document takes to be imported while another process searches."""
    more = ({**d, "id": f"more-{d['id']}"} for d in documents(MORE))
    return {"import beside": _imported(_client(path), more) / MORE * 1000}


def _timed(client: typesense.Client, parameters: dict[str, Any]) -> float:
    started = time.perf_counter()
    client.collections["c"].documents.search(parameters)  # type: ignore[arg-type] # as any caller may
    return (time.perf_counter() - started) * 1000


def _times(what: str, took: list[float]) -> dict[str, float]:
    return {what: statistics.median(took), f"{what}{SLOW}": sorted(took)[int(len(took) * 0.95)]}


def _client(path: Path) -> typesense.Client:
    transport = EmbeddedTransport(path, admin_key=KEY)
    return typesense.Client(
        {"api_key": KEY, "nodes": [{"host": "embedded", "port": 80, "protocol": "http"}]},
        http_client=httpx.Client(transport=transport),
    )


def _imported(client: typesense.Client, some: Iterable[dict[str, Any]]) -> float:
    """Imports documents; gives how many seconds that took."""
    seconds = 0.0
    for batch in _batches(some):
        lines = [orjson.dumps(document).decode() for document in batch]
        started = time.perf_counter()
        answer = client.collections["c"].documents.import_("\n".join(lines), {"action": "create"})
        seconds += time.perf_counter() - started
        if answer.count('"success":true') != len(lines):
            raise RuntimeError(f"documents were refused: {answer[:300]}")
    return seconds


def _batches(some: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(some)
    while batch := list(itertools.islice(rest, BATCH)):
        yield batch


def _figures(count: int, bounds: dict[str, float]) -> Iterator[Figure]:
    command = [sys.executable, "-m", __name__, "--measure", str(count)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    of = f"{count:,} documents"
    yield Figure(f"{of}: import, each", found["import"], "ms", bounds.get("import"))
    yield Figure(f"{of}: the file", found["file"], "MB")
    yield Figure(f"{of}: memory, importing", found["import peak"], "MB", bounds.get("memory"))
    yield Figure(f"{of}: memory, searching", found["search peak"], "MB", bounds.get("memory"))
    for what, (_, kind) in queries().items():
        yield Figure(f"{of}: {what}", found[what], "ms", bounds.get(kind))
        yield Figure(f"{of}: {what}{SLOW}", found[what + SLOW], "ms")
    yield Figure(f"{of}: import beside searches, each", found["import beside"], "ms")
    for what in BESIDE:
        for end in ("", SLOW):
            yield Figure(f"{of}: {what}, beside an import{end}", found[f"{what}, beside an import{end}"], "ms")


def few() -> Iterator[Figure]:
    """A large profile."""
    yield from _figures(FEW, {"import": 0.5, "memory": 300, "rich": 50, "plain": 15})


def many() -> Iterator[Figure]:
    """Ten times as many."""
    yield from _figures(MANY, {"import": 0.6, "rich": 300, "plain": 300, "rare": 300})


BENCHMARKS = {"embedded": few, "embedded-large": many}
ON_REQUEST = {"embedded-large"}


def main() -> None:
    """What the benchmarks start: one measurement in a fresh process, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", type=int, default=FEW)
    parts = {"search": searched, "beside": beside, "import": imported_beside}
    for name in parts:
        parser.add_argument(f"--{name}", type=Path)
    arguments = vars(parser.parse_args())
    asked = [(work, arguments[name]) for name, work in parts.items() if arguments[name]]
    print(json.dumps(asked[0][0](asked[0][1]) if asked else measure(arguments["measure"])))


if __name__ == "__main__":
    main()
