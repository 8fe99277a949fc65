"""Commits of concurrent runs that wait for the same disk share one wait: who comes while it turns rides along with the next.

A boundary is acknowledged when the transaction that holds it is durable, as one that is alone. Where anything goes wrong with a shared
transaction nothing of it is stored, and each of its boundaries is committed by its own thread, alone: so an error reaches whom it concerns.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .records import Boundary

MOST = 64
"""How many boundaries share a commit at most: a transaction that fails costs each of them another try."""


@define(eq=False)
class Ticket:
    """A boundary that waits for its commit; `answer` is what the store said of it once it is durable."""

    boundary: Boundary
    alone: bool = False
    answer: bool | None = None


@define(eq=False)
class Sharing:
    """The boundaries of a store that wait, and the lock whose holder commits all of them at once."""

    queue: list[Ticket] = field(factory=list)
    guard: Lock = field(factory=Lock)
    turn: Lock = field(factory=Lock)

    def commit(self, boundary: Boundary, write: Callable[[Sequence[Boundary]], list[bool]]) -> bool:
        """What `write` answers for a boundary, which it is given alone or together with others. Raises what it raises for this one."""
        if not self.queue and not self.turn.locked():  # nobody to share with; who slips in between waits for its turn, no more
            with self.turn:
                [answer] = write((boundary,))
            return answer
        mine = Ticket(boundary)
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

    def withdraw(self, mine: Ticket) -> None:
        """Nobody commits for a thread that was interrupted while it waited."""
        with self.guard:
            if mine in self.queue:
                self.queue.remove(mine)

    def taken(self, mine: Ticket) -> list[Ticket]:
        """The tickets that are settled now: mine, and others that wait."""
        with self.guard:
            others = [each for each in self.queue if each is not mine]
            self.queue[:] = others[MOST - 1 :]
        return [mine, *others[: MOST - 1]]

    @staticmethod
    def settle(tickets: list[Ticket], write: Callable[[Sequence[Boundary]], list[bool]]) -> None:
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
