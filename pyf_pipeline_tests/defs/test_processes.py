import subprocess
import sys

import pytest

from pyf_pipeline.defs.processes import Whereabouts, this_process, whereabouts
from pyf_pipeline_tests.defs.test_turns import IDENTIFY, a_process_that_is_gone


def test_this_process_runs() -> None:
    assert whereabouts(this_process()) is Whereabouts.RUNNING


def test_a_process_that_has_ended_is_gone() -> None:
    assert whereabouts(a_process_that_is_gone()) is Whereabouts.GONE


def test_one_that_was_killed_and_not_asked_after_is_gone() -> None:
    code = f"import sys; {IDENTIFY}; sys.stdout.flush(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        identity = process.stdout.readline().strip()
        assert whereabouts(identity) is Whereabouts.RUNNING
        process.kill()
        # Not reaped yet: it is a zombie until `wait`.
        while whereabouts(identity) is Whereabouts.RUNNING:
            pass
        assert whereabouts(identity) is Whereabouts.GONE
        process.wait()
        assert whereabouts(identity) is Whereabouts.GONE


@pytest.mark.parametrize("identity", ["", "unknown", "12", "x 1 2 3", "1 2 another-boot pid:[1]"])
def test_of_anything_else_nothing_is_known(identity: str) -> None:
    assert whereabouts(identity) is Whereabouts.UNKNOWN


def test_a_number_that_is_used_again_is_another_process() -> None:
    number, _, rest = this_process().partition(" ")
    started, _, machine = rest.partition(" ")
    assert whereabouts(f"{number} {int(started) - 1} {machine}") is Whereabouts.GONE
