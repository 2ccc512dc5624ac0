"""The search server that the settings name, without Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyf_pipeline.search.aliases import list_aliases
from pyf_pipeline.search.client import SearchServer, connect, connect_embedded
from pyf_pipeline.search.transport import Patience
from pyf_pipeline.settings import Settings

# A person waits for the answer, and can ask again.
PATIENCE = Patience(away=2.0, busy=30.0)


@contextmanager
def search_server(settings: Settings) -> Iterator[SearchServer]:
    """The server, for as long as the context lasts.

    Raises:
        SettingsError: A server is configured without a key.
    """
    if settings.embedded_path:
        server = connect_embedded(settings.embedded_path, settings.api_key)
    else:
        server = connect(settings.typesense_addresses, settings.api_key, settings.typesense_timeout, patience=PATIENCE)
    try:
        yield server
    finally:
        server.close()


def check_server(settings: Settings) -> None:
    """Make sure that the server answers and takes the key, before work is done for it.

    Raises:
        SettingsError: A server is configured without a key.
        SearchError: It does not.
    """
    with search_server(settings) as server:
        list_aliases(server)
