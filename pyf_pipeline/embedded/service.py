"""The index as one object: storage, views, the admin key, and who may do what."""

import hashlib
import hmac
import os
import sqlite3
from pathlib import Path

from pyf_pipeline.embedded.catalogue import Collection, get_collection
from pyf_pipeline.embedded.errors import FORBIDDEN, ApiError
from pyf_pipeline.embedded.keys import find_key
from pyf_pipeline.embedded.meter import Meter
from pyf_pipeline.embedded.scoped import SEARCH, embedded_parameters
from pyf_pipeline.embedded.sealing import Sealer
from pyf_pipeline.embedded.storage import Storage
from pyf_pipeline.embedded.view import View, Views

PAGE_KEY_LENGTH = 64


class Service:
    """An index over one SQLite file; safe to use from several threads, beside other processes."""

    def __init__(self, path: str | os.PathLike[str], *, admin_key: str) -> None:
        if not admin_key:
            raise ValueError("admin_key is empty: an index that anybody may write to is not offered")
        self.storage = Storage(Path(path))
        self.meter = Meter()
        self.sealer = Sealer(admin_key)
        self._views = Views()
        self._admin = hashlib.sha256(admin_key.encode()).digest()

    def view(self, connection: sqlite3.Connection, collection: Collection) -> View:
        """The collection's live documents as of the connection's transaction."""
        return self._views.get(connection, collection.id, collection.version, collection.schema)

    def open(self, connection: sqlite3.Connection, name: str) -> tuple[Collection, View]:
        """The collection that a name or alias means, and its view; raises 404."""
        collection = get_collection(connection, name)
        return collection, self.view(connection, collection)

    def forget(self, collection: Collection) -> None:
        """Drops what is held of a collection that is gone."""
        self._views.forget(collection.id)

    @property
    def page_key(self) -> str:
        """A key for searches and nothing else, which the search page hands to whoever opens it.

        It follows from the admin key, so that it is the same in every process and after a restart, and needs no row.
        """
        return self.sealer.derived("search page")

    def authorise(self, key: str, action: str, collections: list[str]) -> dict[str, str]:
        """Raises 401 unless the key is good for the action on these collections, named as the request names them.

        Returns:
            The search parameters that a scoped key imposes; nothing for any other key.
        """
        given = hashlib.sha256(key.encode()).digest()
        if hmac.compare_digest(given, self._admin):
            return {}
        if action == SEARCH and self._is_page_key(key):
            return {}
        with self.storage.read() as connection:
            found = find_key(connection, key) if key else None
            if found is not None and found.allows(action, collections):
                return {}
            if found is None and action == SEARCH:
                imposed = embedded_parameters(connection, self.sealer, key, collections)
                if imposed is not None:
                    return imposed
        raise ApiError(401, FORBIDDEN)

    def _is_page_key(self, key: str) -> bool:
        # The length is no secret, and spares other keys the derivation.
        return len(key) == PAGE_KEY_LENGTH and hmac.compare_digest(key.encode(), self.page_key.encode())

    def close(self) -> None:
        """Closes the file."""
        self.storage.close()
