"""One at a time: whoever changes what is behind a name holds the name's lock, which the search server keeps.

The server itself is what all who publish to it share, whichever machine and store they run with. A lock is a document
in a collection of its own, with the name as its id: creating it fails where it is there, and changing it by a filter
over its holder fails where another has it.

A holder renews its lock every few seconds. One that has not been renewed for a while is taken over, by a clock of the
one who waits, so that clocks need not agree; at once where the holder was a process on the same machine that is gone.
"""

import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
from typesense import Client
from typesense.exceptions import ObjectAlreadyExists, ObjectNotFound, TypesenseClientError

from pyf_pipeline.search.errors import LOST, BusyError, SearchError
from pyf_pipeline.search.naming import LOCKS

logger = logging.getLogger(__name__)

RENEWAL_SECONDS = 5.0
LEASE_SECONDS = 40.0
POLL_SECONDS = 0.5
ATTEMPTS = 5

# A publish of a large profile takes minutes.
PUBLISH_WAIT_SECONDS = 900.0
MANAGEMENT_WAIT_SECONDS = 45.0

SCHEMA = {"name": LOCKS, "fields": [{"name": "holder", "type": "string"}, {"name": "renewals", "type": "int64"}]}


class Lock:
    """A held lock.

    Attributes:
        name: The name that it is for.
    """

    def __init__(self, client: Client, name: str, holder: str) -> None:
        self.name = name
        self._client = client
        self._holder = holder
        self._renewals = 0
        self._renewing = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew_regularly, name=f"lock of {name}", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Make sure that the lock is still held; to be called before what must not be done by two at once.

        Raises:
            BusyError: Another has taken it over, as this process was stopped or cut off for too long.
        """
        if not self._renew():
            raise BusyError(
                f"another process has begun to publish {self.name}, as this one did not show itself for over "
                f"{LEASE_SECONDS:.0f} s; this one has stopped and left {self.name} to the other"
            )

    def release(self) -> None:
        """Give the lock back; where the server cannot be asked any more, it passes by itself."""
        self._ended.set()
        self._thread.join()
        try:
            _documents(self._client).delete({"filter_by": _held_by(self.name, self._holder)})
        except (httpx.TransportError, TypesenseClientError) as error:
            logger.warning("the lock of %s could not be given back, and passes by itself: %s", self.name, error)

    def _renew(self) -> bool:
        with self._renewing:
            self._renewals += 1
            changes = {"renewals": self._renewals}
            return _update(self._client, _held_by(self.name, self._holder), changes)

    def _renew_regularly(self) -> None:
        while not self._ended.wait(RENEWAL_SECONDS):
            try:
                self._renew()
            except (httpx.TransportError, TypesenseClientError) as error:
                # Whoever needs the lock finds out by `check`; until then the server may be back.
                logger.debug("the lock of %s could not be renewed: %s", self.name, error)


@contextmanager
def locked(client: Client, name: str, *, wait: float) -> Iterator[Lock]:
    """Hold the lock of a name for as long as the context lasts.

    Args:
        client: The client.
        name: The name that people search by.
        wait: For how many seconds to wait where another holds it.

    Raises:
        BusyError: Another held it all that time.
    """
    lock = Lock(client, name, _acquire(client, name, wait))
    try:
        yield lock
    finally:
        lock.release()


def _acquire(client: Client, name: str, wait: float) -> str:
    holder = uuid.uuid4().hex
    ours = {"id": name, "holder": holder, "renewals": 0, "since": int(time.time()), **_this_process()}
    deadline = time.monotonic() + wait
    seen: tuple[str, int] | None = None
    seen_at = 0.0
    while not _create(client, ours):
        held = _read(client, name)
        if held is None:
            continue
        if seen != (held["holder"], held["renewals"]):
            seen, seen_at = (held["holder"], held["renewals"]), time.monotonic()
            logger.info("waiting for process %s on %s, which is at work on %s", held["pid"], held["host"], name)
        abandoned = _is_gone(held) or time.monotonic() - seen_at > LEASE_SECONDS
        if abandoned and _update(client, f"{_held_by(*_key(held))} && renewals:={held['renewals']}", ours):
            logger.warning("process %s on %s died while it was at work on %s", held["pid"], held["host"], name)
            return holder
        if time.monotonic() > deadline:
            raise BusyError(_busy(held))
        time.sleep(POLL_SECONDS)
    return holder


def _busy(held: dict[str, Any]) -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(held["since"]))
    return (
        f"{held['id']} is being published or changed by process {held['pid']} on {held['host']} since {since}: "
        "try again when that is done"
    )


def _create(client: Client, document: dict[str, Any]) -> bool:
    """Take the lock where nobody has it; the collection of locks is made with the first one."""
    problem: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            _documents(client).create(document)
        except ObjectAlreadyExists:
            return False
        except ObjectNotFound:
            _make_collection(client)
        except LOST as error:
            held = _read(client, document["id"])
            if held is not None:
                return bool(held["holder"] == document["holder"])
            problem = error
            time.sleep(POLL_SECONDS)
        else:
            return True
    raise problem or SearchError(f"the collection {LOCKS} cannot be made: it exists, and is not found")


def _make_collection(client: Client) -> None:
    try:
        client.collections.create(cast("Any", SCHEMA))
    except (ObjectAlreadyExists, *LOST) as error:
        # It is there by now, which a node of a cluster may hear of a moment later; or the next attempt fails as well.
        logger.debug("the collection of locks is made by another: %s", error)
        time.sleep(POLL_SECONDS)


def _read(client: Client, name: str) -> dict[str, Any] | None:
    try:
        return cast("dict[str, Any]", _documents(client)[name].retrieve())
    except ObjectNotFound:
        return None


def _update(client: Client, condition: str, changes: dict[str, Any]) -> bool:
    """Change a lock where it is as the condition says."""
    values = {key: value for key, value in changes.items() if key != "id"}
    answer = cast("dict[str, Any]", _documents(client).update(values, {"filter_by": condition}))
    return bool(answer["num_updated"])


def _documents(client: Client) -> Any:
    return client.collections[LOCKS].documents


def _key(held: dict[str, Any]) -> tuple[str, str]:
    return held["id"], held["holder"]


def _held_by(name: str, holder: str) -> str:
    return f"id:=[`{name}`] && holder:=`{holder}`"


def _this_process() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": os.uname().nodename, "machine": _machine()}


def _machine() -> str:
    """What tells whether a process number means the same to two processes; "" where that cannot be known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _is_gone(held: dict[str, Any]) -> bool:
    """Whether the holder was a process on this machine that does not run any more."""
    if not held["machine"] or held["machine"] != _machine():
        return False
    try:
        os.kill(held["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
