"""Opening a run: its ledger and execution, from what its workflow is started with. Whoever starts it does so too, to know its first memo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from statecore.core import BEGINNING
from statecore.drivers import Execution, Host, of_record
from statecore.drivers.storing import store_events
from statecore.stores import Claim
from statecore.workflow.ready import Continuation, beginning

from .ledger import Ledger
from .sayings import program_of
from .wire import OWNER

if TYPE_CHECKING:
    from collections.abc import Callable

    from .wire import Start


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


def opened(start: Start, clock: Callable[[], int]) -> Opened:
    """A new run with its first boundary, one that an earlier execution carried on, or a failed one that goes on."""
    identity, state = start.identity, start.session_state
    compiled = program_of(identity.canonical, start.said)
    ledger = Ledger.carrying(identity, start.carried) if start.carried is not None else Ledger(identity.run_id)
    host = Host(ledger, clock, lambda: OWNER, lease=start.lease)
    if start.carried is not None:
        run = Opened(ledger, host, of_record(host, compiled, ledger.load(identity.run_id)))
        return Opened(ledger, host, run.continuation(retry_failed=True).ready().execution) if start.reopens else run
    claim = Claim(OWNER, identity, state)
    execution = Execution(host, compiled, identity, BEGINNING, 1, 0, {}, state, claim=claim)
    store_events(execution, (beginning(compiled.program, clock()),))
    return Opened(ledger, host, execution)
