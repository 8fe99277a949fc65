"""The rest of purged runs under `verify`: tombstones and orders; and the leaves that an outsider anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.errors import StatecoreError
from statecore.stores.ending.anchoring import root
from statecore.stores.ending.sealed import PURGE, Tomb, erasure_bodies, erasure_digest, tombstone_by, tombstone_digest
from statecore.stores.endings import read_order
from statecore.stores.frames import chain
from statecore.stores.rules import ENDED, clock_text
from statecore.stores.sql3.questions import text_of

from .verify import Fault, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from statecore.core import Micros
    from statecore.stores.sql.link import Link

    from .verify import Verified

AT_ONCE = 1_000
TOMBSTONES = """
SELECT t.run, t.run_id, f.workflow_id, t.identity, t.phase, t.number, t.head, t.created_us, t.ended_us, t.purged_us, t."by", t.salt, t.seal,
  r.run_id, r.seal, h.run, (SELECT min(e.what) FROM erasure e WHERE e.run = t.run AND e.done_us IS NULL AND e.what = ?), t.by_c, t.kid
FROM tombstone t LEFT JOIN workflow f ON f.id = t.workflow LEFT JOIN run r ON r.id = t.run LEFT JOIN hot h ON h.run = t.run
WHERE t.run > ? ORDER BY t.run LIMIT ?"""
ORDERS = """
SELECT e.id, e.run, r.run_id, e.what, e."by", e.reason, e.salt, e.time_us, e.done_us, e.seal, e.by_c, e.reason_c, e.kid, t.run
FROM erasure e LEFT JOIN run r ON r.id = e.run LEFT JOIN tombstone t ON t.run = e.run WHERE e.id > ? ORDER BY e.id LIMIT ?"""


def tombstones(connection: Link, found: Verified) -> None:
    """Each tombstone is as it was sealed, and of its run no row is left but those of a purge that is not done."""
    last = 0
    while rows := connection.execute(TOMBSTONES, (PURGE, last, AT_ONCE)).fetchall():
        for row in rows:
            why = fault_of_tombstone(row)
            if why is not None:
                found.blame(f"tombstone {row[0]}", why, row[1])
            elif row[13] is not None:
                found.remarks.append(Fault(row[1], "tombstone", "its purge was begun and is not done: run `statecore purge` again"))
        found.purged += len(rows)
        last = rows[-1][0]


def fault_of_tombstone(row: Sequence[Any]) -> str | None:
    """Why a tombstone cannot be what was stored; None where it can."""
    *_, by, salt, seal, run_id, identity, hot, order, by_c, kid = row
    try:
        tomb = Tomb(row[1], row[2], bytes(row[3]), row[4], row[5], bytes(row[6]), *row[7:10])
        digest = tombstone_digest(tomb, tombstone_by(salt, None if by is None else bytes(by)) if by_c is None else bytes(by_c))
    except (StatecoreError, TypeError, ValueError) as error:
        return plain(error)
    if digest != seal or kid is not None:
        return "it is not as it was sealed"
    if tomb.phase not in ENDED or (by is None) != (salt is None) or (by_c is not None and by is not None):
        return "it is of a run that has not ended, or has a salt that no body needs"
    if run_id is None:
        return None
    if hot is not None or order is None or (run_id, bytes(identity)) != (tomb.run_id, tomb.identity):
        return "a run of its number is there, and no purge of it is under way"
    return None


def orders(connection: Link, found: Verified) -> None:
    """Each order is as it was sealed, and of a run that is there."""
    last = 0
    while rows := connection.execute(ORDERS, (last, AT_ONCE)).fetchall():
        for number, _, run_id, what, by, reason, salt, time, done, seal, by_c, reason_c, kid, buried in rows:
            last = number
            where = f"erasure {number}"
            if run_id is None:
                found.blame(where, "it is of a run that is not there")
                continue
            try:
                made = erasure_bodies(salt, *[None if each is None else bytes(each) for each in (by, reason)])
                who, why = made[0] if by_c is None else bytes(by_c), made[1] if reason_c is None else bytes(reason_c)
                right = erasure_digest(run_id, what, who, why, time) == seal and kid is None
            except (StatecoreError, TypeError, ValueError) as error:
                found.blame(where, plain(error), run_id)
                continue
            if not right or (salt is None) != (by is None and reason is None):
                found.blame(where, "it is not as it was sealed", run_id)
            elif what == PURGE:
                if buried is None or done is not None:
                    found.blame(where, "it orders a purge, and there is no tombstone", run_id)
                continue
            order = read_order(what)
            if order is None:
                found.blame(where, "its order is none that this release knows", run_id)
            else:
                found.remarks.append(Fault(run_id, where, told(order.told, text_of(by), time, done)))


LEAVES = """
SELECT l.number, l.kind, l.run_id, l.event, l.digest, l.hash, r.run_id, r.seal, t.run_id, t.identity, t.number, t.head, e.hash, h.run
FROM leaf l LEFT JOIN run r ON r.id = l.run LEFT JOIN hot h ON h.run = l.run LEFT JOIN tombstone t ON t.run = l.run
LEFT JOIN event e ON e.id = (l.run << 24) + l.event WHERE l.number > ? ORDER BY l.number LIMIT ?"""


def leaves(connection: Link, found: Verified) -> None:
    """Each leaf follows the one before, is the hash of what it says, and agrees with its run or with the tombstone of it."""
    last = 0
    while rows := connection.execute(LEAVES, (last, AT_ONCE)).fetchall():
        for row in rows:
            why = f"it is missing; leaf {row[0]} comes next" if row[0] != last + 1 else fault_of_leaf(row)
            if why is not None:
                found.blame(f"leaf {last + 1}", why, row[2])
            last = row[0]


def fault_of_leaf(row: Sequence[Any]) -> str | None:  # noqa: PLR0911  # a table of reasons
    """Why a leaf cannot be what was stored; None where it can. Of a run that ended again the older ends are not in its tombstone."""
    _, kind, run_id, event, digest, kept, its, seal, buried, identity, number, head, linked, there = row
    try:
        made = chain.begun(run_id, bytes(digest)) if kind == "begun" else chain.ended(run_id, event, bytes(digest))
    except (StatecoreError, TypeError, ValueError) as error:
        return plain(error)
    if made != kept:
        return "it is not the hash of its run"
    if its is None and buried is None:
        return "its run is gone, and there is no tombstone"
    if run_id != (buried if its is None else its):
        return "its run has another id"
    if kind == "begun":
        return None if digest == (identity if seal is None else seal) else "its run began as another one"
    if there is not None:
        return None if digest == linked else "the journal of its run was shortened or replaced"
    if number is None or event > number or (event == number and digest != head):
        return "its run ended as another one"
    return None


def check_root(connection: Link, found: Verified, upto: int, wanted: str) -> None:
    """The root over the first leaves is the one that a person has kept."""
    there, made = root(connection, upto)
    if there < upto:
        found.blame("table leaf", f"it has {there:,} leaves, and the root was made over {upto:,}")
    elif made.hex() != wanted.lower():
        found.blame("table leaf", f"the root over the first {upto:,} leaves is {made.hex()}, and another one was kept")
    found.root = made.hex()


def told(what: str, by: str | None, time: Micros, done: Micros | None) -> str:
    """An erasure in words."""
    order = f"{what}, ordered by {by or 'an unnamed person'} at {clock_text(time)}"
    if done is None:
        return f"an erasure is not done: {order}; run `statecore erase` again"
    return f"erased: {order}, done at {clock_text(done)}; the erased values are known by their commitments alone"
