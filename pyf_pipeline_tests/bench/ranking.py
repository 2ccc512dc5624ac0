"""Whether a search has first what a person looks for, on the made-up world and on real packages."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyf_pipeline.catalog.filtering import Membership, Rejected, latest_package
from pyf_pipeline.catalog.model import Downloads, Package, Repository
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.catalog.parsing import parse_project
from pyf_pipeline.pypi.http import Http, unreachable
from pyf_pipeline.pypi.projects import fetch_project
from pyf_pipeline.search.client import SearchServer, connect, connect_embedded
from pyf_pipeline.search.collections import create_collection
from pyf_pipeline.search.documents import BuildFailure, Context, Pair, build_documents
from pyf_pipeline.search.fitting import Fitter
from pyf_pipeline.search.importing import import_lines
from pyf_pipeline.search.query import TIE_BREAKER, search, search_parameters
from pyf_pipeline.search.schema import FIELDS, collection_schema
from pyf_pipeline.settings import NO_SERVER_KEY, load_settings
from pyf_pipeline_tests.bench.figures import Figure
from pyf_pipeline_tests.bench.wishes import MADE_UP, REAL, SIX, SIX_PROJECTS, Wish
from pyf_pipeline_tests.world import World

FRAMEWORKS = {"plone": "Framework :: Plone", "django": "Framework :: Django", "flask": "Framework :: Flask"}
LIVE_PROFILE = os.environ.get("PYF_BENCH_PROFILE", "flask")
TOP = 3


def made_up() -> Iterator[Figure]:
    """The wishes on the made-up world, in collections of their own, with stars and with downloads to decide by."""
    with _index() as server:
        fill(server, World.sample())
        yield from figures("the made-up world", places(server, MADE_UP), at_most=2)
        by_downloads = places(server, MADE_UP, tie_breaker="download_last_month")
        yield from figures("the made-up world by downloads", by_downloads, at_most=2)


def six() -> Iterator[Figure]:
    """The wishes on six packages of the real PyPI, in a collection of their own; none where PyPI is out of reach."""
    http = Http(load_settings().pypi_url, concurrency=len(SIX_PROJECTS), user_agent="pyf-pipeline benchmark")
    try:
        if reason := unreachable(http.base_url):
            yield Figure(f"six real packages: nothing was searched, PyPI cannot be reached ({reason})", 0, "searches")
            return
        projects = [project for name in SIX_PROJECTS if (project := fetch_project(http, name))]
    finally:
        http.close()
    packages = [package for project in projects if not isinstance(package := latest_package(project), Rejected)]
    with _index() as server:
        _make(server, SIX[0].collection, ((package, None) for package in packages), Context())
        yield from figures("six real packages", places(server, SIX))


def live() -> Iterator[Figure]:
    """The wishes on the collection that was made of the real PyPI, as far as it has the packages."""
    settings = load_settings()
    if settings.typesense_addresses:
        server = connect(settings.typesense_addresses, settings.api_key, settings.typesense_timeout)
    else:
        server = connect_embedded(settings.pyf_home / "search.sqlite3", NO_SERVER_KEY)
    try:
        wishes = [wish for wish in REAL if wish.collection == LIVE_PROFILE]
        yield from figures("the real PyPI", places(server, _in_collection(server, wishes)))
    finally:
        server.close()


@contextmanager
def _index() -> Iterator[SearchServer]:
    with tempfile.TemporaryDirectory() as folder:
        server = connect_embedded(Path(folder) / "search.sqlite3", NO_SERVER_KEY)
        try:
            yield server
        finally:
            server.close()


def fill(server: SearchServer, world: World) -> None:
    """Make a collection for each framework of a world's packages and of what its GitHub and pypistats say of them."""
    packages = list(_packages(world))
    context = Context(downloads={p.project: told for p in packages if (told := _downloads(world, p))})
    for name, classifier in FRAMEWORKS.items():
        members = ((p, _repository(world, p)) for p in packages if classifier_covers(classifier, p))
        _make(server, name, members, context)


def _make(server: SearchServer, name: str, pairs: Iterable[Pair], context: Context) -> None:
    create_collection(server.client, collection_schema(name))
    fitter = Fitter(FIELDS)
    documents = build_documents(pairs, processes=1, context=context)
    lines = [(one["id"], fitter.line(one)) for one in documents if not isinstance(one, BuildFailure)]
    imported = import_lines(server, name, lines)
    if imported.accepted != len(lines):
        raise RuntimeError(f"{len(imported.refused)} documents were refused: {imported.refused}")


def classifier_covers(classifier: str, package: Package) -> bool:
    """Whether a package carries a classifier or one below it."""
    return any(f"{own} :: ".startswith(f"{classifier} :: ") for own in package.classifiers)


def places(server: SearchServer, wishes: Iterable[Wish], *, tie_breaker: str = TIE_BREAKER) -> dict[Wish, int | None]:
    """At which place each search has the package; None where it is not on the first page."""
    found: dict[Wish, int | None] = {}
    for wish in wishes:
        parameters = search_parameters(wish.text, tie_breaker=tie_breaker, per_page=10)
        hits = search(server.client, wish.collection, parameters)["hits"]
        names = [normalise(hit["document"]["name"]) for hit in hits]
        wanted = normalise(wish.package)
        found[wish] = names.index(wanted) + 1 if wanted in names else None
    return found


def figures(where: str, found: dict[Wish, int | None], at_most: float | None = None) -> Iterator[Figure]:
    """The shares of searches that have the package first, and among the first three, and how many miss it."""
    first = sum(place == 1 for place in found.values())
    among = sum(place is not None and place <= TOP for place in found.values())
    of = f"{len(found)} searches of {where}"
    yield Figure(f"{of}: found first", 100 * first / max(1, len(found)), "%")
    yield Figure(f"{of}: found among the first {TOP}", 100 * among / max(1, len(found)), "%")
    yield Figure(f"{of}: not found first", len(found) - first, "searches", at_most)
    for wish, place in found.items():
        if place != 1:
            yield Figure(f"  {wish.collection}: {wish.text!r} has {wish.package} at", place or 0, "place; 0 is nowhere")


def _packages(world: World) -> Iterator[Package]:
    for name in world.pypi.names():
        payload = world.pypi.document(world.pypi.project(name))
        if payload is not None:
            project = parse_project(payload, name=name, header_serial=None, fetched_at=0)
            package = latest_package(project)
            if Membership(tuple(FRAMEWORKS.values())).covers(project) and not isinstance(package, Rejected):
                yield package


def _repository(world: World, package: Package) -> Repository | None:
    linked = world.github.repository_of(package.project)
    told = world.github.truth(*linked.split("/", 1)) if linked else None
    if told is None:
        return None
    return Repository(
        told.name_with_owner,
        told.url,
        told.stars,
        told.watchers,
        told.open_issues,
        told.updated,
        archived=told.archived,
        fetched_at=0,
    )


def _downloads(world: World, package: Package) -> Downloads | None:
    told = world.pypistats.truth(package.project)
    return told and Downloads(told.last_day, told.last_week, told.last_month, updated=0)


def _in_collection(server: SearchServer, wishes: Sequence[Wish]) -> list[Wish]:
    by_collection = {wish.collection: set[str]() for wish in wishes}
    for name, ids in by_collection.items():
        lines = server.client.collections[name].documents.export({"include_fields": "id"}).splitlines()
        ids.update(json.loads(line)["id"] for line in lines)
    return [wish for wish in wishes if normalise(wish.package) in by_collection[wish.collection]]


def _has_live_collection() -> bool:
    """Whether there is a server, or an index that somebody has filled."""
    settings = load_settings()
    return bool(settings.typesense_addresses) or (settings.pyf_home / "search.sqlite3").exists()


BENCHMARKS = {"ranking": made_up, "ranking-six": six} | ({"ranking-live": live} if _has_live_collection() else {})
