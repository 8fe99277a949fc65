"""What became of a component in a run, and how a picture says it: its state, at which attempt, in which iteration, and who decided what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from collections.abc import Mapping

OVER = frozenset({w.completed, w.skipped, w.failed, w.cancelled})
WAITS = "waits for an answer"


@frozen
class Past:
    """A component in a run: the phase it is in, and how it came there.

    `attempt` counts from 0, as a journal does; `iteration`, of the loop around it, from 1, and is 0 where there is none. `why` is the reason of
    a skip, or the name of the error that it failed of. `said` is what was decided in each phase: `confirm by ada`; `answer` what is decided of its
    open question, and counts when the run goes on.
    """

    phase: str
    attempt: int = 0
    iteration: int = 0
    why: str = ""
    said: Mapping[str, str] = field(factory=dict)
    answer: str = ""

    @property
    def waits(self) -> str:
        """What its open question waits for."""
        return f"{self.answer}, when the run goes on" if self.answer else WAITS

    def lines(self) -> tuple[str, ...]:
        """Its state in a line; empty where it only waits at a gate, which says so itself, or has not begun."""
        says = STATES.get(self.phase, "")
        if not says:
            return ()
        why = f": {self.why}" if self.why and self.phase in WHY else ""
        asks = f", {self.waits}" if self.phase == w.errored_paused else ""
        attempt = f", attempt {self.attempt + 1}" if self.attempt else ""
        iteration = f", iteration {self.iteration}" if self.iteration else ""
        return (f"{says}{why}{attempt}{iteration}{asks}",)


STATES = {
    w.completed: "completed",
    w.skipped: "skipped",
    w.failed: "failed",
    w.cancelled: "cancelled",
    w.errored_paused: "failed",
    w.running: "running",
    w.evaluating: "running",
    w.judging: "running",
    w.backing_off: "waits to be tried again",
}
WHY = frozenset({w.skipped, w.failed, w.errored_paused, w.backing_off})
