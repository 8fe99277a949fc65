"""A worker executes runs: their workflows and the calls of user code. Any number of them, on any machines, share the work of a workflow."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from statecore.errors import StoreUnavailable
from statecore.temporal.wire import KEYS, queue_of
from statecore.temporal.workflow.run import Run

from .performing import Performer

if TYPE_CHECKING:
    from collections.abc import Callable

    from temporalio.client import Client

    from statecore.runtime.host import Runnable
    from statecore.temporal.client.db import TemporalDb

GRACE = 10.0
UNHINDERED = timedelta(milliseconds=50)
"""Temporal's library may hold signs of life back for so long: they are few, and one that comes late costs a short lease."""

PASSED = ("statecore", "transitions", "six", "attrs", "attr")
"""What the sandbox does not import again for every run: the core and its libraries, which are pure."""


def runner() -> SandboxedWorkflowRunner:
    """Temporal's sandbox for workflows, which lets the core and its libraries through."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED))


def worker(client: Client, performer: Performer, workflow_id: str, slots: int, cached: int = 1000) -> Worker:
    """The worker of a workflow: at most `slots` calls at a time, at most `cached` runs in memory between their turns.

    Told to stop, it lets its calls end for at most `GRACE` seconds.
    """
    return Worker(
        client,
        task_queue=queue_of(workflow_id),
        workflows=[Run],
        activities=[performer.call, performer.keep],
        workflow_runner=runner(),
        max_concurrent_activities=slots,
        max_cached_workflows=cached,
        max_heartbeat_throttle_interval=UNHINDERED,
        default_heartbeat_throttle_interval=UNHINDERED,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=GRACE),
    )


async def prepare(db: TemporalDb) -> None:
    """Register the search attributes that runs are found by, where they are not. Raises `StoreUnavailable`, which says how to do it by hand."""
    client = await db.connection.client()
    names = {key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for key in KEYS}
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=names)
        )
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            return
        how = " ".join(f"--name {name} --type Keyword" for name in names)
        why = f"its search attributes cannot be registered ({error}); do it once: temporal operator search-attribute create {how}"
        raise StoreUnavailable(db.path, why) from error


def serve(db: TemporalDb, workflow: Runnable, slots: int, ready: Callable[[], None] = lambda: None) -> None:
    """Execute runs of a workflow until this process is told to stop (Ctrl-C, SIGTERM)."""
    stop = asyncio.Event()

    async def work() -> None:
        await prepare(db)
        pool = ThreadPoolExecutor(slots, thread_name_prefix="statecore-step")
        performer = Performer(db, {workflow.id: workflow}, pool)
        async with worker(await db.connection.client(), performer, workflow.id, slots):
            ready()
            await stop.wait()
        pool.shutdown(wait=False, cancel_futures=True)  # a call that does not end was given up, and is interrupted

    def stopped(_number: int, _frame: object) -> None:
        db.connection.loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        db.connection.do(work())
    finally:
        for number, old in before.items():
            signal.signal(number, old)
