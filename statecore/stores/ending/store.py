"""`EndingStore` gives a store over the tables of format 3 the methods that end data."""

from __future__ import annotations

from collections import Counter
from os import urandom
from time import sleep
from typing import TYPE_CHECKING

from statecore.stores.endings import Purged
from statecore.stores.frames.framing import SALT_BYTES
from statecore.stores.rules import check_text
from statecore.stores.sql3.relational import Relational

from . import purging
from .purging import Key, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Micros

    from .purging import Batch

BREATH = 0.002
"""Seconds between two transactions of a purge, in which those that wait for the writer's place may take it."""


class EndingStore(Relational):
    """A store that purges runs. `_wrote` is told how many rows a transaction has changed, for a store that bounds its log."""

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
            batch = self._read(purging.plan, wanted, key) if plan else self._purged(wanted, key, time, by)
            runs, rows, batches = runs + batch.runs, rows + (batch.events if plan else batch.rows), batches + 1
            kept, key = kept + batch.kept, batch.key
            unread += batch.unread
            if progress is not None:
                progress(runs)
            if batch.over:
                return Purged(runs, rows, batches, kept, tuple(unread), plan)
            if not plan:
                sleep(BREATH)

    def _purged(self, wanted: Wanted, key: Key, time: Micros, by: str | None) -> Batch:
        """One transaction of a purge."""
        salts = [urandom(SALT_BYTES) for _ in range(purging.RUNS + 1)]
        batch = self._write(purging.purge, wanted, key, time, by, salts)
        self._wrote(batch.rows)
        return batch
