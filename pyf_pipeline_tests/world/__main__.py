"""Serve a world until a signal: `python -m pyf_pipeline_tests.world --sample`."""

import argparse
import json
import os
import signal
import sys

from pyf_pipeline_tests.world.world import World


def main(arguments: list[str] | None = None) -> int:
    """Build the world, print where it answers as one JSON line, and serve until SIGINT or SIGTERM."""
    options = _parser().parse_args(arguments)
    # Blocked before any thread starts, so that the signals wait for `sigwait` below.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    world = _world(options)
    world.latency = options.latency
    if options.token:
        world.github.token = options.token
    if options.no_xmlrpc_limit:
        world.pypi.xmlrpc_limit(per_second=None, per_minute=None)
    with world.serve(options.pypi_port, options.github_port, options.pypistats_port) as servers:
        where = {
            "pypi_url": servers.pypi_url,
            "github_url": servers.github_url,
            "pypistats_url": servers.pypistats_url,
            "github_token": world.github.token,
            "projects": len(world.pypi),
            "pid": os.getpid(),
        }
        print(json.dumps(where), flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


def _world(options: argparse.Namespace) -> World:
    if options.sample:
        return World.sample()
    if options.members_only:
        return World.members_only(
            options.members_only,
            options.members,
            options.size,
            seed=options.seed,
            mean_releases=options.mean_releases,
        )
    return World(options.size, options.seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pyf_pipeline_tests.world", description=__doc__)
    parser.add_argument("--size", type=int, default=300, help="number of projects")
    parser.add_argument("--seed", type=int, default=1, help="what the ecosystem is drawn from")
    parser.add_argument("--sample", action="store_true", help="the demo's ecosystem; size and seed are its own")
    parser.add_argument("--members-only", metavar="CLASSIFIER", help="a world in which few projects carry a classifier")
    parser.add_argument("--members", type=int, default=200, help="how many, with --members-only")
    parser.add_argument("--mean-releases", type=float, default=6.0, help="releases per project, with --members-only")
    parser.add_argument("--pypi-port", type=int, default=0, help="0: any free port")
    parser.add_argument("--github-port", type=int, default=0, help="0: any free port")
    parser.add_argument("--pypistats-port", type=int, default=0, help="0: any free port")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds by which every answer is late")
    parser.add_argument("--token", default="", help="the token that GitHub accepts")
    parser.add_argument("--no-xmlrpc-limit", action="store_true", help="do not limit the rate of XML-RPC calls")
    return parser


if __name__ == "__main__":
    sys.exit(main())
