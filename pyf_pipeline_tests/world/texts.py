"""README texts: one document model, rendered as Markdown, reStructuredText or plain text, and ways to spoil it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pyf_pipeline_tests.world.topics import Topic


@dataclass(frozen=True, slots=True)
class Subject:
    """What a README is about.

    Attributes:
        name: The project's name.
        module: The name under which it is imported.
        framework: Its framework as a person writes it, or "Python".
        topic: What it does.
        summary: Its summary line.
        history: (version, ISO date) of its releases, the newest first.
    """

    name: str
    module: str
    framework: str
    topic: Topic
    summary: str
    history: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Block:
    """A piece of a document: a heading, paragraph, list, code sample or image."""

    kind: str
    text: str = ""
    level: int = 1
    items: list[str] = field(default_factory=list)


_CHANGES = (
    "Fix a crash on sites without any content.",
    "Drop support for Python {old}.",
    "Support Python {new}.",
    "Add the option {option}.",
    "Speed up start-up by a third.",
    "Fix the layout for right-to-left languages.",
    "Update the translations.",
    "Correct the documentation of {option}.",
    "Require a newer {fw}.",
    "Handle time-outs of remote servers.",
    "Rename an internal module; the old name still works.",
    "Fix a race between two workers.",
)
_GUIDE = (
    "Start with the defaults; they are meant to be sensible for a site of medium size.",
    "If something does not behave as written here, that is a bug, and a report is welcome.",
    "Settings are read once at start-up, so a change needs a restart.",
    "The test suite is the best place to see how the parts fit together.",
    "On a busy site put a cache in front and look at the numbers before you tune anything.",
    "Every public function has type hints, and the type checker runs on every commit.",
    "Upgrades are described in the changelog; there is a step of its own where data has to move.",
    "Contributions of translations are as welcome as code.",
    "The project follows semantic versioning, and means it.",
)
_FOREIGN = (
    "Diese Erweiterung wurde für die Stadtbücherei Görlitz gebaut und läuft dort täglich.",
    "Développé à l'origine pour une médiathèque près de Besançon, où il tourne encore.",
    "Um agradecimento à equipe de São João, que testou cada versão.",
    "日本語のドキュメントも用意しています。ご意見をお待ちしています。",
    "该项目提供中文文档 欢迎反馈。",
    "Документация переводится добровольцами, присоединяйтесь.",
    "Děkujeme všem, kdo hlásí chyby. 🎉",
    "한국어 번역을 도와주실 분을 찾습니다 🙏",
)
_HOSTILE = (
    '<script>document.title = "owned";</script>',
    '<img src="missing.png" onerror="alert(1)" alt="broken">',
    '<a href="javascript:alert(document.cookie)">Documentation</a>',
    '<iframe src="https://tracker.example/frame"></iframe>',
    '<svg onload="alert(2)"><circle r="4"/></svg>',
    "<style>body { display: none }</style>",
    '<div style="position:fixed;top:0;left:0;width:100%"><p>never closed',
    '<form action="https://phish.example/"><input name="password"></form>',
    '<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgzKTwvc2NyaXB0Pg==">Demo</a>',
    "</textarea></title><b onmouseover=alert(4)>hover</b>",
)
_BROKEN_RST = (
    "Title with a short underline\n=====\n",
    ".. nosuchdirective:: value\n   :option: 3\n\n   body\n",
    "An *emphasis that never ends and a `reference_ without target\n",
    ".. include:: /etc/hostname\n",
    ".. raw:: html\n\n   <script>alert(5)</script>\n",
    "* a list\nwithout a blank line\n    * and odd indentation\n",
    "|undefined| substitution and [missing]_ citation\n",
    "======  =====\ncolumn  other\n======  ===\ntext that is too wide for it  x\n======  =====\n",
)


def readme(rng: random.Random, subject: Subject, markup: str, size: int) -> str:
    """A README of roughly `size` characters (never under the opening's length) in "md", "rst" or "txt"."""
    render = RENDERERS[markup]
    parts: list[str] = []
    length = 0
    for block in _blocks(rng, subject, size):
        text = render(block)
        parts.append(text)
        length += len(text) + 2
        if length >= size:
            break
    return "\n\n".join(parts) + "\n"


def with_hostile_html(rng: random.Random, text: str) -> str:
    """The text with HTML in it that must not reach a reader's browser."""
    return "\n\n".join([*rng.sample(_HOSTILE, 4), text, rng.choice(_HOSTILE)])


def with_broken_rst(rng: random.Random, text: str) -> str:
    """The text with reStructuredText in it that does not parse."""
    return "\n\n".join([text, *rng.sample(_BROKEN_RST, 3)])


def _blocks(rng: random.Random, subject: Subject, size: int) -> Iterator[Block]:
    topic = subject.topic
    yield Block("heading", subject.name)
    if rng.random() < 0.5:
        yield Block("image", f"build status|https://badges.example/{subject.module}.svg")
    first, *others = rng.sample(topic.pitch, len(topic.pitch))
    yield Block("paragraph", f"{topic.title} for {subject.framework}. {subject.summary}. {first}")
    if rng.random() < 0.6:
        yield Block("paragraph", " ".join([*others, rng.choice(_GUIDE)]))
    sections = [_features, _installation, _usage, _configuration]
    if rng.random() < 0.4:
        sections.append(_screenshot)
    if rng.random() < 0.3:
        sections.append(_foreign)
    for section in sections:
        yield from section(rng, subject)
    closing = [_contributing, _changelog] if rng.random() < 0.7 else [_changelog]
    for section in closing:
        yield from section(rng, subject)
    if size > 20_000:
        yield from _reference(rng, subject)
    yield from _guide(rng, subject)


def _features(rng: random.Random, subject: Subject) -> Iterator[Block]:
    features = subject.topic.features
    yield Block("heading", "Features", 2)
    yield Block("list", items=rng.sample(features, rng.randint(2, len(features))))


def _installation(rng: random.Random, subject: Subject) -> Iterator[Block]:
    yield Block("heading", "Installation", 2)
    yield Block("code", f"pip install {subject.name}", items=["shell"])
    if subject.framework == "Plone":
        yield Block("paragraph", "Then activate the add-on in the site setup.")
    elif subject.framework == "Django":
        yield Block("paragraph", f"Then add {subject.module} to INSTALLED_APPS and run the migrations.")
    elif subject.framework == "Flask":
        yield Block("paragraph", "Then create the extension and initialise it with your application.")


def _usage(rng: random.Random, subject: Subject) -> Iterator[Block]:
    first = subject.topic.call.split(".")[0].split("(")[0]
    yield Block("heading", rng.choice(("Usage", "Quick start", "Getting started")), 2)
    code = f"from {subject.module} import {first}\n\nresult = {subject.topic.call}\nprint(result)"
    yield Block("code", code, items=["python"])
    yield Block("paragraph", rng.choice(_GUIDE))


def _configuration(rng: random.Random, subject: Subject) -> Iterator[Block]:
    yield Block("heading", "Configuration", 2)
    prefix = subject.module.split(".")[-1].upper()[:12]
    yield Block("list", items=[f"{prefix}_{name}: {meaning}." for name, meaning in subject.topic.options])


def _screenshot(rng: random.Random, subject: Subject) -> Iterator[Block]:
    yield Block("heading", "Screenshots", 2)
    yield Block("image", f"screenshot|https://img.example/{subject.module}/screenshot-{rng.randrange(9)}.png")


def _foreign(rng: random.Random, subject: Subject) -> Iterator[Block]:
    yield Block("paragraph", " ".join(rng.sample(_FOREIGN, 2)))


def _contributing(rng: random.Random, subject: Subject) -> Iterator[Block]:
    yield Block("heading", rng.choice(("Contributing", "Support")), 2)
    yield Block("paragraph", " ".join(rng.sample(_GUIDE, 2)))


def _changelog(rng: random.Random, subject: Subject) -> Iterator[Block]:
    yield Block("heading", rng.choice(("Changelog", "Changes", "Release notes")), 2)
    for version, date in subject.history[:12]:
        yield Block("heading", f"{version} ({date})", 3)
        yield Block("list", items=[_change(rng, subject) for _ in range(rng.randint(1, 3))])


def _change(rng: random.Random, subject: Subject) -> str:
    return rng.choice(_CHANGES).format(
        old=f"3.{rng.randint(5, 8)}",
        new=f"3.{rng.randint(11, 13)}",
        option=rng.choice(subject.topic.options)[0],
        fw=subject.framework,
    )


def _reference(rng: random.Random, subject: Subject) -> Iterator[Block]:
    yield Block("heading", "Reference", 2)
    name = subject.topic.call.split(".")[0].split("(")[0]
    number = 0
    while True:
        number += 1
        option, meaning = rng.choice(subject.topic.options)
        yield Block("heading", f"{name}.step_{number}()", 3)
        yield Block("paragraph", f"{rng.choice(subject.topic.features)} See {option}: {meaning}.")
        yield Block("code", f"{name}.step_{number}({option.lower()}={rng.randrange(10_000)})", items=["python"])


def _guide(rng: random.Random, subject: Subject) -> Iterator[Block]:
    yield Block("heading", "Guide", 2)
    while True:
        yield Block("paragraph", " ".join(rng.sample(_GUIDE, 3)) + " " + rng.choice(subject.topic.features))


def _markdown(block: Block) -> str:
    if block.kind == "heading":
        return f"{'#' * block.level} {block.text}"
    if block.kind == "list":
        return "\n".join(f"- {item}" for item in block.items)
    if block.kind == "code":
        return f"```{block.items[0]}\n{block.text}\n```"
    if block.kind == "image":
        alt, url = block.text.split("|")
        return f"![{alt}]({url})"
    return block.text


def _rst(block: Block) -> str:
    if block.kind == "heading":
        return f"{block.text}\n{'=-~'[block.level - 1] * len(block.text)}"
    if block.kind == "list":
        return "\n".join(f"- {item}" for item in block.items)
    if block.kind == "code":
        return f".. code-block:: {block.items[0]}\n\n" + "\n".join(f"    {line}" for line in block.text.split("\n"))
    if block.kind == "image":
        alt, url = block.text.split("|")
        return f".. image:: {url}\n   :alt: {alt}"
    return block.text


def _plain(block: Block) -> str:
    if block.kind == "heading":
        return block.text.upper() if block.level == 1 else block.text
    if block.kind == "list":
        return "\n".join(f"  * {item}" for item in block.items)
    if block.kind == "image":
        return block.text.split("|")[1]
    return block.text


RENDERERS: dict[str, Callable[[Block], str]] = {"md": _markdown, "rst": _rst, "txt": _plain}
