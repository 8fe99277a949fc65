"""Where user code runs on Temporal: the two activities, and the worker that serves the task queue of a workflow.

An activity is any call of user code, or a piece of a run's past put into the values store. A worker executes runs: their workflows and
the calls of user code. Any number of workers, on any machines, share the work of a workflow.
"""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import wait
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field
from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from statecore.core import Compiled, Event, Seconds, stored_program
from statecore.core.adoption import other_call
from statecore.errors import DefinitionChanged, StepTimeout, StoreError, StoreUnavailable, ValuesMissing, quoted
from statecore.lifecycles import words as w
from statecore.runtime import Execution, ends
from statecore.runtime.calls import call_user, is_async, limit_of, values_of
from statecore.runtime.hands import CODE, Hands, LoopThread, hands_of
from statecore.runtime.meanings import code_named, same_code
from statecore.runtime.observing import observed
from statecore.runtime.pieces import finish, finish_now, manner_of
from statecore.stores.detail import Detail, detail_text
from statecore.temporal import wire
from statecore.temporal.orders import ordered
from statecore.temporal.wire import CALL, KEEP, KEYS, Plain, queue_of, read_call, refusal
from statecore.temporal.workflow.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from temporalio.client import Client

    from statecore.core import Call, Program
    from statecore.runtime.calls import CallValues
    from statecore.runtime.host import Runnable
    from statecore.stores import Identity
    from statecore.temporal.client.db import TemporalDb

BEAT = 1.0
"""Seconds between two signs of life, where a run's lease does not want them sooner."""
BEATS = 3
"""How many signs of life a lease holds at least: one that is late is no death."""


@define
class Performer:
    """Makes the calls of the workflows that a worker serves, on threads of its own: one for each call that may run at the same time."""

    db: TemporalDb
    workflows: dict[str, Runnable]
    pool: Hands
    steps: LoopThread = field(factory=LoopThread)
    """The event loop of all async steps of this worker (RUN-16)."""
    programs: dict[str, Compiled] = field(factory=dict)

    @activity.defn(name=CALL)
    async def call(self, order: Plain) -> Plain:
        """Make a call on a thread, with signs of life. How it ends is a result, also where it fails.

        A worker that is told to stop waits for it as long as it may; then the call is interrupted, and that is a result too.
        """
        beating = asyncio.create_task(beat())
        try:
            return await asyncio.wrap_future(self.pool.submit(self.made, order))
        except asyncio.CancelledError:
            return plain_end(Event(w.interrupt), detail_text(Detail(error="its worker was stopped")))
        finally:
            beating.cancel()

    @activity.defn(name=KEEP)
    async def keep(self, text: str) -> str:
        """Put a text into the values store; its name. Without a store it is tried again until there is one, and the run waits."""
        if self.db.values is None:
            why = "this worker has no values store, and the run's journal needs one"
            raise refusal(ValuesMissing("a page of its journal", why), for_now=True)
        return await asyncio.wrap_future(hands_of(self.db).submit(wire.keep, self.db.values, text))

    def made(self, order: Plain) -> Plain:
        """Call user code; what became of it."""
        identity = self.db.identity(order["run"])
        call = read_call(order["call"])
        flow = self.workflows[identity.workflow_id]
        check_code(flow.compiled.program, identity.run_id, call, order.get("code"))
        here = flow.on(self.db).host
        host = evolve(flow.host, store=self.db, session=here.session, history=here.history)
        execution = ordered(host, self.compiled(flow, identity, call), identity, order, self.db.values)
        end = ended(execution, call, self.db.values, self.steps)
        host.observers.called(execution, call, end["trigger"])
        return end

    def compiled(self, flow: Runnable, identity: Identity, call: Call) -> Compiled:
        """The program that the run follows, with the user code of this worker. Where it has none there, another worker may: it is tried again."""
        mine = flow.compiled
        if mine.program.fingerprint == identity.fingerprint:
            return mine
        if identity.fingerprint not in self.programs:
            self.programs[identity.fingerprint] = Compiled(stored_program(identity.canonical), mine.components)
        theirs = self.programs[identity.fingerprint]
        node, was = mine.program.nodes.get(call.at), theirs.program.nodes[call.at]
        if node is None or node.machine != was.machine:
            why = "is gone" if node is None else f"is a {node.kind} now"
            raise refusal(DefinitionChanged(identity.run_id, [f"{call.at!r}, which is to be called, {why}"]), for_now=True)
        if (node.version or 0) != (was.version or 0):
            raise refusal(DefinitionChanged(identity.run_id, [str(other_call(was, node))]), for_now=True)
        return theirs


def check_code(mine: Program, run_id: str, call: Call, agreed: str | None) -> None:
    """Leave a call to another worker where an answer let other code begin than this worker has there. Raises a refusal for now."""
    node = mine.nodes.get(call.at)
    name = code_named(node.callable) if node is not None else None
    if agreed is not None and name is not None and not same_code(agreed, name):
        says = f"the code of {call.at!r} is {quoted(name)} here, and an answer was given for {quoted(agreed)}"
        raise refusal(DefinitionChanged(run_id, [says]), for_now=True)


async def beat() -> None:
    """Say each second that the worker lives; more often where a call's lease is short."""
    lease = activity.info().heartbeat_timeout
    pause = BEAT if lease is None else min(BEAT, lease.total_seconds() / BEATS)
    while True:
        activity.heartbeat()
        await asyncio.sleep(pause)


def ended(execution: Execution, call: Call, store: wire.Values | None, steps: LoopThread) -> Plain:
    """Make a call, and say how it ended. Whatever is too large to be sent fails it."""
    inputs = values_of(execution, call)
    try:
        given = observed(execution.context.copy(), execution, call).run(performed, execution, call, inputs, steps)
    except StoreError as error:  # what it looked back at could not be read: no error of the step, and nobody knows how far it came
        return plain_event(ends.interrupted(execution, call, str(error)))
    except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
        return plain_event(ends.failed(execution, call, error))
    except BaseException as stop:  # noqa: BLE001  # nobody's error (ERR-9): the call was interrupted, and the worker goes on
        return plain_event(ends.interrupted(execution, call, type(stop).__name__))
    event = ends.returned(execution, call, given, inputs)
    change = execution.changes.get(execution.place(call))
    changed = change.mine if change is not None else None
    try:
        end = plain_event(event, wire.moved(store, event.body.value), changed)
        wire.checked(f"what {call.at!r} returned", end)
    except Exception as error:  # noqa: BLE001  # too large, or the values store failed: an error of its step (P10)
        return plain_event(ends.failed(execution, call, error))
    return end


def performed(execution: Execution, call: Call, inputs: CallValues, steps: LoopThread) -> Any:
    """Call user code to its end. Raises `StepTimeout` where its time is over: it is told to stop, or cancelled and awaited (RUN-11)."""
    manner, limit = manner_of(execution, call), limit_of(execution, call)
    if limit is None:
        return finish_now(call_user(execution, call, inputs), steps, manner)
    seconds = limit / 1_000_000
    error = StepTimeout(execution.program.nodes[call.at].name, seconds)
    if is_async(execution, call):
        return steps.run(in_time(finish(call_user(execution, call, inputs), manner, None), seconds, error))
    made = CODE.submit(lambda: finish_now(call_user(execution, call, inputs), steps, manner))
    wait([made], seconds)
    if not made.done():
        inputs.stop.set()
        raise error
    return made.result()


async def in_time(coroutine: Coroutine[Any, Any, Any], seconds: Seconds, error: StepTimeout) -> Any:
    """The value of a coroutine, which is cancelled and awaited when its time is over."""
    try:
        async with asyncio.timeout(seconds) as limit:
            return await coroutine
    except TimeoutError:
        if limit.expired():
            raise error from None
        raise


def plain_event(event: Event, value: str | None = None, session_state: str | None = None) -> Plain:
    """How a call ended, as it travels."""
    return {**plain_end(event, event.body.detail), "value": value, "session_state": session_state}


def plain_end(event: Event, detail: str) -> Plain:
    """An end without a value."""
    return {"trigger": event.trigger, "detail": detail, "choices": list(event.choices), "value": None, "session_state": None}


GRACE = 10.0
UNHINDERED = timedelta(milliseconds=50)
"""Temporal's library may hold signs of life back for so long: they are few, and one that comes late costs a short lease."""

PASSED = ("statecore", "transitions", "six", "attrs", "attr")
"""The modules that the sandbox does not import again for every run: the core and its libraries, which are pure."""


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
        performer = Performer(db, {workflow.id: workflow}, Hands("statecore-step", slots))
        async with worker(await db.connection.client(), performer, workflow.id, slots):
            ready()
            await stop.wait()
        performer.steps.close(wait=False)  # a call that does not end was given up, and is interrupted

    def stopped(_number: int, _frame: object) -> None:
        db.connection.loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        db.connection.do(work())
    finally:
        for number, old in before.items():
            signal.signal(number, old)
