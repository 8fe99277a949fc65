"""An order to erase, carried out: the order first, then the rows in batches, then the order is done (P28).

Each function is given a connection inside one transaction. A batch that was made before finds nothing to do, so an erasure that was interrupted
is made again from its beginning. The tables let a body go only under an order in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from statecore.errors import NotEnded
from statecore.stores.endings import What, read_order
from statecore.stores.frames.questions import LAST_NUMBER, NUMBER_BITS
from statecore.stores.rules import ENDED, STATUS, sought
from statecore.stores.sql3.ciphers import is_enciphered
from statecore.stores.sql3.covering import SEARCHED
from statecore.stores.sql3.questions import body_of
from statecore.stores.sql3.reading import unknown
from statecore.stores.sql3.shapes import read_shape

from . import erasing
from .erasing import emptied
from .sealed import PURGE, erasure_bodies, erasure_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.core import Micros
    from statecore.stores.sql.link import Link
    from statecore.stores.sql3.shapes import MoveLists

AT_ONCE = 200
"""How many rows one transaction looks at."""

WHOSE = """/*pg-first SELECT FROM hot WHERE run = (SELECT id FROM run WHERE run_id = ?) FOR NO KEY UPDATE*/
SELECT h.run, h.phase, h.owner FROM hot h WHERE h.run = (SELECT id FROM run WHERE run_id = ?)"""
OPEN = "SELECT id, what FROM erasure WHERE run = ? AND done_us IS NULL AND what <> ? ORDER BY id"
ORDER = 'INSERT INTO erasure (run, what, "by", reason, salt, time_us, seal) VALUES (?, ?, ?, ?, ?, ?, ?)'
DONE = "UPDATE erasure SET done_us = ? WHERE id = ? AND done_us IS NULL"
EVENTS = """
SELECT id, shape, fact, "by", note, value, by_c, note_c, value_c, salt, session FROM event WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"""
APART = "SELECT slot, body FROM value WHERE event = ?"
SET_EVENT = 'UPDATE event SET "by" = ?, note = ?, value = ?, by_c = ?, note_c = ?, value_c = ?, salt = ? WHERE id = ?'
UNKEEP = "DELETE FROM value WHERE event = ? AND slot = ?"
PAUSES = """
SELECT id, kind, put, at, message, form, choices, names, message_c, form_c, choices_c, names_c, salt, voter_salt, answer, "by", login, comment,
  answer_c, by_c, login_c, comment_c, decision_salt FROM pause WHERE run = ? AND id > ? ORDER BY id LIMIT ?"""
SET_PAUSE = """
UPDATE pause SET message = ?, form = ?, choices = ?, names = ?, message_c = ?, form_c = ?, choices_c = ?, names_c = ?, salt = ? WHERE id = ?"""
SET_DECISION = """
UPDATE pause SET answer = ?, "by" = ?, login = ?, comment = ?, answer_c = ?, by_c = ?, login_c = ?, comment_c = ?, decision_salt = ?
WHERE id = ?"""
RUN = """
SELECT s.session_id, r.user_id, r.requester, r.input, r.additional, r.metadata, r.session_c, r.user_c, r.requester_c, r.input_c, r.additional_c,
  r.metadata_c, r.salt, r.session FROM run r LEFT JOIN session s ON s.id = r.session WHERE r.id = ?"""
SET_RUN = """
UPDATE run SET session = ?, user_id = ?, requester = ?, input = ?, additional = ?, metadata = ?, session_c = ?, user_c = ?, requester_c = ?,
  input_c = ?, additional_c = ?, metadata_c = ?, salt = ? WHERE id = ?"""
HOT_SESSION = "UPDATE hot SET session = NULL WHERE run = ?"
CANCEL = "SELECT cancel_by, cancel_by_c, cancel_salt FROM hot WHERE run = ?"
SET_CANCEL = "UPDATE hot SET cancel_by = ?, cancel_by_c = ?, cancel_salt = ? WHERE run = ?"
STATES = "DELETE FROM session_value WHERE run = ?"
LEFT_STATES = """
DELETE FROM session_value WHERE session = ? AND workflow = (SELECT workflow FROM run WHERE id = ?)
AND NOT EXISTS (SELECT 1 FROM hot WHERE run = session_value.run)"""
SESSION = """
DELETE FROM session WHERE id = ? AND NOT EXISTS (SELECT 1 FROM run WHERE session = session.id)
AND NOT EXISTS (SELECT 1 FROM hot WHERE session = session.id) AND NOT EXISTS (SELECT 1 FROM session_value WHERE session = session.id)"""

ACTS = """
SELECT id, "by", login, delegate, answer, comment, by_c, login_c, delegate_c, answer_c, comment_c, salt FROM act WHERE pause = ? ORDER BY id"""
SET_ACT = """
UPDATE act SET "by" = ?, login = ?, delegate = ?, answer = ?, comment = ?, by_c = ?, login_c = ?, delegate_c = ?, answer_c = ?, comment_c = ?,
  salt = ? WHERE id = ?"""

ACT_SLOTS = ("act.by", "act.login", "act.delegate", "act.answer", "act.comment")
EVENT_SLOTS = ("event.by", "event.note", "event.value")
PAUSE_SLOTS = ("pause.message", "pause.form", "pause.choices", "pause.names")
RUN_SLOTS = ("run.session", "run.user", "run.requester", "run.input", "run.additional", "run.metadata")
DECISION_SLOTS = ("decision.answer", "decision.by", "decision.login", "decision.comment")


class Order(NamedTuple):
    """An order in force: the run's number, the order's, and what it says."""

    run: int
    id: int
    what: What


class Batch(NamedTuple):
    """The last row that a transaction looked at, None where there was none left, and how many bodies it took."""

    last: int | None
    bodies: int


# -- the order ---------------------------------------------------------------------------------------------------------------------


def begin(  # noqa: PLR0913  # all that an order says
    connection: Link, run_id: str, what: What, by: str, reason: str | None, time: Micros, salt: bytes
) -> list[Order]:
    """Store an order; it, and those of the run that are in force already. Raises `UnknownRun`, and `NotEnded` for a run that goes on."""
    row = connection.execute(WHOSE, (sought(run_id),)).fetchone()
    if row is None:
        raise unknown(connection, run_id)
    run, phase, owner = row
    if phase not in ENDED or owner is not None:
        raise NotEnded(run_id, STATUS[phase])
    orders = standing(connection, run)
    if what not in [each.what for each in orders]:
        commitments = erasure_bodies(salt, by, reason)
        seal = erasure_digest(run_id, what.text, *commitments, time)
        connection.execute(ORDER, (run, what.text, body_of(by), body_of(reason), salt, time, seal))
        orders = standing(connection, run)
    return orders


def standing(connection: Link, run: int) -> list[Order]:
    """The orders of a run that are in force."""
    found = []
    for number, text in connection.execute(OPEN, (run, PURGE)).fetchall():
        what = read_order(text)
        if what is not None:
            found.append(Order(run, number, what))
    return found


def done(connection: Link, orders: Iterable[Order], time: Micros) -> None:
    """Note that orders are carried out, and that no trace is left."""
    for order in orders:
        connection.execute(DONE, (time, order.id))


# -- the rows ----------------------------------------------------------------------------------------------------------------------


def events(connection: Link, order: Order, after: int, shapes: MoveLists) -> Batch:
    """Empty the next events of a run."""
    first, last = order.run << NUMBER_BITS | after, order.run << NUMBER_BITS | LAST_NUMBER
    rows = connection.execute(EVENTS, (first, last, AT_ONCE)).fetchall()
    bodies = sum(event(connection, order.what, row, shapes) for row in rows)
    return Batch(rows[-1][0] & LAST_NUMBER if rows else None, bodies)


def event(connection: Link, what: What, row: Any, shapes: MoveLists) -> int:
    """Empty one event; how many bodies went."""
    number, shape, fact, *columns, salt, session = row
    bodies, kept = columns[:3], columns[3:]
    goes = erasing.of_event(what, read_shape(connection, shape, number, shapes).moves, fact)
    resalt = session is not None and what.step is None and "session" in what.fields
    if not goes and not resalt:
        return 0
    apart = {f"event.{slot}" for slot, _ in connection.execute(APART, (number,)).fetchall()}
    left = emptied(EVENT_SLOTS, bodies, kept, salt, goes, apart=apart, resalt=resalt)
    if left is None:
        return 0
    connection.execute(SET_EVENT, (*left.bodies, *left.kept, left.salt, number))
    far = sorted(apart & goes)
    for slot in far:
        connection.execute(UNKEEP, (number, slot.removeprefix("event.")))
    return len(far) + changed(bodies, left.bodies)


def changed(before: Iterable[Any], after: Iterable[Any]) -> int:
    """How many bodies went."""
    return sum(was is not None and now is None for was, now in zip(before, after, strict=True))


def questions(connection: Link, order: Order, after: int) -> Batch:
    """Empty the next questions of a run, and their decisions."""
    rows = connection.execute(PAUSES, (order.run, after, AT_ONCE)).fetchall()
    bodies = 0
    for number, kind, put, at, *columns in rows:
        where = (kind, put, at)
        bodies += question(connection, order.what, number, where, columns[:10])
        bodies += decision(connection, order.what, number, where, columns[10:])
        bodies += acts(connection, order.what, number, where)
    return Batch(rows[-1][0] if rows else None, bodies)


def question(connection: Link, what: What, number: int, where: tuple[str, int, str], columns: list[Any]) -> int:
    """Empty one question; how many bodies went. While it is open, the salt of its voters stays."""
    bodies, kept, salt, voters = columns[:4], columns[4:8], columns[8], columns[9]
    more = ("pause.voter",) if voters is not None else ()
    left = emptied(PAUSE_SLOTS, bodies, kept, salt, erasing.of_question(what, *where), more=more)
    if left is None:
        return 0
    connection.execute(SET_PAUSE, (*left.bodies, *left.kept, left.salt, number))
    return changed(bodies, left.bodies)


def decision(connection: Link, what: What, number: int, where: tuple[str, int, str], columns: list[Any]) -> int:
    """Empty one decision; how many bodies went."""
    bodies, kept, salt = columns[:4], columns[4:8], columns[8]
    left = emptied(DECISION_SLOTS, bodies, kept, salt, erasing.of_decision(what, where[0], where[2]))
    if left is None:
        return 0
    connection.execute(SET_DECISION, (*left.bodies, *left.kept, left.salt, number))
    return changed(bodies, left.bodies)


def acts(connection: Link, what: What, pause: int, where: tuple[str, int, str]) -> int:
    """Empty what people did about one question; how many bodies went."""
    goes, bodies = erasing.of_act(what, where[0], where[2]), 0
    for number, *columns, salt in connection.execute(ACTS, (pause,)).fetchall() if goes else ():
        left = emptied(ACT_SLOTS, columns[:5], columns[5:], salt, goes)
        if left is not None:
            connection.execute(SET_ACT, (*left.bodies, *left.kept, left.salt, number))
            bodies += changed(columns[:5], left.bodies)
    return bodies


def rest(connection: Link, order: Order) -> int:
    """Empty the row of a run and its request to cancel, and remove its session state; how many bodies went."""
    run, what = order.run, order.what
    bodies = cancellation(connection, what, run) + whole(connection, what, run)
    if what.step is None and "session" in what.fields:
        bodies += connection.execute(STATES, (run,)).rowcount
    return bodies


def cancellation(connection: Link, what: What, run: int) -> int:
    """Empty the name of the person who cancelled a run."""
    by, by_c, salt = connection.execute(CANCEL, (run,)).fetchone()
    left = emptied(("cancel.by",), (by,), (by_c,), salt, erasing.of_cancellation(what))
    if left is None:
        return 0
    connection.execute(SET_CANCEL, (*left.bodies, *left.kept, left.salt, run))
    return 1


def whole(connection: Link, what: What, run: int) -> int:
    """Empty the row of a run. Its session goes by its number, and the name of the session with the last row that refers to it.

    The state that a purged run left to the session goes along: it is the one that this run began with, and no other order could reach it.
    """
    session_id, user_id, *columns, salt, session = connection.execute(RUN, (run,)).fetchone()
    bodies = [body_of(session_id), body_of(user_id), *columns[:4]]
    goes = erasing.of_run(what)
    if goes & set(SEARCHED) and is_enciphered(columns[3]):
        goes |= {"run.metadata"}  # the salts of the session and of the user lie in it
    left = emptied(tuple(RUN_SLOTS), bodies, columns[4:], salt, goes)
    if left is None:
        return 0
    kept_session = session if left.bodies[0] is not None else None
    kept_user = user_id if left.bodies[1] is not None else None
    if kept_session is None:
        connection.execute(HOT_SESSION, (run,))
    connection.execute(SET_RUN, (kept_session, kept_user, *left.bodies[2:], *left.kept, left.salt, run))
    states = 0
    if kept_session is None and session is not None:
        states += connection.execute(STATES, (run,)).rowcount
        states += connection.execute(LEFT_STATES, (session, run)).rowcount
        connection.execute(SESSION, (session,))
    return states + changed(bodies, left.bodies)
