"""What the core refuses by name, and that it changes nothing."""

from __future__ import annotations

import pytest

from statecore.core import BEGINNING, REOPEN, START, Event, advance, compile_definition
from statecore.definition import Definition, Step
from statecore.errors import RefusedTrigger, StaleEvent

GATED = compile_definition(Definition("flow", (Step("ask", lambda _: None, requires_confirmation=True),))).program


@pytest.mark.spec("CONF-9")
@pytest.mark.parametrize("event", [Event("confirm", "other"), Event("confirm", "ask", (1,)), Event("confirm", "ask", (), 1)])
def test_an_event_of_what_is_not_there_is_stale(event):
    """Another place, another turn, another attempt: nobody stands there, and the refusal says so."""
    paused = advance(GATED, BEGINNING, START).state
    with pytest.raises(StaleEvent, match=event.at):
        advance(GATED, paused, event)
    assert advance(GATED, paused, Event("confirm", "ask")).state.run == "running"


@pytest.mark.spec("LAW-1")
def test_only_a_failed_run_is_reopened():
    """An order to go on is none to decide: a paused run refuses it."""
    with pytest.raises(RefusedTrigger, match="paused"):
        advance(GATED, advance(GATED, BEGINNING, START).state, REOPEN)


@pytest.mark.spec("LAW-1", "LAW-4")
def test_a_failed_run_takes_nothing_but_its_reopening():
    """A place of a failed run is still there, and no event reaches it: not even the one that it waited for."""
    program = compile_definition(Definition("flow", (Step("pay", lambda _: None),))).program
    running = advance(program, BEGINNING, START).state
    failed = advance(program, running, Event("fail", "pay")).state
    assert failed.run == "failed"
    with pytest.raises(RefusedTrigger, match="failed"):
        advance(program, failed, Event("succeed", "pay"))
    assert advance(program, failed, REOPEN).state.run == "running"


@pytest.mark.spec("TIME-1")
def test_what_has_no_deadline_does_not_expire():
    """A question that waits for ever cannot be late."""
    with pytest.raises(RefusedTrigger, match="expire"):
        advance(GATED, advance(GATED, BEGINNING, START).state, Event("expire", "ask"))
