"""`EndingStore` gives a store over the tables of format 3 the methods that end data."""

from __future__ import annotations

from collections import Counter
from os import urandom
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from statecore.core import Seconds
from statecore.stores.endings import Anchored, Archived, Erasure, Purged, check_step, ordered
from statecore.stores.frames.framing import SALT_BYTES
from statecore.stores.rules import check_text
from statecore.stores.sql3.relational import Relational

from . import anchoring, archiving, emptying, purging
from .files import new_file
from .purging import Key, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from statecore.core import Micros

    from .emptying import Order
    from .purging import Batch

FIRST: tuple[int, int] = (-(2**62), 0)
"""The key before every run that has ended."""
BREATH, LONGEST_BREATH = 0.002, 0.25
"""Seconds between two transactions of a purge: as long as the last one took. Those that wait for the writer's place look for it now and then, and
find it free every second time."""


class EndingStore(Relational):
    """A store that purges runs and erases values.

    `_wrote` is told how many rows a transaction has changed, for a store that bounds its log. `_scrubbed` is what only its database knows: how old
    pages leave its files. `_beyond` says what it cannot reach.
    """

    _beyond: str | None = None

    def _wrote(self, rows: int) -> None:
        """Note that many rows were changed."""

    def purge(  # noqa: PLR0913  # as many as there is to say of a purge
        self,
        ended_before: Micros,
        time: Micros,
        *,
        workflow_id: str | None = None,
        keep_decisions: bool = False,
        by: str | None = None,
        plan: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Purged:
        """Remove the runs that ended before an instant, whole, in transactions of at most 50 runs and 5,000 rows; a tombstone stays of each.

        A run that goes on, waits or is executed stays, whatever its age. A purge that was interrupted is continued by the next one. With
        `plan` nothing is removed. Raises what `_write` raises.
        """
        check_text(workflow_id, by)
        wanted, key = Wanted(ended_before, workflow_id, keep_decisions), Key()
        runs = rows = batches = 0
        kept: Counter[str] = Counter()
        unread = []
        while True:
            began = monotonic()
            batch = self._read(purging.plan, wanted, key) if plan else self._purged(wanted, key, time, by)
            runs, rows, batches = runs + batch.runs, rows + (batch.events if plan else batch.rows), batches + 1
            kept, key = kept + batch.kept, batch.key
            unread += batch.unread
            if progress is not None:
                progress(runs)
            if batch.over:
                return Purged(runs, rows, batches, kept, tuple(unread), plan)
            if not plan:
                sleep(min(max(BREATH, monotonic() - began), LONGEST_BREATH))

    def erase(  # noqa: PLR0913  # as many as there is to say of an erasure
        self,
        run_id: str,
        by: str,
        time: Micros,
        *,
        fields: Collection[str] = (),
        step: str | None = None,
        reason: str | None = None,
        wait: Seconds = 10.0,
    ) -> Erasure:
        """Replace values of an ended run by their commitments: those of some fields, or all; of one step, or of the whole run.

        Orders of the run that are in force already are carried out as well. It waits for `wait` seconds for those who still read the store as it
        was; then the order stays in force, and the same call goes on with it. Raises `UnknownRun`, `NotEnded`, `UnsupportedSetting`.
        """
        check_text(by, reason, step)
        what = ordered(fields, step)
        if step is not None:
            check_step(what, [entry.at for entry in self.outline(run_id)])
        orders = self._write(emptying.begin, run_id, what, by, reason, time, urandom(SALT_BYTES))
        bodies = sum(self._emptied(order) for order in orders)
        left = self._scrubbed(wait)
        if left is None:
            self._write(emptying.done, orders, time)
        return Erasure(run_id, what.told, bodies, left is None, left, self._beyond)

    def archive(self, run_ids: Sequence[str], to: str | Path, time: Micros) -> Archived:
        """Write runs into a new file, with all that is needed to verify them elsewhere; the store stays as it is.

        Raises `UnknownRun`, and `StoreUnavailable` where there is a file of that name.
        """
        check_text(*run_ids)
        runs = tuple(dict.fromkeys(run_ids))
        with new_file(to) as file:
            rows = self._read(archiving.archive, runs, time, file)
        return Archived(str(to), runs, rows)

    def anchor(self) -> Anchored:
        """Append the leaves of the runs that have begun and ended since the last time; the root over all leaves."""
        added = 0
        run: int | None = 0
        while run is not None:
            run, new = self._write(anchoring.begun, run)
            added += new
        key: tuple[Micros, int] | None = FIRST
        while key is not None:
            key, new = self._write(anchoring.ended, key)
            added += new
        leaves, root = self._read(anchoring.root)
        return Anchored(leaves, root.hex(), added)

    def root(self, leaves: int | None = None) -> Anchored:
        """The root over the first leaves, or over all of them; nothing is appended."""
        found, root = self._read(anchoring.root, leaves)
        return Anchored(found, root.hex())

    def _emptied(self, order: Order) -> int:
        """Carry one order out, batch by batch; how many bodies went."""
        bodies, last = 0, 0
        while (batch := self._write(emptying.events, order, last, self._known.shapes)).last is not None:
            bodies, last = bodies + batch.bodies, batch.last
            self._wrote(emptying.AT_ONCE)
        last = 0
        while (batch := self._write(emptying.questions, order, last)).last is not None:
            bodies, last = bodies + batch.bodies, batch.last
        return bodies + self._write(emptying.rest, order)

    def _scrubbed(self, wait: Seconds) -> str | None:
        """Have the old pages leave the files of the store, within so many seconds; what still holds them, None where nothing does."""
        raise NotImplementedError

    def _purged(self, wanted: Wanted, key: Key, time: Micros, by: str | None) -> Batch:
        """One transaction of a purge."""
        salts = [urandom(SALT_BYTES) for _ in range(purging.RUNS + 1)]
        batch = self._write(purging.purge, wanted, key, time, by, salts)
        self._wrote(batch.rows)
        return batch
