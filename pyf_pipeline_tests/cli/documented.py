"""The commands in the documentation, as a shell would read them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

BLOCK = re.compile(r"```(shell|crontab)\n(.*?)```", re.DOTALL)
LOOP = re.compile(r"for (\w+) in ([^;]+); do\n(.*?)done\n", re.DOTALL)
SCHEDULE = re.compile(r"^(?:\S+ ){4}\S+\s+cd \S+ && ")
OURS = ("pyfaggregator", "pyfgithub", "pyfupdater", "pyfsearch")


@dataclass(frozen=True)
class Command:
    """A command with the variables that are set for it."""

    words: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        return self.words[0] in OURS


def commands(text: str) -> list[Command]:
    """The commands in the blocks of a text, loops unrolled."""
    return [command for _, block in BLOCK.findall(text) for command in _lines(block)]


def sections(name: str) -> dict[str, str]:
    """The sections of a page, by the headings of the third level."""
    parts = re.split(r"^### (.+)$", (DOCS / name).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (re.split(r"^## ", part, flags=re.MULTILINE)[0] for part in parts[2::2]), strict=True))


def _lines(block: str) -> Iterator[Command]:
    for line in LOOP.sub(_unrolled, block).splitlines():
        if not line.strip():
            continue
        words = shlex.split(SCHEDULE.sub("", line).removeprefix(".venv/bin/"), comments=True)
        variables = {}
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            name, _, value = words.pop(0).partition("=")
            variables[name] = value
        yield Command(tuple(words), variables)


def _unrolled(loop: re.Match[str]) -> str:
    variable, values, body = loop.groups()
    return "".join(body.replace(f"${variable}", value) for value in values.split())
