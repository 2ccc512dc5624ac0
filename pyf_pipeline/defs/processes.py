"""Which process a run is in, told so that it can be known later whether that process still runs."""

import os
from enum import Enum
from pathlib import Path

# The tag by which a run names its process. The UI does not show tags with this prefix.
PROCESS_TAG = ".dagster/pyf_pipeline_process"


class Whereabouts(Enum):
    """What is known of a process."""

    RUNNING = "running"
    GONE = "gone"
    UNKNOWN = "unknown"


def this_process() -> str:
    """What tells this process from every other one, of whichever machine and time."""
    return _identity(os.getpid()) or "unknown"


def whereabouts(identity: str) -> Whereabouts:
    """Whether the process of a run still runs; of one that is not of this machine, nothing is known."""
    process, _, rest = identity.partition(" ")
    if not process.isdigit() or _machine(rest) != _machine(this_process().partition(" ")[2]):
        return Whereabouts.UNKNOWN
    return Whereabouts.RUNNING if _identity(int(process)) == identity else Whereabouts.GONE


def _identity(process: int) -> str:
    """A process by number, starting time, boot and namespace, as a number is used again; "" where that is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink()
        # The name in brackets may hold blanks; the starting time is the 20th field after it (proc_pid_stat(5)).
        status = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return ""
    # One that has ended and that its parent has not asked after yet is a zombie.
    return "" if status[0] == "Z" else f"{process} {status[19]} {boot} {namespace}"


def _machine(rest: str) -> str:
    """Boot and namespace, from what follows the number."""
    return rest.partition(" ")[2]
