"""The way of a call is short: how many files of the package one call passes, and how deep, counted by a profiler while it runs."""

from __future__ import annotations

import pytest

import statecore
from statecore import SqliteDb, Step, Workflow
from tests.docs.travelling import result
from tests.laws.ways import way


@pytest.fixture
def flow(tmp_path):
    """A workflow on a store in a file, in which everything was used once, so that nothing is opened or compiled any more."""
    workflow = Workflow("way", [Step("collect", lambda _: "x")], SqliteDb(db_file=tmp_path / "runs.db"))
    workflow.run()
    return workflow


@pytest.fixture
def gated(tmp_path):
    """The same with a gate; a run of it was decided and ended."""
    workflow = Workflow("gated", [Step("pay", lambda _: "x", requires_confirmation=True)], SqliteDb(db_file=tmp_path / "gated.db"))
    run_id = workflow.run().run_id
    workflow.decide(run_id, workflow.list_pauses(run_id=run_id)[0].pause_id, "confirm")
    workflow.continue_run(run_id=run_id)
    return workflow


def test_a_step_passes_few_files(flow):
    """A run of one step through SQLite, begun and ended, passes at most 34 files and is at most 22 deep."""
    found = way(flow.run)
    assert {"workflow/running.py", "runtime/sync.py", "stores/sql3/writing.py"} <= set(found.files)
    assert len(found.files) <= 35, found.files
    assert found.depth <= 22


def test_a_plain_step_passes_twenty_files_and_is_twelve_deep(tmp_path):
    """From the return of one step to the call of the next, the run on a file: at most 20 files, and at most 12 frames of the package."""
    passed = result(tmp_path / "runs.db")
    assert len({each.file for each in passed}) <= 20
    assert max(each.depth for each in passed) <= 12


def test_a_review_passes_few_files(gated):
    """A run up to its question, the list of questions, the decision, and the run after it: no longer than when this was measured."""
    runs, pauses = [], []
    ways = {
        "run": way(lambda: runs.append(gated.run().run_id)),
        "list_pauses": way(lambda: pauses.extend(gated.list_pauses(run_id=runs[0]))),
        "decide": way(lambda: gated.decide(runs[0], pauses[0].pause_id, "confirm")),
        "continue_run": way(lambda: gated.continue_run(run_id=runs[0])),
    }
    longest = {"run": (39, 22), "list_pauses": (24, 19), "decide": (25, 17), "continue_run": (40, 23)}
    assert {name: (len(found.files), found.depth) for name, found in ways.items() if len(found.files) > longest[name][0]} == {}
    assert {name: found.depth for name, found in ways.items() if found.depth > longest[name][1]} == {}


def test_a_way_counts_what_it_passes(tmp_path):
    """The count can fail: a call of one function of the package is one file and one deep; one of another's is none."""
    assert way(lambda: statecore.errors.suggest("stpe", ["step"])).files == ["errors/base.py"]
    assert (way(tmp_path.exists).files, way(tmp_path.exists).depth) == ([], 0)
