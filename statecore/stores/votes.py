"""Acts about a question with a rule: which votes stand, what they say together, and which act is stored. Pure (AUTH-2).

`core.authority` is the rule. A store calls `judged` in the transaction that stores an act, and `decided_by` in the one that applies an outcome;
a driver calls `standing` and `decided_by` with the roles of now. Nothing of an outcome is stored before it is applied.
"""

from __future__ import annotations

from json import loads
from typing import TYPE_CHECKING
from unicodedata import normalize

from attrs import evolve, frozen

from statecore.core.authority import REJECT, Ballot, Needs, Rejected, Satisfied, Vote, Why, identity, may_vote, opens
from statecore.core.rule import Rule
from statecore.errors import AlreadyDecided, NotPaused, NoVote, PauseExpired, StaleDecision, UnknownDecision
from statecore.lifecycles import BY_WORD

from .acts import Act
from .detail import pause_detail
from .records import Decided
from .rules import ENDED, EXPIRY, STATUS, check_text, clock_text, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.core import Micros
    from statecore.core.authority import Outcome, RolesNow

    from .records import Pause, Waiting

VOTE, WITHDRAWAL, LAPSE, REFUSAL = "vote", "withdrawal", "lapse", "refusal"
HELD = "held"
"""The part of what a question that is put again keeps of the former one that names the people whose no holds it, as a JSON list."""
BEFORE = "its former putting, and that no holds this one until it is withdrawn"
OF_ONE, OF_ALL = 8, 100
"""How many refusals of one person, and of all, about one question are rows of their own; further ones are counted."""


@frozen
class Voted(Decided):
    """The decision that votes amount to; it is stored by the boundary that applies it."""


@frozen
class Voter:
    """The person of an act, as the rule knows one."""

    name: str
    via: str
    roles: frozenset[str]


def voter_of(act: Act) -> Voter:
    """The person of an act."""
    return Voter(act.by or "", act.via or "declared", frozenset(act.roles))


def as_stored(_: str) -> None:
    """The roles of a person that are known from the vote alone."""
    return


def ballot_of(pause: Pause, requester: str | None) -> Ballot:
    """A question as the rule knows it: a name is compared in NFC, however a user id or a plain decision has spelt it."""
    deciders = frozenset(normalize("NFC", each) for each in pause.deciders)
    return Ballot(pause.opened, pause.deadline, normalize("NFC", requester) if requester else requester, deciders)


def standing(acts: Sequence[Act]) -> tuple[Act, ...]:
    """The votes that stand: the last one of each person that was neither withdrawn nor has lapsed, in the order in which they were stored."""
    last: dict[str | None, Act] = {}
    for act in acts:
        if act.kind in (VOTE, WITHDRAWAL, LAPSE):
            last.pop(act.by, None)
        if act.kind == VOTE:
            last[act.by] = act
    return tuple(last.values())


def vote_of(act: Act) -> Vote:
    """A vote as the rule takes it; feedback of a no is no proposal, so that it tells no votes apart."""
    word = act.word or ""
    value = None if word in BY_WORD and BY_WORD[word].carries == "feedback" else act.value
    return Vote(act.by or "", word, act.time, act.seen, value, frozenset(act.roles))


def said(pause: Pause, acts: Sequence[Act], requester: str | None, now: Micros, roles: RolesNow = as_stored) -> Outcome:
    """The outcome of the votes of a question, so far."""
    rule = Rule.read(pause.rule or "{}")
    found = opens(rule, [vote_of(act) for act in standing(acts)], ballot_of(pause, requester), roles, now)
    held = holding(pause, acts)
    if not held or isinstance(found, Rejected) or (isinstance(found, Satisfied) and found.word == REJECT):
        return found
    return evolve(found, held_by=(*found.held_by, *held)) if isinstance(found, Needs) else Needs(0, (), held)


def holding(pause: Pause, acts: Sequence[Act]) -> tuple[str, ...]:
    """The people whose no to the former question holds one that was put again: each until they say it again, or withdraw it (GATE-7)."""
    told = pause_detail(pause.detail).again if HELD in pause.detail else None
    if told is None or HELD not in told:
        return ()
    since = {act.by for act in acts if act.kind in (VOTE, WITHDRAWAL)}
    return tuple(name for name in loads(told[HELD]) if name not in since)


def against(waiting: Waiting) -> tuple[str, ...]:
    """The people whose no stands at a question, or holds it."""
    said_no = [str(act.by) for act in standing(waiting.acts) if act.word == REJECT]
    return (*said_no, *holding(waiting.pause, waiting.acts))


def outcome_of(waiting: Waiting, now: Micros, roles: RolesNow = as_stored) -> Outcome:
    """The outcome of the votes of a row of the inbox, so far."""
    return said(waiting.pause, waiting.acts, waiting.requester, now, roles)


def decided_by(waiting: Waiting, roles: RolesNow = as_stored) -> Voted | None:
    """The decision that the votes of an open question amount to; None while they neither satisfy nor refuse, and where there is no rule."""
    pause = waiting.pause
    if pause.rule is None or pause.closed is not None or waiting.decided is not None or not waiting.acts:
        return None
    found = outcome_of(waiting, pause.opened, roles)
    if isinstance(found, Needs):
        return None
    counted = [found.vote] if isinstance(found, Rejected) else list(found.votes)
    names = {vote.voter: vote for vote in counted}
    acts = [act for act in standing(waiting.acts) if act.by in names and act.word == names[act.by].word]
    return together(acts)


def together(acts: Sequence[Act]) -> Voted:
    """The one decision of some votes: of the time of the last one, by all of them, with what each of them said."""
    last = acts[-1]
    told = [f"{act.by}: {act.comment}" for act in acts if act.comment]
    comment = acts[0].comment if len(acts) == 1 else "; ".join(told) or None
    by = ", ".join(str(act.by) for act in acts)
    return Voted(last.run_id, last.pause_id, last.word or "", last.time, last.value, by, comment, seen=last.seen)


def votes_stand(rows: Sequence[Waiting]) -> dict[str, Voted]:
    """The decisions of those open questions whose votes satisfy or refuse, by pause."""
    return {row.pause.pause_id: found for row in rows if (found := decided_by(row)) is not None}


# -- an act ------------------------------------------------------------------------------------------------------------------------


def judged(waiting: Waiting, new: Act, phase: str) -> tuple[Act, bool]:
    """The act to store, as it is stored, and whether it is new. Raises what `abilities.KeepsVotes.act` raises."""
    if waiting.pause.rule is None:
        raise NoVote(waiting.pause.pause_id, new.by)
    pause, mine = waiting.pause, next((act for act in standing(waiting.acts) if act.by == new.by and new.by), None)
    if new.kind == VOTE and mine is not None and (mine.word, mine.value) == (new.word, new.value):
        return mine, False
    if waiting.decided is not None:
        decided = waiting.decided
        raise AlreadyDecided(pause.pause_id, decided.word, decided.by, clock_text(decided.time))
    if pause.closed is not None or phase in ENDED:
        raise NotPaused(pause.run_id, STATUS[phase])
    check_text(new.value, new.by, new.comment, new.detail, *new.roles)
    rounds = sum(act.kind == VOTE and act.by == new.by for act in waiting.acts)
    holds = new.by in holding(pause, waiting.acts)
    if new.kind != VOTE:
        if mine is None and not holds:
            raise NoVote(pause.pause_id, new.by)
        word = REJECT if mine is None else mine.word
        why = identity(Rule.read(pause.rule or "{}"), voter_of(new)) if new.kind == WITHDRAWAL else None
        if why is not None:  # a name alone takes back no vote of a login
            return refused(waiting.acts, evolve(new, kind=REFUSAL, comment=None, word=word, round=rounds, detail=why.value))
        return evolve(new, word=word, round=rounds), True
    if holds and new.word != REJECT:
        raise AlreadyDecided(pause.pause_id, REJECT, new.by, BEFORE)
    return balloted(waiting, evolve(new, round=rounds), mine)


def balloted(waiting: Waiting, new: Act, mine: Act | None) -> tuple[Act, bool]:
    """A vote, or the refusal that is stored in its place."""
    pause = waiting.pause
    if new.word not in words_of(pause):
        raise UnknownDecision(pause.pause_id, pause.kind, new.word or "", words_of(pause))
    if pause.deadline is not None and new.time >= pause.deadline:
        raise PauseExpired(pause.pause_id, clock_text(pause.deadline), EXPIRY[pause.on_timeout])
    if new.seen is not None and pause.seen is not None and new.seen != pause.seen:
        raise StaleDecision(pause.run_id, pause.pause_id)
    rule, ballot = Rule.read(pause.rule or "{}"), ballot_of(pause, waiting.requester)
    votes = [vote_of(act) for act in standing(waiting.acts)]
    why = may_vote(
        rule, voter_of(new), new.word or "", ballot, votes, new.time, seen=shown(pause, new), comment=new.comment or feedback(new)
    )
    if why is None:
        return new, True
    if why is Why.voted and mine is not None:
        raise AlreadyDecided(pause.pause_id, mine.word or "", mine.by, clock_text(mine.time))
    return refused(waiting.acts, evolve(new, kind=REFUSAL, value=None, comment=None, detail=why.value))


def shown(pause: Pause, new: Act) -> str | None:
    """The digest that a voter was shown; a question without evidence has none to show."""
    return new.seen if pause.seen is not None else "none"


def feedback(new: Act) -> str | None:
    """The feedback of a rejection, which says as much as a comment."""
    return new.value if new.word == REJECT else None


def refused(acts: Sequence[Act], new: Act) -> tuple[Act, bool]:
    """A refusal as a row of its own; of too many the last row, which counts one more."""
    rows = [act for act in acts if act.kind == REFUSAL]
    own = [act for act in rows if act.by == new.by]
    if len(own) >= OF_ONE:
        return evolve(own[-1], times=own[-1].times + 1), False
    if len(rows) >= OF_ALL:
        return evolve(rows[-1], times=rows[-1].times + 1), False
    return new, True


def counted_refusals(acts: Sequence[Act]) -> int:
    """How many refusals there were about a question, kept or counted."""
    return sum(act.times for act in acts if act.kind == REFUSAL)


def with_acts(acts: tuple[Act, ...], stored: Act, *, is_new: bool) -> tuple[Act, ...]:
    """The acts of a question with one that was judged: appended, or a refusal that was counted."""
    if is_new:
        return (*acts, stored)
    if stored.kind != REFUSAL:
        return acts
    at = max(n for n, act in enumerate(acts) if act.kind == REFUSAL and (act.by, act.time) == (stored.by, stored.time))
    return (*acts[:at], stored, *acts[at + 1 :])
