"""Whether a search has first what a person looks for, on the made-up world and on a collection of the real PyPI."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyf_pipeline.catalog.filtering import Membership, Rejected, latest_package
from pyf_pipeline.catalog.model import Package, Repository
from pyf_pipeline.catalog.names import normalise
from pyf_pipeline.catalog.parsing import parse_project
from pyf_pipeline.search.client import SearchServer, connect, connect_embedded
from pyf_pipeline.search.collections import create_collection
from pyf_pipeline.search.documents import BuildFailure, build_documents
from pyf_pipeline.search.fitting import Fitter
from pyf_pipeline.search.importing import import_lines
from pyf_pipeline.search.query import search, search_parameters
from pyf_pipeline.search.schema import FIELDS, collection_schema
from pyf_pipeline.settings import NO_SERVER_KEY, load_settings
from pyf_pipeline_tests.bench.figures import Figure
from pyf_pipeline_tests.world import World

FRAMEWORKS = {"plone": "Framework :: Plone", "django": "Framework :: Django", "flask": "Framework :: Flask"}
LIVE_PROFILE = os.environ.get("PYF_BENCH_PROFILE", "flask")
TOP = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """A search, and what the person expects.

    Attributes:
        collection: Where they look.
        text: What they type.
        package: What they expect to see first.
    """

    collection: str
    text: str
    package: str


# Where several packages are about the same, the one that says it in its summary, and of those the one with more stars.
MADE_UP = tuple(
    Wish(collection, text, package)
    for collection, text, package in (
        ("plone", "markdown editor", "collective.quillpad"),
        ("plone", "dark mode theme", "collective.wintercoat"),
        ("plone", "audit log", "collective.chronicler"),
        ("plone", "ldap", "collective.dirlink"),
        ("plone", "graphql", "cs.nodeedge"),
        ("plone", "broken links", "plone.app.linkminder"),
        ("plone", "newsletter", "Products.Lettercast"),
        ("plone", "second factor", "Products.Secondlock"),
        ("plone", "prometheus metrics", "plone.app.lookoutpost"),
        ("plone", "polls", "plone.app.askaround"),
        ("plone", "websocket", "plone.app.socketry"),
        ("plone", "plone", "Plone"),
        ("django", "rate limiting", "throttlebox-django"),
        ("django", "background jobs", "django_taskbarge"),
        ("django", "calendar", "django_daybook"),
        ("django", "oauth login", "django_idbridge"),
        ("django", "backup", "django-safekeepkit"),
        ("django", "excel import", "django_celldrop"),
        ("django", "pdf reports", "django-paperback"),
        ("django", "passkeys", "django_keyandpin"),
        ("django", "graphql api", "django-typegraph-kit"),
        ("django", "video", "dj-reelhouse"),
        ("django", "django", "Django"),
        ("flask", "image gallery", "picturewall-flask"),
        ("flask", "shop", "flask_basketry"),
        ("flask", "event calendar", "Flask-Almanac"),
        ("flask", "openid login", "flask-tokenporter"),
        ("flask", "caching", "Flask-Cachelayer"),
        ("flask", "markdwon", "Flask-Draftroom"),
        ("flask", "flask almanac", "Flask-Almanac"),
    )
)
# What people who know Flask would name at once.
REAL = tuple(
    Wish("flask", text, package)
    for text, package in (
        ("flask", "Flask"),
        ("login", "Flask-Login"),
        ("user session management", "Flask-Login"),
        ("sqlalchemy", "Flask-SQLAlchemy"),
        ("database migrations", "Flask-Migrate"),
        ("alembic", "Flask-Migrate"),
        ("forms", "Flask-WTF"),
        ("wtforms csrf", "Flask-WTF"),
        ("cors", "flask-cors"),
        ("cross origin", "flask-cors"),
        ("rest api", "Flask-RESTful"),
        ("swagger", "flask-restx"),
        ("openapi marshmallow", "flask-smorest"),
        ("admin interface", "Flask-Admin"),
        ("jwt", "Flask-JWT-Extended"),
        ("caching", "Flask-Caching"),
        ("rate limit", "Flask-Limiter"),
        ("mail", "Flask-Mail"),
        ("babel translations", "flask-babel"),
        ("socket.io", "Flask-SocketIO"),
        ("websocket", "flask-sock"),
        ("debug toolbar", "Flask-DebugToolbar"),
        ("server side sessions", "Flask-Session"),
        ("mongodb", "Flask-PyMongo"),
        ("https security headers", "flask-talisman"),
        ("bootstrap", "Bootstrap-Flask"),
        ("roles and permissions", "Flask-Principal"),
        ("celery", "Flask-CeleryExt"),
        ("graphql", "Flask-GraphQL"),
        ("serve static files from s3", "Flask-S3"),
    )
)


def made_up() -> Iterator[Figure]:
    """The wishes on the made-up world, in collections of their own."""
    with tempfile.TemporaryDirectory() as folder:
        server = connect_embedded(Path(folder) / "search.sqlite3", NO_SERVER_KEY)
        try:
            fill(server, World.sample())
            yield from figures("the made-up world", places(server, MADE_UP), at_most=2)
        finally:
            server.close()


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


def fill(server: SearchServer, world: World) -> None:
    """Make a collection for each framework of a world's packages and of what its GitHub says of them."""
    packages = list(_packages(world))
    for name, classifier in FRAMEWORKS.items():
        create_collection(server.client, collection_schema(name))
        fitter = Fitter(FIELDS)
        members = ((p, _repository(world, p)) for p in packages if classifier_covers(classifier, p))
        documents = build_documents(members, processes=1)
        lines = [(one["id"], fitter.line(one)) for one in documents if not isinstance(one, BuildFailure)]
        imported = import_lines(server, name, lines)
        if imported.accepted != len(lines):
            raise RuntimeError(f"{len(imported.refused)} documents were refused: {imported.refused}")


def classifier_covers(classifier: str, package: Package) -> bool:
    """Whether a package carries a classifier or one below it."""
    return any(f"{own} :: ".startswith(f"{classifier} :: ") for own in package.classifiers)


def places(server: SearchServer, wishes: Iterable[Wish]) -> dict[Wish, int | None]:
    """At which place each search has the package; None where it is not on the first page."""
    found: dict[Wish, int | None] = {}
    for wish in wishes:
        hits = search(server.client, wish.collection, search_parameters(wish.text, per_page=10))["hits"]
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


BENCHMARKS = {"ranking": made_up} | ({"ranking-live": live} if _has_live_collection() else {})
