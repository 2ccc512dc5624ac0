"""One profile from PyPI into its collection: what `make run` does."""

import argparse

from rich.console import Console

from pyf_pipeline.profiles import ProfileError
from pyf_pipeline.settings import SettingsError, load_settings

NO_NETWORK = "there is no way to PyPI at {url} ({reason}); `make demo` shows the pipeline without a network"


def main(arguments: list[str] | None = None) -> int:
    """Materialise one profile; returns the exit code: 0, 1 where it failed, 2 for a wrong call, 130 on Ctrl-C."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, highlight=False)
    try:
        return _run(options, console)
    except (SettingsError, ProfileError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("stopped; what was downloaded is kept, and the same command goes on from there")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pyf_pipeline.cli.run", description="Materialise the four assets of one profile."
    )
    parser.add_argument("--profile", required=True, help="the profile, for instance flask")
    parser.add_argument("--limit", type=int, default=0, help="at most so many projects; 0, the default, for all")
    parser.add_argument("--full", action="store_true", help="download everything anew, not only what moved")
    return parser


def _run(options: argparse.Namespace, console: Console) -> int:
    settings = load_settings()
    # Importing Dagster takes seconds, which a mistake in the settings need not cost.
    from pyf_pipeline.cli.instance import open_instance  # noqa: PLC0415
    from pyf_pipeline.cli.materialise import materialise  # noqa: PLC0415
    from pyf_pipeline.cli.report import print_outcomes, print_searches  # noqa: PLC0415
    from pyf_pipeline.defs.config import Mode  # noqa: PLC0415
    from pyf_pipeline.defs.partitions import PROFILES  # noqa: PLC0415
    from pyf_pipeline.pypi.http import unreachable  # noqa: PLC0415

    if options.profile not in PROFILES:
        console.print(f"there is no profile {options.profile!r}; there are {', '.join(PROFILES)}", style="red")
        return 2
    if reason := unreachable(settings.pypi_url):
        console.print(NO_NETWORK.format(url=settings.pypi_url, reason=reason), style="red")
        return 1
    mode = Mode.FULL if options.full else Mode.INCREMENTAL
    with open_instance(settings) as instance:
        outcome = materialise(options.profile, instance, console, mode=mode, limit=options.limit)
    print_outcomes(console, [outcome])
    if outcome.problem:
        return 1
    print_searches(Console(highlight=False), settings, {PROFILES[options.profile].collection: ["*"]})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
