"""What varies around a run is an argument: where it is stored, what time it is, who executes it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from attrs import frozen

from statecore.stores import Store
from statecore.stores.owner import this_process


def wall_clock() -> int:
    """Now, in whole microseconds since 1970, UTC."""
    return time.time_ns() // 1000


@frozen
class Host:
    """A store, a clock in microseconds, the owner that claims runs, and how to wait for a number of seconds.

    `asleep` None means asyncio's own.
    """

    store: Store
    clock: Callable[[], int] = wall_clock
    owner: Callable[[], str] = this_process
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] | None = None
