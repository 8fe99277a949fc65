"""Time that a test moves: deadlines, delays and leases without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

if TYPE_CHECKING:
    from statecore.stores import Store
    from statecore.workflow.workflow import Workflow

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
"""Where a test's time begins: a day in November 2023, UTC."""


@define
class Clock:
    """A clock in microseconds since 1970 that stands still until `advance`. A workflow that waits moves it on, and `waits` remembers."""

    now: int = START
    waits: list[float] = field(factory=list)

    def __call__(self) -> int:
        """Now."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += round(seconds * SECOND)

    def sleep(self, seconds: float) -> None:
        """What a workflow does instead of waiting."""
        self.waits.append(seconds)
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """The same on asyncio."""
        self.sleep(seconds)


def timed(workflow: Workflow, clock: Clock, db: Store | None = None) -> Workflow:
    """The same workflow by this clock, on its own store or on another."""
    other = workflow.on(db if db is not None else workflow.db)
    other.host = evolve(other.host, clock=clock, sleep=clock.sleep, asleep=clock.asleep)
    return other
