"""Whether what a command needs is there, asked before work is begun."""

from pyf_pipeline.cli.command import CommandError
from pyf_pipeline.pypi.http import unreachable
from pyf_pipeline.settings import Settings


def check_pypi(settings: Settings) -> None:
    """Make sure that there is a way to PyPI.

    Raises:
        CommandError: There is none.
    """
    if reason := unreachable(settings.pypi_url):
        raise CommandError(
            f"there is no way to PyPI at {settings.pypi_url} ({reason}): check the network, the proxy or PYPI_URL"
        )
