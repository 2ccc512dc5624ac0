"""The world: an ecosystem, its PyPI, its GitHub and its pypistats, and the servers that answer for them."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyf_pipeline_tests.world.control import Control
from pyf_pipeline_tests.world.ecosystem import Ecosystem, Plan, build
from pyf_pipeline_tests.world.exchange import Handler, HttpApp
from pyf_pipeline_tests.world.faults import Faults
from pyf_pipeline_tests.world.github import GitHub
from pyf_pipeline_tests.world.github_http import GitHubHandler
from pyf_pipeline_tests.world.log import RequestLog
from pyf_pipeline_tests.world.pypi import PyPI
from pyf_pipeline_tests.world.pypi_http import PyPIHandler
from pyf_pipeline_tests.world.pypistats import PyPIStats
from pyf_pipeline_tests.world.pypistats_http import PyPIStatsHandler
from pyf_pipeline_tests.world.server import Servers, ServerThread, Transports

SAMPLE_SIZE = 300
SAMPLE_SEED = 2026


class World:
    """A made-up PyPI, GitHub and pypistats, the same for the same size and seed until somebody changes it.

    Attributes:
        pypi: The projects: what changes them, and the truth about them.
        github: The repositories, likewise.
        pypistats: The downloads, likewise.
        faults: How the servers misbehave.
        log: What the servers were asked.
        latency: Seconds by which every answer is late.
    """

    def __init__(self, size: int = 300, seed: int = 1, *, plan: Plan | None = None) -> None:
        ecosystem: Ecosystem = build(size, seed, plan or Plan.mixed(size))
        self.size, self.seed = size, seed
        self.pypi = PyPI(ecosystem)
        self.github = GitHub(ecosystem, self.pypi.repository_of)
        self.pypistats = PyPIStats(seed, lambda name: self.pypi.find(name) is not None, self._stars)
        self.faults = Faults(seed)
        self.log = RequestLog()
        self.latency = 0.0

    @classmethod
    def sample(cls) -> "World":
        """The demo's ecosystem: 300 projects, of them 60 Plone, 60 Django, 40 Flask (some of them two of these)."""
        return cls(SAMPLE_SIZE, SAMPLE_SEED, plan=Plan.mixed(SAMPLE_SIZE, cores=True))

    @classmethod
    def members_only(
        cls,
        profile_classifier: str,
        members: int = 200,
        size: int = 2_000,
        *,
        seed: int = 1,
        mean_releases: float = 6.0,
        quirks: bool = False,
    ) -> "World":
        """An ecosystem in which exactly `members` projects ever carried a classifier (or one below it), for benchmarks.

        Args:
            profile_classifier: The classifier.
            members: How many projects carry it.
            size: How many projects there are.
            seed: What the ecosystem is drawn from.
            mean_releases: Releases per project; 50 make documents of some 60 kB.
            quirks: Whether metadata is odd, too.
        """
        plan = Plan({profile_classifier: members}, mean_releases=mean_releases, quirks=quirks)
        return cls(size, seed, plan=plan)

    @contextmanager
    def serve(self, pypi_port: int = 0, github_port: int = 0, pypistats_port: int = 0) -> Iterator[Servers]:
        """Serve on loopback; with a port of 0 the system chooses one.

        Raises:
            OSError: If a port is taken.
        """
        pypi = PyPIHandler(self.pypi, self.log, Control(self))
        apps = [
            self._app("pypi", pypi, pypi_port),
            self._app("github", GitHubHandler(self.github), github_port),
            self._app("pypistats", PyPIStatsHandler(self.pypistats), pypistats_port),
        ]
        thread = ServerThread(apps, self.log)
        thread.start()
        try:
            urls = [f"http://127.0.0.1:{port}" for port in thread.ports]
            yield Servers(*urls, self.log)
        finally:
            thread.stop()

    def _app(self, server: str, handler: Handler, port: int) -> tuple[HttpApp, int, Transports]:
        transports: Transports = {}
        app = HttpApp(server, handler, self.faults, self.log, latency=lambda: self.latency, transports=transports)
        return app, port, transports

    def _stars(self, project: str) -> int | None:
        linked = self.github.repository_of(project)
        figures = self.github.truth(*linked.split("/", 1)) if linked else None
        return figures.stars if figures else None
