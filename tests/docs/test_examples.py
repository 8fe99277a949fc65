"""The examples do what they say: each command in their docstrings is run as it stands."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import shlex
import sys
import time

import pytest

import statecore.examples
from statecore import Workflow
from statecore.cli import main

COMMAND = re.compile(
    r"^    \$ statecore (?P<line>.*?)(?: < /dev/null)?(?:\s+# (?:exits (?P<code>\d)|(?P<later>a day later)))?$", re.MULTILINE
)
MODULES = [name for _, name, _ in pkgutil.iter_modules(statecore.examples.__path__, "statecore.examples.")]
EXAMPLES = [name for name in MODULES if hasattr(importlib.import_module(name), "workflow")]
A_DAY = 24 * 60 * 60

COMPLETED, CANCELLED, PAUSED = "COMPLETED", ("CANCELLED", None), ("PAUSED", None)
LATHE = "stock: nothing like a new lathe in stock; order: a new lathe ordered; notice:"
ENDS = {
    "analysis": [(COMPLETED, "detailed"), (COMPLETED, "quick summary")],
    "asking_from_a_step": [(COMPLETED, "20 of 28 is refunded"), (COMPLETED, "30 of 35 is refunded")],
    "cancellation": [(COMPLETED, "announced: deployed release-1.4 for staging"), CANCELLED],
    "condition": [
        (COMPLETED, "closed (refunded: broken lamp)"),
        (COMPLETED, "closed (sorry about the broken lamp; we offer to repair it)"),
    ],
    "confirmation": [(COMPLETED, "sent: Dear all, the office is closed on Friday."), (COMPLETED, "not sent")],
    "decide_elsewhere": [(COMPLETED, "ordered for 1440.0 with key RUN/order")],
    "error_pause": [(COMPLETED, "25.00 dollars"), (COMPLETED, "20.00 euros, not converted"), PAUSED],
    "iteration_review": [
        (
            COMPLETED,
            "published: The budget was agreed. The weather was discussed. The lunch was praised. Ada takes over in May.",
        ),
        (COMPLETED, "published: The budget was agreed. Ada takes over in May."),
        (COMPLETED, "published: The budget was agreed. The lunch was praised. Ada takes over in May."),
    ],
    "nested_workflow": [
        (COMPLETED, "announced: We move. [ok] [ok]"),
        CANCELLED,
        (COMPLETED, "announced: We move. [ok] [ok]"),
    ],
    "output_review": [
        (COMPLETED, "sent: Dear customer, the lamp is on its way, and we apologise for the delay."),
        (COMPLETED, "sent: Dear customer, the lamp is on its way."),
        (COMPLETED, "sent: It ships today."),
        CANCELLED,
        (COMPLETED, "sent: Tomorrow."),
    ],
    "parallel_pauses": [
        (COMPLETED, f"{LATHE} notice of a new lathe sent"),
        (COMPLETED, f"{LATHE} not done"),
        (COMPLETED, f"{LATHE} not done"),
    ],
    "payment": [(COMPLETED, "paid 1200 to ACME"), (COMPLETED, "paid 90 to ACME")],
    "route_selection": [
        (COMPLETED, "outage: website, email"),
        (COMPLETED, "outage: nobody was informed"),
        (COMPLETED, "outage: email, 3 numbers, calls"),
    ],
    "timeout": [(COMPLETED, "room 12 booked"), (COMPLETED, "room 14 is free again")],
    "tool_calls": [
        (COMPLETED, "30 is refunded for order 7"),
        (COMPLETED, "nothing is refunded for order 8: it was sent back already"),
    ],
    "user_input": [
        (COMPLETED, "receipt for train to Ghent: 42.50 on travel"),
        (COMPLETED, "receipt for lunch: 12.00 on food (with the auditors)"),
    ],
}


def test_every_example_is_tested():
    """A new example without its expected ends is noticed."""
    assert {name.rpartition(".")[2] for name in EXAMPLES} == set(ENDS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_as_its_docstring_says(name, tmp_path, monkeypatch, capsys):
    """Every command ends with the exit code that stands beside it, and each run ends, and hands on, what the example says."""
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
        if found["later"]:
            later(monkeypatch)
        words = [run_id if word == "RUN" else word for word in shlex.split(found["line"])]
        assert main(words) == int(found["code"] or 0), found["line"]
        [run_id, *_] = [*re.findall(r"^Run (\w+) of", capsys.readouterr().out, re.MULTILINE), run_id]
    [db] = [path.name for path in tmp_path.iterdir() if path.name in ("statecore.db", "orders.sqlite")]
    assert ends(db, capsys) == ENDS[name.rpartition(".")[2]]


def later(monkeypatch):
    """A day passes."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + A_DAY * 1_000_000_000)


def ends(db, capsys):
    """How each run ended, oldest first, and what it handed on."""
    main(["runs", "--db", db, "--json"])
    rows = json.loads(capsys.readouterr().out)
    found = []
    for row in reversed(rows):
        main(["show", row["run_id"], "--db", db, "--json"])
        document = json.loads(capsys.readouterr().out)
        found.append((row["status"], told(document) if row["status"] == "COMPLETED" else None))
    return found


def told(document):
    """What a run handed on; of the report that `analysis` wrote, what kind of analysis is in it."""
    if document["workflow_name"] != "analysis":
        return document["content"].replace(document["run_id"], "RUN")
    done = [step["step_name"] for step in leaves(document["step_results"]) if step["status"] == "completed"]
    return next(step for step in ("detailed", "quick summary") if step in done)


def leaves(steps):
    """The steps of a tree that hold nothing."""
    for step in steps:
        yield from leaves(step["steps"]) if step["steps"] else [step]
