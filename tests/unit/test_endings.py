"""Components that end early do so once, whoever ends them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from statecore import Parallel, Step, Steps, Workflow
from statecore.core import BEGINNING, START, Event, advance
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
