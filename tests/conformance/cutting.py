"""A workflow of every way to be called, with a file of effects, and what interrupts it at every place: for RUN-9."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from threading import Event, Lock, current_thread, main_thread
from typing import Any

from attrs import define, field

from statecore import Parallel, Step, StepInput, Workflow
from statecore.stores import RunStore


def interrupt() -> None:
    """Interrupt the main thread, as the keyboard does."""
    signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)


@define
class Effects:
    """The marks of calls in a file: begin, each await, and end with how it ended. At the mark of a number `cut` is called."""

    file: Path
    number: int = 0
    cut: Callable[[], object] = interrupt
    marks: int = 0
    _lock: Lock = field(factory=Lock)

    def mark(self, what: str, visit: str, how: str = "") -> None:
        """Write a mark; one of them cuts."""
        with self._lock:
            self.marks += 1
            is_cut = self.marks == self.number
            if is_cut and self.cut is interrupt and current_thread() is main_thread():
                how = "raised"  # it is interrupted before it returns
            with self.file.open("a", encoding="utf-8") as file:
                file.write(f"{what} {visit} {how}\n")
        if is_cut:
            self.cut()

    def begin(self, asked: StepInput) -> None:
        """A call of a visit begins."""
        self.mark("begin", asked.idempotency_key)

    def lines(self) -> list[list[str]]:
        """The marks, in order."""
        return [line.split() for line in self.file.read_text(encoding="utf-8").splitlines()]

    def overlaps(self) -> list[str]:
        """The visits of which two calls were at the same time."""
        now: Counter[str] = Counter()
        found = []
        for what, visit, *_ in self.lines():
            now[visit] += {"begin": 1, "end": -1, "await": 0}[what]
            if now[visit] > 1:
                found.append(visit)
        return found + [visit for visit, left in now.items() if left]

    def returned(self) -> Counter[str]:
        """How often a call of each visit returned a value."""
        return Counter(visit for what, visit, *how in self.lines() if what == "end" and how == ["value"])


def flow(effects: Effects, db: RunStore) -> Workflow:
    """Plain and async steps, alone and beside each other, a retry, a clean-up that awaits, and a call that may take long on its thread."""

    def plain(asked: StepInput) -> str:
        how = "raised"
        try:
            effects.begin(asked)
            Event().wait(0.001)
            how = "value"
        finally:
            effects.mark("end", asked.idempotency_key, how)
        return asked.step_name

    async def waits(asked: StepInput) -> None:
        for _ in range(2):
            effects.mark("await", asked.idempotency_key)
            await asyncio.sleep(0)

    async def awaits(asked: StepInput) -> str:
        effects.begin(asked)
        how = "raised"
        try:
            try:
                await waits(asked)
            finally:
                await waits(asked)  # it cleans up
            how = "value"
        finally:
            effects.mark("end", asked.idempotency_key, how)
        return asked.step_name

    def fails_once(asked: StepInput) -> str:
        first, how = asked.attempt == 0, "raised"
        try:
            effects.begin(asked)
            how = "raised" if first else "value"
        finally:
            effects.mark("end", asked.idempotency_key, how)
        if first:
            raise OSError("the line is busy")
        return asked.step_name

    branches: list[Any] = [
        Step("thread", plain),
        Step("task", awaits),
        [Step("retried", fails_once, max_retries=2), Step("more", awaits)],
    ]
    return Workflow("flow", [Step("a", plain), Step("b", awaits), Parallel(*branches, name="p"), Step("z", plain)], db)


class Cut:
    """Awaits a coroutine, and cancels its task where it is suspended for the n-th time."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], number: int) -> None:
        self._coroutine, self._number = coroutine, number
        self.suspended = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        """Step through the coroutine."""
        task = asyncio.current_task()
        assert task is not None
        to_send: BaseException | None = None
        while True:
            try:
                waits = self._coroutine.send(None) if to_send is None else self._coroutine.throw(to_send)
            except StopIteration as end:
                return end.value
            self.suspended += 1
            if self.suspended == self._number:
                asyncio.get_running_loop().call_soon(task.cancel)
            to_send = None
            try:
                yield waits
            except BaseException as error:  # noqa: BLE001  # it goes where it would have gone
                to_send = error
