"""What is asked of a run: queries, updates and signals of its workflow. Queries and updates take a worker, signals do not."""

from __future__ import annotations

import asyncio
import logging
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from statecore.errors import UnknownRun

from .attributes import refused
from .connection import AT_ONCE, NOBODY, UNANSWERED
from .run import Run

if TYPE_CHECKING:
    from .connection import Connection
    from .wire import Plain, Row

LOG = logging.getLogger(__name__)


async def query(connection: Connection, run_id: str, name: str, *args: Any) -> Any:
    """The answer of a run. Raises `UnknownRun`.

    It is asked twice, because the worker that was asked first may be gone, and the second time with the more patience.
    """
    handle = (await connection.client()).get_workflow_handle(run_id)
    for share in (0.25, 0.75):
        try:
            return await handle.query(name, args=args, rpc_timeout=share * connection.patience)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                raise UnknownRun(run_id) from error
            unanswered = error
            if error.status not in UNANSWERED:
                break
    raise unanswered


async def look(connection: Connection, run_id: str) -> Plain:
    """How a run stands and what people owe it."""
    found: Plain = await query(connection, run_id, "look")
    return found


async def looks(connection: Connection, run_ids: list[str]) -> dict[str, Plain]:
    """The same of many runs, some at a time. One that is gone is left out, and so is, with a warning, one that nobody answers for."""
    some = asyncio.Semaphore(AT_ONCE)

    async def one(run_id: str) -> Plain | None:
        try:
            async with some:
                return await look(connection, run_id)
        except UnknownRun:
            return None
        except WorkflowQueryFailedError as error:
            why = str(error)
        except RPCError as error:
            if error.status not in UNANSWERED:
                raise
            why = NOBODY
        LOG.warning("Run %r is not listed, because it has to be asked: %s", run_id, why)
        return None

    told = await asyncio.gather(*map(one, run_ids))
    return {run_id: each for run_id, each in zip(run_ids, told, strict=True) if each is not None}


async def rows(connection: Connection, run_id: str, after: int, upto: int) -> Plain:
    """Rows of its journal."""
    found: Plain = await query(connection, run_id, "rows", after, upto)
    return found


async def pauses(connection: Connection, run_id: str) -> Plain:
    """Every pause it had."""
    found: Plain = await query(connection, run_id, "pauses")
    return found


async def carried(connection: Connection, run_id: str) -> Plain:
    """The run as another execution of it would begin."""
    found: Plain = await query(connection, run_id, "carried")
    return found


async def decide(connection: Connection, run_id: str, decision: Row) -> Row | None:
    """Have a run take a decision; what it stored, None where it has ended. Raises what the run refused it with.

    The update's id is derived from what is decided, so that the same decision sent twice is taken once.
    """
    handle = (await connection.client()).get_workflow_handle(run_id)
    said = [part for place, part in enumerate(decision) if place != TIME]
    update_id = sha256(dumps(said).encode()).hexdigest()
    try:
        found: Row = await handle.execute_update(Run.decide, decision, id=update_id, rpc_timeout=connection.patience)
    except WorkflowUpdateFailedError as error:
        raise refused(error.cause) from error
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise
    return found


TIME = 3
"""Where a decision's row has its time, which is not what was decided."""


async def cancel(connection: Connection, run_id: str, by: str | None) -> Plain | None:
    """Have a run be cancelled; how it stood, None where it ended meanwhile."""
    handle = (await connection.client()).get_workflow_handle(run_id)
    try:
        return await handle.execute_update(Run.cancel, by, rpc_timeout=connection.patience)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise


async def decide_later(connection: Connection, run_id: str, decision: Row) -> None:
    """Leave a decision for the next worker."""
    await (await connection.client()).get_workflow_handle(run_id).signal(Run.decide_later, decision)


async def cancel_later(connection: Connection, run_id: str, by: str | None) -> None:
    """Leave a cancellation for the next worker."""
    await (await connection.client()).get_workflow_handle(run_id).signal(Run.cancel_later, by)
