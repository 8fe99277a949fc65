"""A run that a worker has claimed, and the state in which the worker left it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from attrs import define, field, frozen

from statecore.core import asks
from statecore.lifecycles import words as w
from statecore.stores.rules import STATUS

from .observers import write
from .ready import Continuation, describe
from .storing import loud
from .suspects import owes_suspect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.stores import Record

    from .execution import Execution
    from .host import Runnable


LOG = logging.getLogger(__name__)


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


@define
class Aside:
    """The runs of a worker that owe a suspect, and wait until nothing else is driven."""

    jobs: list[Job] = field(factory=list)
    alone: tuple[int, str] | None = None

    def __bool__(self) -> bool:
        """Whether one waits."""
        return bool(self.jobs)

    def add(self, job: Job) -> None:
        """Have a run wait that was given back."""
        self.jobs.append(job._replace(alone=True))

    def next(self, driving: set[tuple[int, str]]) -> list[Job]:
        """The run that is to be driven alone now; none while another one is driven."""
        if driving or not self.jobs:
            return []
        job = self.jobs.pop(0)
        self.alone = job.key
        driving.add(job.key)
        return [job]

    def is_one_driven(self, driving: set[tuple[int, str]], executions: Iterable[Execution]) -> bool:
        """Whether a run is driven whose suspect is not over."""
        if self.alone is None or self.alone not in driving:
            return False
        driven = next((each for each in executions if each.identity.run_id == self.alone[1]), None)
        return driven is None or owes_suspect(driven.state)


def refused(job: Job, error: BaseException) -> Went:
    """The outcome of a run that could not go on; the log names it, and not what was wrong with its data."""
    run_id, workflow = job.record.identity.run_id, job.workflow.id
    name = type(error).__name__
    fields = {"run_id": run_id, "workflow": workflow}
    write(LOG, logging.WARNING, "run %r of %r is left alone for a while: %s", run_id, workflow, name, extra=fields)
    return Went(run_id, "REFUSED", f"{name}: {error}", workflow)


def went(execution: Execution) -> Went:
    """The outcome of a run that was driven."""
    run_id, state, why = execution.identity.run_id, execution.state, ""
    if state.run == w.paused:
        why = ", ".join(describe(ask, execution.compiled) for ask in asks(execution.program, state))
    elif state.run == w.failed:
        error = loud(execution)
        why = f"{type(error).__name__}: {error}" if error is not None else ""
    return Went(run_id, STATUS[state.run], why, execution.identity.workflow_id)
