"""The heartbeat of this process: one thread renews the leases of the runs that it drives, while their calls run long.

A boundary renews its run's lease by itself, so that a run of short steps never needs the heartbeat, and pays nothing but an entry in a
table. It is a thread for asyncio too, so that it goes on while something holds up the event loop. It ends when nothing is driven any
more, and a forked child begins its own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Condition, Thread
from time import monotonic
from typing import TYPE_CHECKING
from weakref import ref

from statecore.errors import ClaimLost

if TYPE_CHECKING:
    from .execution import Execution

LONGEST = 1.0
"""How many seconds the thread sleeps at most, and so how long it outlives the last run."""


class Heartbeat:
    """Which runs this process drives; a run that was forgotten without being ended is no longer among them."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin with nothing, as in a forked child: its parent's runs and its parent's thread are not its own."""
        self._changed = Condition()
        self._driven: dict[int, ref[Execution]] = {}
        self._seen: dict[int, tuple[int | None, float]] = {}
        self._thread: Thread | None = None
        self._seconds = LONGEST

    def begin(self, execution: Execution) -> None:
        """A run is being driven from now on."""
        seconds = execution.host.lease_micros / 3_000_000
        with self._changed:
            self._driven[id(execution)] = ref(execution)
            if seconds < self._seconds:
                self._seconds = seconds
                self._changed.notify()
            if self._thread is None:
                thread = Thread(target=self._beat_on, name="statecore-heartbeat", daemon=True)
                with suppress(RuntimeError):  # an interpreter on its way out starts no thread; what it drives still is short enough
                    thread.start()
                    self._thread = thread

    def end(self, execution: Execution) -> None:
        """A run is no longer driven."""
        with self._changed:
            self._driven.pop(id(execution), None)
            self._seen.pop(id(execution), None)

    def _beat_on(self) -> None:
        """Look after all runs, again and again, until there is none."""
        while True:
            with self._changed:
                self._changed.wait(self._seconds)
                self._driven = {key: found for key, found in self._driven.items() if found() is not None}
                self._seen = {key: seen for key, seen in self._seen.items() if key in self._driven}
                if not self._driven:
                    self._thread, self._seconds = None, LONGEST
                    return
                driven = list(self._driven.values())
            for found in driven:
                execution = found()
                if execution is not None:
                    self.look_after(execution)
                del execution

    def is_due(self, execution: Execution) -> bool:
        """Whether a third of a lease is over: by the host's clock, or, where that was set back, by the time that has passed here."""
        host, passed = execution.host, monotonic()
        lease, since = self._seen.get(id(execution), (None, passed))
        if lease != execution.lease or id(execution) not in self._seen:
            self._seen[id(execution)] = (execution.lease, passed)
            since = passed
        left = 0 if execution.lease is None else execution.lease - host.clock()
        return 3 * left <= 2 * host.lease_micros or 3_000_000 * (passed - since) >= host.lease_micros

    def look_after(self, execution: Execution) -> None:
        """Renew one run's lease where a third of it is over. A claim that was lost is let be; other trouble is tried again."""
        if execution.parked or not self.is_due(execution):
            return
        host = execution.host
        lease = max(host.lease_end(), execution.lease or 0)
        try:
            host.store.renew(execution.identity.run_id, execution.epoch, lease)
            execution.lease = lease
            self._seen[id(execution)] = (lease, monotonic())
        except ClaimLost:
            self.end(execution)
        except Exception:  # noqa: BLE001, S110  # whatever a store cannot do now, a thread that died would never do again
            pass


HEARTBEAT = Heartbeat()
with suppress(AttributeError):  # there is no fork everywhere
    os.register_at_fork(after_in_child=HEARTBEAT.forget)
