"""The rule of who may decide, in every situation: five people vote, withdraw, hand on, lose their roles, while time and the question move on.

The states are explicit, the steps are judged by the pure rule of the package, and a gate that opens is judged by `allowed`, which is written
here and shares nothing with it. Each clause that is left out of the rule gives its shortest counterexample, so each earns its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import permutations
from typing import NamedTuple

import pytest
from attrs import evolve

from statecore.core.authority import Ballot, Delegation, Rejected, Satisfied, Vote, may_delegate, may_vote, opens
from statecore.core.rule import Escalation, Rule
from statecore.definition import Person

HELD = {"req": "finance", "ann": "finance", "bob": "finance", "dan": "cfo", "eve": "deputy"}
RULE = Rule(k=2, of=("role:finance",), requester=True, escalations=(Escalation(24, ("role:cfo",)),), delegates=("role:deputy",))
LATE = 24


class Cast(NamedTuple):
    """A standing vote: by whom, for whom, with which word, when, and under which digest."""

    voter: str
    giver: str | None
    word: str
    time: int
    seen: str


class Situation(NamedTuple):
    """A gate that is open for votes; `lost` is the person whose role was taken away."""

    votes: tuple[Cast, ...] = ()
    handed: tuple[tuple[str, str], ...] = ()
    lost: str | None = None
    seen: str = "first"
    now: int = 0


def roles(situation: Situation, name: str) -> frozenset[str]:
    """The roles of a person now."""
    return frozenset() if name == situation.lost else frozenset({HELD[name]})


def ballot(situation: Situation) -> Ballot:
    """The situation as the rule knows it."""
    handed = tuple(Delegation(giver, to, 0, frozenset({HELD[giver]})) for giver, to in situation.handed)
    return Ballot(asked_at=0, requester="req", delegations=handed)


def stored(cast: Cast) -> Vote:
    """A vote as the rule knows it."""
    giver = frozenset({HELD[cast.giver]}) if cast.giver else frozenset()
    return Vote(
        cast.voter, cast.word, cast.time, cast.seen, roles=frozenset({HELD[cast.voter]}), giver=cast.giver, giver_roles=giver
    )


def rule_of(without: str | None) -> Rule:
    """The rule, without a clause."""
    return evolve(RULE, requester=without != "four eyes")


def said(situation: Situation, without: str | None) -> object:
    """What the votes say by the rule, without a clause."""
    votes = [stored(each) for each in situation.votes]
    if without == "distinctness":
        rule = evolve(rule_of(without), requester=False)
        votes = [evolve(each, voter=f"{each.voter}{number}") for number, each in enumerate(votes)]
        return opens(rule, votes, ballot(situation), lambda name: roles(situation, name.rstrip("0123456789")), situation.now)
    if without == "evidence":
        votes = [evolve(each, seen="any") for each in votes]
    if without == "a no stands":
        votes = [each for each in votes if each.word != "reject"]
    if without == "a vote is handed on once":
        votes = [evolve(each, roles=each.giver_roles or each.roles, giver=None) for each in votes]
        by = {to: giver for giver, to in situation.handed}
        return opens(rule_of(without), votes, ballot(situation), lambda name: roles(situation, by.get(name, name)), situation.now)
    once = without == "second judging"
    return opens(rule_of(without), votes, ballot(situation), lambda name: None if once else roles(situation, name), situation.now)


def steps(situation: Situation, without: str | None) -> Iterator[tuple[str, Situation]]:
    """Everything that can happen next."""
    now, votes = ballot(situation), [stored(each) for each in situation.votes]
    judged = [] if without in ("distinctness", "a vote is handed on once") else votes
    for name in HELD:
        person = Person(name, via="oidc", roles=roles(situation, name))
        giver = next((each for each, to in situation.handed if to == name), None)
        free = evolve(now, delegations=tuple(each for each in now.delegations if each.to == name))
        for word in ("confirm", "reject"):
            asked = free if without == "a vote is handed on once" else now
            mine = sum(each.voter == name for each in situation.votes)
            if mine > 1 or (without == "a vote is handed on once" and mine):
                continue
            if may_vote(rule_of(without), person, word, asked, judged, situation.now, seen=situation.seen) is None:
                kept = [each for each in situation.votes if each.voter != name or (without == "distinctness" and word == "confirm")]
                cast = Cast(name, giver, word, situation.now, situation.seen)
                yield f"{name} says {word}", situation._replace(votes=tuple(sorted([*kept, cast])))
        if any(each.voter == name for each in situation.votes):
            yield f"{name} withdraws", situation._replace(votes=tuple(each for each in situation.votes if each.voter != name))
        if situation.lost is None:
            yield f"{name} loses the role", situation._replace(lost=name)
        eve = Person("eve", via="oidc", roles=roles(situation, "eve"))
        if may_delegate(rule_of(without), person, eve, now, votes, situation.now) is None:
            yield f"{name} hands on", situation._replace(handed=((name, "eve"),))
    if situation.now == 0:
        yield "a day passes", situation._replace(now=LATE)
    if situation.seen == "first":
        yield "the question changes", situation._replace(seen="second")


def allowed(situation: Situation) -> bool:
    """The specification: no no stands, and two people of four eyes, who might when they voted and may now, said yes to one and the same thing."""
    if any(each.word == "reject" for each in situation.votes):
        return False
    return any(fine(situation, *pair) for pair in permutations(situation.votes, 2))


def fine(situation: Situation, one: Cast, other: Cast) -> bool:
    """Whether two votes are those of two seats."""
    people = [{each.voter, each.giver} - {None} for each in (one, other)]
    if people[0] & people[1] or "req" in people[0] | people[1] or one.seen != other.seen:
        return False
    for each in (one, other):
        whose = each.giver or each.voter
        if situation.lost in (whose, each.voter) or not (HELD[whose] == "finance" or (HELD[whose] == "cfo" and each.time >= LATE)):
            return False
        if each.giver is not None and HELD[each.voter] != "deputy":
            return False
    return True


def search(without: str | None = None) -> tuple[int, int, list[str] | None]:
    """All situations: how many, how many of them open the gate, and the shortest way to one that must not."""
    came: dict[Situation, tuple[Situation, str] | None] = {Situation(): None}
    todo, opened = deque(came), 0
    while todo:
        situation = todo.popleft()
        outcome = said(situation, without)
        if isinstance(outcome, Satisfied) and outcome.word == "confirm":
            opened += 1
            if not allowed(situation):
                return len(came), opened, way(came, situation)
        for what, after in steps(situation, without):
            if after not in came:
                came[after] = (situation, what)
                todo.append(after)
    return len(came), opened, None


def way(came: dict[Situation, tuple[Situation, str] | None], situation: Situation) -> list[str]:
    """The steps that led to a situation."""
    found: list[str] = []
    before = came[situation]
    while before is not None:
        found.append(before[1])
        before = came[before[0]]
    return found[::-1]


@pytest.mark.spec("AUTH-3", "AUTH-4", "AUTH-5", "AUTH-7")
def test_no_situation_opens_the_gate_that_must_not():
    """The whole rule: every situation was looked at, hundreds of them open the gate, and each is allowed by the specification."""
    situations, opened, bad = search()
    assert bad is None
    assert (situations, opened) == (10_020, 864)


@pytest.mark.spec("AUTH-3", "AUTH-4")
def test_a_gate_that_must_open_does():
    """The other way round: what the specification allows, the rule opens, and a no that stands is a refusal."""
    came, todo = {Situation()}, deque([Situation()])
    while todo:
        situation = todo.popleft()
        outcome = said(situation, None)
        assert isinstance(outcome, Satisfied) is allowed(situation), situation
        assert isinstance(outcome, Rejected) is any(each.word == "reject" for each in situation.votes)
        for _, after in steps(situation, None):
            if after not in came:
                came.add(after)
                todo.append(after)


SHORTEST = {
    "four eyes": (2, "req says confirm"),
    "distinctness": (2, "ann says confirm"),
    "second judging": (3, "loses the role"),
    "evidence": (3, "the question changes"),
    "a no stands": (4, "says reject"),
    "a vote is handed on once": (3, "hands on"),
}
"""The length of the shortest way to a gate that must stay closed, and a step of it."""


@pytest.mark.spec("AUTH-3", "AUTH-4", "AUTH-5", "AUTH-7")
@pytest.mark.parametrize("clause", SHORTEST)
def test_each_clause_earns_its_place(clause):
    """The rule without one clause opens a gate that must stay closed: the shortest way there has this length, and this step."""
    _, _, bad = search(clause)
    length, what = SHORTEST[clause]
    assert bad is not None
    assert (len(bad), any(each.endswith(what) for each in bad)) == (length, True), bad
