"""A stand-in PyPI in a process of its own, so that its work and memory are not counted as ours."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import requests

from pyf_pipeline_tests.world import World

CLASSIFIER = "Framework :: Plone"
START_SECONDS = 300


@dataclass(frozen=True)
class Served:
    """A running stand-in.

    Attributes:
        pypi_url: PyPI's address.
        github_url: GitHub's.
        token: GitHub's token.
        members: The projects that carry the classifier.
    """

    pypi_url: str
    github_url: str
    token: str
    members: list[str]

    def tell(self, verb: str, **arguments: object) -> None:
        """Have the world do something."""
        requests.post(f"{self.pypi_url}/_world/{verb}", json=arguments, timeout=60).raise_for_status()

    def requests_since_reset(self) -> int:
        """How many requests there were; forgets them."""
        answer = requests.get(f"{self.pypi_url}/_world/log", timeout=60)
        self.tell("log/reset")
        count: int = answer.json()["result"]["requests"]
        return count


@contextmanager
def serve(members: int, size: int, *, mean_releases: float = 6.0, latency: float = 0.0) -> Iterator[Served]:
    """Serve an ecosystem in which so many of all projects carry the classifier, without a limit on XML-RPC."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, members, size, mean_releases, latency), daemon=True)
    process.start()
    try:
        if not ours.poll(START_SECONDS):
            raise TimeoutError(f"the stand-in did not start within {START_SECONDS} s")
        yield Served(*ours.recv())
    finally:
        ours.send("stop")
        process.join()


def _serve(pipe: Connection, members: int, size: int, mean_releases: float, latency: float) -> None:
    world = World.members_only(CLASSIFIER, members=members, size=size, mean_releases=mean_releases)
    world.pypi.xmlrpc_limit(per_second=1_000, per_minute=60_000)
    world.latency = latency
    with world.serve() as servers:
        names = sorted(world.pypi.ever_members(CLASSIFIER))
        pipe.send((servers.pypi_url, servers.github_url, world.github.token, names))
        pipe.recv()
