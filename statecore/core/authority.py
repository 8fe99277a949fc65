"""The judgement by a `Rule`: which person may decide, and what votes open. Pure (AUTH-3).

`may_vote` says why a vote is refused, `opens` what the votes say together.

Both see one question (`Ballot`) and its *standing* votes: those that were neither withdrawn nor lapsed nor turned into a no, in the order in
which they were stored. Time is judged once, by the time of each vote; roles twice: those of the vote, and those of now (AUTH-4). Whatever is
missing keeps the gate closed: people that are not computed yet, a requester that was not named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from attrs import frozen

from statecore.lifecycles import decisions

from .rule import ROLE

if TYPE_CHECKING:
    from .program import Micros
    from .rule import Rule

REJECT = decisions.REJECT.word
DECLARED = "declared"
AGENTS = frozenset({"agent", "mcp"})
"""The `via` of what is no person."""
Seat: TypeAlias = tuple[str, ...]
"""The people and roles of whom one may fill it; () is every person."""
RolesNow: TypeAlias = "Callable[[str], frozenset[str] | None]"
"""The roles of a person at this moment; None where they are known from a login alone, and judged once."""


class Why(str, Enum):
    """The reason of a refusal. The value is stable: it is stored and exported; `SAYS` has the sentence."""

    nobody = "nobody"
    agent = "agent"
    declared = "declared"
    via = "via"
    requester = "requester"
    no_requester = "no_requester"
    earlier_gate = "earlier_gate"
    not_among = "not_among"
    uncomputed = "uncomputed"
    expired = "expired"
    voted = "voted"
    comment = "comment"
    unseen = "unseen"
    no_delegation = "no_delegation"
    handed_on = "handed_on"
    not_delegate = "not_delegate"
    delegate_may = "delegate_may"


SAYS: Mapping[Why, str] = {
    Why.nobody: "a decision here needs a person who has a name",
    Why.agent: "a token of an agent decides nothing here",
    Why.declared: "a name that only was declared does not count here; log in",
    Why.via: "this way of authentication does not count here",
    Why.requester: "this person asked for the run, and may not decide here",
    Why.no_requester: "the run names no requester, so nobody can be told apart from them",
    Why.earlier_gate: "this person decided an earlier gate, and may not decide here",
    Why.not_among: "this person is not among those who may decide here now",
    Why.uncomputed: "it is not known yet who may decide here",
    Why.expired: "the deadline has passed",
    Why.voted: "this person has voted here",
    Why.comment: "a comment is required",
    Why.unseen: "the digest of the question that was shown is required (seen)",
    Why.no_delegation: "votes here are not handed on",
    Why.handed_on: "this vote was handed on",
    Why.not_delegate: "this person is not among those to whom a vote may be handed on",
    Why.delegate_may: "this person may vote themselves, or has another vote already",
}


class Somebody(Protocol):
    """A person, as far as the rule knows one: `definition.Person` is one."""

    @property
    def name(self) -> str:
        """The name, compared exactly."""

    @property
    def via(self) -> str:
        """How the person is known."""

    @property
    def roles(self) -> frozenset[str]:
        """The roles of this moment."""


@frozen
class Vote:
    """A vote as it is stored. `seen` is the digest that the voter was shown, `value` the text of what the word carries.

    `roles` are the voter's when it was stored; of a vote that was handed on `giver` is the person whose vote it is, `giver_roles` theirs.
    """

    voter: str
    word: str
    time: Micros
    seen: str | None = None
    value: str | None = None
    roles: frozenset[str] = frozenset()
    giver: str | None = None
    giver_roles: frozenset[str] = frozenset()

    @property
    def people(self) -> frozenset[str]:
        """The persons that the vote counts for: neither of them has another one."""
        return frozenset({self.voter, self.giver} - {None}) if self.giver is not None else frozenset({self.voter})


class Delegation(NamedTuple):
    """A vote that was handed on."""

    giver: str
    to: str
    time: Micros
    giver_roles: frozenset[str] = frozenset()


@frozen
class Ballot:
    """A question, as far as the rule knows one. `deciders` are those whose votes were counted at the earlier gates of the rule, this turn."""

    asked_at: Micros
    deadline: Micros | None = None
    requester: str | None = None
    deciders: frozenset[str] = frozenset()
    delegations: tuple[Delegation, ...] = ()


# -- what the votes say together ----------------------------------------------------------------------------------------------------


@frozen
class Needs:
    """At least `n` more votes are needed; `seats` are those that are free. `held_by` has those whose no holds a gate that is satisfied."""

    n: int
    seats: tuple[Seat, ...]
    held_by: tuple[str, ...] = ()


@frozen
class Satisfied:
    """The rule is satisfied for one word, value and digest; `votes` are all that count for it."""

    word: str
    votes: tuple[Vote, ...]

    @property
    def deciders(self) -> frozenset[str]:
        """Every person that a counted vote stands for."""
        return frozenset().union(*(vote.people for vote in self.votes))


@frozen
class Rejected:
    """A rejection stands."""

    vote: Vote


Outcome: TypeAlias = Needs | Satisfied | Rejected


# -- who may ---------------------------------------------------------------------------------------------------------------------


def k_at(rule: Rule, ballot: Ballot, now: Micros) -> int:
    """How many people of `of` are needed at an instant."""
    due = [each.k for each in rule.escalations if each.k is not None and now - ballot.asked_at >= each.after]
    return due[-1] if due else rule.k


def people_at(rule: Rule, ballot: Ballot, now: Micros) -> Seat:
    """The people and roles who may fill a seat of `of` at an instant; () is every person."""
    found: Seat = rule.of or ()
    for each in rule.escalations:
        if now - ballot.asked_at >= each.after:
            found = each.to if each.instead else (*found, *each.to) if found else ()
    return found


def matched(seat: Seat, name: str, roles: frozenset[str]) -> frozenset[str]:
    """The parts of a seat by which a person may fill it; of a seat for every person the empty text."""
    if not seat:
        return frozenset({""})
    return frozenset(each for each in seat if each == name or (each.startswith(ROLE) and each[len(ROLE) :] in roles))


def fits(rule: Rule, ballot: Ballot, now: Micros, name: str, roles: frozenset[str]) -> dict[int, frozenset[str]]:
    """The seats that a person may fill at an instant, and by what: 0 is one of `of`, then those of `also`."""
    seats = [people_at(rule, ballot, now), *((each,) for each in rule.also)]
    found = {number: matched(seat, name, roles) for number, seat in enumerate(seats)}
    return {number: by for number, by in found.items() if by}


def may_act(rule: Rule, who: Somebody, ballot: Ballot, now: Micros) -> Why | None:
    """Why a person is not among those who may decide here at an instant; None where they are. For votes of one's own, `extend` and adoption."""
    known = identity(rule, who) or excluded(rule, ballot, who.name)
    if known is not None:
        return known
    if rule.is_computed:
        return Why.uncomputed
    return None if fits(rule, ballot, now, who.name, who.roles) else Why.not_among


def identity(rule: Rule, who: Somebody) -> Why | None:
    """Why a person is not known well enough."""
    if not who.name.strip():
        return Why.nobody
    if who.via in AGENTS:
        return Why.agent
    if who.via == DECLARED and (rule.identified or (rule.via is not None and DECLARED not in rule.via)):
        return Why.declared
    return Why.via if rule.via is not None and who.via not in rule.via else None


def excluded(rule: Rule, ballot: Ballot, name: str) -> Why | None:
    """Why a name may not decide, whatever its roles."""
    if rule.requester and (ballot.requester is None or not ballot.requester.strip()):
        return Why.no_requester
    if rule.requester and name == ballot.requester:
        return Why.requester
    return Why.earlier_gate if rule.gates and name in ballot.deciders else None


def may_vote(  # noqa: PLR0913  # as many as a vote has parts
    rule: Rule,
    who: Somebody,
    word: str,
    ballot: Ballot,
    votes: Sequence[Vote],
    now: Micros,
    *,
    seen: str | None,
    comment: str | None = None,
) -> Why | None:
    """Why a person may not vote with this word now; None where they may. The same word again is not asked here: it has its answer.

    A person to whom a vote was handed on votes for its giver, and not for themselves. A yes may be turned into a no, never back.
    """
    handed = next((each for each in ballot.delegations if each.to == who.name), None)
    refusal = may_act(rule, who, ballot, now) if handed is None else may_vote_for(rule, who, handed, ballot, now)
    if refusal is not None:
        return refusal
    if any(each.giver == who.name for each in ballot.delegations):
        return Why.handed_on
    if ballot.deadline is not None and now >= ballot.deadline:
        return Why.expired
    mine = [vote for vote in votes if who.name in vote.people]
    if mine and (word != REJECT or mine[-1].word == REJECT or mine[-1].voter != who.name):
        return Why.voted
    if not seen:
        return Why.unseen
    wanted = rule.comment == "always" or (rule.comment == "on_reject" and word == REJECT)
    return Why.comment if wanted and not (comment or "").strip() else None


def may_vote_for(rule: Rule, who: Somebody, handed: Delegation, ballot: Ballot, now: Micros) -> Why | None:
    """Why a person may not cast the vote that was handed on to them; who may decide was judged when it was handed on (AUTH-4)."""
    known = identity(rule, who) or excluded(rule, ballot, who.name) or excluded(rule, ballot, handed.giver)
    if known is not None:
        return known
    if not fits(rule, ballot, now, handed.giver, handed.giver_roles):
        return Why.not_among
    return None if matched(rule.delegates, who.name, who.roles) and rule.delegates else Why.not_delegate


def may_delegate(  # noqa: PLR0913  # two persons, and where they stand
    rule: Rule, giver: Somebody, to: Somebody, ballot: Ballot, votes: Sequence[Vote], now: Micros
) -> Why | None:
    """Why a person may not hand on a vote to another one now; None where they may (AUTH-5)."""
    if not rule.delegates:
        return Why.no_delegation
    refusal = may_act(rule, giver, ballot, now) or excluded(rule, ballot, to.name)
    if refusal is not None:
        return refusal
    if ballot.deadline is not None and now >= ballot.deadline:
        return Why.expired
    if any(giver.name in vote.people for vote in votes):
        return Why.voted
    if any(giver.name in (each.giver, each.to) for each in ballot.delegations):
        return Why.handed_on
    return may_stand_in(rule, giver, to, ballot, votes, now)


def may_stand_in(  # noqa: PLR0913  # the same
    rule: Rule, giver: Somebody, to: Somebody, ballot: Ballot, votes: Sequence[Vote], now: Micros
) -> Why | None:
    """Why a vote may not be handed on to this person: somebody who may not vote, has not voted, and is among the delegates."""
    busy = any(to.name in (each.giver, each.to) for each in ballot.delegations) or any(to.name in vote.people for vote in votes)
    if busy or to.name == giver.name or fits(rule, ballot, now, to.name, to.roles):
        return Why.delegate_may
    return None if to.name.strip() and matched(rule.delegates, to.name, to.roles) else Why.not_delegate


# -- what votes open -------------------------------------------------------------------------------------------------------------


def seats_of(rule: Rule, vote: Vote, ballot: Ballot, roles: RolesNow) -> frozenset[int]:
    """The seats that a vote fills: by what it was allowed when it was stored, and is allowed by the roles of now. None where it has lapsed."""
    name, then = (vote.voter, vote.roles) if vote.giver is None else (vote.giver, vote.giver_roles)
    if any(excluded(rule, ballot, each) for each in vote.people) or rule.is_computed:
        return frozenset()
    if vote.giver is not None:
        now = roles(vote.voter)
        by = matched(rule.delegates, vote.voter, vote.roles) & matched(
            rule.delegates, vote.voter, vote.roles if now is None else now
        )
        if not by or not rule.delegates:
            return frozenset()
    told = roles(name)
    before, after = fits(rule, ballot, vote.time, name, then), fits(rule, ballot, vote.time, name, then if told is None else told)
    return frozenset(number for number, by in before.items() if by & after.get(number, frozenset()))


def lapsed(rule: Rule, votes: Sequence[Vote], ballot: Ballot, roles: RolesNow) -> tuple[Vote, ...]:
    """The votes that no longer count, for a role was lost. A no never does: judged twice is only what would open the gate."""
    return tuple(vote for vote in votes if vote.word != REJECT and not seats_of(rule, vote, ballot, roles))


def opens(rule: Rule, votes: Sequence[Vote], ballot: Ballot, roles: RolesNow, now: Micros) -> Outcome:
    """The outcome of the standing votes: satisfied, refused, or what is needed. `now` says who may fill the free seats; it opens nothing."""
    against = [vote for vote in votes if vote.word == REJECT]
    if against and not rule.no_holds:
        return Rejected(against[0])
    groups: dict[tuple[str, str | None, str | None], list[Vote]] = {}
    for vote in votes:
        if seats_of(rule, vote, ballot, roles) and not any(vote.people & other.people for other in groups.get(key(vote), [])):
            groups.setdefault(key(vote), []).append(vote)
    complete = [each for each in groups.values() if not missing(rule, each, ballot, roles, each[-1].time)]
    free = [each for each in complete if each[0].word == REJECT or not against]
    if free:
        best = min(free, key=lambda each: completed(rule, each, ballot, roles))
        return Satisfied(best[0].word, tuple(best))
    wanted = min((missing(rule, each, ballot, roles, now) for each in [[], *groups.values()]), key=len)
    if complete:
        return Needs(0, (), tuple(vote.voter for vote in against))
    wanted = wanted or (people_at(rule, ballot, now),)  # k is lower by now: one more vote makes it hold
    return Needs(len(wanted), wanted, tuple(vote.voter for vote in against) if rule.no_holds else ())


def key(vote: Vote) -> tuple[str, str | None, str | None]:
    """The parts that must be equal for votes to add up (AUTH-7)."""
    return vote.word, vote.seen, vote.value


def completed(rule: Rule, votes: Sequence[Vote], ballot: Ballot, roles: RolesNow) -> tuple[Micros, int]:
    """When votes that satisfy the rule first did."""
    ends = (n for n in range(1, len(votes) + 1) if not missing(rule, votes[:n], ballot, roles, votes[n - 1].time))
    first = next(ends, len(votes))
    return votes[first - 1].time, first


def missing(rule: Rule, votes: Sequence[Vote], ballot: Ballot, roles: RolesNow, now: Micros) -> tuple[Seat, ...]:
    """The seats that votes leave free, if as many as possible are filled: a voter fills one."""
    of = people_at(rule, ballot, now)
    seats: list[tuple[int, Seat]] = [*((0, of) for _ in range(k_at(rule, ballot, now)))]
    seats += [(number, (each,)) for number, each in enumerate(rule.also, 1)]
    may = [seats_of(rule, vote, ballot, roles) for vote in votes]
    filled: dict[int, int] = {}

    def fill(seat: int, tried: set[int]) -> bool:
        """Find a voter for a seat, moving others where that helps."""
        for voter, allowed in enumerate(may):
            if voter not in tried and seats[seat][0] in allowed:
                tried.add(voter)
                if voter not in filled or fill(filled[voter], tried):
                    filled[voter] = seat
                    return True
        return False

    return tuple(seat for number, (_, seat) in enumerate(seats) if not fill(number, set()))
