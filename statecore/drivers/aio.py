"""The asyncio driver: performs the same effects; calls are tasks, and a commit that waits for a disk leaves the loop free."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from statecore.core import Call, Commit, Event, Start, loop

from .calls import call_user, is_async
from .storing import let_go, store, store_interruption

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .execution import Execution
    from .inputs import CallValues


async def drive(execution: Execution, events: tuple[Event, ...]) -> AsyncGenerator[Commit, None]:
    """Drive a claimed run until people are owed or it is over; yields each commit once it is durable.

    A failed run's own exception is left in `storing.loud`. Abandoned, cancelled or failing itself, it gives the claim back.
    """
    effects = loop(execution.program, execution.state, events)
    begun: list[Call] = []
    reply: Event | tuple[Event, ...] | None = None
    try:
        while True:
            try:
                effect = effects.send(reply)
            except StopIteration:
                break
            match effect:
                case Commit():
                    reply = await commit(execution, effect)
                    if reply is None:
                        yield effect
                case Start(call):
                    begun.append(call)
                    reply = None
                case _:
                    reply = (await perform(execution, begun.pop(0)),) if begun else ()
    finally:
        if not execution.parked:
            let_go(execution)


async def commit(execution: Execution, effect: Commit) -> Event | None:
    """Store an effect; off the event loop where the store waits for a disk. A cancellation waits for the commit to end."""
    if not execution.host.store.blocking:
        return store(execution, effect)
    storing = asyncio.ensure_future(asyncio.to_thread(store, execution, effect))
    try:
        return await asyncio.shield(storing)
    except asyncio.CancelledError:
        await asyncio.wait([storing])
        raise


async def perform(execution: Execution, call: Call) -> Event:
    """Call user code once; plain functions run on a thread, so that they do not hold up other runs."""
    values = execution.values_of(call)
    try:
        if is_async(execution, call):
            value = call_user(execution, call, values)
        else:
            value, error = await asyncio.to_thread(attempt, execution, call, values)
            if error is not None:
                return execution.failed(call, error)
        if inspect.isawaitable(value):
            value = await value
    except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
        return execution.failed(call, error)
    except BaseException as stop:
        store_interruption(execution, [call], type(stop).__name__)
        raise
    return execution.returned(call, value, values)


def attempt(execution: Execution, call: Call, values: CallValues) -> tuple[Any, Exception | None]:
    """Call user code on a thread; its exception is brought back as a value, because a future cannot carry every exception."""
    try:
        return call_user(execution, call, values), None
    except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
        return None, error
