"""What an import leaves out: who runs a workflow in memory loads no database, no event loop and none of what only some programs use."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATER = {
    "asyncio",
    "sqlite3",
    "concurrent.futures",
    "http",
    "socket",
    "tempfile",
    "transitions",
    "difflib",
    "zoneinfo",
    "statecore.output.events",
    "statecore.check",
    "statecore.draw",
    "statecore.cli",
}
CASES = {
    "import statecore": {"attr", "statecore.core"},
    "from statecore import Step, Workflow": {"click", "statecore.stores.sqlite.store"},
    "from statecore import SqliteDb": {"click", "statecore.runtime"},
}


@pytest.mark.parametrize("code", CASES)
def test_an_import_loads_only_what_it_needs(code):
    """A fresh interpreter has none of the modules that other uses need."""
    wanted = LATER - {"sqlite3"} if "SqliteDb" in code else LATER
    script = f"import sys; before = set(sys.modules); {code}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "statecore" in loaded
    assert loaded & (wanted | CASES[code]) == set()


def test_what_was_left_out_is_there_when_it_is_used():
    """A stream, a decision in another zone and a misspelt name find their modules when they come."""
    script = """
import sys
from datetime import UTC, datetime
from statecore import Step, Workflow
flow = Workflow("late", [Step("a", lambda step_input: datetime.now(UTC))])
names = [type(event).__name__ for event in flow.run("x", stream=True)]
print(names[0], names[-1], "statecore.output.events" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["WorkflowStartedEvent", "WorkflowCompletedEvent", "True"]
