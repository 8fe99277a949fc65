"""When several things happen at once, they happen at one instant: the last of theirs."""

from __future__ import annotations

import pytest

from statecore.core import BEGINNING, START, Event, advance, compile_definition
from statecore.definition import Definition, Parallel, Step


@pytest.mark.spec("TIME-1", "RUN-2")
@pytest.mark.parametrize("times", [(5, 9), (9, 5), (9, 9)])
def test_events_that_come_together_have_one_instant(times):
    """Delays and deadlines that begin in one boundary count from its instant, whatever the order of its events."""
    steps = [Step(name, lambda _: 1, max_retries=1, retry_delay=0.00001) for name in "ab"]  # ten microseconds
    program = compile_definition(Definition("flow", (Parallel(*steps, name="both"),))).program
    running = advance(program, BEGINNING, START).state
    events = [Event("fail", f"both/{name}", time=time) for name, time in zip("ab", times, strict=True)]
    assert [cursor.marks.due for cursor in advance(program, running, *events).state.cursors] == [19, 19]
