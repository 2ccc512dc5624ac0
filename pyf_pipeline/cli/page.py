"""What `pyfsearch page` does."""

import argparse
from collections.abc import Callable

import httpx
from starlette.applications import Starlette

from pyf_pipeline.cli.command import OK, CommandError
from pyf_pipeline.cli.listening import address_of, listening, run
from pyf_pipeline.cli.output import Output
from pyf_pipeline.cli.server import search_server
from pyf_pipeline.embedded.page.app import create_page
from pyf_pipeline.embedded.page.upstream import AwayError, Offer, TypesenseUpstream
from pyf_pipeline.embedded.sealing import Sealer
from pyf_pipeline.search.client import SearchServer, connect
from pyf_pipeline.search.errors import SearchError
from pyf_pipeline.search.keys import check_search_only, keep_search_key
from pyf_pipeline.search.offering import offered_collections
from pyf_pipeline.search.query import defaults
from pyf_pipeline.search.transport import NodesTransport, Patience
from pyf_pipeline.settings import Settings, load_settings

# Somebody looks at the page meanwhile.
PATIENCE = Patience(away=1.0, busy=5.0)
TIMEOUT_SECONDS = 15.0
DESCRIPTION = "search page"


def show(options: argparse.Namespace, output: Output) -> int:
    """Serve the search page over the search server that is set until Ctrl-C; returns the exit code.

    Raises:
        CommandError: No server is set, or the port is taken.
        SearchError: The server is away, rejects a key, or lacks a collection that was named.
    """
    settings = load_settings()
    if not settings.typesense_addresses:
        raise CommandError(
            "no Typesense server is set, by TYPESENSE_HOST or TYPESENSE_NODES; `pyfsearch serve` shows the same page "
            "over the embedded index"
        )
    with search_server(settings) as server:
        names = tuple(options.collection)
        offered = [str(c["name"]) for c in offered_collections(server, names)]
        page = page_over(server, settings, names, output)
        with listening(options.host, options.port) as listener:
            output.line(f"the search page over {server.address} is at {address_of(listener)} (Ctrl-C ends it)")
            output.note(f"it offers {', '.join(offered)}" if offered else "there is nothing to search yet")
            run(page, listener)
    return OK


def page_over(server: SearchServer, settings: Settings, names: tuple[str, ...], output: Output) -> Starlette:
    """The search page over the server of the settings.

    Args:
        server: The server, with the admin key.
        settings: Where it is, and the key that is to be handed out, if it is to be a certain one.
        names: Of the collections to offer; where there are none, what was published here.
        output: Where it is told that the server was away when somebody opened the page.

    Raises:
        SearchError: The key that is to be handed out does more than search.
    """
    offer = _offers(settings, server, names)

    def asked() -> Offer:
        try:
            return offer()
        except SearchError as error:
            output.error(f"pyfsearch: {error}")
            # Whoever looks at the page learns no more than that.
            raise AwayError("The search server cannot be reached. Please try again in a moment.") from error

    transport = NodesTransport(settings.typesense_addresses, httpx.HTTPTransport(), PATIENCE)
    passing = httpx.Client(transport=transport, timeout=TIMEOUT_SECONDS)
    return create_page(TypesenseUpstream("http://search-server", offer=asked, client=passing), defaults())


def _offers(settings: Settings, server: SearchServer, names: tuple[str, ...]) -> Callable[[], Offer]:
    """What tells what the page offers at the moment, with a key for it: the one that is set, or one that it makes."""
    own = settings.typesense_search_key
    if own is not None:
        value = own.get_secret_value()
        visitor = connect(settings.typesense_addresses, value, TIMEOUT_SECONDS, patience=PATIENCE)
        try:
            check_search_only(visitor, "TYPESENSE_SEARCH_KEY")
        finally:
            visitor.close()
        return lambda: Offer(offered_collections(server, names), value)
    sealer = Sealer(settings.api_key)

    def offer() -> Offer:
        collections = offered_collections(server, names)
        if not collections:
            return Offer([], "")
        searched = sorted(str(c["name"]) for c in collections)
        # It follows from the admin key and the names, so that every process and every start comes to the same one.
        value = sealer.derived("\n".join([DESCRIPTION, *searched]))
        keep_search_key(server, searched, value=value, description=DESCRIPTION)
        return Offer(collections, value)

    return offer
