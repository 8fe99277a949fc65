"""Starting a run's workflow, and starting it again where a failed run is to go on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from statecore.stores.rules import STATUS
from statecore.temporal import wire
from statecore.temporal.wire import MEMO, RUN, Start, checked, plain_start
from statecore.temporal.workflow.opening import opened

from . import reading

if TYPE_CHECKING:
    from .connection import Connection

ONCE = WorkflowIDReusePolicy.REJECT_DUPLICATE
AGAIN = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
TURN = timedelta(seconds=10)
"""How long a worker may take for a turn of a run, or keep one that it cannot take, before another is asked; a long history is replayed in it."""


class Existing(Exception):  # what it means, the caller knows
    """There is a run of that id."""


async def start(connection: Connection, given: Start, policy: WorkflowIDReusePolicy = ONCE) -> None:
    """Start a run's workflow, with its first memo. Raises `Existing`."""
    identity = given.identity
    foreseen = opened(given, lambda: identity.created)
    pairs = (
        SearchAttributePair(wire.STATUS, STATUS[foreseen.execution.state.run]),
        SearchAttributePair(wire.WORKFLOW, identity.workflow_id),
        SearchAttributePair(wire.SESSION, identity.session_id),
    )
    try:
        await (await connection.client()).start_workflow(
            RUN,
            plain_start(given),
            id=identity.run_id,
            task_queue=wire.queue_of(identity.workflow_id),
            id_reuse_policy=policy,
            task_timeout=TURN,
            memo={MEMO: wire.memo(foreseen.ledger.told())},
            search_attributes=TypedSearchAttributes(list(pairs)),
        )
    except WorkflowAlreadyStartedError:
        raise Existing(identity.run_id) from None


async def reopen(connection: Connection, run_id: str) -> None:
    """Start a failed run's workflow again, with all of its past, which is asked of it and takes a worker. Raises `Existing`."""
    first = await reading.start(connection, run_id)
    carried = await reading.carried(connection, run_id)
    again = evolve(first, carried=carried, reopens=True)
    checked(f"the past of run {run_id!r}", plain_start(again))
    await start(connection, again, AGAIN)
