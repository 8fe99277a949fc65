"""`Stop`: a request to stop, made by a cancellation, a shutdown or a time limit, and heard by whoever looks at it or waits for it (RUN-10)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from threading import Event
from typing import TYPE_CHECKING, Any

from statecore.core import Seconds

if TYPE_CHECKING:
    import asyncio


class Stopped(BaseException):  # no error: the way out of a driver that is told to stop
    """The driver was told to stop."""


class Stop:
    """A request to stop, which may be made from any thread and in a signal handler."""

    def __init__(self) -> None:
        self._event = Event()
        self._heard: list[Callable[[], object]] = []

    def is_set(self) -> bool:
        """Whether the call is to stop."""
        return self._event.is_set()

    def wait(self, seconds: Seconds | None = None) -> bool | Coroutine[Any, Any, bool]:
        """Wait until the call is to stop, at most so many seconds: whether it is. Inside of an event loop it is awaited."""
        loop = running_loop()
        return self._event.wait(seconds) if loop is None else self._awaited(loop, seconds)

    async def _awaited(self, loop: asyncio.AbstractEventLoop, seconds: Seconds | None) -> bool:
        import asyncio  # noqa: PLC0415  # only asynchronous steps pay for it

        told = asyncio.Event()

        def tell() -> None:
            loop.call_soon_threadsafe(told.set)

        self.hear(tell)
        try:
            async with asyncio.timeout(seconds):
                await told.wait()
        except TimeoutError:
            return self.is_set()
        finally:
            if tell in self._heard:
                self._heard.remove(tell)
        return True

    def hear(self, heard: Callable[[], object]) -> None:
        """Have something called when the request is made, or at once where it was made before."""
        self._heard.append(heard)
        if self.is_set():
            heard()

    def set(self) -> None:
        """Make the request."""
        if not self._event.is_set():
            self._event.set()
            for heard in list(self._heard):
                heard()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in this thread; None where there is none."""
    import asyncio  # noqa: PLC0415  # only asynchronous steps pay for it

    return asyncio._get_running_loop()  # noqa: SLF001  # the public one raises, and user code would fail in the handling of that
