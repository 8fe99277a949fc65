"""Ctrl-C, held back while a driver works in the main thread, so that no result is lost between a call and its boundary."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextvars import Context
from threading import current_thread, main_thread
from typing import Any

from attrs import define


@define(eq=False)
class Keyboard:
    """Ctrl-C, held back while a driver of the main thread works, so that no result is lost between a call and its boundary.

    User code in the main thread is interrupted at once, as ever; elsewhere the driver raises the interruption where it waits. `made` counts the
    interruptions, `raised` those of them that were raised.
    """

    made: int = 0
    raised: int = 0
    in_code: bool = False
    wake: Callable[[], object] = int

    def check(self) -> None:
        """Raise the interruption that was held back, if there is one."""
        if self.made > self.raised:
            self.raised = self.made
            raise KeyboardInterrupt

    def note(self) -> None:
        """The keyboard interrupts; the third time it is raised wherever the driver is, a store that does not answer included."""
        self.made += 1
        if self.in_code or self.made - self.raised >= PATIENCE:
            self.check()
        self.wake()


PATIENCE = 3
GLANCE = 0.5
"""For how many seconds a thread waits without a glance at the keyboard: a signal that comes just before a wait does not end it."""
HELD: list[Keyboard] = []
"""The drivers of the main thread, the innermost last: a step may run a workflow of its own."""


def handle(_number: int, _frame: object) -> None:
    """Handle SIGINT."""
    HELD[-1].note()


class HeldBack:
    """Ctrl-C is held back within; at the end it is raised, if it was not. Where the program has a handler of its own, nothing is changed.

    It is no generator: at the end of one Python writes to the error that came out, and some errors take no writing.
    """

    _keyboard: Keyboard | None = None
    _before: Any = None

    def __enter__(self) -> None:
        """Begin."""
        before = signal.getsignal(signal.SIGINT) if current_thread() is main_thread() else None
        if before is signal.default_int_handler or before is handle:
            self._keyboard, self._before = Keyboard(), before
            HELD.append(self._keyboard)
            signal.signal(signal.SIGINT, handle)

    def __exit__(self, kind: object, *_: object) -> None:
        """End."""
        if self._keyboard is not None:
            HELD.pop()
            signal.signal(signal.SIGINT, self._before)
            if kind is None:
                self._keyboard.check()


def keyboard_of() -> Keyboard | None:
    """The keyboard whose interruptions are held back for this thread."""
    return HELD[-1] if HELD and current_thread() is main_thread() else None


def run_in(context: Context, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call user code in this thread and in a context; Ctrl-C interrupts it."""
    with Interruptible():
        return context.run(function, *arguments)


class Interruptible:
    """Ctrl-C is raised at once within; one that was held back is raised first. It is no generator, as `HeldBack`."""

    _keyboard: Keyboard | None = None

    def __enter__(self) -> None:
        """Begin."""
        keyboard = keyboard_of()
        if keyboard is not None:
            keyboard.check()
            keyboard.in_code = True
            self._keyboard = keyboard

    def __exit__(self, *_: object) -> None:
        """End."""
        if self._keyboard is not None:
            self._keyboard.in_code = False
