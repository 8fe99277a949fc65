"""A run that a worker has claimed, and the state in which the worker left it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attrs import frozen

from statecore.core import asks
from statecore.lifecycles import words as w
from statecore.stores.rules import STATUS

from .ready import Continuation, describe
from .storing import loud

if TYPE_CHECKING:
    from statecore.stores import Record

    from .execution import Execution
    from .host import Runnable


@frozen
class Went:
    """The state in which a worker left a run: its status ("RUNNING" where the worker gave it back) or "REFUSED", and the reason.

    `workflow` is the id of its workflow. "WAITING" without a run id: the store does not answer, and the worker asks it again later.
    """

    run_id: str
    status: str
    why: str = ""
    workflow: str = ""


class Job(NamedTuple):
    """A run that was claimed for one of the workflows; `doubtful` where its owner left it in a call.

    `alone`: it owes a suspect, was given back, and is claimed again to be driven with no other run beside it (RUN-13). `beside`: other runs
    were found with it that their owners left.
    """

    workflow: Runnable
    record: Record
    doubtful: bool
    alone: bool = False
    beside: bool = False

    @property
    def key(self) -> tuple[int, str]:
        """The key of a job among those of a worker: runs of two stores may have one id."""
        return id(self.workflow), self.record.identity.run_id

    def going(self, adopt_by: str | None) -> Continuation:
        """Its continuation."""
        host, compiled = self.workflow.host, self.workflow.compiled
        return Continuation(
            host, compiled, self.workflow.id, self.record.identity.run_id, (), adopt_by=adopt_by, beside=self.beside
        )


def went(execution: Execution) -> Went:
    """The outcome of a run that was driven."""
    run_id, state, why = execution.identity.run_id, execution.state, ""
    if state.run == w.paused:
        why = ", ".join(describe(ask, execution.compiled) for ask in asks(execution.program, state))
    elif state.run == w.failed:
        error = loud(execution)
        why = f"{type(error).__name__}: {error}" if error is not None else ""
    return Went(run_id, STATUS[state.run], why, execution.identity.workflow_id)
