"""Child processes for tests: started apart from the tests' own, watched, and stopped with all that they started."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

Answer = TypeVar("Answer")

POLL_SECONDS = 0.1
STOP_SECONDS = 20.0


def clean_environment(home: Path) -> dict[str, str]:
    """An environment that knows nothing of whoever runs the tests: an empty HOME, no settings, nothing of Dagster's."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home)}


def free_port() -> int:
    """A port of this machine on which nothing listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    log: Path


class Processes:
    """Several processes, each with a log of its own; leaving the context ends them in the reverse order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: dict[str, _Child] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for child in reversed(self._children.values()):
            stop(child.process)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        user: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process in a group of its own, its output in a log."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                user=user,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._children[name] = _Child(process, log)
        return process

    def wait_for(self, what: str, ask: Callable[[], Answer | None], seconds: float) -> Answer:
        """Ask until there is an answer, which is then returned.

        Raises:
            AssertionError: None came in time, or a process ended meanwhile; with the ends of all logs.
        """
        deadline = time.monotonic() + seconds
        while not (answer := ask()):
            ended = [name for name, child in self._children.items() if child.process.poll() is not None]
            if ended:
                raise AssertionError(f"{', '.join(ended)} ended while waiting for {what}\n{self.logs()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds:.0f} seconds\n{self.logs()}")
            time.sleep(POLL_SECONDS)
        return answer

    def logs(self, characters: int = 4000) -> str:
        """The end of what each process wrote."""
        return "\n".join(
            f"--- {name} ---\n{child.log.read_text(errors='replace')[-characters:]}"
            for name, child in self._children.items()
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process in peace, and then whatever is left of its group by force."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
