"""`Observer` is a listener of the runtime, and `Observers` are several as one; `observing` tells them (OBS-1)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, field

if TYPE_CHECKING:
    from contextvars import Context
    from logging import Logger

    from statecore.core import Address, Call, Commit, Compiled, Program, State
    from statecore.core.state import Turn
    from statecore.stores import Boundary, Identity

DEBUG, INFO, WARNING = 10, 20, 30
"""The levels of `logging`, which is not imported here: a command that only decides does without."""


def write(log: Logger, level: int, said: str, *parts: object, **more: Any) -> None:
    """Write a record. A handler or a filter that raises loses its record, and changes no run (OBS-1)."""
    with suppress(Exception):
        log.log(level, said, *parts, **more, stacklevel=2)


class Observed(Protocol):
    """A claimed run in this process, as far as an observer knows it; `observed` is what the observer keeps with it."""

    host: Any
    compiled: Compiled
    identity: Identity
    state: State
    seq: int
    observed: dict[Any, Any]
    context: Context
    epoch: int
    log: Logger | None

    @property
    def program(self) -> Program:
        """The program that is executed."""

    def place(self, call: Call) -> tuple[Address, Turn, int]:
        """Where the move of a call's end will be."""


class Observer:
    """A listener of the runtime; each method does nothing. What one raises is logged once, and changes nothing."""

    def carried(self, execution: Observed, boundary: Boundary) -> Boundary:  # noqa: ARG002  # for those who listen
        """The boundary that is to be stored, with what is to travel in its first row."""
        return boundary

    def stored(self, execution: Observed, effect: Commit, boundary: Boundary) -> None:
        """A boundary is durable."""

    def calling(self, execution: Observed, call: Call) -> None:
        """User code is about to be called, in this context."""

    def called(self, execution: Observed, call: Call, trigger: str) -> None:
        """A call has ended whose boundary another process stores."""

    def left(self, execution: Observed) -> None:
        """A slice is over."""

    def renewed(self, execution: Observed) -> None:
        """A lease was renewed during a long call."""


@define(eq=False)
class Observers(Observer):
    """The observers of a workflow, as one. An exception of one is logged, the first time with its traceback, and reaches no run."""

    each: tuple[Observer, ...] = ()
    failed: set[str] = field(factory=set)

    def add(self, observer: Observer) -> None:
        """Listen with one more; in the place of the one of its class, if there is one."""
        self.each = (*(each for each in self.each if type(each) is not type(observer)), observer)

    def carried(self, execution: Observed, boundary: Boundary) -> Boundary:
        """The boundary, as each in turn would have it."""
        for observer in self.each:
            boundary = self._told(execution, observer.carried, boundary) or boundary
        return boundary

    def stored(self, execution: Observed, effect: Commit, boundary: Boundary) -> None:
        """A boundary is durable."""
        for observer in self.each:
            self._told(execution, observer.stored, effect, boundary)

    def calling(self, execution: Observed, call: Call) -> None:
        """User code is about to be called, in this context."""
        for observer in self.each:
            self._told(execution, observer.calling, call)

    def called(self, execution: Observed, call: Call, trigger: str) -> None:
        """A call has ended whose boundary another process stores."""
        for observer in self.each:
            self._told(execution, observer.called, call, trigger)

    def left(self, execution: Observed) -> None:
        """A slice is over."""
        for observer in self.each:
            self._told(execution, observer.left)

    def renewed(self, execution: Observed) -> None:
        """A lease was renewed."""
        for observer in self.each:
            self._told(execution, observer.renewed)

    def _told(self, execution: Observed, tell: Any, *about: Any) -> Any:
        """Tell one observer; None where it raises."""
        try:
            return tell(execution, *about)
        except Exception as error:  # noqa: BLE001  # telemetry that raises changes nothing
            name = type(error).__qualname__
            if execution.log is not None and name not in self.failed:
                write(execution.log, WARNING, "telemetry raised %s and is ignored; the run goes on", name, exc_info=True)
            self.failed.add(name)
            return None
