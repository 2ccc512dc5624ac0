"""Every command in the documentation is one that there is."""

import argparse
import json
import re
from importlib import import_module

import dagster as dg
import pytest

from pyf_pipeline.definitions import defs
from pyf_pipeline_tests.cli.documented import DOCS, OURS, Command, commands

PAGES = sorted(page.name for page in DOCS.glob("*.md"))
EVERY = [(page, command) for page in PAGES for command in commands((DOCS / page).read_text())]
JOBS = {job.name for job in defs.jobs or []}


def test_there_are_commands_of_each_kind() -> None:
    assert {command.words[0] for _, command in EVERY} >= {*OURS[:3], "dagster"}


@pytest.mark.parametrize(
    "command", [command for _, command in EVERY if command.is_ours], ids=lambda command: " ".join(command.words)
)
def test_a_command_of_ours_parses(command: Command) -> None:
    options = import_module(f"pyf_pipeline.cli.{command.words[0]}").build().parse_args(command.words[1:])
    assert isinstance(options, argparse.Namespace)


@pytest.mark.parametrize("name", OURS)
def test_the_examples_of_the_help_texts_parse(name: str) -> None:
    module = import_module(f"pyf_pipeline.cli.{name}")
    # Two blanks stand between an example and what it is for.
    block = "".join(re.split(r"\s{2,}(?=\S)", line.strip())[0] + "\n" for line in module.EXAMPLES.splitlines())
    examples = commands(f"```shell\n{block}```")
    assert len(examples) >= 2
    for example in examples:
        assert module.build().parse_args(example.words[1:])


@pytest.mark.parametrize(
    "command",
    [command for _, command in EVERY if command.words[:2] == ("dagster", "job")],
    ids=lambda command: " ".join(command.words),
)
def test_a_job_that_is_named_exists(command: Command) -> None:
    assert command.words[command.words.index("-j") + 1] in JOBS


@pytest.mark.parametrize(
    "command",
    [command for _, command in EVERY if "--config-json" in command.words],
    ids=lambda command: command.words[-1],
)
def test_a_configuration_that_is_shown_is_valid(command: Command) -> None:
    words = command.words
    selected = set(words[words.index("--select") + 1].split(","))
    jobs = [defs.resolve_job_def(name) for name in JOBS]
    (job, *_) = (
        job for job in jobs if {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == selected
    )
    assert dg.validate_run_config(job, json.loads(words[words.index("--config-json") + 1]))
