"""Hints that a question changed, for the stream of events: at least once, and without an order over runs.

One lookout of a store serves every reader of a process: it compares the open questions of one look with those of the next, and keeps the last
1,000 hints. A reader that comes back with an id which the lookout no longer has, or never had, gets `reset`, and reads the list again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from attrs import define, field

from statecore.core import Micros, Seconds
from statecore.errors import UnknownRun
from statecore.runtime.renewals import put_since
from statecore.stores import PauseFilter

if TYPE_CHECKING:
    from statecore.stores import Waiting
    from statecore.workflow.inbox import Inbox

    Seen = dict[tuple[str, str], tuple[str, Waiting]]
    """The open questions of a look, by their keys, each with its state."""

KEPT = 1_000
LOOKED = 10_000
"""The most open questions that a look compares."""
EVERY: Seconds = 1.0


class Hint(NamedTuple):
    """A change of a question, with the row as it was seen last."""

    number: int
    type: str
    row: Waiting
    at: int


@define(eq=False)
class Lookout:
    """The changes of a store's open questions, as looks at it tell them; `mark` tells this lookout from that of another process."""

    inbox: Inbox
    every: Seconds = EVERY
    clock: Callable[[], Seconds] = time.monotonic
    mark: str = field(factory=lambda: secrets.token_hex(4))
    hints: list[Hint] = field(factory=list)
    number: int = 0
    _known: Seen | None = None
    _looked: Seconds = float("-inf")
    _lock: Lock = field(factory=Lock, repr=False)

    def look(self) -> None:
        """Compare the store with what it was, unless that was done a moment ago. Raises the errors of a store."""
        with self._lock:
            if self.clock() - self._looked < self.every:
                return
            now = self.inbox.host.clock()
            rows = self.inbox.db.pauses(PauseFilter(undecided_only=False, limit=LOOKED))
            found = {(row.pause.run_id, row.pause.pause_id): (state(row, now), row) for row in rows}
            if self._known is not None:
                self._compare(self._known, found, now)
            self._known, self._looked = found, self.clock()

    def _compare(self, before: Seen, found: Seen, now: Micros) -> None:
        """Tell what is new, what has another state, and what is gone."""
        for key, (is_now, row) in found.items():
            if key not in before or before[key][0] != is_now:
                self._tell("asked" if is_now == "open" else is_now, row, now)
            elif len(before[key][1].acts) != len(row.acts):
                self._tell("voted", row, now)
        for key, (was, row) in before.items():
            if key not in found and was != "decided":  # that was told when it was decided
                self._tell(self._ended(row), row, now)

    def _ended(self, row: Waiting) -> str:
        """How a question went that was open a moment ago."""
        run_id, pause_id = row.pause.run_id, row.pause.pause_id
        try:
            now = self.inbox.db.pause(run_id, pause_id)
            newer = put_since(self.inbox.db, run_id, pause_id)
        except UnknownRun:
            return "run_ended"
        if newer is not None:
            return "superseded"
        if now is not None and now.decided is not None:
            return "decided"
        over = now.pause.closed if now is not None else None
        return "expired" if over is not None and row.pause.deadline is not None and over >= row.pause.deadline else "run_ended"

    def _tell(self, kind: str, row: Waiting, now: Micros) -> None:
        """Keep a hint."""
        self.number += 1
        self.hints.append(Hint(self.number, kind, row, now))
        del self.hints[:-KEPT]

    def after(self, last: str | None) -> int | None:
        """The number behind which a reader goes on: the newest for a new one; None where its last id cannot be resumed."""
        if last is None:
            return self.number
        mark, _, text = last.partition("-")
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1  # noqa: PLR2004  # digits of a number
        oldest = self.hints[0].number - 1 if self.hints else self.number
        return number if mark == self.mark and oldest <= number <= self.number else None


def state(row: Waiting, now: Micros) -> str:
    """The state of an open question as far as hints tell it."""
    if row.decided is not None:
        return "decided"
    return "expired" if row.pause.deadline is not None and row.pause.deadline <= now else "open"
