"""Searches, each with the package that a person expects first."""

from dataclasses import dataclass


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
# The profile of `pytest -m live`: six packages that have little to do with each other, with long READMEs.
SIX_PROJECTS = {
    "dagster": "dagster",
    "requests": "requests",
    "typesense": "typesense",
    "pandas": "pandas",
    "pydantic": "pydantic",
    "sqlalchemy": "SQLAlchemy",
}
SIX = tuple(
    Wish("ours", text, package)
    for text, package in (
        ("dagster", "dagster"),
        ("orchestration", "dagster"),
        ("data pipelines", "dagster"),
        ("data assets", "dagster"),
        ("workflow scheduler", "dagster"),
        ("requests", "requests"),
        ("http", "requests"),
        ("http for humans", "requests"),
        ("basic authentication", "requests"),
        ("cookies", "requests"),
        ("typesense", "typesense"),
        ("search engine", "typesense"),
        ("search client", "typesense"),
        ("typesense python", "typesense"),
        ("fuzzy search", "typesense"),
        ("pandas", "pandas"),
        ("dataframe", "pandas"),
        ("data analysis", "pandas"),
        ("time series", "pandas"),
        ("missing data", "pandas"),
        ("csv excel", "pandas"),
        ("pydantic", "pydantic"),
        ("validation", "pydantic"),
        ("type hints", "pydantic"),
        ("data validation", "pydantic"),
        ("sqlalchemy", "SQLAlchemy"),
        ("orm", "SQLAlchemy"),
        ("sql toolkit", "SQLAlchemy"),
        ("database abstraction", "SQLAlchemy"),
        ("object relational mapper", "SQLAlchemy"),
    )
)
