"""`Sharing`: commits of concurrent runs that wait for the same disk share one wait.

A boundary is acknowledged when the transaction that holds it is durable, as one that is alone. If a shared transaction fails, nothing of it is
stored, and each of its boundaries is committed by its own thread, alone: so an error reaches the thread that it concerns.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Work = TypeVar("Work")
Answer = TypeVar("Answer")

MOST = 64
"""How many boundaries share a commit at most: a transaction that fails costs each of them another try."""


@define(eq=False)
class Ticket(Generic[Work, Answer]):
    """A boundary that waits for its commit; `answer` is what the store said of it once it is durable."""

    boundary: Work
    alone: bool = False
    answer: Answer | None = None


@define(eq=False)
class Sharing(Generic[Work, Answer]):
    """The boundaries of a store that wait, and the lock whose holder commits all of them at once."""

    queue: list[Ticket[Work, Answer]] = field(factory=list)
    guard: Lock = field(factory=Lock)
    turn: Lock = field(factory=Lock)

    def commit(self, boundary: Work, write: Callable[[Sequence[Work]], list[Answer]]) -> Answer:
        """Give the result of `write` for a boundary, alone or together with others. Raises the error of this boundary."""
        mine: Ticket[Work, Answer] = Ticket(boundary)
        with self.guard:
            self.queue.append(mine)
        try:
            with self.turn:
                if mine.answer is None and not mine.alone:
                    self.settle(self.taken(mine), write)
                if mine.answer is None:
                    [mine.answer] = write((boundary,))
        except BaseException:
            self.withdraw(mine)
            raise
        return mine.answer

    def withdraw(self, mine: Ticket[Work, Answer]) -> None:
        """Take back the boundary of a thread that was interrupted while it waited: no other thread commits it."""
        with self.guard:
            if mine in self.queue:
                self.queue.remove(mine)

    def taken(self, mine: Ticket[Work, Answer]) -> list[Ticket[Work, Answer]]:
        """The tickets that are settled now: mine, and others that wait."""
        with self.guard:
            others = [each for each in self.queue if each is not mine]
            self.queue[:] = others[MOST - 1 :]
        return [mine, *others[: MOST - 1]]

    @staticmethod
    def settle(tickets: list[Ticket[Work, Answer]], write: Callable[[Sequence[Work]], list[Answer]]) -> None:
        """Commit several boundaries at once; where that fails, nothing is stored and each is left to its own thread."""
        if len(tickets) == 1:
            return
        for each in tickets:
            each.alone = True
        try:
            answers = write(tuple([each.boundary for each in tickets]))
        except Exception:  # noqa: BLE001  # whose error it is shows when each is committed alone
            return
        for each, answer in zip(tickets, answers, strict=True):
            each.answer = answer
