import json
import time
from pathlib import Path

import pytest

from pyf_pipeline_tests.cli.conftest import Shell
from pyf_pipeline_tests.world import Fault

FIGURES = ("github_stars", "github_watchers", "github_open_issues")


def test_a_fetch_leaves_github_figures_as_they_are(shell: Shell) -> None:
    first = shell.ok("pyfaggregator", "-f", "-p", "plone", "--json").json
    assert "github_enrichment" not in first["assets"]
    assert not any("github_stars" in document for document in shell.documents("plone").values())
    shell.ok("pyfgithub", "-p", "plone", "-q")
    figures = {name: document.get("github_stars") for name, document in shell.documents("plone").items()}
    assert any(figures.values())
    again = shell.ok("pyfaggregator", "-f", "-p", "plone", "--json").json
    assert again["assets"]["typesense_collection"]["rebuilt"]
    assert {name: document.get("github_stars") for name, document in shell.documents("plone").items()} == figures


def test_a_second_enrichment_asks_for_nothing_unless_it_is_told_to(shell: Shell) -> None:
    shell.ok("pyfaggregator", "-i", "-p", "plone", "-q")
    first = shell.ok("pyfgithub", "-p", "plone", "--json").json["assets"]["github_enrichment"]
    assert first["asked"] >= first["enriched"] > 0
    second = shell.ok("pyfgithub", "-p", "plone", "--json").json["assets"]["github_enrichment"]
    assert (second["asked"], second["calls"], second["enriched"]) == (0, 0, first["enriched"])
    third = shell.ok("pyfgithub", "-p", "plone", "--refresh", "--json").json["assets"]["github_enrichment"]
    assert third["asked"] == first["asked"]


def test_one_package_is_asked_for_and_all_others_keep_their_figures(shell: Shell) -> None:
    shell.ok("pyfaggregator", "-i", "-p", "plone", "-q")
    shell.ok("pyfgithub", "-p", "plone", "-q")
    before = shell.documents("plone")
    name, document = next((name, document) for name, document in before.items() if "github_stars" in document)
    shell.world.github.set(*document["github_url"].split("/")[-2:], stars=12345)
    ran = shell.ok("pyfgithub", "-p", "plone", "-n", name.upper(), "-v")
    assert [line.split("\t")[2] for line in ran.out.splitlines() if line.startswith(f"{name}\t")] == ["12345"]
    after = shell.documents("plone")
    assert after[name]["github_stars"] == 12345
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {name}


def test_the_report_names_every_package_without_figures(shell: Shell) -> None:
    shell.ok("pyfaggregator", "-i", "-p", "plone", "-q")
    ran = shell.ok("pyfgithub", "-p", "plone", "-v", "--report-dir", "reports/today")
    report = json.loads(Path("reports/today/github-plone.json").read_text())
    named = {problem["package"] for problems in report.values() for problem in problems}
    documents = shell.documents("plone")
    assert named == {name for name, document in documents.items() if "github_stars" not in document}
    assert Path("reports/today/github-plone.md").stat().st_size
    assert {line.split("\t")[0] for line in ran.out.splitlines() if "\t" in line} == {"package", *documents}


def test_a_collection_is_found_by_its_name(shell: Shell) -> None:
    shell.ok("pyfaggregator", "-f", "-ft", "Framework :: Flask", "-t", "small", "-l", "3", "-q")
    assert shell.ok("pyfgithub", "-t", "small", "--json").json["profile"] == "small"
    assert any("github_stars" in document for document in shell.documents("small").values())


def test_a_cool_off_is_kept_between_calls(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.ok("pyfaggregator", "-i", "-p", "plone", "-q")
    # Without a token each repository is a call of its own.
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.setenv("GITHUB_COOLOFFTIME", "0.1")
    started = time.monotonic()
    ran = shell.ok("pyfgithub", "-p", "plone", "--json").json["assets"]["github_enrichment"]
    assert ran["calls"] > 5
    assert time.monotonic() - started >= 0.1 * (ran["calls"] - 1)


def test_a_limit_that_is_used_up_leaves_the_rest_for_the_next_run(shell: Shell) -> None:
    shell.ok("pyfaggregator", "-i", "-p", "plone", "-q")
    shell.world.github.remaining = 0
    ran = shell.ok("pyfgithub", "-p", "plone")
    assert "no_pending_repositories" in ran.err
    assert "resets" in ran.err
    assert shell.documents("plone")
    shell.world.github.remaining = 5000
    again = shell.ok("pyfgithub", "-p", "plone", "--json").json["assets"]["github_enrichment"]
    assert again["pending"] == 0
    assert again["enriched"] > 0


def test_a_bad_token_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.ok("pyfaggregator", "-i", "-p", "plone", "-q")
    monkeypatch.setenv("GITHUB_TOKEN", "not-a-token")
    ran = shell("pyfgithub", "-p", "plone", "-q")
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert "GITHUB_TOKEN" in line
    assert "not-a-token" not in line


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-p", "plone"], 1, "run `pyfaggregator -f -t plone`"),
        ([], 2, "say which profile"),
        (["-t", "nowhere"], 2, "no profile has the collection 'nowhere'; there are plone, django, flask"),
        (["-p", "plone", "-t", "flask"], 2, "no profile made from plone has the collection 'flask'"),
    ],
)
def test_what_cannot_be_enriched_is_explained(shell: Shell, words: list[str], code: int, said: str) -> None:
    ran = shell("pyfgithub", *words)
    assert (ran.code, said in ran.err) == (code, True)
    assert len(ran.err.splitlines()) == 1


def test_github_being_away_is_a_warning(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyf_pipeline.github.client.BACKOFF_SECONDS", 0.001)
    shell.ok("pyfaggregator", "-i", "-p", "plone", "-q")
    shell.world.faults.add(Fault(kind="status", status=503, route="graphql"))
    ran = shell.ok("pyfgithub", "-p", "plone")
    assert "pending" in ran.err
    assert shell.documents("plone")
