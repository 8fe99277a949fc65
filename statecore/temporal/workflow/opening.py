"""A run is opened from what its workflow was started with, and a decision is judged on copies before it is in the history.

The client opens it as well, to know the first memo. Judging makes the same pure calls as taking, so that no decision that passes can
stop its run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from statecore.codec import decode
from statecore.core import BEGINNING, Micros, advance, asks
from statecore.errors import InvalidInput, StatecoreError
from statecore.runtime import Execution, Host, of_record
from statecore.runtime.answers import fitting
from statecore.runtime.ends import beginning, decision_event
from statecore.runtime.ready import Continuation
from statecore.runtime.storing import store_events
from statecore.stores import Claim, Decided
from statecore.temporal.orders import program_of
from statecore.temporal.wire import MARK, OWNER, read

from .ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.temporal.wire import Start

PAUSE = "a pause"


@frozen
class Opened:
    """A run that is ready to be driven."""

    ledger: Ledger
    host: Host
    execution: Execution

    def continuation(self, *, retry_failed: bool = False) -> Continuation:
        """The run, to go on with what was decided."""
        identity = self.execution.identity
        return Continuation(self.host, self.execution.compiled, identity.workflow_id, identity.run_id, (), retry_failed)


def opened(start: Start, clock: Callable[[], Micros], replays: Callable[[], bool] = lambda: True) -> Opened:
    """A new run with its first boundary, one that an earlier execution carried on, or a failed one that goes on.

    `replays` says whether what happens now was told before; so it is for a client, which only looks ahead.
    """
    identity, state = start.identity, start.session_state
    compiled = program_of(identity.canonical, start.said)
    ledger = Ledger.carrying(identity, start.carried) if start.carried is not None else Ledger(identity.run_id)
    host = Host(ledger, clock, lambda: OWNER, lease=start.lease, replays=replays)
    if start.carried is not None:
        run = Opened(ledger, host, of_record(host, compiled, ledger.load(identity.run_id)))
        return Opened(ledger, host, run.continuation(retry_failed=True).ready().execution) if start.reopens else run
    claim = Claim(OWNER, identity, state)
    execution = Execution(host, compiled, identity, BEGINNING, 1, 0, {}, state, claim=claim)
    store_events(execution, (beginning(compiled.program, clock()),))
    return Opened(ledger, host, execution)


def judged(execution: Execution, ledger: Ledger, plain: Any, time: Micros) -> Decided:
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
        why = f"it has not the form of a decision ({type(error).__name__})"
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
