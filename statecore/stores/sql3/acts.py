"""Acts as rows of `act`: votes, withdrawals, lapses and refusals, a chain of each question; what is hashed of them, and back (AUTH-2)."""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.stores.acts import Act
from statecore.stores.endings import ERASED_VALUE
from statecore.stores.frames.framing import SALT_BYTES, commitment
from statecore.stores.frames.questions import ACT
from statecore.stores.sql.rows import ROWS, check_same
from statecore.stores.votes import VOTE

from .covering import salts_in
from .queries import ACTS, COUNT_ACT, PUT_ACT, VOTER_SALT
from .questions import Put, body_of, committed, laid, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.stores.sql.link import Link

SLOTS = ("act.by", "act.answer", "act.comment")

# -- what is hashed ----------------------------------------------------------------------------------------------------------------


def act_digest(previous: bytes, act: Act, salt: bytes | None, more: dict[str, Any]) -> bytes:
    """The digest of an act. `more` are its columns `voter`, `seen` and `meaning`, and those that this release leaves empty."""
    return ACT.digest(
        previous=previous,
        kind=act.kind,
        word=act.word,
        round=act.round,
        time_us=act.time,
        by=committed(salt, "act.by", act.by),
        via=act.via,
        roles=list(act.roles),
        answer=committed(salt, "act.answer", act.value),
        comment=committed(salt, "act.comment", act.comment),
        detail=act.detail,
        **more,
    )


# -- reading -----------------------------------------------------------------------------------------------------------------------


def filled(connection: Link, put: Put) -> Put:
    """A question with what people did about it; one without a rule as it is. Raises `UnreadableValue` where an act is not as it was sealed."""
    if put.waiting.pause.rule is None:
        return put
    chain, last, acts = put.digest, None, []
    for row in connection.execute(ACTS, (put.id,)).fetchall():
        act, chain = act_of(row, put, chain)
        acts.append(act)
        last = (row[0], chain)
    return put._replace(waiting=evolve(put.waiting, acts=tuple(acts)), last=last)


@ROWS
def act_of(row: Sequence[Any], put: Put, previous: bytes) -> tuple[Act, bytes]:
    """The act that a row stands for, and its digest. Raises `UnreadableValue` where it is not as it was sealed."""
    number, kind, word, voter, round_, time, by, login, delegate, via, roles, answer, comment, salt = row[:14]
    by_c, login_c, delegate_c, answer_c, comment_c, seen, meaning, until, detail, times, seal = row[14:]
    bodies = {"act.by": by, "act.login": login, "act.delegate": delegate, "act.answer": answer, "act.comment": comment}
    salt, pause = salts_in(salt, bodies), put.waiting.pause
    act = Act(
        pause.run_id,
        pause.pause_id,
        kind,
        time,
        word,
        text_of(by, by_c),
        via,
        tuple(roles.split("\n")) if roles else (),
        text_of(answer, answer_c, ERASED_VALUE),
        text_of(comment, comment_c),
        bytes(seen).hex() if seen is not None else None,
        round_,
        detail,
        times,
    )
    more = {
        "voter": voter,
        "login": committed(salt, "act.login", text_of(login, login_c)),
        "delegate": committed(salt, "act.delegate", text_of(delegate, delegate_c)),
        "seen": seen,
        "meaning": meaning,
        "until_us": until,
    }
    digest = act_digest(previous, act, salt, more)
    check_same(f"act {number} about pause {pause.pause_id!r} of run {pause.run_id!r}", digest, seal)
    return act, digest


# -- writing -----------------------------------------------------------------------------------------------------------------------


def append(connection: Link, put: Put, act: Act) -> None:
    """Append an act to those of its question."""
    known, salt = put.evidence, urandom(SALT_BYTES)
    [voters] = connection.execute(VOTER_SALT, (put.id,)).fetchone()
    voter = commitment("pause.voter", bytes(voters), act.by) if act.by is not None else None
    seen = bytes.fromhex(act.seen) if act.seen is not None else None
    meaning = known.meanings.get(act.word or "") if known is not None and act.kind == VOTE else None
    more = {"voter": voter, "login": None, "delegate": None, "seen": seen, "meaning": meaning, "until_us": None}
    previous = put.last[1] if put.last is not None else put.digest
    digest = act_digest(previous, act, salt, more)
    bodies, kept, row_salt = laid(connection, salt, SLOTS, (body_of(act.by), body_of(act.value), body_of(act.comment)))
    by, answer, comment = bodies
    said = (by, act.via, "\n".join(act.roles), answer, comment, row_salt)
    what = (put.id, act.kind, act.word, voter, act.round, act.time)
    connection.execute(PUT_ACT, (*what, *said, seen, meaning, act.detail, digest, *kept))


def count(connection: Link, put: Put, refusal: Act) -> None:
    """Count a refusal beyond those that are kept, at the one of the same person and time."""
    for row in connection.execute(ACTS, (put.id,)).fetchall():
        if (row[1], row[5], text_of(row[6], row[14])) == (refusal.kind, refusal.time, refusal.by):
            connection.execute(COUNT_ACT, (refusal.times, row[0]))
