"""Components that end early do so once, whoever ends them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from statecore import Parallel, Step, Steps, Workflow
from statecore.core import BEGINNING, CANCEL, START, Event, Ref, advance, calls
from statecore.core.owed import references
from statecore.lifecycles import TABLES


def work(_step_input: Any) -> int:
    """Do nothing."""
    return 1


@pytest.mark.spec("RUN-3", "ERR-7")
def test_a_unit_that_was_left_is_not_finished_by_a_stop_in_it():
    """One branch fails and leaves the unit around the Parallel, another then says stop: each component takes one way out, and keeps to it."""
    branches = Parallel(Step("a", work), Step("b", work), Step("c", work), name="p")
    program = Workflow("w", [Steps("u", [branches], on_error="skip"), Step("z", work)]).compiled.program
    phases: dict[str, str] = defaultdict(lambda: "pending")
    state = BEGINNING
    for event in (START, Event("fail", "u/p/c"), Event("stop", "u/p/b"), Event("succeed", "u/p/a")):
        advanced = advance(program, state, event)
        state = advanced.state
        for move in advanced.moves:
            assert phases[move.at] == move.source
            assert move.source not in TABLES[move.machine].final
            phases[move.at] = move.dest
    assert state.run == "completed"


@pytest.mark.spec("RUN-3")
def test_the_output_that_ends_a_workflow_is_kept_while_a_sibling_runs():
    """The state refers to what said stop, until the call beside it is over."""
    program = Workflow("w", [Parallel(Step("a", work), Step("b", work), name="p")]).compiled.program
    running = advance(program, BEGINNING, START).state
    waits = advance(program, running, Event("stop", "p/a")).state
    assert references(waits) == {Ref("p/a", (), 0)}


LEFT = Steps("left", [Parallel(Step("x", work), Step("y", work), name="p")], on_error="skip")
ALONE = Workflow("inner", [LEFT])
BESIDE = Workflow("inner", [Parallel(LEFT, Step("q", work), name="both")])


@pytest.mark.spec("RUN-3", "ERR-7")
@pytest.mark.parametrize(
    ("inner", "answers"),
    [
        (ALONE, (Event("fail", "inner/left/p/y"), Event("stop", "inner/left/p/x"))),
        (ALONE, (Event("stop", "inner/left/p/x"), Event("fail", "inner/left/p/y"))),
        (
            BESIDE,
            (
                Event("fail", "inner/both/left/p/y"),
                Event("stop", "inner/both/left/p/x"),
                Event("succeed", "inner/both/q"),
            ),
        ),
    ],
)
def test_a_stop_inside_a_unit_that_is_left_ends_its_workflow_once(inner, answers):
    """A unit is left in which a step said stop: the workflow ends once, by the stop, and the step after it begins once, with its output."""
    program = Workflow("w", [inner, Step("pay", work)]).compiled.program
    state = advance(program, BEGINNING, START).state
    moves = []
    for event in answers:
        advanced = advance(program, state, event)
        state = advanced.state
        moves += [(move.at, move.dest) for move in advanced.moves]
    assert moves.count(("pay", "running")) == 1
    assert moves.count(("inner", "completed")) == 1
    [cursor] = state.cursors
    [said] = [event.at for event in answers if event.trigger == "stop"]
    assert cursor.prev == Ref(said, (), 0)
    assert state.endings == ()


@pytest.mark.spec("RUN-1")
def test_a_run_hands_on_what_it_completed_with():
    """The row with which a run completes says so; the rows before it, and that of a run that was cancelled, hand on nothing."""
    program = Workflow("w", [Step("a", work), Step("b", work)]).compiled.program
    state, rows = BEGINNING, []
    for event in (START, Event("succeed", "a"), Event("succeed", "b")):
        advanced = advance(program, state, event)
        state = advanced.state
        rows += [(move.dest, move.hands_on) for move in advanced.moves if move.machine == "run"]
    assert rows == [("running", None), ("completed", Ref("b", (), 0))]
    assert state.result == Ref("b", (), 0)
    began = advance(program, advance(program, BEGINNING, START).state, Event("succeed", "a")).state
    cancelled = [move for move in advance(program, began, CANCEL).moves if move.machine == "run"]
    assert [(move.dest, move.hands_on) for move in cancelled] == [("cancelled", None)]


@pytest.mark.spec("ERR-7")
def test_what_is_beside_an_ending_begins_at_once():
    """A unit that is left waits for its calls; a branch beside it goes on meanwhile, and inside it nothing begins any more."""
    left = Steps(
        "u",
        [Parallel(Step("a", work), Step("b", work), Steps("c", [Step("c1", work), Step("c2", work)]), name="p")],
        on_error="skip",
    )
    beside = Steps("v", [Step("v1", work), Step("v2", work)])
    program = Workflow("w", [Parallel(left, beside, name="both")]).compiled.program
    state = advance(program, BEGINNING, START).state
    for event, owed in (
        (Event("fail", "both/u/p/b"), {"both/u/p/a", "both/u/p/c/c1", "both/v/v1"}),
        (Event("succeed", "both/v/v1"), {"both/u/p/a", "both/u/p/c/c1", "both/v/v2"}),
        (Event("succeed", "both/u/p/c/c1"), {"both/u/p/a", "both/v/v2"}),
        (Event("succeed", "both/u/p/a"), {"both/v/v2"}),
        (Event("succeed", "both/v/v2"), set()),
    ):
        advanced = advance(program, state, event)
        state = advanced.state
        assert {call.at for call in calls(program, state)} == owed
        assert {move.attempt for move in advanced.moves} == {0}
    assert state.run == "completed"
