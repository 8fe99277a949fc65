"""Counts of listings: by the same indexes, and at most so many rows are read, unless the exact number is wanted (P26)."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from statecore.stores.pages import Counted
from statecore.stores.records import PauseFilter

from .listing import PAUSE_CONDITIONS, READ, RUN_CONDITIONS, SLICE, asking_pauses, asking_runs, led, numbered, slices
from .reading import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.stores.records import RunFilter
    from statecore.stores.sql.link import Link

    from .listing import Found


def count(connection: Link, wanted: RunFilter | PauseFilter, *, exact: bool) -> Counted:
    """How many runs, or open pauses, a filter fits; its page and its limit count for nothing. Raises `UnknownRun` for the run of a filter."""
    return counted(
        pauses(connection, wanted) if isinstance(wanted, PauseFilter) else runs(connection, wanted), None if exact else READ
    )


def counted(rows: Iterable[Found], most: int | None) -> Counted:
    """The fitting rows among the first so many."""
    number = 0
    for read, row in enumerate(rows):
        if read == most:
            return Counted(number, more=True)
        number += row.fits
    return Counted(number, more=False)


def runs(connection: Link, wanted: RunFilter) -> Iterable[Found]:
    """The rows of a listing of runs."""
    asked = numbered(connection, wanted, RUN_CONDITIONS)
    if asked is None or wanted.phases == ():
        return ()
    leads, narrows = led(wanted, asked)
    return chain.from_iterable(slices(asking_runs(connection, lead, narrows), None, SLICE) for lead in leads)


def pauses(connection: Link, wanted: PauseFilter) -> Iterable[Found]:
    """The rows of a listing of open pauses."""
    number = None if wanted.run_id is None else number_of(connection, wanted.run_id)
    asked = numbered(connection, wanted, PAUSE_CONDITIONS)
    if asked is None:
        return ()
    return chain.from_iterable(slices(ask, None, SLICE) for ask in asking_pauses(connection, wanted, asked, number))
