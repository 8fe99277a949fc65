"""Erased slots under `verify`: a body may be missing where an erasure says so, its commitment stays, and no salt that it could be guessed with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.errors import OutsideFormat
from statecore.stores.ending.sealed import PURGE
from statecore.stores.frames.framing import SALT_BYTES, commitment, salts_kept
from statecore.stores.sql3.ciphers import Enclosed, is_enciphered
from statecore.stores.sql3.covering import uncovered_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.stores.sql.link import Link

    from .run import Findings

ERASURES = "SELECT count(*) FROM erasure WHERE run = ? AND what <> ?"
EVENT = 'SELECT "by", note, value, by_c, note_c, value_c, salt, session FROM event WHERE id = ?'
APART = "SELECT slot FROM value WHERE event = ?"
RUN = """
SELECT session, user_id, input, additional, metadata, session_c, user_c, input_c, additional_c, metadata_c, salt, requester, requester_c
FROM run WHERE id = ?"""
ACTS = """
SELECT a.id, a."by", a.login, a.delegate, a.answer, a.comment, a.by_c, a.login_c, a.delegate_c, a.answer_c, a.comment_c, a.salt
FROM pause p JOIN act a ON a.pause = p.id WHERE p.run = ?"""
CANCEL = "SELECT cancel_by, cancel_by_c, cancel_salt FROM hot WHERE run = ?"
QUESTIONS = """
SELECT pause_id, message, form, message_c, form_c, salt, voter_salt, answer, "by", login, comment, answer_c, by_c, login_c, comment_c,
  decision_salt, names, names_c FROM pause WHERE run = ?"""
ACT_SLOTS, SEARCHED = ("by", "login", "delegate", "answer", "comment"), ("session", "user")
EVENT_SLOTS, RUN_SLOTS = ("by", "note", "value"), ("session", "user", "input", "additional", "metadata")
QUESTION_SLOTS, DECISION_SLOTS = ("message", "form"), ("answer", "by", "login", "comment")


def is_erased(connection: Link, run: int) -> bool:
    """Whether an erasure of a run was ordered."""
    return bool(connection.execute(ERASURES, (run, PURGE)).fetchone()[0])


def fault_of_event(connection: Link, event: int, *, erased: bool) -> str | None:
    """The fault of the salts and the missing bodies of an event; None where they are right."""
    *columns, salt, session = connection.execute(EVENT, (event,)).fetchone()
    bodies, kept = columns[:3], columns[3:]
    if salt is None and kept == [None] * 3:
        return None
    apart = {slot for (slot,) in connection.execute(APART, (event,)).fetchall()}
    there = [body is not None or slot in apart for slot, body in zip(EVENT_SLOTS, bodies, strict=True)]
    whole = salt is not None and len(salt) == SALT_BYTES
    if whole and not any(there) and session is None:
        return "it has a salt that no body needs"
    return fault_of("event", EVENT_SLOTS, there, kept, salt, erased=erased)


def check(connection: Link, run: int, findings: Findings, *, erased: bool) -> None:
    """Check the row of a run, its request to cancel, and its questions."""
    *columns, salt, requester, requester_c = connection.execute(RUN, (run,)).fetchone()
    hidden = salt is None and (
        columns[4] is None or is_enciphered(columns[4])
    )  # then the commitments of what is searched lie beside it
    kept = [
        None if hidden and body is not None and n < len(SEARCHED) else c
        for n, (body, c) in enumerate(zip(columns[:5], columns[5:], strict=True))
    ]
    judge(findings, "run", "run", RUN_SLOTS, (columns[:5], kept, salt), erased=erased)
    enclosed(findings, "run", "run", ("requester",), ([requester], [requester_c]))
    by, by_c, salt = connection.execute(CANCEL, (run,)).fetchone()
    judge(findings, "run", "cancel", ("by",), ([by], [by_c], salt), erased=erased)
    for pause_id, *columns, names, names_c in connection.execute(QUESTIONS, (run,)).fetchall():
        where = f"pause {pause_id!r}"
        more = ("voter",) if columns[5] is not None else ()
        judge(findings, where, "pause", QUESTION_SLOTS, (columns[:2], columns[2:4], columns[4]), erased=erased, more=more)
        judge(findings, where, "decision", DECISION_SLOTS, (columns[6:10], columns[10:14], columns[14]), erased=erased)
        enclosed(findings, where, "pause", ("names",), ([names], [names_c]))
    for act, *columns, _ in connection.execute(ACTS, (run,)).fetchall():
        enclosed(findings, f"act {act}", "act", ACT_SLOTS, (columns[:5], columns[5:]))


def enclosed(findings: Findings, where: str, table: str, slots: Sequence[str], row: tuple[Sequence[Any], Sequence[Any]]) -> None:
    """Blame a commitment beside an enciphered body that is not the one to it, as far as the body was opened."""
    for slot, body, c in zip(slots, *row, strict=True):
        if is_enciphered(body) and c is None:
            findings.blame(where, f"its {slot} is enciphered, and has no commitment")
        elif isinstance(body, Enclosed):
            text = uncovered_run(None, {"run.metadata": body})[1] if (table, slot) == ("run", "metadata") else body
            if commitment(f"{table}.{slot}", body.salt, bytes(text)) != c:
                findings.blame(where, f"its {slot} is not what was committed to")


def judge(  # noqa: PLR0913  # a row's parts
    findings: Findings,
    where: str,
    table: str,
    slots: Sequence[str],
    row: tuple[Sequence[Any], Sequence[Any], bytes | None],
    *,
    erased: bool,
    more: Sequence[str] = (),
) -> None:
    """Note the fault of a row: of its bodies, its commitments and its salt."""
    bodies, kept, salt = row
    there = [body is not None for body in bodies]
    wrong = fault_of(table, slots, there, kept, salt, erased=erased, more=more)
    enclosed(findings, where, table, slots, (bodies, kept))
    if wrong is None and any(
        body is not None and c is not None and not is_enciphered(body) for body, c in zip(bodies, kept, strict=True)
    ):
        wrong = "it holds a body and the commitment of an erased one"
    if wrong is not None:
        findings.blame(where, wrong)


def fault_of(  # noqa: PLR0913  # as above
    table: str,
    slots: Sequence[str],
    there: Sequence[bool],
    kept: Sequence[Any],
    salt: bytes | None,
    *,
    erased: bool,
    more: Sequence[str] = (),
) -> str | None:
    """Why bodies are missing that no erasure took, or why a salt is there that an erased body could be guessed with; None where all is right."""
    gone = [slot for slot, here, c in zip(slots, there, kept, strict=True) if c is not None and not here]
    if gone and not erased:
        return f"its {gone[0]} is gone, and no erasure says so"
    if salt is None:
        return None
    if len(salt) == SALT_BYTES:
        return f"its {gone[0]} was erased, and the salt of the row is still there" if gone else None
    stays = {(f"{table}.{slot}", 0) for slot, here in zip(slots, there, strict=True) if here} | {
        (f"{table}.{slot}", 0) for slot in more
    }
    try:
        right = erased and set(salts_kept(bytes(salt))) == stays
    except OutsideFormat:
        right = False
    return None if right else "its salts are not those of the bodies that stay"
