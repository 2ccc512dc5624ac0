"""A PostgreSQL server of the tests' own, from the binaries that Debian's package `postgresql` installs."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from pyf_pipeline_tests.processes import POLL_SECONDS, free_port, stop

UNPRIVILEGED = ("postgres", "nobody")
START_SECONDS = 30


@dataclass(frozen=True)
class PostgreSQL:
    """Where a server answers, and to whom."""

    host: str
    port: int
    user: str
    password: str

    def rows(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self._connected(database) as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def run(self, database: str, statements: str) -> None:
        """Carry out statements that give nothing."""
        with self._connected(database) as cursor:
            cursor.execute(statements)

    @contextmanager
    def _connected(self, database: str) -> Iterator[Any]:
        connection = psycopg2.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, dbname=database
        )
        # Databases cannot be created inside a transaction.
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()


def binaries() -> Path | None:
    """The folder of the newest installed server's programs; None where there is none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(installed, key=lambda path: int(re.sub(r"\D.*", "", path.parent.name)), default=None)


@contextmanager
def serving() -> Iterator[PostgreSQL]:
    """A new, empty server on loopback, gone with its data at the end.

    The server refuses to run as root, so that where the tests do, it gets a user without rights.

    Raises:
        RuntimeError: It does not start; with what it said.
    """
    programs = binaries()
    if programs is None:
        raise RuntimeError("there is no initdb: install Debian's package postgresql, or put initdb on the PATH")
    # Not under pytest's folders, which only their owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="pyf-postgres-"))
    try:
        identity = _unprivileged(folder)
        password = os.urandom(16).hex()
        data = _initialised(programs, folder, password, identity)
        server = PostgreSQL("127.0.0.1", free_port(), "pyf", password)
        log = folder / "server.log"
        options = {
            "listen_addresses": server.host,
            "port": str(server.port),
            "unix_socket_directories": "",
            "fsync": "off",
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(data), *(f"--{key}={value}" for key, value in options.items())],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **identity,
            )
        try:
            _wait(server, process, log)
            yield server
        finally:
            stop(process)
    finally:
        shutil.rmtree(folder)


def _unprivileged(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = next(known[name] for name in UNPRIVILEGED if name in known)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _initialised(programs: Path, folder: Path, password: str, identity: dict[str, Any]) -> Path:
    data = folder / "data"
    secret = folder / "password"
    secret.write_text(password)
    command = [str(programs / "initdb"), "--pgdata", str(data), "--username", "pyf", "--pwfile", str(secret)]
    command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
    outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **identity)
    if outcome.returncode:
        raise RuntimeError(f"initdb failed:\n{outcome.stdout}{outcome.stderr}")
    return data


def _wait(server: PostgreSQL, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.rows("postgres", "SELECT 1")
        except psycopg2.OperationalError:
            time.sleep(POLL_SECONDS)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
