"""The whole pipeline on a stand-in PyPI, GitHub and pypistats: what `make demo` does, with no account and no network.

`python -m pyf_pipeline_tests.demo` fills the plone, django and flask collections under `.pyf/demo` and searches them;
`--ui` opens the Dagster UI over that state, with the stand-in behind it, so that further runs work as well, those for
downloads among them.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from pyf_pipeline.cli.instance import CONFIGURATION
from pyf_pipeline_tests.world import Servers, World

HOME = Path(".pyf") / "demo"
PROFILES = ("plone", "django", "flask")
SEARCHES = {
    "plone": ["calendar", "image gallery"],
    "django": ["rest api", "form validation"],
    "flask": ["login oauth"],
}

GOING_ON = """
[bold]How to go on[/]
  make dev                         the Dagster UI over what you have just made
  make run PROFILE=flask LIMIT=25  the same from the real PyPI
  docs/architecture.md             what happens, where, and why
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pyf_pipeline_tests.demo", description=__doc__)
    parser.add_argument("--ui", action="store_true", help="open the Dagster UI over the demo's state")
    parser.add_argument("--port", type=int, default=3000, help="the UI's port")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    world = World.sample()
    world.pypi.xmlrpc_limit(per_second=1_000, per_minute=60_000)
    world.pypistats.limit(per_second=None, per_minute=None)
    try:
        with world.serve() as servers:
            _use(servers, world.github.token)
            return _open_ui(options.port, console) if options.ui else _fill(console)
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
        return 130


def _use(servers: Servers, token: str) -> None:
    """Have everything in this process, and what it starts, use the stand-in and the demo's own state."""
    home = HOME.absolute()
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(CONFIGURATION, encoding="utf-8")
    for variable in (
        "TYPESENSE_HOST",
        "TYPESENSE_NODES",
        "TYPESENSE_API_KEY",
        "PYF_STORE_URL",
        "PYF_STORAGE_URL",
        "PYF_PROFILES",
    ):
        os.environ[variable] = ""
    os.environ.update(
        PYF_HOME=str(home),
        DAGSTER_HOME=str(home),
        PYPI_URL=servers.pypi_url,
        PYPI_DISCOVERY="auto",
        GITHUB_API_URL=servers.github_url,
        GITHUB_TOKEN=token,
        GITHUB_COOLOFFTIME="0",
        PYPISTATS_URL=servers.pypistats_url,
        PYPISTATS_PER_MINUTE="6000",
    )


def _fill(console: Console) -> int:
    from pyf_pipeline.cli.instance import open_instance
    from pyf_pipeline.cli.materialise import materialise
    from pyf_pipeline.cli.report import print_outcomes, print_searches
    from pyf_pipeline.defs.config import Mode
    from pyf_pipeline.settings import load_settings

    started = time.monotonic()
    settings = load_settings()
    console.print("A stand-in PyPI and GitHub are up on this machine; each profile goes through all four assets.\n")
    with open_instance(settings) as instance:
        outcomes = [materialise(profile, instance, console, mode=Mode.FULL) for profile in PROFILES]
    print_outcomes(console, outcomes)
    if any(outcome.problem for outcome in outcomes):
        return 1
    console.print(f"Three collections in {time.monotonic() - started:.0f} seconds. What people find in them:\n")
    print_searches(console, settings, SEARCHES)
    console.print(GOING_ON)
    return 0


def _open_ui(port: int, console: Console) -> int:
    if not (HOME / "store.sqlite3").exists():
        console.print("the demo has not run yet: `make demo` first")
        return 1
    console.print(f"The Dagster UI over the demo's state: http://127.0.0.1:{port} (Ctrl-C ends it)")
    command = [
        *(sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)),
        *("--module-name", "pyf_pipeline.definitions"),
    ]
    # In a session of its own, so that Ctrl-C reaches it once, through us, and not a second time while it winds up.
    with subprocess.Popen(command, cwd=HOME, start_new_session=True) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise


if __name__ == "__main__":
    raise SystemExit(main())
