"""How much memory processes have, as Linux counts it.

`ru_maxrss` will not do: a new process begins with what the one that started it had.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SAMPLE_SECONDS = 0.2


def own_peak() -> float:
    """Megabytes that this process has had at most."""
    return _kilobytes(Path("/proc/self/status"), "VmHWM:") / 1024


class Peak:
    """The most memory that a process and its descendants have had together, while it is being watched."""

    def __init__(self) -> None:
        self.megabytes = 0.0


@contextmanager
def watching(pid: int) -> Iterator[Peak]:
    """Sample the memory of a process and its descendants; what they share is counted once."""
    peak = Peak()
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak.megabytes = max(peak.megabytes, sum(map(_proportional, _tree(pid))) / 1024)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            # It ended meanwhile.
            continue
        for child in children:
            yield from _tree(int(child))


def _proportional(pid: int) -> float:
    try:
        return _kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")
    except OSError:
        # It ended meanwhile.
        return 0.0


def _kilobytes(path: Path, field: str) -> float:
    return next((float(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(field)), 0.0)
