"""What `pyfaggregator` does."""

import argparse
import shlex
import time

from pyf_pipeline.cli.command import FAILED, OK
from pyf_pipeline.cli.output import Output
from pyf_pipeline.cli.selection import keep_if_new, wanted_profile
from pyf_pipeline.cli.sincefile import read_since, write_since
from pyf_pipeline.profiles import Profile
from pyf_pipeline.settings import Settings, load_settings


def aggregate(options: argparse.Namespace, output: Output) -> int:
    """Fetch and publish the profile that the options mean; returns the exit code."""
    settings = load_settings()
    profile = wanted_profile(options, settings)
    since = read_since(options.sincefile) if options.sincefile else 0.0
    _check_surroundings(settings)
    if keep_if_new(profile, settings):
        output.note(f"{profile.key} is a profile of its own from now on: {settings.made_profiles}/{profile.key}.yaml")
    started = time.time()
    if not _run(options, output, settings, profile, since=since):
        return FAILED
    if options.sincefile:
        write_since(options.sincefile, started)
    return OK


def _check_surroundings(settings: Settings) -> None:
    """Whether PyPI and the search server are there, which is known at once and not after a long download."""
    from pyf_pipeline.cli.server import check_server  # noqa: PLC0415 - not needed for wrong calls
    from pyf_pipeline.cli.surroundings import check_pypi  # noqa: PLC0415

    check_server(settings)
    check_pypi(settings)


def _run(options: argparse.Namespace, output: Output, settings: Settings, profile: Profile, *, since: float) -> bool:
    from pyf_pipeline.cli.instance import open_instance  # noqa: PLC0415 - Dagster takes its time to import
    from pyf_pipeline.cli.materialise import execute  # noqa: PLC0415
    from pyf_pipeline.cli.summary import report_outcome  # noqa: PLC0415
    from pyf_pipeline.defs.config import FetchConfig, FilterConfig, Mode, PublishConfig  # noqa: PLC0415

    ops = {
        "raw_pypi_metadata": FetchConfig(
            mode=Mode.FULL if options.first else Mode.INCREMENTAL,
            limit=options.limit,
            name_contains=options.filter_name,
            since=0.0 if options.first else since,
            allow_shrink=options.allow_shrink,
        ),
        "filtered_packages": FilterConfig(allow_shrink=options.allow_shrink),
        "typesense_collection": PublishConfig(rebuild=options.first or options.rebuild),
    }
    with open_instance(settings) as instance:
        outcome = execute("pypi_update", profile.key, instance, output.notes, ops=ops, command=_typed(options))
    return report_outcome(output, profile, outcome)


def _typed(options: argparse.Namespace) -> str:
    """The command as it might have been typed, for the run's tags."""
    words = ["pyfaggregator", "-f" if options.first else "-i"]
    given = (("-p", options.profile), ("-t", options.target), ("-l", options.limit), ("-fn", options.filter_name))
    words += [word for flag, value in given if value for word in (flag, str(value))]
    words += [word for classifier in options.filter_troove or () for word in ("-ft", classifier)]
    return shlex.join(words)
