"""The events of a Loop whose iterations begin and end in one commit, because nothing inside them calls code."""

from __future__ import annotations

import pytest

from statecore import Condition, Loop, Step, Workflow

IDLE = [Condition("never", [Step("a", lambda _: 1)], evaluator=False)]
BUSY = [Step("a", lambda _: 1)]


@pytest.mark.parametrize("steps", [IDLE, BUSY], ids=["idle", "busy"])
def test_iterations_are_counted_from_one(steps):
    """Each iteration is told with its number, from 1, whether its components call code or not."""
    run = Workflow("w", [Loop("l", steps, max_iterations=3)], store_events=True).run("x")
    told = [(each.event, each.iteration) for each in run.events if hasattr(each, "iteration")]
    assert told == [(f"LoopIteration{what}", number) for number in (1, 2, 3) for what in ("Started", "Completed")]
    assert [each.total_iterations for each in run.events if hasattr(each, "total_iterations")] == [3]


def test_a_loop_in_a_loop_begins_again_at_one():
    """The iterations of an inner Loop are counted anew in each iteration of the outer one."""
    inner = Loop("inner", IDLE, max_iterations=2)
    run = Workflow("w", [Loop("outer", [inner], max_iterations=2)], store_events=True).run("x")
    ended = [(each.step_name, each.to_dict()["iteration"]) for each in run.events if each.event == "LoopIterationCompleted"]
    assert ended == [("inner", 1), ("inner", 2), ("outer", 1), ("inner", 1), ("inner", 2), ("outer", 2)]
