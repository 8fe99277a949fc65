"""The chain that an outsider can anchor: a leaf for the beginning and for the end of each run, and the root over all of them (P21).

Leaves are numbered without gaps and never change, so the root over the first n never changes either. A person who keeps n and the root elsewhere
notices a run that was deleted, replaced or shortened afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.stores.frames import chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statecore.core import Micros
    from statecore.stores.sql.link import Link

AT_ONCE = 500
"""How many leaves one transaction appends, and how many runs it looks at."""

BEGUN = """
SELECT r.id, r.run_id, r.seal, EXISTS (SELECT 1 FROM leaf l WHERE l.run = r.id AND l.kind = 'begun' AND l.event = 0)
FROM run r JOIN hot h ON h.run = r.id WHERE r.id > ? ORDER BY r.id LIMIT ?"""
ENDED = """
SELECT h.ended_us, h.run, r.run_id, h.number, h.head, EXISTS (SELECT 1 FROM leaf l WHERE l.run = h.run AND l.kind = 'ended' AND l.event = h.number)
FROM hot h JOIN run r ON r.id = h.run
WHERE h.ended_us IS NOT NULL AND (h.ended_us, h.run) > (?, ?) ORDER BY h.ended_us, h.run LIMIT ?"""
LAST = "SELECT coalesce(max(number), 0) FROM leaf"
ADD = "INSERT INTO leaf (number, kind, run, run_id, event, digest, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
HASHES = "SELECT number, hash FROM leaf WHERE number > ? AND number <= ? ORDER BY number LIMIT ?"


def begun(connection: Link, after: int) -> tuple[int | None, int]:
    """Append the leaves of the next runs that have begun: the last run looked at, None at the end, and how many leaves are new."""
    rows = connection.execute(BEGUN, (after, AT_ONCE)).fetchall()
    number, added = connection.execute(LAST).fetchone()[0], 0
    for run, run_id, seal, there in rows:
        if not there:
            added += 1
            digest = bytes(seal)
            connection.execute(ADD, (number + added, "begun", run, run_id, 0, digest, chain.begun(run_id, digest)))
    return rows[-1][0] if len(rows) == AT_ONCE else None, added


def ended(connection: Link, after: tuple[Micros, int]) -> tuple[tuple[Micros, int] | None, int]:
    """Append the leaves of the next runs that have ended: the key of the last one looked at, None at the end, and how many leaves are new."""
    rows = connection.execute(ENDED, (*after, AT_ONCE)).fetchall()
    number, added = connection.execute(LAST).fetchone()[0], 0
    for _, run, run_id, last, head, there in rows:
        if not there:
            added += 1
            digest = bytes(head)
            connection.execute(ADD, (number + added, "ended", run, run_id, last, digest, chain.ended(run_id, last, digest)))
    return (rows[-1][0], rows[-1][1]) if len(rows) == AT_ONCE else None, added


def root(connection: Link, leaves: int | None = None) -> tuple[int, bytes]:
    """How many leaves there are, at most so many, and the root over them."""
    there = connection.execute(LAST).fetchone()[0]
    upto = there if leaves is None else min(leaves, there)
    return upto, chain.root(hashes(connection, upto))


def hashes(connection: Link, upto: int) -> Iterator[bytes]:
    """The hashes of the first leaves, in order."""
    last = 0
    while rows := connection.execute(HASHES, (last, upto, AT_ONCE)).fetchall():
        for number, each in rows:
            yield bytes(each)
            last = number
