"""Ended runs are removed whole: a tombstone first, then the rows, in transactions of a bounded size (P27).

Each function is given a connection inside one transaction. A run that has not ended, or that a process executes, is not even looked at: the
candidates come by the index of ends, and the tables refuse a tombstone for any other run.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import define, field, frozen

from statecore.stores.endings import DECIDED, LAST, OWNED
from statecore.stores.frames.questions import LAST_NUMBER, NUMBER_BITS
from statecore.stores.records import Unread
from statecore.stores.rules import ENDED
from statecore.stores.sql3.questions import body_of
from statecore.stores.sql3.rows import hot_digest, is_seal

from .sealed import PURGE, Tomb, erasure_bodies, erasure_digest, tombstone_by, tombstone_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.core import Micros
    from statecore.stores.sql.link import Link

RUNS, ROWS = 50, 5_000
"""The most runs and the most rows that one transaction of a purge removes."""
READ = 200
"""The most candidates that one transaction reads where runs are narrowed."""

CANDIDATES = """
SELECT h.ended_us, h.run, r.run_id, h.workflow, f.workflow_id, r.seal, h.phase, h.number, h.head, r.created_us, h.session, h.owner, h.quarantined,
  h.claim_order, h.epoch, d.fingerprint, h.state, h.held, h.seal, h.kid,
  EXISTS (SELECT 1 FROM erasure e WHERE e.run = h.run AND e.done_us IS NULL),
  EXISTS (SELECT 1 FROM notice n LEFT JOIN delivery y ON y.notice = n.id WHERE n.run = h.run AND y.done_us IS NULL),
  EXISTS (SELECT 1 FROM pause p WHERE p.run = h.run AND p.word IS NOT NULL),
  EXISTS (SELECT 1 FROM hot o WHERE o.session = h.session AND o.workflow = h.workflow AND o.claim_order > h.claim_order)
FROM hot h JOIN run r ON r.id = h.run JOIN workflow f ON f.id = h.workflow JOIN definition d ON d.id = h.definition
WHERE h.ended_us IS NOT NULL AND h.ended_us < ? AND (h.ended_us, h.run) > (?, ?)
ORDER BY h.ended_us, h.run LIMIT ?"""  # constants
LOCKED = " /*pg FOR NO KEY UPDATE OF h SKIP LOCKED*/"
BURY = """
INSERT INTO tombstone (run, run_id, workflow, identity, phase, number, head, created_us, ended_us, purged_us, "by", salt, seal)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
ORDER = 'INSERT INTO erasure (run, what, "by", salt, time_us, seal) VALUES (?, ?, ?, ?, ?, ?)'
BEGUN = """
SELECT e.run FROM erasure e WHERE e.done_us IS NULL AND e.run > ? AND e.what = ? ORDER BY e.run LIMIT ? /*pg FOR UPDATE SKIP LOCKED*/"""
UNHOT = "DELETE FROM hot WHERE run = ?"

HANGS = """
SELECT EXISTS (SELECT 1 FROM notice WHERE run = ?), EXISTS (SELECT 1 FROM pause WHERE run = ?),
  EXISTS (SELECT 1 FROM value WHERE event BETWEEN ? AND ?), EXISTS (SELECT 1 FROM move WHERE event BETWEEN ? AND ?)"""
OF_NOTICES = (
    (
        "DELETE FROM delivery WHERE (notice, channel) IN (SELECT d.notice, d.channel FROM notice n JOIN delivery d ON d.notice = n.id "
        "WHERE n.run = ? LIMIT ?)"
    ),
    "DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE run = ? LIMIT ?)",
)
OF_PAUSES = (
    (
        "DELETE FROM audience WHERE (who, pause, since_us) IN (SELECT a.who, a.pause, a.since_us FROM pause p JOIN audience a ON a.pause = p.id "
        "WHERE p.run = ? LIMIT ?)"
    ),
    "DELETE FROM act WHERE id IN (SELECT a.id FROM pause p JOIN act a ON a.pause = p.id WHERE p.run = ? LIMIT ?)",
    "DELETE FROM pause WHERE id IN (SELECT id FROM pause WHERE run = ? LIMIT ?)",
)
"""The rows that hang on a run by its number, each before the row that it hangs on."""
VALUES = "DELETE FROM value WHERE id IN (SELECT id FROM value WHERE event BETWEEN ? AND ? LIMIT ?)"
MOVES = "DELETE FROM move WHERE (event, k) IN (SELECT event, k FROM move WHERE event BETWEEN ? AND ? ORDER BY event DESC, k DESC LIMIT ?)"
EVENTS = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)"
ITS_STATE = "DELETE FROM session_value WHERE id IN (SELECT id FROM session_value WHERE run = ? LIMIT ?)"
OTHER_STATES = """
DELETE FROM session_value WHERE id IN (SELECT id FROM session_value WHERE session = ? AND workflow = ? AND run <> ? LIMIT ?)"""
ALONE = "SELECT r.session, r.workflow FROM run r WHERE r.id = ?"
HAS_OTHERS = "SELECT 1 FROM hot o WHERE o.session = ? AND o.workflow = ? AND o.run <> ? LIMIT 1"
OLDER = """
SELECT o.ended_us FROM hot o WHERE o.session = ? AND o.workflow = ? AND o.claim_order < ?
ORDER BY o.session DESC, o.workflow DESC, o.claim_order DESC LIMIT ?"""
LOOKED_AT = 100
ERASURES = "DELETE FROM erasure WHERE run = ?"
RUN = "DELETE FROM run WHERE id = ?"
SESSION = """
DELETE FROM session WHERE id = ? AND NOT EXISTS (SELECT 1 FROM run WHERE session = session.id)
AND NOT EXISTS (SELECT 1 FROM hot WHERE session = session.id) AND NOT EXISTS (SELECT 1 FROM session_value WHERE session = session.id)"""

ASIDE = "it is set aside"
ERASING, TELLING = "an erasure of it is not done: finish that first", "a notice of it is not delivered"
DAMAGED = "its row of `hot` is not as it was sealed"
"""Why a run that ended in time stays, besides the reasons of every store."""


@frozen
class Wanted:
    """Which runs go: those that ended before an instant, of one workflow or of all; where decisions are kept, none in which a person decided."""

    ended_before: Micros
    workflow_id: str | None = None
    keep_decisions: bool = False

    @property
    def reads(self) -> int:
        """How many candidates one transaction reads: more where some of them are passed over."""
        return RUNS if self.workflow_id is None and not self.keep_decisions else READ


class Key(NamedTuple):
    """Where a page of candidates goes on."""

    ended_us: Micros = -(2**62)
    run: int = 0


@define
class Batch:
    """The result of one transaction: how many runs and rows are gone, where to go on, how many runs stay and why."""

    key: Key
    runs: int = 0
    rows: int = 0
    events: int = 0
    over: bool = False
    kept: Counter[str] = field(factory=Counter)
    unread: list[Unread] = field(factory=list)

    @property
    def room(self) -> int:
        """How many rows may still go."""
        return ROWS - self.rows


class Candidate(NamedTuple):
    """A row of `CANDIDATES`."""

    ended_us: Micros
    run: int
    run_id: str
    workflow: int
    workflow_id: str
    identity: bytes
    phase: str
    number: int
    head: bytes
    created_us: Micros
    session: int | None
    owner: str | None
    quarantined: str | None
    claim_order: int
    epoch: int
    fingerprint: str
    state: str
    held: str
    seal: bytes
    kid: str | None
    erasing: bool
    telling: bool
    decided: bool
    newer: bool


def staying(run: Candidate, wanted: Wanted) -> str | None:
    """Why a run stays though it ended in time; None where it goes."""
    reasons = (
        (run.owner is not None or run.phase not in ENDED, OWNED),
        (run.quarantined is not None, ASIDE),
        (run.erasing, ERASING),
        (run.telling, TELLING),
        (wanted.keep_decisions and run.decided, DECIDED),
    )
    return next((why for holds, why in reasons if holds), None)


def is_sealed(connection: Link, run: Candidate) -> bool:
    """Whether the run stands where it was sealed: evidence of damage is not purged."""
    columns: dict[str, Any] = {
        name: getattr(run, name) for name in ("phase", "claim_order", "owner", "epoch", "number", "state", "held", "ended_us")
    }
    digest = hot_digest(run.run_id, columns | {"definition": run.fingerprint, "head": bytes(run.head)})
    return is_seal(connection, digest, run.kid, bytes(run.seal))


# -- looking -----------------------------------------------------------------------------------------------------------------------


def page(connection: Link, wanted: Wanted, key: Key, *, locks: bool = False) -> list[Candidate]:
    """The next runs that ended in time, in the order of their ends."""
    rows = connection.execute(CANDIDATES + (LOCKED if locks else ""), (wanted.ended_before, *key, wanted.reads)).fetchall()
    return [Candidate(*row) for row in rows]


def plan(connection: Link, wanted: Wanted, key: Key) -> Batch:
    """The result that a purge would have with the next runs; nothing is removed."""
    found = page(connection, wanted, key)
    batch = Batch(key, over=len(found) < wanted.reads)
    for run in found:
        batch.key = Key(run.ended_us, run.run)
        if goes(connection, run, wanted, batch) and not waits(connection, run, wanted, batch):
            batch.runs, batch.events = batch.runs + 1, batch.events + run.number
    return batch


def goes(connection: Link, run: Candidate, wanted: Wanted, batch: Batch) -> bool:
    """Whether a candidate is to go; why it stays is noted."""
    if wanted.workflow_id not in (None, run.workflow_id):
        return False
    why = staying(run, wanted)
    if why is not None:
        batch.kept[why] += 1
        return False
    if not is_sealed(connection, run):
        batch.unread.append(Unread(run.run_id, DAMAGED))
        return False
    return True


# -- removing ----------------------------------------------------------------------------------------------------------------------


def purge(connection: Link, wanted: Wanted, key: Key, time: Micros, by: str | None, salts: Sequence[bytes]) -> Batch:  # noqa: PLR0913  # an act
    """One transaction: first runs whose purge was begun, then the next candidates, at most `RUNS` runs and `ROWS` rows. There is a salt for each."""
    batch = Batch(key)
    last = 0
    for (run,) in connection.execute(BEGUN, (last, PURGE, RUNS)).fetchall():
        if batch.room <= 0 or not clear(connection, run, batch):
            return batch
    found = page(connection, wanted, key, locks=True)
    for run in found:
        if batch.runs >= RUNS or batch.room <= 0:
            return batch
        batch.key = Key(run.ended_us, run.run)
        if goes(connection, run, wanted, batch) and not holds_session(connection, run, batch):
            salt = salts[batch.runs] if by is not None else None
            bury(connection, run, time, by, salt)
            batch.rows += 1
            if not clear(connection, run.run, batch):
                begin(connection, run, time, by, salt)
                return batch
    batch.over = len(found) < wanted.reads
    return batch


def waits(connection: Link, run: Candidate, wanted: Wanted, batch: Batch) -> bool:
    """Whether a run that its session goes on from will stay, because an older run of the session does; of the older ones 100 are looked at."""
    if run.newer or run.session is None:
        return False
    older = connection.execute(OLDER, (run.session, run.workflow, run.claim_order, LOOKED_AT)).fetchall()
    if all(ended is not None and ended < wanted.ended_before for (ended,) in older):
        return False
    batch.kept[LAST] += 1
    return True


def holds_session(connection: Link, run: Candidate, batch: Batch) -> bool:
    """Whether the session would go on from an older run without this one: then it stays, and that is noted."""
    if run.newer or run.session is None or connection.execute(HAS_OTHERS, (run.session, run.workflow, run.run)).fetchone() is None:
        return False
    batch.kept[LAST] += 1
    return True


def bury(connection: Link, run: Candidate, time: Micros, by: str | None, salt: bytes | None) -> None:
    """Put the tombstone of a run, and take it from all that read runs."""
    tomb = Tomb(
        run.run_id, run.workflow_id, bytes(run.identity), run.phase, run.number, bytes(run.head), run.created_us, run.ended_us, time
    )
    seal = tombstone_digest(tomb, tombstone_by(salt, by))
    who = (run.run, run.run_id, run.workflow)
    connection.execute(BURY, (*who, *tomb[2:], body_of(by), salt, seal))
    connection.execute(UNHOT, (run.run,))


def begin(connection: Link, run: Candidate, time: Micros, by: str | None, salt: bytes | None) -> None:
    """Note that rows of a purged run are left."""
    seal = erasure_digest(run.run_id, PURGE, erasure_bodies(salt, by, None)[0], None, time)
    connection.execute(ORDER, (run.run, PURGE, body_of(by), salt, time, seal))


def clear(connection: Link, run: int, batch: Batch) -> bool:
    """Remove rows of a run that has its tombstone, as far as there is room; whether the run is gone."""
    first, last = run << NUMBER_BITS, run << NUMBER_BITS | LAST_NUMBER
    session, workflow = connection.execute(ALONE, (run,)).fetchone()
    its = session is None or connection.execute(HAS_OTHERS, (session, workflow, run)).fetchone() is not None
    state = (ITS_STATE, (run,)) if its else (OTHER_STATES, (session, workflow, run))
    told, asked, kept, listed = connection.execute(HANGS, (run, run, first, last, first, last)).fetchone()
    hanging = [(each, (run,)) for each in (*(OF_NOTICES if told else ()), *(OF_PAUSES if asked else ()))]
    far = [(each, (first, last)) for each in (*((VALUES,) if kept else ()), *((MOVES,) if listed else ()), EVENTS)]
    for statement, values in (*hanging, *far, state):
        batch.rows += connection.execute(statement, (*values, batch.room)).rowcount
        if batch.room <= 0:
            return False
    batch.rows += connection.execute(ERASURES, (run,)).rowcount
    connection.execute(RUN, (run,))
    connection.execute(SESSION, (session,))
    batch.runs, batch.rows = batch.runs + 1, batch.rows + 1
    return True
