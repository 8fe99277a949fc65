"""One thread that does what telemetry must not hold a run up with: a span that ends may be exported at once, by a program that hangs."""

from __future__ import annotations

import atexit
import logging
import os
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from statecore.runtime.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from statecore.core import Seconds

MOST = 10_000
"""How many things wait for the thread at most; more are dropped, for a run waits for none of them."""
LOG = logging.getLogger(__name__)
LAST = 2.0
"""For how many seconds a process that ends waits for the thread."""


class Drain:
    """Things to do, in order, on one thread. What one of them raises is dropped with it."""

    dropped: int

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin with nothing, as in a forked child, which has no thread of its parent, and may have a lock that one of them held."""
        self._hands, self._lock = Hands("statecore-telemetry", 1), Lock()
        self._waiting, self.dropped = 0, 0
        self._ends_late = False

    def do(self, thing: Callable[..., object], *arguments: Any) -> None:
        """Do a thing later, unless too many wait."""
        with self._lock:
            if self._waiting >= MOST:
                self.dropped += 1
                return
            self._waiting += 1
            if (
                not self._ends_late
            ):  # what is registered last is called first: a provider is there by now, and is shut down afterwards
                self._ends_late = True
                atexit.register(self.flush, LAST)
        self._hands.submit(thing, *arguments).add_done_callback(self._done)

    def _done(self, future: Future[Any]) -> None:
        """A thing is done; what it raised is logged below a warning, and is no run's affair."""
        with self._lock:
            self._waiting -= 1
        error = future.exception()
        if error is not None:
            LOG.info("telemetry raised %s and is ignored", type(error).__name__)

    def flush(self, seconds: Seconds) -> bool:
        """Wait until all that was to be done before is done; whether it is."""
        try:
            self._hands.submit(bool).result(seconds)
        except Late:
            return False
        return True


DRAIN = Drain()
with suppress(AttributeError):  # there is no fork everywhere
    os.register_at_fork(after_in_child=DRAIN.begin)


def flush(seconds: Seconds = 5.0) -> bool:
    """Wait until the spans of what has happened so far have ended, at most `seconds`. Returns whether they have.

    A provider's own `force_flush` exports them then. A process that ends does this by itself.
    """
    return DRAIN.flush(seconds)
