"""Delays: a driver waits for the first one to be over, or gives the run back until then, so that a delay holds nothing (RUN-12).

The end of a delay is in the state of its run (`rules.until`), so each store hands the run out again when it is time. A worker gives the claim
back. `run` and `arun` wait in the foreground and keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.errors import StoreUnavailable
from statecore.lifecycles import words as w
from statecore.stores import Boundary

from .storing import POLL, cancelled_by, requested

if TYPE_CHECKING:
    from statecore.core import Event, Seconds, Timer

    from .execution import Execution

HEARS = 1.0
"""After how many seconds a driver that waits for a delay alone looks for a cancellation."""


def sliced(seconds: Seconds | None, timers: tuple[Timer, ...]) -> tuple[Seconds, tuple[Timer, ...]]:
    """How long to wait before the next look for decisions, and the delays that are over then; `seconds` is when the first one is."""
    return (POLL, ()) if seconds is None or seconds > POLL else (seconds, timers)


def woken(execution: Execution, timers: tuple[Timer, ...]) -> tuple[Event, ...]:
    """The events of the delays that are over now; of the first one, where a clock that went back says that none is. () without a delay."""
    if not timers:
        return ()
    now = execution.host.clock()
    over = [timer for timer in timers if timer.due <= now] or [min(timers, key=lambda timer: timer.due)]
    return tuple(execution.event(w.wake, timer) for timer in over)


def store_park(execution: Execution) -> tuple[Event, ...]:
    """Give the claim of a run back that waits for the clock alone (RUN-12). The cancellation that stands against it, or ()."""
    now = execution.host.clock()
    boundary = Boundary(
        run_id=execution.identity.run_id,
        epoch=execution.epoch,
        seq=execution.seq,
        time=now,
        state=execution.state,
        entries=(),
        held=execution.held,
        parks=True,
    )
    if execution.host.executor.commit(boundary):
        return (requested(execution),)
    execution.parked, execution.time, execution.lease = True, now, None
    return ()


def cancelled_meanwhile(execution: Execution) -> tuple[Event, ...]:
    """The cancellation of a run whose driver waits for a delay; () where none was requested, or the store does not answer."""
    try:
        record = execution.host.store.load(execution.identity.run_id)
    except StoreUnavailable:
        return ()
    return (
        (cancelled_by(execution, record.cancel_by),)
        if record.cancel_requested is not None and record.epoch == execution.epoch
        else ()
    )
