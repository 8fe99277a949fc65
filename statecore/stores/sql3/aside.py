"""Runs that are set aside: no worker is handed one, and no process claims one, until it is taken back (P23).

Nothing else of the run is looked at or changed, so that a run whose rows are damaged can be set aside, too. The instant is kept, and no name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.errors import RunBusy, UnknownRun
from statecore.stores.owner import alive
from statecore.stores.rules import clock_text, sought

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.stores.sql.link import Link

WHOSE = """
SELECT h.run, h.owner, h.lease_us, h.quarantined FROM hot h WHERE h.run = (SELECT id FROM run WHERE run_id = ?) /*pg FOR NO KEY UPDATE*/"""
MARK = "UPDATE hot SET quarantined = ? WHERE run = ?"
ALL = "SELECT r.run_id, h.quarantined FROM hot h JOIN run r ON r.id = h.run WHERE h.quarantined IS NOT NULL ORDER BY h.run"


def set_aside(connection: Link, run_id: str, time: Micros) -> Micros:
    """Set a run aside; the instant since which it is. Raises `UnknownRun`, and `RunBusy` where a living process executes it."""
    row = connection.execute(WHOSE, (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    number, owner, lease, since = row
    if since is not None:
        return int(since)
    if owner is not None and alive(owner, lease, time):
        raise RunBusy(run_id, owner, None if lease is None else clock_text(lease))
    connection.execute(MARK, (str(time), number))
    return time


def take_back(connection: Link, run_id: str) -> bool:
    """Take a run back; whether it was set aside. Raises `UnknownRun`."""
    row = connection.execute(WHOSE, (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    connection.execute(MARK, (None, row[0]))
    return row[3] is not None


def all_of(connection: Link) -> list[tuple[str, Micros]]:
    """The runs that are set aside, each with the instant since which it is."""
    return [(run_id, int(since)) for run_id, since in connection.execute(ALL).fetchall()]
