"""The requests of a client to a Temporal server: reads without a worker, and messages to a run's workflow.

Without a worker: the first event of a history, memos, and lists by search attributes. A query or an update takes a worker; a signal
does not.
"""

from __future__ import annotations

import asyncio
import logging
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from statecore.codec.records import load_state
from statecore.errors import UnknownRun
from statecore.stores.records import Unread
from statecore.stores.rules import ENDED, STATUS
from statecore.temporal import wire
from statecore.temporal.wire import MEMO, RUN, Plain, Start, read_start, refused
from statecore.temporal.workflow.run import Run

from .connection import AT_ONCE, NOBODY, UNREADY

if TYPE_CHECKING:
    from statecore.stores import PauseFilter, RunFilter
    from statecore.temporal.wire import Plain, Row

    from .connection import Connection

UNTOUCHED = 3
"""Events of a history in which no worker has done anything yet: started, and its first task scheduled and perhaps taken."""
NOTHING: Plain = {"head": None, "pauses": None}
LOG = logging.getLogger(__name__)
TIME = 3
"""Where a decision's row has its time, which is not what was decided."""


async def start(connection: Connection, run_id: str) -> Start:
    """The input of a run's workflow: the first event of its newest history. Raises `UnknownRun`."""
    client = await connection.client()
    try:
        async for event in client.get_workflow_handle(run_id).fetch_history_events(page_size=1):
            started = event.workflow_execution_started_event_attributes
            if started.workflow_type.name != RUN:
                break
            [given] = await client.data_converter.decode(started.input.payloads)
            return read_start(given)
    except RPCError as error:
        if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            raise
    raise UnknownRun(run_id)


async def starts(connection: Connection, run_ids: list[str]) -> list[Start | Unread]:
    """The same of many runs, some at a time; one that is gone meanwhile is left out, and one that cannot be decoded named (P23)."""
    some = asyncio.Semaphore(AT_ONCE)

    async def one(run_id: str) -> Start | Unread | None:
        async with some:
            try:
                return await start(connection, run_id)
            except UnknownRun:
                return None
            except RPCError:
                raise
            except Exception as error:  # noqa: BLE001  # a data converter is the user's, and raises what it likes
                return Unread(run_id, f"its start cannot be decoded: {type(error).__name__}: {error}")

    return [each for each in await asyncio.gather(*map(one, run_ids)) if each is not None]


async def memo(connection: Connection, run_id: str) -> Plain:
    """The present memo of a run, and whether the run has `begun` anything that the memo may lack. Raises `UnknownRun`."""
    client = await connection.client()
    try:
        described = await client.get_workflow_handle(run_id).describe(rpc_timeout=connection.patience)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise UnknownRun(run_id) from error
        raise
    found: Plain = await described.memo_value(MEMO, NOTHING)
    first = described.raw_description.workflow_execution_info.first_run_id in ("", described.run_id)
    return {**found, "begun": not first or described.history_length > UNTOUCHED}


async def memos(connection: Connection, query: str, limit: int | None) -> list[tuple[str, Plain | Unread]]:
    """Runs with what their memos say, most recently started first; a memo that cannot be decoded is named as such (P23)."""
    client = await connection.client()
    found: list[tuple[str, Plain | Unread]] = []
    async for each in client.list_workflows(query, limit=limit):
        try:
            found.append((each.id, await each.memo_value(MEMO, NOTHING)))
        except Exception as error:  # noqa: BLE001  # as above
            found.append((each.id, Unread(each.id, f"its memo cannot be decoded: {type(error).__name__}: {error}")))
    return found


async def can_list(connection: Connection) -> bool:
    """Whether the server lists runs: all do but the one that skips time in tests."""
    client = await connection.client()
    try:
        await client.count_workflows(f"WorkflowType = {quoted(RUN)}")
    except RPCError as error:
        if error.status == RPCStatusCode.UNIMPLEMENTED:
            return False
        raise
    return True


def phase(head: Plain) -> str:
    """Where a run stands."""
    return load_state(head["state"]).run


def rests(head: Plain) -> bool:
    """Whether a run waits for people or is over, so that its memo says all of it."""
    return phase(head) in {"paused", *ENDED}


# -- what is looked for ----------------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A text in a query."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def where(**wanted: Any) -> str:
    """A query for runs, by the attributes that are wanted."""
    names = {"workflow": wire.WORKFLOW.name, "session": wire.SESSION.name}
    parts = [f"{names[word]} = {quoted(text)}" for word, text in wanted.items() if text is not None]
    return " AND ".join([f"WorkflowType = {quoted(RUN)}", "ExecutionStatus != 'ContinuedAsNew'", *parts])


def waiting(wanted: PauseFilter) -> str:
    """The runs that people may owe something: those that are not over."""
    return where(workflow=wanted.workflow_id, session=wanted.session_id) + " AND ExecutionStatus = 'Running'"


def runs(wanted: RunFilter) -> str:
    """Runs, over or not."""
    query = where(workflow=wanted.workflow_id, session=wanted.session_id)
    if wanted.prefix is not None:
        query = f"{query} AND WorkflowId STARTS_WITH {quoted(wanted.prefix)}"
    if wanted.phases is None:
        return query
    return f"{query} AND {wire.STATUS.name} IN ({', '.join(quoted(STATUS[each]) for each in wanted.phases)})"


# -- messages to a run -------------------------------------------------------------------------------------------------------------


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
            if error.status not in UNREADY:
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
            if error.status not in UNREADY:
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
