import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyf_pipeline.search.client import SearchServer, connect_embedded
from pyf_pipeline.search.publish import Publisher
from pyf_pipeline.settings import NO_SERVER_KEY
from pyf_pipeline_tests.cli.conftest import Shell
from pyf_pipeline_tests.search.conftest import make_foreign, numbered


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[SearchServer]:
    """The server that commands see: two profiles are published, and another tool has a collection there."""
    server = connect_embedded(Path(environment["PYF_HOME"]) / "search.sqlite3", NO_SERVER_KEY)
    publisher = Publisher(server)
    publisher.publish("plone", numbered(3))
    publisher.publish("plone", numbered(3), rebuild=True)
    publisher.publish("django", numbered(2))
    make_foreign(server, "theirs")
    yield server
    server.close()


def test_what_is_there_is_listed(shell: Shell, server: SearchServer) -> None:
    assert shell.ok("pyfupdater", "-lsn").out == "django\nplone\ntheirs\n"
    assert shell.ok("pyfupdater", "-lsn", "--json").json == ["django", "plone", "theirs"]
    assert shell.ok("pyfupdater", "-lsa").out == "alias\tcollection\ndjango\tdjango-1\nplone\tplone-2\n"
    rows = [line.split("\t") for line in shell.ok("pyfupdater", "-ls").out.splitlines()]
    assert rows[0] == ["collection", "documents", "created", "aliases"]
    assert [(row[0], row[1], row[3]) for row in rows[1:]] == [
        ("django-1", "2", "django"),
        ("plone-1", "3", "-"),
        ("plone-2", "3", "plone"),
        ("theirs", "3", "-"),
    ]
    assert all(row["created"].startswith("20") for row in shell.ok("pyfupdater", "-ls", "--json").json)


def test_an_empty_server_lists_nothing(shell: Shell) -> None:
    assert shell.ok("pyfupdater", "-lsn").out == ""
    assert shell.ok("pyfupdater", "-ls", "--json").json == []


def test_keys_are_made_listed_without_value_and_removed(shell: Shell, server: SearchServer) -> None:
    made = shell.ok("pyfupdater", "--add-search-only-apikey", "-p", "plone")
    value = made.out.strip()
    assert len(value) >= 16
    own = shell.ok(
        "pyfupdater", "--add-search-only-apikey", "-t", "theirs", "-key", "my-own-value-for-it", "--json"
    ).json
    assert own["value"] == "my-own-value-for-it"
    listed = shell.ok("pyfupdater", "-lssoa")
    assert "plone, plone-[0-9]+" in listed.out
    assert value not in listed.out + listed.err
    refused = shell("pyfupdater", "--delete-apikey", str(own["id"]))
    assert refused.code == 1
    assert "-f does it without asking" in refused.err
    shell.ok("pyfupdater", "--delete-apikey", str(own["id"]), "-f")
    assert "theirs" not in shell.ok("pyfupdater", "-lssoa").out
    assert shell("pyfupdater", "--delete-apikey", str(own["id"]), "-f").code == 1


def test_a_name_is_removed_with_all_versions(shell: Shell, server: SearchServer) -> None:
    assert shell("pyfupdater", "--delete-collection", "plone").code == 1
    ran = shell.ok("pyfupdater", "--delete-collection", "plone", "-f", "--json").json
    assert ran["removed"] == ["plone-1", "plone-2"]
    assert shell.ok("pyfupdater", "-lsn").out == "django\ntheirs\n"
    shell.ok("pyfupdater", "--delete-collection", "theirs", "-f")
    gone = shell("pyfupdater", "--delete-collection", "theirs", "-f")
    assert (gone.code, gone.err) == (1, "pyfupdater: there is no collection theirs\n")


def test_aliases_of_what_is_removed_are_named_before_they_go(shell: Shell, server: SearchServer) -> None:
    shell.ok("pyfupdater", "--add-alias", "-s", "cms", "-t", "plone")
    assert "cms would lead nowhere" in shell("pyfupdater", "--delete-collection", "plone").err
    assert shell.ok("pyfupdater", "--delete-collection", "plone", "-f", "--json").json["aliases"] == ["cms"]
    assert shell.ok("pyfupdater", "-lsa", "--json").json == [{"alias": "django", "collection": "django-1"}]


def test_an_alias_by_hand_is_removed_alone(shell: Shell, server: SearchServer) -> None:
    shell.ok("pyfupdater", "--add-alias", "-s", "shop", "-t", "theirs")
    refused = shell("pyfupdater", "--delete-collection", "shop", "-f")
    assert "an alias of theirs; see --delete-alias" in refused.err
    shell.ok("pyfupdater", "--delete-alias", "shop", "-f")
    assert "theirs" in shell.ok("pyfupdater", "-lsn").out


def test_a_rollback_leads_back_whatever_the_name_leads_to(shell: Shell, server: SearchServer) -> None:
    assert shell.ok("pyfupdater", "--rollback", "-p", "plone").out == "plone leads to plone-1 instead of plone-2\n"
    shell.ok("pyfupdater", "--add-alias", "-s", "plone", "-t", "django")
    assert shell.ok("pyfupdater", "--rollback", "-t", "plone", "--json").json["collection"] == "plone-2"
    failed = shell("pyfupdater", "--rollback", "-p", "django")
    assert failed.code == 1
    assert "no version before" in failed.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "is required"),
        (["-ls", "-lsa"], 2, "not allowed with argument"),
        (["--migrate", "-s", "plone"], 2, "needs -s, the collection to copy, and -t, the new one"),
        (["--add-alias", "-t", "plone"], 2, "needs -s, the alias"),
        (["-lsn", "-key", "value"], 2, "-key goes with --add-search-only-apikey"),
        (["--delete-apikey", "first", "-f"], 2, "-lssoa lists them"),
        (["--rollback", "-p", "plon"], 2, "there are plone, django, flask"),
        (["--add-search-only-apikey"], 2, "say which profile"),
        (["--add-search-only-apikey", "-p", "plone", "-key", "short"], 1, "can be guessed"),
        (["--migrate", "-s", "nothing", "-t", "copy"], 1, "there is no collection nothing"),
        (["--migrate", "-s", "plone", "-t", "theirs"], 1, "delete it first, or give another name"),
        (["--add-alias", "-s", "theirs", "-t", "plone"], 1, "theirs is a collection"),
        (["--recreate-collection", "-p", "plone"], 1, "run `pyfaggregator -f -t plone`"),
    ],
)
def test_what_cannot_be_done_is_explained(
    shell: Shell, server: SearchServer, words: list[str], code: int, said: str
) -> None:
    before = shell.ok("pyfupdater", "-ls").out
    ran = shell("pyfupdater", *words)
    assert (ran.code, said in ran.err) == (code, True), ran.err
    assert shell.ok("pyfupdater", "-ls").out == before


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_a_person_is_asked(shell: Shell, server: SearchServer, answer: str, code: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pyf_pipeline.cli.pyfupdater", "--delete-collection", "theirs"]
    with subprocess.Popen(command, stdin=theirs, stderr=subprocess.PIPE, text=True) as process:
        os.write(ours, answer.encode())
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(30) == code
    os.close(ours)
    os.close(theirs)
    assert "Remove theirs with 3 documents? [y/N]" in said
    assert ("theirs" in shell.ok("pyfupdater", "-lsn").out) is bool(code)
