"""The file in which a schedule keeps the time of its last successful run, in whole epoch seconds."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pyf_pipeline.cli.command import CommandError

DEFAULT = ".pyaggregator.since"


def read_since(path: Path) -> float:
    """The time in a file, in epoch seconds; 0 where there is no such file yet.

    A date as ISO 8601 has it is taken as well, in UTC where it names no zone.

    Raises:
        CommandError: The file is unreadable, or cannot be written when the time comes.
    """
    if not os.access(path.parent, os.W_OK):
        raise CommandError(f"{path}: a since file cannot be written there; give another path with -s")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return 0.0
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: cannot be read: {error}") from None
    try:
        return max(0.0, _seconds(text))
    except (ValueError, OverflowError):
        raise CommandError(
            f"{path}: holds {text[:40]!r} instead of a time in epoch seconds; correct it, or delete it to begin anew"
        ) from None


def _seconds(text: str) -> float:
    if text.lstrip("+-").replace(".", "", 1).isdigit():
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def write_since(path: Path, seconds: float) -> None:
    """Put a time into a file, in one go."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(f"{int(seconds)}\n")
    Path(name).chmod(0o644)
    Path(name).replace(path)
