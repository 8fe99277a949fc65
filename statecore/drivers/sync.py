"""The synchronous driver: performs the effects of `loop` in this thread and yields what was committed."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from statecore.core import Call, Commit, Event, Start, loop

from .calls import call_user, finish_now
from .storing import let_go, store, store_interruption

if TYPE_CHECKING:
    from collections.abc import Generator

    from .execution import Execution


def drive(execution: Execution, events: tuple[Event, ...]) -> Generator[Commit, None, None]:
    """Drive a claimed run until people are owed or it is over; yields each commit once it is durable.

    A failed run's own exception is left in `storing.loud`. Abandoned, interrupted or failing itself, it gives the claim back.
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
                    reply = store(execution, effect)
                    if reply is None:
                        yield effect
                case Start(call):
                    begun.append(call)
                    reply = None
                case _:
                    reply = (perform(execution, begun.pop(0)),) if begun else ()
    finally:
        if not execution.parked:
            let_go(execution)


def perform(execution: Execution, call: Call) -> Event:
    """Call user code once: the event that its end stands for. An interruption is stored before it goes on its way."""
    values = execution.values_of(call)
    try:
        value = call_user(execution, call, values)
        if inspect.iscoroutine(value):
            value = finish_now(value)
    except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
        return execution.failed(call, error)
    except BaseException as stop:
        store_interruption(execution, [call], type(stop).__name__)
        raise
    return execution.returned(call, value, values)
