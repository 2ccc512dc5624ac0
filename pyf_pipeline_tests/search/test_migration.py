from pathlib import Path

import httpx
import pytest

from pyf_pipeline.search import importing
from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.search.errors import IncompleteError, SearchError
from pyf_pipeline.search.migration import UNFINISHED, Migrated, migrate
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline_tests.search.conftest import Meddling, Send, contents, make_foreign, names, numbered


def exported(server: SearchServer, name: str) -> list[str]:
    return sorted(server.client.collections[name].documents.export().splitlines())


def schema(server: SearchServer, name: str) -> dict[str, object]:
    told = dict(server.client.collections[name].retrieve())
    return {key: value for key, value in told.items() if key not in {"name", "created_at", "metadata"}}


def test_a_copy_has_the_schema_and_all_documents(server: SearchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_DOCUMENTS", 7)
    Publisher(server).publish("plone", numbered(40))
    done = migrate(server, "plone", "backup")
    assert done == Migrated("plone-1", "backup", 40, done.bytes)
    assert exported(server, "backup") == exported(server, "plone-1")
    assert schema(server, "backup") == schema(server, "plone-1")
    assert server.client.collections["backup"].retrieve()["metadata"] == {"copy_of": "plone-1"}  # type: ignore[typeddict-item]


def test_a_copy_is_no_version_whatever_its_name(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(4))
    migrate(server, "plone", "plone-9")
    assert Publisher(server).publish("plone", numbered(4), rebuild=True).collection == "plone-2"
    Publisher(server).publish("plone", numbered(4), rebuild=True)
    assert names(server) == {"plone-2", "plone-3", "plone-9"}


def test_a_collection_goes_to_another_server(server: SearchServer, tmp_path: Path) -> None:
    other = connect_embedded(tmp_path / "other.sqlite3", "another key")
    make_foreign(server, "old")
    migrate(server, "old", "new", to=other)
    assert exported(other, "new") == exported(server, "old")
    assert names(server) == {"old"}
    other.close()


def test_texts_with_line_separators_stay_whole(server: SearchServer) -> None:
    make_foreign(server, "old", 0)
    text = "a\u2028b\x85c\x0bd\r\ne"
    server.client.collections["old"].documents.create({"id": "odd", "name": text})
    migrate(server, "old", "new")
    assert server.client.collections["new"].documents["odd"].retrieve()["name"] == text


def test_names_that_are_taken_or_mean_nothing_are_refused(server: SearchServer) -> None:
    Publisher(server).publish("plone", numbered(4))
    make_foreign(server, "other")
    with pytest.raises(SearchError, match="there is no collection nothing on the search server at"):
        migrate(server, "nothing", "new")
    with pytest.raises(SearchError, match="there is a collection other already"):
        migrate(server, "plone", "other")
    with pytest.raises(SearchError, match="plone is an alias"):
        migrate(server, "other", "plone")
    assert set(contents(server, "plone").values()) == {"one"}


def test_a_copy_that_is_not_whole_is_removed(server: SearchServer) -> None:
    make_foreign(server, "old")

    def lose_one(request: httpx.Request, send: Send) -> httpx.Response:
        if request.url.path.endswith("/new/documents/import"):
            lines = request.read().splitlines()[:-1]
            send(httpx.Request("POST", request.url, headers=request.headers, content=b"\n".join(lines)))
            return httpx.Response(200, content=b'{"success": true}\n' * 3)
        return send(request)

    Meddling(server, lose_one)
    with pytest.raises(IncompleteError, match="it holds 2 documents instead of 3"):
        migrate(server, "old", "new")
    assert names(server) == {"old"}


def test_what_a_killed_migration_left_is_replaced(server: SearchServer) -> None:
    make_foreign(server, "old")
    fields = [{"name": "name", "type": "string"}]
    server.client.collections.create({"name": "new", "fields": fields, "metadata": {UNFINISHED: "old"}})  # type: ignore[typeddict-unknown-key]
    assert migrate(server, "old", "new").documents == 3
