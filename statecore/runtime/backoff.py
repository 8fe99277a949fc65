"""Trouble is tried again with growing distance: a run that is refused, a store that is away, a callback that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, Protocol, TypeVar

from attrs import define, field

from statecore.core import Seconds

from .observers import write

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
MOST = 10_000
"""How many untold things are kept at most; the oldest are dropped, and that is logged."""
LOG = logging.getLogger(__name__)
Key = TypeVar("Key", bound=Hashable)


class About(Protocol):
    """A thing that is about a run, and names it in the log without saying more of it."""

    @property
    def run_id(self) -> str:
        """The run."""

    @property
    def status(self) -> str:
        """Its last status."""


Thing = TypeVar("Thing", bound=About)


@define
class Backoff(Generic[Key]):
    """The things that failed, each with the time of the next attempt: `first` seconds later, then twice as long each time, up to 60 s."""

    first: Seconds = FIRST_WAIT
    _waits: dict[Key, tuple[Seconds, Seconds]] = field(factory=dict)
    _lock: Lock = field(factory=Lock)

    def failed(self, key: Key) -> None:
        """It failed once more."""
        with self._lock:
            _, before = self._waits.get(key, (0.0, self.first / 2))
            wait = min(2 * before, LONGEST_WAIT)
            self._waits[key] = (monotonic() + wait, wait)

    def succeeded(self, key: Key) -> None:
        """It is in order again."""
        with self._lock:
            self._waits.pop(key, None)

    def waiting(self) -> list[Key]:
        """The things that are to be left alone now."""
        now = monotonic()
        with self._lock:
            return [key for key, (until, _) in self._waits.items() if until > now]


@define
class Telling(Generic[Thing]):
    """Tell a callback of things. Where it raises, that is logged, and the thing is kept and told again with growing distance.

    A thing that cannot be told does not keep the others from being told.
    """

    tell: Callable[[Thing], None]
    untold: dict[int, Thing] = field(factory=dict)
    _backoff: Backoff[int] = field(factory=Backoff)
    _count: int = 0
    _lock: Lock = field(factory=Lock)

    def say(self, thing: Thing) -> None:
        """Tell it now."""
        with self._lock:
            self._count += 1
            number = self._count
        self._try(number, thing)

    def again(self, *, last: bool = False) -> None:
        """Tell what could not be told and is due; with `last`, all that is left, once."""
        waiting = () if last else self._backoff.waiting()
        with self._lock:
            due = [(number, thing) for number, thing in self.untold.items() if number not in waiting]
        for number, thing in due:
            self._try(number, thing)

    def _try(self, number: int, thing: Thing) -> None:
        try:
            self.tell(thing)
        except Exception:  # noqa: BLE001  # whatever the callback raises is its own, and is told again
            said = "tell failed for run %r (%s); it is told again later"
            write(LOG, logging.WARNING, said, thing.run_id, thing.status, exc_info=True)
            self._keep(number, thing)
        else:
            self._forget(number)

    def _keep(self, number: int, thing: Thing) -> None:
        self._backoff.failed(number)
        with self._lock:
            self.untold[number] = thing
            oldest = min(self.untold) if len(self.untold) > MOST else None
        if oldest is not None:
            dropped = self.untold[oldest]
            said = "more than %d things could not be told; one is dropped: run %r (%s)"
            write(LOG, logging.ERROR, said, MOST, dropped.run_id, dropped.status)
            self._forget(oldest)

    def _forget(self, number: int) -> None:
        self._backoff.succeeded(number)
        with self._lock:
            self.untold.pop(number, None)
