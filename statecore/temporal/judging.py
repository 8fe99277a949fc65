"""Judging a decision before it is in the history: the same pure calls as those that take it, on copies. Nothing that passes can stop its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.codec import decode
from statecore.core import advance, asks
from statecore.errors import InvalidInput, StatecoreError
from statecore.output.answers import fitting
from statecore.stores import Decided
from statecore.workflow.ready import decision_event

from .values import MARK
from .wire import read

if TYPE_CHECKING:
    from statecore.drivers import Execution

    from .ledger import Ledger

PAUSE = "a pause"


def judged(execution: Execution, ledger: Ledger, plain: Any, time: int) -> Decided:
    """The decision of an update or a signal, at this instant. Raises a named refusal, and nothing else, whatever was sent.

    A client has judged it before; this is for what came meanwhile, and for whoever speaks to Temporal without this package.
    """
    try:
        new = evolve(read(Decided, plain), time=time)
        ledger.copy().decide(new)
        check_effect(execution, ledger, new)
    except StatecoreError:
        raise
    except Exception as error:
        why = f"it has not the form of a decision ({type(error).__name__}: {error})"
        raise InvalidInput(PAUSE, [why]) from error
    return new


def check_effect(execution: Execution, ledger: Ledger, new: Decided) -> None:
    """Raise where a decision does not fit its question, or the core would not take it: tried on the state, which is never changed."""
    program, state = execution.program, execution.state
    ask = next((each for each in asks(program, state) if each.pause_id == new.pause_id), None)
    waiting = ledger.waiting(new.pause_id)
    if ask is None or waiting is None:
        return
    if new.value is None or not new.value.startswith(MARK):  # what was moved away is an edit; whoever reads it judges it
        fitting(waiting.pause, new.word, None if new.value is None else decode(new.value))
    advance(program, state, decision_event(ask, new, program.nodes[ask.at], new.time))
