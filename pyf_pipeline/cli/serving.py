"""What `pyfsearch serve` does."""

import argparse
import secrets

from pyf_pipeline.cli.command import OK, CommandError
from pyf_pipeline.cli.listening import address_of, listening, run
from pyf_pipeline.cli.output import Output
from pyf_pipeline.embedded.server import create_app
from pyf_pipeline.search.query import defaults
from pyf_pipeline.settings import load_settings


def serve(options: argparse.Namespace, output: Output) -> int:
    """Serve the embedded index until Ctrl-C; returns the exit code.

    Raises:
        CommandError: A Typesense server is set, so that nothing is in the embedded index, or the port is taken.
    """
    settings = load_settings()
    if settings.embedded_path is None:
        raise CommandError(
            "a Typesense server is set, which answers by itself; unset TYPESENSE_HOST and TYPESENSE_NODES to serve the "
            "embedded index, or see `pyfsearch page` for a search page over that server"
        )
    own = settings.typesense_api_key
    key = own.get_secret_value() if own else secrets.token_urlsafe(24)
    with listening(options.host, options.port) as listener:
        output.line(f"serving {settings.embedded_path} at {address_of(listener)} (Ctrl-C ends it)")
        if own is None:
            output.line(f"admin key, for as long as this runs: {key} (set TYPESENSE_API_KEY to keep one)")
        run(create_app(settings.embedded_path, admin_key=key, page_defaults=defaults()), listener)
    return OK
