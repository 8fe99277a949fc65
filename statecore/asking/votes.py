"""The rule of a question in words, and what a vote of one person leads to: sentences with a code and arguments (INBOX-4, AUTH-2).

All is judged by `core.authority`, by the votes that are stored and the roles that a login has; nothing here asks code of a user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.core.authority import REJECT, SAYS, Needs, Rejected, Satisfied, Vote, k_at, may_vote, opens, people_at
from statecore.core.rule import ROLE, Rule
from statecore.stores.rules import clock_text
from statecore.stores.votes import LAPSE, WITHDRAWAL, as_stored, ballot_of, standing, vote_of

from .leads import SaidSo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.core import Micros
    from statecore.core.authority import Ballot, Outcome, Somebody, Why
    from statecore.stores import Act, Waiting

PERSON = "person:"
UNSEEN, SAID = "shown", "said"


def seat(name: str) -> str:
    """A person or a role of a rule as documents name it: `person:ada`, `role:finance`."""
    return name if name.startswith(ROLE) else PERSON + name


def person_text(name: str) -> str:
    """A person or a role in words."""
    return f"role {name[len(ROLE) :]}" if name.startswith(ROLE) else name


def people_text(names: Iterable[str]) -> str:
    """Some people and roles in words."""
    return " or ".join(map(person_text, names))


@frozen
class Voting:
    """The votes about one question at an instant: its rule, its ballot, and the votes that stand."""

    rule: Rule
    ballot: Ballot
    votes: tuple[Vote, ...]
    acts: tuple[Act, ...]
    now: Micros

    @property
    def outcome(self) -> Outcome:
        """The outcome of the votes together, by the roles that they were cast with."""
        return opens(self.rule, self.votes, self.ballot, as_stored, self.now)

    @property
    def needed(self) -> int:
        """How many votes the rule needs."""
        return k_at(self.rule, self.ballot, self.now) + len(self.rule.also)

    @property
    def confirmed(self) -> int:
        """How many of them there are; a no is none."""
        found = opens(self.rule, [each for each in self.votes if each.word != REJECT], self.ballot, as_stored, self.now)
        return max(0, self.needed - found.n) if isinstance(found, Needs) else self.needed

    def why_not(self, who: Somebody, word: str) -> Why | None:
        """Why a person may not vote with a word now; None where they may, with a comment where one is required."""
        return may_vote(self.rule, who, word, self.ballot, self.votes, self.now, seen=UNSEEN, comment=SAID)

    def wants_comment(self, word: str) -> bool:
        """Whether a vote with a word needs a comment."""
        return self.rule.comment == "always" or (self.rule.comment == "on_reject" and word == REJECT)

    def with_vote(self, who: Somebody, word: str, seen: str | None) -> Outcome:
        """The outcome of the votes with one more, of a person who may cast it."""
        mine = Vote(who.name, word, self.now, seen, roles=who.roles)
        others = [each for each in self.votes if who.name not in each.people]
        return opens(self.rule, [*others, mine], self.ballot, as_stored, self.now)


def voting_of(row: Waiting, now: Micros) -> Voting | None:
    """The votes about a stored question; None for one without a rule. Of a question that is over, as they were at its end."""
    pause = row.pause
    if pause.rule is None:
        return None
    acts = standing(row.acts)
    at = min(now, pause.closed) if pause.closed is not None else now
    return Voting(Rule.read(pause.rule), ballot_of(pause, row.requester), tuple(map(vote_of, acts)), acts, at)


# -- the rule in words -------------------------------------------------------------------------------------------------------------


def rule_text(voting: Voting) -> str:
    """The rule in words: how many of whom, who else must, who may not, and who may later."""
    rule, ballot = voting.rule, voting.ballot
    of = "people that are not named yet" if rule.is_computed else people_text(rule.of or ()) or "anybody"
    parts = [" and ".join([f"{rule.k} of {of}", *(f"1 of {person_text(each)}" for each in rule.also)])]
    if rule.requester:
        parts.append(
            f"not {ballot.requester}, who asked for the run" if ballot.requester else "not the requester, who is not named"
        )
    if rule.gates and ballot.deciders:
        parts.append(f"not {people_text(sorted(ballot.deciders))}, by the decision before")
    for each in rule.escalations:
        more = f"only {people_text(each.to)}" if each.instead else f"{people_text(each.to)}, too"
        count = f", and {each.k} are needed" if each.k is not None else ""
        parts.append(f"from {clock_text(ballot.asked_at + each.after)} on {more}{count}")
    if rule.via is not None:
        parts.append(f"by a login with {' or '.join(rule.via)}")
    elif rule.identified:
        parts.append("by a login, not by a declared name")
    return "; ".join(parts)


def votes_say(voting: Voting) -> SaidSo:
    """The outcome of the votes now, as a sentence."""
    found, of = voting.outcome, voting.needed
    args: dict[str, Any] = {"confirmed": voting.confirmed, "of": of}
    if isinstance(found, Rejected):
        return SaidSo(f"{found.vote.voter} said no", "votes.refused", args | {"by": found.vote.voter})
    so_far = f"{voting.confirmed} of {of}"
    if isinstance(found, Satisfied):
        return SaidSo(f"{so_far}: the votes are complete", "votes.complete", args)
    held = f"held by {people_text(found.held_by)}"
    if not found.n:
        return SaidSo(f"{so_far}, {held}", "votes.held", args | {"held_by": list(found.held_by)})
    seats = dict.fromkeys(people_text(each) or "anybody" for each in found.seats)
    text = f"{so_far}: {found.n} more needed, of {' and of '.join(seats)}{', ' + held if found.held_by else ''}"
    return SaidSo(text, "votes.needed", args | {"more": found.n, "seats": [list(map(seat, each)) for each in found.seats]})


def may_ever(rule: Rule) -> tuple[str, ...]:
    """The seats of all who may decide, now or after an escalation, or to whom a vote may be handed on; () where that is every person."""
    if rule.of == ():
        return ()
    later = [name for each in rule.escalations for name in each.to]
    return tuple(dict.fromkeys(map(seat, [*(rule.of or ()), *rule.also, *later, *rule.delegates])))


def may_now(voting: Voting) -> tuple[str, ...]:
    """The seats of those who may decide now, as far as they are named; a seat that is everybody's is not among them."""
    rule = voting.rule
    return tuple(dict.fromkeys(map(seat, [*people_at(rule, voting.ballot, voting.now), *rule.also])))


# -- what a vote leads to ----------------------------------------------------------------------------------------------------------


def refusal(why: Why) -> SaidSo:
    """Why a person may not vote, as a sentence."""
    return SaidSo(SAYS[why], f"why.{why.value}", {})


def vote_leads(voting: Voting, who: Somebody, word: str, seen: str | None, leads: SaidSo) -> SaidSo:
    """The consequence of a person's vote now; where one vote is enough it is that of the answer."""
    found = voting.with_vote(who, word, seen)
    if isinstance(found, Rejected) or (voting.needed == 1 and isinstance(found, Satisfied)):
        return leads
    args: dict[str, Any] = {**leads.args, "leads": leads.code, "of": voting.needed}
    if isinstance(found, Satisfied):
        if isinstance(voting.outcome, Satisfied):
            return leads
        return SaidSo(
            f"yours is vote {voting.needed} of {voting.needed}: {leads.text}", "leads.vote_opens", args | {"vote": voting.needed}
        )
    number = max(1, voting.needed - found.n)
    args |= {"vote": number, "more": found.n}
    if not found.n:
        return SaidSo(f"a no of {people_text(found.held_by)} holds it: {leads.text} only without it", "leads.vote_held", args)
    more = "one more is needed" if found.n == 1 else f"{found.n} more are needed"
    return SaidSo(f"yours is vote {number} of {voting.needed}: {more}, then {leads.text}", "leads.vote_counts", args)


def gone(acts: Iterable[Act], vote: Act, *, stands: bool) -> SaidSo | None:
    """Why a vote counts no more: it was withdrawn, turned into a no, or has lapsed; None for one that stands."""
    if stands:
        return None
    later = [act for act in acts if act.by == vote.by and act.time >= vote.time and act is not vote]
    kind = next((act.kind for act in later if act.kind in (LAPSE, WITHDRAWAL)), None)
    if kind == WITHDRAWAL:
        return SaidSo("the person took it back", "vote.withdrawn", {})
    if kind == LAPSE:
        return SaidSo("the person lost the role by which it was allowed", "vote.lapsed", {})
    return SaidSo("the person turned it into a no", "vote.turned", {})
