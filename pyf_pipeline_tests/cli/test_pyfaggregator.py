import time
from pathlib import Path

import pytest
import yaml

from pyf_pipeline_tests.cli.conftest import Shell
from pyf_pipeline_tests.world import Fault

PLONE = "Framework :: Plone"
FLASK = "Framework :: Flask"


def test_an_incremental_run_with_no_state_fetches_all_and_the_next_one_nothing(shell: Shell) -> None:
    shell.ok("pyfaggregator", "-i", "-p", "plone")
    assert shell.documents("plone").keys() == shell.world.pypi.members(PLONE)
    again = shell.ok("pyfaggregator", "-i", "-p", "plone", "--json").json["assets"]
    assert again["raw_pypi_metadata"]["downloaded"] == 0
    assert again["typesense_collection"]["sent_bytes"] == 0


def test_a_target_makes_a_profile_that_is_kept(shell: Shell) -> None:
    ran = shell.ok("pyfaggregator", "-f", "-p", "plone", "-t", "Plone-Test", "-l", "5")
    assert "plone-test is a profile of its own from now on" in ran.err
    assert 0 < len(shell.documents("Plone-Test")) <= 5
    (file,) = (shell.home / "profiles").iterdir()
    (entry,) = yaml.safe_load(file.read_text())["profiles"].values()
    assert (entry["classifiers"], entry["collection"], entry["scheduled"]) == ([PLONE], "Plone-Test", False)
    assert "from now on" not in shell.ok("pyfaggregator", "-i", "-t", "Plone-Test").err
    assert shell.documents("Plone-Test").keys() == shell.world.pypi.members(PLONE)


def test_classifiers_stand_in_for_a_profile(shell: Shell) -> None:
    words = ("-ft", FLASK, "-ft", "Framework :: Django", "-t", "web")
    shell.ok("pyfaggregator", "-f", *words)
    wanted = shell.world.pypi.members(FLASK) | shell.world.pypi.members("Framework :: Django")
    assert shell.documents("web").keys() >= wanted - shell.world.pypi.members(PLONE)
    assert shell.ok("pyfaggregator", "-i", *words, "--json").json["assets"]["raw_pypi_metadata"]["downloaded"] == 0


def test_a_since_file_is_written_after_success_only(shell: Shell) -> None:
    file = Path(".since.flask")
    shell.world.faults.add(Fault(kind="status", status=404, route="simple"))
    assert shell("pyfaggregator", "-i", "-p", "flask", "-s", str(file)).code == 1
    assert not file.exists()
    shell.world.faults.clear()
    before = int(time.time())
    shell.ok("pyfaggregator", "-i", "-p", "flask", "-s", str(file))
    assert before <= int(file.read_text()) <= time.time()
    file.write_text("1\n")
    shell.world.faults.add(Fault(kind="status", status=404, route="simple"))
    assert shell("pyfaggregator", "-i", "-p", "flask", "-s", str(file)).code == 1
    assert file.read_text() == "1\n"


def test_a_since_file_is_a_lower_bound(shell: Shell) -> None:
    shell.ok("pyfaggregator", "-f", "-p", "flask")
    Path(".pyaggregator.since").write_text("2020-01-01T00:00:00\n")
    ran = shell.ok("pyfaggregator", "-i", "-p", "flask", "-s", "--json").json["assets"]
    recent = {name for name, document in shell.documents("flask").items() if document["upload_timestamp"] >= 1577836800}
    assert recent
    assert ran["raw_pypi_metadata"]["downloaded"] >= len(recent)
    ran = shell.ok("pyfaggregator", "-i", "-p", "flask", "-s", "--json").json["assets"]
    assert ran["raw_pypi_metadata"]["downloaded"] == 0


@pytest.mark.parametrize("content", ["yesterday", "", "1e999", "nan"])
def test_a_since_file_that_holds_no_time_is_refused(shell: Shell, content: str) -> None:
    Path("since").write_text(content)
    ran = shell("pyfaggregator", "-i", "-p", "flask", "-s", "since")
    assert ran.code == 1
    assert "delete it to begin anew" in ran.err


def test_a_failed_full_fetch_is_gone_on_with(shell: Shell) -> None:
    shell.world.faults.add(Fault(kind="status", status=404, route="project", match="^[n-z]"))
    shell.world.faults.add(Fault(kind="status", status=400, route="project", match="^[a-g]"))
    failed = shell("pyfaggregator", "-f", "-p", "django")
    assert failed.code == 1
    assert failed.err.splitlines()[-1].startswith("django: ")
    shell.world.faults.clear()
    again = shell.ok("pyfaggregator", "-i", "-p", "django", "--json").json["assets"]["raw_pypi_metadata"]
    assert 0 < again["downloaded"] < again["candidates"]
    assert shell.documents("django").keys() == shell.world.pypi.members("Framework :: Django")


def test_what_shrank_is_let_through_by_an_option(shell: Shell) -> None:
    world = shell.world.pypi
    for number in range(40):
        world.create(f"passing-{number}", [FLASK])
    shell.ok("pyfaggregator", "-i", "-p", "flask")
    for number in range(40):
        world.remove(f"passing-{number}")
    world.create("one-more", [FLASK])
    failed = shell("pyfaggregator", "-i", "-p", "flask")
    assert failed.code == 1
    assert "--allow-shrink" in failed.err
    shell.ok("pyfaggregator", "-i", "-p", "flask", "--allow-shrink")
    assert shell.documents("flask").keys() == world.members(FLASK)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one of the arguments -f/--first -i/--incremental is required"),
        (["-f", "-i", "-p", "plone"], "not allowed with argument"),
        (["-f"], "say which profile"),
        (["-f", "-p", "plon"], "there is no profile 'plon'; there are plone, django, flask"),
        (["-f", "-t", "nowhere"], "no profile has the collection 'nowhere'"),
        (["-f", "-ft", PLONE], "-ft needs -t NAME"),
        (["-f", "-ft", PLONE, "-p", "plone", "-t", "x"], "give one of them"),
        (["-f", "-ft", "Framework :: Plon", "-t", "x"], "did you mean 'Framework :: Plone'"),
        (["-f", "-ft", FLASK, "-t", "plone"], "'plone' is the collection of the profile plone"),
        (["-f", "-p", "flask", "-t", "plone"], "'plone' is the collection of the profile plone"),
        (["-f", "-p", "plone", "-t", "a/b"], "a key has lower-case letters"),
        (["-f", "-p", "plone", "-l", "0"], "is not a number of packages"),
    ],
)
def test_a_call_that_means_nothing_is_explained(shell: Shell, words: list[str], said: str) -> None:
    ran = shell("pyfaggregator", *words)
    assert ran.code == 2
    assert said in ran.err
    assert not (shell.home / "profiles").exists()


def test_the_default_profile_gives_way_to_one_that_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_PROFILE", "flask")
    assert shell.ok("pyfaggregator", "-i", "-l", "2", "--json").json["profile"] == "flask"
    assert shell.ok("pyfaggregator", "-i", "-p", "django", "-l", "2", "--json").json["profile"] == "django"
    monkeypatch.delenv("DEFAULT_PROFILE")
    Path(".env").write_text("DEFAULT_PROFILE=plone\n")
    assert shell.ok("pyfaggregator", "-i", "-l", "2", "--json").json["profile"] == "plone"
    monkeypatch.setenv("DEFAULT_PROFILE", "plon")
    assert "'plon' (DEFAULT_PROFILE)" in shell("pyfaggregator", "-i").err
