"""Pauses and decisions as rows of `pause`: what is hashed of them, and back. A decision lies in the row of its question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import evolve

from statecore.codec.erased import Gone
from statecore.codec.values import LIMIT
from statecore.errors import KeyMissing, UnreadableValue
from statecore.stores.endings import ERASED_FORM, ERASED_TEXT, ERASED_VALUE
from statecore.stores.evidence import Evidence, evidence, stored_evidence
from statecore.stores.frames.framing import SALT_BYTES, commitment, row_commitment, slot_salt
from statecore.stores.frames.questions import LAST_NUMBER, decision_hash, pause_hash, question_id, times_put
from statecore.stores.naming import audience, parted, whole
from statecore.stores.records import Decided, Meant, Pause, Waiting
from statecore.stores.rules import turn_text, words_of
from statecore.stores.sql.rows import ROWS, check_same, read_turn

from .ciphers import MARK, Enclosed, Shut, key_id
from .covering import covered, salts_in
from .queries import ASK, AUDIENCE, CLOSE, DECIDE, DECIDE_SHUT, NOBODY, NUMBER_OF_PAUSE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statecore.stores.sql.link import Link

    from .events import Salted


NOT_OPENED = "(not opened)"
"""The text in place of an enciphered one whose key is not there."""
NOTHING_SEEN: dict[str, bytes | None] = {"seen": None, "meaning": None}
"""The parts of a decision about a question without evidence."""


class Put(NamedTuple):
    """A question as it is stored: its row's number, its words, its digest and its decision's, the events that open and close it, its evidence."""

    id: int
    waiting: Waiting
    digest: bytes
    decision: bytes | None
    opens: int
    closes: int | None
    outcome: str | None
    evidence: Evidence | None
    last: tuple[int, bytes] | None = None
    """The last act about it, where it has a rule, and the digest of that."""


def committed(salts: bytes | None, slot: str, body: str | bytes | None) -> bytes | None:
    """The commitment to a body of a row; None where there is none. Raises `UnreadableValue` where the row has lost its salt."""
    if body is None:
        return None
    if isinstance(body, Gone):
        return body.commitment
    if isinstance(body, Enclosed):
        return commitment(slot, body.salt, bytes(body))
    if salts is not None and len(salts) == SALT_BYTES:
        return row_commitment(salts, slot, body.encode() if isinstance(body, str) else body)
    salt = slot_salt(salts, slot)
    if salt is None:
        check_open(body)
        why = f"the salt of {slot} is missing"
        raise UnreadableValue(why)
    return commitment(slot, salt, body)


def text_of(body: Any, commitment: Any = None, erased: str = ERASED_TEXT) -> str | None:
    """The text of a body; of one that was erased the text that stands in its place, with the commitment that stayed."""
    if body is None:
        return None if commitment is None else Gone(erased, commitment)
    if isinstance(body, Shut):
        return NOT_OPENED if commitment is None else Gone(erased, commitment)
    check_open(body)
    return bytes(body).decode()


def check_open(body: Any) -> None:
    """Raise `KeyMissing` for the bytes of an enciphered body: this process has no key of the store."""
    if isinstance(body, bytes) and not isinstance(body, Enclosed) and body.startswith(MARK):
        raise KeyMissing(key_id(body))


def laid(connection: Link, salt: bytes | None, slots: Sequence[str], bodies: Sequence[bytes | None]) -> Laid:
    """Bodies as columns, the commitments beside them, and the salt: as they are, where the connection has no keys."""
    if not hasattr(connection, "keys"):
        return tuple(bodies), (None,) * len(bodies), salt
    return covered(connection, salt, slots, bodies)


def body_of(text: str | None) -> bytes | None:
    """A text as a body."""
    return None if text is None else text.encode()


# -- what is hashed ----------------------------------------------------------------------------------------------------------------


Laid = tuple["tuple[bytes | None, ...]", "tuple[bytes | None, ...]", "bytes | None"]
"""Bodies as columns, the commitments beside them, and the salt."""
ASKED_SLOTS = ("pause.message", "pause.form", "pause.names")
DECIDED_SLOTS = ("decision.answer", "decision.by", "decision.comment")
Ruled = tuple[str | None, bytes | None]
"""The rule of a question without names, and the commitment to its names."""


def pause_digest(  # noqa: PLR0913  # what is hashed
    pause: Pause, event: int, salt: bytes, words: Sequence[str], most: int, known: Evidence | None, ruled: Ruled = (None, None)
) -> bytes:
    """The digest of a question. This release names no consequences: it knows the rule, the names in it, the form and the message."""
    return pause_hash(
        pause.run_id,
        pause.pause_id,
        pause.kind,
        times_put(pause.pause_id),
        (committed(salt, "pause.message", pause.message), committed(salt, "pause.form", pause.detail or None)),
        (pause.at, turn_text(pause.turn), pause.attempt, pause.step_name),
        (event & LAST_NUMBER, pause.opened),
        pause.deadline,
        pause.on_timeout,
        tuple(words),
        most,
        (None, None) if known is None else (known.seen, known.framed),
        ruled,
    )


def decision_digest(decided: Decided, question: bytes, salt: bytes | None, more: Mapping[str, Any]) -> bytes:
    """The digest of a decision. `more` are its columns `seen` and `meaning`, and `login` and `via` of one that `statecore_decide` stored."""
    return decision_hash(
        question,
        decided.word,
        decided.time,
        committed(salt, "decision.by", decided.by),
        committed(salt, "decision.login", more.get("login")),
        more.get("via"),
        committed(salt, "decision.answer", decided.value),
        committed(salt, "decision.comment", decided.comment),
        decided.key,
        (more["seen"], more["meaning"]),
        more.get("last_act"),
    )


# -- reading -----------------------------------------------------------------------------------------------------------------------


@ROWS
def put_of(row: Sequence[Any]) -> Put:
    """The question, and its decision, that a row of `WAITING` stands for. Raises `UnreadableValue` where it is not as it was sealed."""
    number, run_id, pause_id, put, kind, at, turn, attempt, step_name, words, most, message, form, salt, opened, opened_us = row[
        :16
    ]
    deadline, on_timeout, seal, word, decided_us, answer, by, comment, key, decision_salt, signed, closed, outcome = row[16:29]
    closed_us, workflow_id, workflow_name, session_id, login, via, seen, meanings, decided_seen, meaning = row[29:39]
    message_c, form_c, answer_c, by_c, login_c, comment_c = row[39:45]
    rule, names, names_c, requester, requester_c, user_id, after, last_act = row[45:]
    known = stored_evidence(seen, meanings)
    if salt is None and not (message is form is names is None):
        salt = salts_in(salt, {"pause.message": message, "pause.form": form, "pause.names": names})
    if decision_salt is None and not (answer is by is login is comment is None):
        bodies = {"decision.answer": answer, "decision.by": by, "decision.login": login, "decision.comment": comment}
        decision_salt = salts_in(decision_salt, bodies)
    where = f"pause {pause_id!r} of run {run_id!r}"
    if closed is not None and closed_us is None:
        why = f"the event that closes {where} is missing"
        raise UnreadableValue(why)
    if after is not None and last_act is None:
        why = f"the act before the decision of {where} is missing"
        raise UnreadableValue(why)
    listed = text_of(names, names_c)
    rules, deciders = (rule, ()) if rule is None else whole(rule, listed)
    pause = Pause(
        run_id,
        pause_id,
        kind,
        at,
        read_turn(turn),
        attempt,
        step_name,
        text_of(message, message_c),
        opened_us,
        closed_us,
        text_of(form, form_c, ERASED_FORM) or "",
        deadline,
        on_timeout,
        seen=known.seen.hex() if known is not None else None,
        meant=Meant(known.meanings, salt) if known is not None and salt is not None else None,
        rule=rules,
        deciders=deciders,
    )
    ruled = (rule, committed(salt, "pause.names", listed))
    digest = pause_digest(pause, opened, salt, words.split("\n"), most, known, ruled)
    check_same(where, (digest, put), (seal, times_put(pause_id)))
    decided = decision = None
    if word is not None:
        shown = decided_seen.hex() if decided_seen is not None else None
        said = (text_of(answer, answer_c, ERASED_VALUE), text_of(by, by_c), text_of(comment, comment_c))
        decided = Decided(run_id, pause_id, word, decided_us, *said, key, seen=shown)
        login = Gone(ERASED_TEXT, login_c) if login is None and login_c is not None else login
        more = {"login": login, "via": via, "seen": decided_seen, "meaning": meaning, "last_act": last_act}
        decision = decision_digest(decided, digest, decision_salt, more)
        check_same(f"decision of {where}", decision, signed)
    whose = (workflow_id, workflow_name, ERASED_TEXT if session_id is None else session_id)
    asked_for = (text_of(requester, requester_c) or user_id) if rule is not None else None
    waiting = Waiting(pause, decided, *whose, (), asked_for, user_id=user_id)
    return Put(number, waiting, digest, decision, opened, closed, outcome, known)


# -- writing -----------------------------------------------------------------------------------------------------------------------


def asked(pause: Pause, event: int, salted: Salted) -> bytes:
    """The digest of a question that an event is about to put."""
    found = salted.digests.get((pause.pause_id, event))
    if found is None:
        salt = salted.salt(f"pause {pause.pause_id}")
        rule, names = (None, None) if pause.rule is None else parted(pause)
        ruled = (rule, committed(salt, "pause.names", names))
        known = salted.evidence[pause.pause_id] = evidence(pause, salt)
        found = pause_digest(pause, event, salt, list(words_of(pause)), LIMIT, known, ruled)
        salted.digests[pause.pause_id, event] = found
    return found


def ask(connection: Link, number: int, workflow: int, pause: Pause, event: int, salted: Salted) -> None:  # noqa: PLR0913  # a row's parts
    """Store a question that an event puts."""
    salt = salted.salt(f"pause {pause.pause_id}")
    place = (pause.kind, pause.at, turn_text(pause.turn), pause.attempt, pause.step_name)
    rule, names = (None, None) if pause.rule is None else parted(pause)
    bodies = (body_of(pause.message), body_of(pause.detail or None), body_of(names))
    columns, kept, row_salt = laid(connection, salt, ASKED_SLOTS, bodies)
    texts = ("\n".join(words_of(pause)), LIMIT, *columns[:2])
    times = (event, pause.opened, pause.deadline, pause.deadline, pause.on_timeout)
    named = (number, workflow, pause.pause_id, question_id(pause.run_id, pause.pause_id), times_put(pause.pause_id))
    seal = asked(pause, event, salted)
    known = salted.evidence[pause.pause_id]
    shown = (None, None) if known is None else (known.seen, known.framed)
    salts = (row_salt, slot_salt(salt, "pause.voter"))
    connection.execute(ASK, (*named, *place, *texts, *salts, *times, *shown, seal, rule, columns[2], *kept))
    if rule is not None:
        [row] = connection.execute(NUMBER_OF_PAUSE, (number, pause.pause_id)).fetchone()
        for who, since, until in audience(pause):
            connection.execute(AUDIENCE, (who, row, since, until))


def decide(connection: Link, put: Put, decided: Decided, salt: bytes) -> Put:
    """Store the decision of a question, which was judged; the question as it is now."""
    known = put.evidence
    more = {"seen": known.seen, "meaning": known.meanings.get(decided.word)} if known is not None else NOTHING_SEEN
    bare = not (decided.by or decided.comment or decided.value) and (decided.by, decided.comment, decided.value) == (
        None,
        None,
        None,
    )
    kept = None if bare else salt
    digest = decision_digest(decided, put.digest, kept, {**more, "last_act": put.last[1] if put.last is not None else None})
    bodies = (body_of(decided.value), body_of(decided.by), body_of(decided.comment))
    laid_bodies, commitments, row_salt = laid(connection, kept, DECIDED_SLOTS, bodies)
    columns = (decided.word, decided.time, *laid_bodies, decided.key, *more.values(), row_salt, digest, put.last and put.last[0])
    if row_salt is None and kept is not None:
        connection.execute(DECIDE_SHUT, (*columns, *commitments, put.id))
    else:
        connection.execute(DECIDE, (*columns, put.id))
    return put._replace(waiting=evolve(put.waiting, decided=decided), decision=digest)


def close(connection: Link, put: Put, event: int, outcome: str) -> None:
    """Close a question by an event."""
    connection.execute(CLOSE, (event, outcome, put.id))
    if put.waiting.pause.rule is not None:
        connection.execute(NOBODY, (put.id,))
