"""What assets are given to work with. All of it is configured by settings; secrets stay in the environment."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

import dagster as dg
from pydantic import Field, PrivateAttr

from pyf_pipeline import __version__
from pyf_pipeline.defs.alerts import AlertResource
from pyf_pipeline.defs.io_managers import ParquetIOManager
from pyf_pipeline.defs.pools import make_pools
from pyf_pipeline.defs.sharing import check_shared
from pyf_pipeline.defs.turns import TurnResource
from pyf_pipeline.github.client import GitHubClient
from pyf_pipeline.profiles import Profile
from pyf_pipeline.pypi.feeds import FeedReader
from pyf_pipeline.pypi.gathering import Progress
from pyf_pipeline.pypi.http import Http
from pyf_pipeline.pypi.ingest import Ingester, Memory
from pyf_pipeline.pypi.pace import Pace
from pyf_pipeline.pypistats.client import PyPIStatsClient
from pyf_pipeline.search.client import SearchServer, connect, connect_embedded
from pyf_pipeline.settings import NO_SERVER_KEY, Settings
from pyf_pipeline.store.outputs import Outputs
from pyf_pipeline.store.store import Store

# A sensor's tick is short: what cannot be had now is had at the next one.
FEED_CONNECTIONS = 8
FEED_RETRIES = 2


def user_agent(contact: str) -> str:
    """How the pipeline introduces itself: name, version, and whom to write to."""
    return f"pyf-pipeline/{__version__}" + (f" (contact: {contact})" if contact else "")


class StoreResource(dg.ConfigurableResource):
    """What is remembered between runs: documents, classifications, repositories; and the outputs of assets."""

    url: str
    storage_url: str
    kept_here: list[str] = Field(default=[])
    _store: Store | None = PrivateAttr(None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Open the store; it stays open until the outputs of the run's steps are stored.

        Raises:
            StoreError: It cannot be opened.
            StorageError: Outputs could not be stored: better to know before hours of downloads than after them.
        """
        check_shared(context.instance, self.kept_here)
        make_pools(context.instance)
        self.outputs().check()
        self._store = Store.open(self.url)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the store."""
        self.store.close()

    @property
    def store(self) -> Store:
        """The opened store.

        Raises:
            RuntimeError: It is asked for outside a run.
        """
        if self._store is None:
            raise RuntimeError("the store is open during a run only")
        return self._store

    def outputs(self) -> Outputs:
        """The stored outputs of asset partitions."""
        return Outputs(self.storage_url)


class PyPIResource(dg.ConfigurableResource):
    """PyPI: where it answers and how gently it is asked."""

    url: str
    concurrency: int = 32
    discovery: str = "auto"
    discovery_hours: float = 24
    contact: str = ""

    @contextmanager
    def ingester(self, store: Store, progress: Progress) -> Iterator[Ingester]:
        """What brings profiles up to date, with connections that last as long as the context."""
        http = Http(self.url, concurrency=self.concurrency, user_agent=user_agent(self.contact))
        memory = Memory(store.documents, store.releases, store.knowledge, store.snapshots, store.ledgers)
        try:
            yield Ingester(
                http,
                memory,
                concurrency=self.concurrency,
                how=cast("Literal['auto', 'xmlrpc', 'index']", self.discovery),
                good_for=self.discovery_hours * 3600,
                progress=progress,
            )
        finally:
            http.close()

    @contextmanager
    def feeds(self, store: Store, profiles: Iterable[Profile]) -> Iterator[FeedReader]:
        """What reads the release feeds, classifying for all of these profiles at once."""
        every = list(profiles)
        http = Http(self.url, concurrency=FEED_CONNECTIONS, user_agent=user_agent(self.contact), retries=FEED_RETRIES)
        try:
            yield FeedReader(
                http,
                store.documents,
                store.knowledge,
                known_classifiers={c for profile in every for c in profile.classifiers},
                packages={name for profile in every for name in profile.packages},
                concurrency=FEED_CONNECTIONS,
            )
        finally:
            http.close()


class GitHubResource(dg.ConfigurableResource):
    """GitHub: where its API answers, and how gently it is asked."""

    api_url: str
    token: str | None = None
    cool_off: float = 0
    cache_hours: float = 24
    contact: str = ""

    @contextmanager
    def client(self) -> Iterator[GitHubClient]:
        """What looks repositories up, with connections that last as long as the context."""
        client = GitHubClient(self.api_url, self.token, user_agent=user_agent(self.contact), cool_off=self.cool_off)
        try:
            yield client
        finally:
            client.close()


class PyPIStatsResource(dg.ConfigurableResource):
    """pypistats: where it answers, how gently it is asked, and how long by one run; without an address not at all."""

    url: str = ""
    per_minute: float = 30
    minutes: float = 10
    cache_hours: float = 168
    contact: str = ""

    @contextmanager
    def client(self, store: Store) -> Iterator[PyPIStatsClient]:
        """What looks downloads up, at a pace that all runs of the store share."""
        # One call in each stretch of time, as the last one of a window is not used.
        pace = Pace(self.url, store.ledgers, windows=((2, 60 / self.per_minute),))
        client = PyPIStatsClient(self.url, pace, user_agent=user_agent(self.contact))
        try:
            yield client
        finally:
            client.close()


class TypesenseResource(dg.ConfigurableResource):
    """The search server: a Typesense of one or more nodes, or where none is configured the embedded index."""

    nodes: list[str] = Field(default=[])
    api_key: str | None = None
    timeout: float = 120
    embedded_path: str = ""

    @contextmanager
    def server(self) -> Iterator[SearchServer]:
        """The server, for as long as the context lasts.

        Raises:
            dagster.Failure: A server is configured without a key.
        """
        if self.nodes and not self.api_key:
            raise dg.Failure(
                f"a search server is configured ({', '.join(self.nodes)}) but TYPESENSE_API_KEY is not set: set it to "
                "the server's admin key",
                allow_retries=False,
            )
        if self.nodes:
            server = connect(self.nodes, self.api_key or "", self.timeout)
        else:
            server = connect_embedded(Path(self.embedded_path), self.api_key or NO_SERVER_KEY)
        try:
            yield server
        finally:
            server.close()


def build_resources(settings: Settings) -> dict[str, object]:
    """The resources by the keys under which assets ask for them."""
    return {
        "store": StoreResource(
            url=settings.store_url, storage_url=settings.storage_url, kept_here=list(settings.kept_here)
        ),
        "pypi": PyPIResource(
            url=settings.pypi_url,
            concurrency=settings.pypi_concurrency,
            discovery=settings.pypi_discovery,
            discovery_hours=settings.pypi_discovery_hours,
            contact=settings.pyf_contact,
        ),
        "github": GitHubResource(
            api_url=settings.github_api_url,
            token=_secret("GITHUB_TOKEN", settings.github_token),
            cool_off=settings.github_coolofftime,
            cache_hours=settings.github_cache_hours,
            contact=settings.pyf_contact,
        ),
        "pypistats": PyPIStatsResource(
            url=settings.pypistats_url or "",
            per_minute=settings.pypistats_per_minute,
            minutes=settings.pypistats_minutes,
            cache_hours=settings.pypistats_cache_hours,
            contact=settings.pyf_contact,
        ),
        "typesense": build_typesense(settings),
        "io_manager": ParquetIOManager(
            storage_url=settings.storage_url, kept_here=list(settings.kept_here), turn=TurnResource()
        ),
        "alerts": AlertResource(webhook=_secret("PYF_ALERT_WEBHOOK", settings.pyf_alert_webhook)),
    }


def build_typesense(settings: Settings) -> TypesenseResource:
    """The search server that the settings name."""
    return TypesenseResource(
        nodes=list(settings.typesense_addresses),
        api_key=_secret("TYPESENSE_API_KEY", settings.typesense_api_key),
        timeout=settings.typesense_timeout,
        embedded_path=str(settings.embedded_path or ""),
    )


def _secret(variable: str, value: object) -> dg.EnvVar | None:
    """The variable's name in place of its value, so that Dagster shows and stores the name only."""
    return None if value is None else dg.EnvVar(variable)
