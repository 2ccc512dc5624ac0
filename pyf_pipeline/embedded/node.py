"""What is asked of a node and not of its data: its state, its figures, and the operations on it.

https://typesense.org/docs/29.0/api/cluster-operations.html. A node on its own has no vote to win and no follower to
wait for; it says so as a Typesense that runs alone does.
"""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from pyf_pipeline.embedded.errors import ApiError, bad_request
from pyf_pipeline.embedded.messages import Answer, Request, json_answer
from pyf_pipeline.embedded.service import Service

VERSION = "29.0"
SNAPSHOT_NAME = "index.sqlite3"


def health(_: Service, __: Request) -> Answer:
    """GET /health."""
    return json_answer({"ok": True})


def debug(_: Service, __: Request) -> Answer:
    """GET /debug: the version that is spoken, and the state of a leader."""
    return json_answer({"state": 1, "version": VERSION})


def status(_: Service, __: Request) -> Answer:
    """GET /status."""
    return json_answer({"committed_index": 0, "queued_writes": 0, "state": "LEADER"})


def stats(service: Service, _: Request) -> Answer:
    """GET /stats.json: requests of the last ten seconds."""
    return json_answer(service.meter.figures())


def metrics(service: Service, _: Request) -> Answer:
    """GET /metrics.json: figures of the machine and of this process, as texts; "0" where the system tells none."""
    disk = shutil.disk_usage(service.storage.path.parent)
    memory = _pairs(Path("/proc/meminfo"))
    total = memory.get("MemTotal", 0) * 1024
    received, sent = _network()
    resident = _pairs(Path("/proc/self/status")).get("VmRSS", 0) * 1024
    found: dict[str, float] = {
        "system_cpu_active_percentage": _cpu_percentage(), "system_disk_total_bytes": disk.total,
        "system_disk_used_bytes": disk.used, "system_memory_total_bytes": total,
        "system_memory_used_bytes": total - memory.get("MemAvailable", 0) * 1024,
        "system_network_received_bytes": received, "system_network_sent_bytes": sent,
        "typesense_memory_active_bytes": resident, "typesense_memory_allocated_bytes": resident,
        "typesense_memory_mapped_bytes": resident, "typesense_memory_metadata_bytes": 0,
        "typesense_memory_resident_bytes": resident, "typesense_memory_retained_bytes": 0,
    }  # fmt: skip
    shown = {k: f"{v:.2f}" if k.endswith("percentage") else str(v) for k, v in found.items()}
    return json_answer({**shown, "typesense_memory_fragmentation_ratio": "0.00"})


def _lines(path: Path) -> list[str]:
    with contextlib.suppress(OSError):  # not every system has /proc
        return path.read_text().splitlines()
    return []


def _pairs(path: Path) -> dict[str, int]:
    """The numbers of lines such as `MemTotal: 123 kB`."""
    parts = [line.replace(":", " ").split() for line in _lines(path)]
    return {p[0]: int(p[1]) for p in parts if len(p) > 1 and p[1].isdigit()}


def _network() -> tuple[int, int]:
    rows = [line.partition(":")[2].split() for line in _lines(Path("/proc/net/dev")) if ":" in line]
    return sum(int(r[0]) for r in rows), sum(int(r[8]) for r in rows)


def _cpu_percentage() -> float:
    return min(100.0, 100 * os.getloadavg()[0] / (os.cpu_count() or 1))


def vote(_: Service, __: Request) -> Answer:
    """POST /operations/vote: there is nobody to vote."""
    return json_answer({"success": False})


def done(_: Service, __: Request) -> Answer:
    """POST /operations/cache/clear: nothing is kept that would have to be cleared."""
    return json_answer({"success": True})


def compact(service: Service, _: Request) -> Answer:
    """POST /operations/db/compact: gives the space of what was deleted back to the system."""
    service.storage.compact()
    return json_answer({"success": True})


def configure(_: Service, request: Request) -> Answer:
    """POST /config: settings of a node; none of them changes an answer."""
    if not isinstance(request.json(), dict):
        raise bad_request("Bad JSON.")
    return json_answer({"success": True}, 201)


def snapshot(service: Service, request: Request) -> Answer:
    """POST /operations/snapshot: a copy of the index, as of now, in a folder of the machine that this runs on."""
    folder = request.query.get("snapshot_path", "")
    if not folder:
        raise bad_request("Parameter `snapshot_path` is required.")
    try:
        service.storage.copy_to(Path(folder) / SNAPSHOT_NAME)
    except (OSError, ValueError, sqlite3.OperationalError) as error:
        raise ApiError(500, f"Unable to create the snapshot: {error}") from error
    return json_answer({"success": True}, 201)
