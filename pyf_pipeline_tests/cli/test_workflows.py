"""Every workflow in the documentation, run as it is written there."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pytest

from pyf_pipeline_tests.cli.conftest import Ran, Shell, forget, fresh_settings, restored
from pyf_pipeline_tests.cli.documented import commands, sections
from pyf_pipeline_tests.world import Fault, Servers, World

PROFILES = {"plone": "Framework :: Plone", "django": "Framework :: Django", "flask": "Framework :: Flask"}
SECTIONS = sections("workflows.md")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, world: World, servers: Servers) -> Path:
    """The state of an installation that has been in use: three profiles, fetched and enriched."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as monkeypatch, restored():
        fresh_settings(folder, world, servers, monkeypatch)
        for profile in PROFILES:
            for command in (["pyfaggregator", "-f"], ["pyfgithub"]):
                forget()
                assert import_module(f"pyf_pipeline.cli.{command[0]}").main([*command[1:], "-p", profile, "-q"]) == 0
    return folder / "home"


@dataclass
class Course:
    """How a workflow is run, and what it has to come to.

    Attributes:
        check: Looks at what there is afterwards, and at what each command did.
        used: Whether it begins with an installation that has been in use.
        before: What happens right before a command, by the command's number.
    """

    check: Callable[[Shell, list[Ran]], None]
    used: bool = True
    before: dict[int, Callable[[Shell], None]] = field(default_factory=dict)


def members(shell: Shell, *profiles: str) -> set[str]:
    """The packages that belong to any of some profiles."""
    return set().union(*(shell.world.pypi.members(PROFILES[profile]) for profile in profiles))


def holds(name: str, *profiles: str) -> Callable[[Shell, list[Ran]], None]:
    def check(shell: Shell, _ran: list[Ran]) -> None:
        assert shell.documents(name).keys() == members(shell, *profiles)

    return check


def aliases(shell: Shell) -> dict[str, str]:
    return {row["alias"]: row["collection"] for row in shell.ok("pyfupdater", "-lsa", "--json").json}


def enriched(shell: Shell, name: str) -> bool:
    return any("github_stars" in document for document in shell.documents(name).values())


def limited(shell: Shell, _ran: list[Ran]) -> None:
    assert 0 < len(shell.documents("plone-test")) <= 50
    assert shell.documents("plone-app")
    assert all("plone-app" in name for name in shell.documents("plone-app"))


def released(shell: Shell) -> None:
    """A new package on PyPI, and a new release of an old one."""
    pypi = shell.world.pypi
    number = len(pypi)
    pypi.create(f"plone.newcomer{number}", [PROFILES["plone"]])
    pypi.release(min(pypi.members(PROFILES["plone"])), f"99.{number}")


def caught_up(shell: Shell, _ran: list[Ran]) -> None:
    holds("plone", "plone")(shell, _ran)
    assert any(document["version"].startswith("99.") for document in shell.documents("plone").values())
    assert enriched(shell, "plone")


def since_files(shell: Shell, ran: list[Ran]) -> None:
    assert all(one.out + one.err == "" for one in ran)
    assert sorted(path.name for path in Path().iterdir()) == [".since.django", ".since.flask", ".since.plone"]
    assert all(abs(int(path.read_text()) - time.time()) < 300 for path in Path().iterdir())
    caught_up(shell, ran)


def reported(shell: Shell, ran: list[Ran]) -> None:
    assert enriched(shell, "plone")
    assert "collective-almanac\t" in ran[1].out
    assert Path("reports/github-plone.md").exists()


def asked_again(shell: Shell, ran: list[Ran]) -> None:
    assert "asked 0," in ran[0].out
    assert "asked 0," not in ran[1].out


def use_up(shell: Shell) -> None:
    shell.world.github.remaining = 0
    shutil.rmtree(shell.home / "storage" / "github_enrichment")
    (shell.home / "store.sqlite3").unlink()
    shell.ok("pyfaggregator", "-i", "-p", "plone", "-q")


def give_back(shell: Shell) -> None:
    shell.world.github.remaining = 5000


def came_back(shell: Shell, ran: list[Ran]) -> None:
    assert "resets" in ran[0].err
    assert "pending 0," in ran[1].out
    assert enriched(shell, "plone")


def set_up(shell: Shell, ran: list[Ran]) -> None:
    holds("plone", "plone")(shell, ran)
    assert len(ran[2].out.strip()) >= 16
    assert ran[3].out == "plone\n"


def three_set_up(shell: Shell, ran: list[Ran]) -> None:
    for profile in PROFILES:
        holds(profile, profile)(shell, ran)
        assert enriched(shell, profile)
    assert len({one.out for one in ran[2::3]}) == 3
    assert len(shell.ok("pyfupdater", "-lssoa", "--json").json) == 3


def break_off(shell: Shell) -> None:
    shell.world.faults.add(Fault(kind="status", status=400, route="project", share=0.6))
    assert shell("pyfaggregator", "-f", "-p", "plone").code == 1
    shell.world.faults.clear()


def listed(shell: Shell, ran: list[Ran]) -> None:
    assert ran[1].out == "django\nflask\nplone\n"
    assert "plone\tplone-1" in ran[2].out


def snapshot(shell: Shell, ran: list[Ran]) -> None:
    before = shell.documents("django-v1")
    assert before == shell.documents("django")
    shell.world.pypi.create(f"django-newcomer{len(shell.world.pypi)}", [PROFILES["django"]])
    shell.ok("pyfaggregator", "-f", "-p", "django", "-q")
    assert shell.documents("django-v1") == before != shell.documents("django")


def follows(shell: Shell, _ran: list[Ran]) -> None:
    shell.ok("pyfaggregator", "-f", "-p", "django", "-q")
    now = aliases(shell)
    assert now["django-current"] == now["django"] == "django-2"


def gone(shell: Shell, ran: list[Ran]) -> None:
    assert "plone-test-1\t" in ran[2].out
    assert shell.ok("pyfupdater", "-lsn").out == "django\nflask\nplone\n"
    assert not list((shell.home / "profiles").iterdir())


def served_from_v2(shell: Shell, _ran: list[Ran]) -> None:
    assert aliases(shell)["plone"] == "plone-v2-1"
    holds("plone", "plone")(shell, _ran)
    assert enriched(shell, "plone")
    shell.ok("pyfaggregator", "-f", "-t", "plone-v2", "-q")
    assert aliases(shell)["plone"] == "plone-v2-2"
    shell.ok("pyfupdater", "--rollback", "-t", "plone")
    assert aliases(shell)["plone"] == "plone-1"


def rolled_back(shell: Shell, ran: list[Ran]) -> None:
    assert ran[1].out == "plone leads to plone-1 instead of plone-2\n"


def verified(shell: Shell, ran: list[Ran]) -> None:
    assert {"plone-1", "django-1", "flask-1"} == {row["collection"] for row in ran[0].json}
    assert ran[1].json["success"]
    assert ran[1].json["assets"]["typesense_collection"]["documents"] == len(shell.documents("plone"))
    assert ran[1].json["warnings"] == []


WORKFLOWS = {
    "Full fetch by profile": Course(holds("plone", "plone"), used=False),
    "Full fetch with a limit": Course(limited, used=False),
    "Full fetch by classifiers": Course(holds("web", "flask", "django"), used=False),
    "Incremental": Course(caught_up, before={0: released}),
    "Incremental with classifiers": Course(holds("web", "flask", "django"), used=False),
    "Scheduled by cron, with a since file for each profile": Course(since_files, before={0: released}),
    "Enrichment by profile": Course(reported),
    "Enrichment by collection": Course(
        lambda shell, _: _assert(enriched(shell, "plone-test")),
        used=False,
        before={
            0: lambda shell: _assert(shell.ok("pyfaggregator", "-f", "-p", "plone", "-t", "plone-test", "-l", "5"))
        },
    ),
    "Cool-off": Course(lambda shell, _: _assert(enriched(shell, "plone"))),
    "Re-enrichment": Course(asked_again),
    "Rate limit exceeded": Course(came_back, before={0: use_up, 1: give_back}),
    "Initial set-up": Course(set_up, used=False),
    "Three profiles from scratch, with search-only keys": Course(three_set_up, used=False),
    "Maintenance in a loop": Course(caught_up, before={0: released}),
    "Daily maintenance": Course(caught_up, before={0: released}),
    "Recovery after a failure": Course(holds("plone", "plone"), used=False, before={0: break_off}),
    "Listing": Course(listed),
    "A versioned snapshot": Course(snapshot),
    "An alias": Course(follows),
    "A test collection": Course(gone),
    "A versioned update": Course(served_from_v2),
    "Rebuilding and rolling back": Course(rolled_back),
    "Verifying a collection": Course(verified),
}


def _assert(value: object) -> None:
    assert value


def test_every_workflow_is_run() -> None:
    assert list(SECTIONS) == list(WORKFLOWS)


@pytest.fixture
def used(shell: Shell, kept: Path) -> Iterator[Shell]:
    """An installation that has been in use."""
    shutil.copytree(kept, shell.home, dirs_exist_ok=True)
    yield shell
    shell.world.github.remaining = 5000


@pytest.mark.parametrize("heading", WORKFLOWS)
def test_a_workflow(
    heading: str, shell: Shell, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = WORKFLOWS[heading]
    if course.used:
        request.getfixturevalue("used")
    ours = [command for command in commands(SECTIONS[heading]) if command.is_ours]
    assert ours
    ran = []
    for number, command in enumerate(ours):
        course.before.get(number, lambda _: None)(shell)
        with monkeypatch.context() as variables:
            for name, value in command.variables.items():
                variables.setenv(name, value)
            ran.append(shell.ok(*command.words))
    course.check(shell, ran)
