"""A vote of a login that may write no table: the function `statecore_vote` judges, stamps and seals it (P19, AUTH-3).

A decider is its login, with the roles that it has in the database; a gateway says who votes, and in which roles. The act that a call stored is
read back and checked as any other row is, in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from statecore.errors import AlreadyDecided, NotPermitted, NoVote, UnknownPause
from statecore.stores.records import Decided
from statecore.stores.rules import sought
from statecore.stores.sql3 import reading
from statecore.stores.sql3.acts import filled
from statecore.stores.votes import BEFORE, REFUSAL, WITHDRAWAL

from .deciding import already_decided, check_texts, refuse, shown

if TYPE_CHECKING:
    from statecore.stores.acts import Act
    from statecore.stores.sql.link import Link
    from statecore.stores.sql3.questions import Put

CALL = """
SELECT code, detail, person FROM statecore_vote(run_id => ?, pause_id => ?, word => ?, answer => ?, "by" => ?, comment => ?, seen => ?,
  via => ?, roles => ?, withdraws => ?)"""
SPEAKS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'statecore_gateway' AND pg_has_role(session_user, oid, 'MEMBER'))"
"""Whether a login may speak for others."""
IS_THERE = "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'statecore_vote' AND pronamespace = current_schema()::regnamespace)"

DONE = frozenset({"stored", "same", "refused"})


def act(link: Link, path: str, new: Act) -> Act:
    """Have a vote or a withdrawal stored; it as it is stored, with the server's time. Raises as `Relational.act`, and `NotPermitted`."""
    if not link.execute(IS_THERE).fetchone()[0]:
        raise NotPermitted(path, "the schema has no function statecore_vote: its owner executes vote-3.sql and roles-3.sql first")
    asked = as_decided(new)
    check_texts(asked)
    answer = None if new.value is None else new.value.encode()
    person = (new.via, list(new.roles)) if link.execute(SPEAKS).fetchone()[0] else (None, None)
    withdraws = new.kind == WITHDRAWAL
    values = (sought(new.run_id), sought(new.pause_id), new.word, answer, new.by, new.comment, shown(asked), *person, withdraws)
    code, detail, who = link.execute(CALL, values).fetchone()
    if code == "no_vote":
        raise NoVote(new.pause_id, new.by)
    if code == "already_decided":
        refuse_voted(link, new, who, detail)
    if code not in DONE:
        refuse(link, path, asked, code, detail or "")
    return told(put(link, new), new, code, detail, who)


def as_decided(new: Act) -> Decided:
    """The act as the decision that the rules of a decider's function know."""
    return Decided(new.run_id, new.pause_id, new.word or "", new.time, new.value, new.by, new.comment, seen=new.seen)


def put(link: Link, new: Act) -> Put:
    """The question of an act, with what people did about it. Raises `UnknownRun`, `UnknownPause`."""
    number = reading.number_of(link, new.run_id)
    found = reading.put_in(link, number, new.pause_id)
    if found is None:
        raise UnknownPause(new.run_id, new.pause_id, [each.waiting.pause.pause_id for each in reading.open_puts(link, number)])
    return filled(link, found)


def told(found: Put, new: Act, code: str, detail: str, who: str) -> Act:
    """The act that a call stored, or that was stored before; of a refusal that was only counted, one that says so."""
    kind = REFUSAL if code == "refused" else new.kind
    mine = [each for each in found.waiting.acts if each.kind == kind and (each.by or "") == who]
    if mine:
        return mine[-1]
    return evolve(new, kind=REFUSAL, value=None, comment=None, detail=detail)


def refuse_voted(link: Link, new: Act, who: str, detail: str) -> None:
    """Raise `AlreadyDecided` for a person who has voted, or a question whose outcome was applied."""
    found = put(link, new)
    votes = [each for each in found.waiting.acts if each.by == who]
    if found.waiting.decided is None and not votes:
        raise AlreadyDecided(new.pause_id, detail, who, BEFORE)
    if found.waiting.decided is None:
        first = votes[-1]
        found = found._replace(
            waiting=evolve(found.waiting, decided=Decided(new.run_id, new.pause_id, detail, first.time, by=first.by))
        )
    already_decided(link, as_decided(new), found, detail)
