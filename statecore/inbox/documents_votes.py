"""The votes of a question as parts of its document: the rule, the votes that were cast, and what a person may still say (INBOX-4, AUTH-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.asking.votes import gone, may_now, rule_text, seat, votes_say, voting_of
from statecore.client.shapes import ByDocument, RuleDocument, SentenceDocument, VoteDocument, VotesDocument, WideningDocument
from statecore.stores.votes import VOTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.asking.leads import SaidSo
    from statecore.asking.votes import Voting
    from statecore.core import Micros
    from statecore.stores import Act, Waiting

__all__ = ["cast", "rule", "sentence", "vote", "votes", "voting_of"]


def sentence(said: SaidSo) -> SentenceDocument:
    """A sentence as a part of a document."""
    return SentenceDocument(text=said.text, code=said.code, args=said.args)


def votes(voting: Voting | None) -> VotesDocument | None:
    """How many votes a question needs, and has; None where one decision is enough for it."""
    if voting is None:
        return None
    return VotesDocument(needed=voting.needed, confirmed=voting.confirmed, says=sentence(votes_say(voting)))


def rule(voting: Voting | None, at: Callable[[Micros], str]) -> RuleDocument | None:
    """The rule of a question; None for one that everybody may decide."""
    if voting is None:
        return None
    its, ballot = voting.rule, voting.ballot
    barred = [*([ballot.requester] if its.requester and ballot.requester else []), *(sorted(ballot.deciders) if its.gates else [])]
    return RuleDocument(
        text=rule_text(voting),
        needed=voting.needed,
        of=[name for name in may_now(voting) if name not in set(map(seat, its.also))],
        also=[seat(name) for name in its.also],
        exclude=[seat(name) for name in dict.fromkeys(barred)],
        widens=[WideningDocument(at=at(ballot.asked_at + each.after), of=list(map(seat, each.to))) for each in its.escalations],
    )


def cast(row: Waiting, voting: Voting | None, at: Callable[[Micros], str]) -> list[VoteDocument]:
    """The votes that were cast, in their order, those that count no more included."""
    if voting is None:
        return []
    return [vote(act, row, voting, at) for act in row.acts if act.kind == VOTE]


def vote(act: Act, row: Waiting, voting: Voting, at: Callable[[Micros], str]) -> VoteDocument:
    """One vote."""
    said = gone(row.acts, act, stands=act in voting.acts)
    lapsed = None if said is None else sentence(said)
    return VoteDocument(
        by=ByDocument(name=act.by, via=act.via),
        word=act.word or "",
        at=at(act.time),
        comment=act.comment,
        counts=said is None,
        lapsed=lapsed,
    )
