"""The examples do what they say: each command in their docstrings is run as it stands."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import shlex
import sys

import pytest

import statecore.examples
from statecore import Workflow
from statecore.cli import main

COMMAND = re.compile(r"^    \$ statecore (?P<line>.*?)(?: < /dev/null)?(?:\s+# exits (?P<code>\d))?$", re.MULTILINE)
MODULES = [name for _, name, _ in pkgutil.iter_modules(statecore.examples.__path__, "statecore.examples.")]
EXAMPLES = [name for name in MODULES if hasattr(importlib.import_module(name), "workflow")]

ENDS = {
    "analysis": [("COMPLETED", "detailed"), ("COMPLETED", "quick summary")],
    "cancellation": [("COMPLETED", "announce"), ("CANCELLED", None)],
    "condition": [("COMPLETED", "refund"), ("COMPLETED", "offer repair")],
    "confirmation": [("COMPLETED", "send"), ("COMPLETED", "log")],
    "decide_elsewhere": [("COMPLETED", "order")],
    "error_pause": [("COMPLETED", "invoice"), ("COMPLETED", "invoice"), ("PAUSED", None)],
}


def test_every_example_is_tested():
    """A new example without its expected ends is noticed."""
    assert {name.rpartition(".")[2] for name in EXAMPLES} == set(ENDS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_as_its_docstring_says(name, tmp_path, monkeypatch, capsys):
    """Every command ends with the exit code that stands beside it, and the runs end where the example says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    module = importlib.import_module(name)
    assert isinstance(module.workflow, Workflow)
    page = str(module.__doc__)
    commands = list(COMMAND.finditer(page))
    assert len(commands) == page.count("$ statecore")
    run_id = ""
    for found in commands:
        words = [run_id if word == "RUN" else word for word in shlex.split(found["line"])]
        assert main(words) == int(found["code"] or 0), found["line"]
        [run_id, *_] = [*re.findall(r"^Run (\w+) of", capsys.readouterr().out, re.MULTILINE), run_id]
    [db] = [path.name for path in tmp_path.iterdir() if path.name in ("statecore.db", "orders.sqlite")]
    assert ends(db, capsys) == ENDS[name.rpartition(".")[2]]


def ends(db, capsys):
    """How each run ended, oldest first, and which of its telling steps ran."""
    main(["runs", "--db", db, "--json"])
    rows = json.loads(capsys.readouterr().out)
    found = []
    for row in reversed(rows):
        main(["show", row["run_id"], "--db", db, "--json"])
        document = json.loads(capsys.readouterr().out)
        done = [step["step_name"] for step in leaves(document["step_results"]) if step["status"] == "completed"]
        telling = next((step for step in TELLING if step in done), None) if row["status"] == "COMPLETED" else None
        found.append((row["status"], telling))
    return found


TELLING = ("detailed", "quick summary", "refund", "offer repair", "send", "announce", "log", "order", "invoice")


def leaves(steps):
    """The steps of a tree that hold nothing."""
    for step in steps:
        yield from leaves(step["steps"]) if step["steps"] else [step]
