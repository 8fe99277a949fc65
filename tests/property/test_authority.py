"""Random rules and random votes: the pure rule says what a naive reading of the claims says (AUTH-3 to AUTH-5)."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from statecore.core.authority import Ballot, Needs, Rejected, Satisfied, Vote, Why, lapsed, may_vote, opens
from statecore.core.rule import Escalation, Rule
from statecore.definition import Person

NAMES = ("ann", "bob", "cyd", "dan", "eve")
ROLES = ("a", "b", "c")
WHO = st.sampled_from(("role:a", "role:b", "role:c", "ann", "bob"))
HELD = st.frozensets(st.sampled_from(ROLES))
ESCALATION = st.builds(
    Escalation, st.integers(1, 9), st.lists(WHO, min_size=1, max_size=2).map(tuple), st.none() | st.integers(1, 3), st.booleans()
)
RULES = st.builds(
    Rule,
    k=st.integers(1, 3),
    of=st.lists(WHO, max_size=2).map(tuple),
    also=st.lists(WHO, max_size=2).map(tuple),
    requester=st.booleans(),
    gates=st.sampled_from(((), ("review",))),
    escalations=st.lists(ESCALATION, max_size=2, unique_by=lambda each: each.after).map(
        lambda found: tuple(sorted(found, key=lambda each: each.after))
    ),
    no_holds=st.booleans(),
)
VOTES = st.lists(
    st.builds(
        Vote,
        voter=st.sampled_from(NAMES),
        word=st.sampled_from(("confirm", "confirm", "confirm", "reject")),
        time=st.integers(0, 10),
        seen=st.sampled_from(("one", "one", "one", "two")),
        roles=HELD,
    ),
    max_size=5,
    unique_by=lambda vote: vote.voter,
).map(lambda found: sorted(found, key=lambda vote: vote.time))
NOW = st.fixed_dictionaries({name: st.none() | HELD for name in NAMES})
BALLOTS = st.builds(
    Ballot,
    asked_at=st.just(0),
    requester=st.sampled_from((None, *NAMES)),
    deciders=st.frozensets(st.sampled_from(NAMES), max_size=1),
)


def named(who: str, name: str, held: frozenset[str]) -> bool:
    """Whether a text of a rule names a person with these roles."""
    return who == name or (who.startswith("role:") and who.removeprefix("role:") in held)


def circle(rule: Rule, time: int) -> tuple[list[str] | None, int]:
    """Those of whom k are needed at a time (None is every person), and k."""
    among: list[str] | None = list(rule.of or ()) or None
    k = rule.k
    for each in rule.escalations:
        if time >= each.after:
            k = k if each.k is None else each.k
            among = list(each.to) if each.instead else None if among is None else [*among, *each.to]
    return among, k


def fills(rule: Rule, ballot: Ballot, vote: Vote, now: frozenset[str] | None, seat: str | None) -> bool:
    """Whether a vote fills a seat of `of` (None) or one of `also`, by one and the same text then and now."""
    barred = (rule.requester and ballot.requester in (None, vote.voter)) or (bool(rule.gates) and vote.voter in ballot.deciders)
    among = circle(rule, vote.time)[0] if seat is None else [seat]
    held = vote.roles if now is None else now
    fits = among is None or any(named(who, vote.voter, vote.roles) and named(who, vote.voter, held) for who in among)
    return fits and not barred


def naive(rule: Rule, ballot: Ballot, votes: list[Vote], now: dict[str, frozenset[str] | None]) -> str:
    """The claims, read aloud: try every way to seat the voters of one word and one digest."""
    against = [vote for vote in votes if vote.word == "reject"]
    if against and not rule.no_holds:
        return "rejected"
    for word, seen in {(vote.word, vote.seen) for vote in votes}:
        among = [vote for vote in votes if (vote.word, vote.seen) == (word, seen)]
        among = [vote for vote in among if any(fills(rule, ballot, vote, now[vote.voter], seat) for seat in (None, *rule.also))]
        seats = [*rule.also, *[None] * circle(rule, among[-1].time)[1]] if among else []
        for chosen in permutations(among, len(seats)) if among else []:
            pairs = zip(chosen, seats, strict=True)
            if all(fills(rule, ballot, vote, now[vote.voter], seat) for vote, seat in pairs) and (word == "reject" or not against):
                return "satisfied"
    return "needs"


@pytest.mark.spec("AUTH-3", "AUTH-4", "AUTH-5")
@settings(max_examples=400)
@given(RULES, BALLOTS, VOTES, NOW, st.integers(10, 20))
def test_the_rule_is_what_the_claims_say(rule, ballot, votes, now, later):
    """Satisfied, rejected or in need of more, as the naive reading has it, whenever it is asked; a stored rule says the same."""
    outcome = opens(rule, votes, ballot, now.get, later)
    expected = naive(rule, ballot, votes, now)
    event(expected)
    assert {Satisfied: "satisfied", Rejected: "rejected", Needs: "needs"}[type(outcome)] == expected
    assert opens(Rule.read(rule.text()), votes, ballot, now.get, later) == outcome
    if isinstance(outcome, Needs):
        assert outcome.n == len(outcome.seats)
        assert outcome.n > 0 or (rule.no_holds and outcome.held_by)
    if isinstance(outcome, Satisfied):
        assert not set(lapsed(rule, votes, ballot, now.get)) & set(outcome.votes)


@pytest.mark.spec("AUTH-3", "AUTH-4")
@settings(max_examples=300)
@given(RULES, BALLOTS, VOTES, NOW, st.integers(0, 10))
def test_only_a_vote_that_may_be_cast_helps(rule, ballot, votes, now, time):
    """A first vote that `may_vote` refuses never turns a gate that needs more into an open one, were it stored all the same."""
    votes = [vote for vote in votes if vote.time <= time]
    if not isinstance(opens(rule, votes, ballot, now.get, time), Needs):
        return
    for name in NAMES:
        held = now[name] or frozenset()
        why = may_vote(rule, Person(name, via="oidc", roles=held), "confirm", ballot, votes, time, seen="one")
        if why not in (None, Why.voted):
            more = [*votes, Vote(name, "confirm", time, "one", roles=held)]
            assert not isinstance(opens(rule, more, ballot, now.get, time), Satisfied)
