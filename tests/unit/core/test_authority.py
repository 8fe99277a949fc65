"""The pure rule of who may decide, case by case: each reason, what votes open, and what time and lost roles do (AUTH-3 to AUTH-7)."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from statecore.core.authority import (
    SAYS,
    Ballot,
    Delegation,
    Needs,
    Rejected,
    Satisfied,
    Vote,
    Why,
    lapsed,
    may_act,
    may_delegate,
    may_vote,
    may_vote_for,
    opens,
)
from statecore.core.rule import Escalation, Rule
from statecore.definition import Person

HOUR = 3_600_000_000
CASE = Ballot(asked_at=0, deadline=100 * HOUR, requester="req")
RULE = Rule(
    k=2,
    of=("role:finance",),
    also=("role:legal",),
    requester=True,
    gates=("review",),
    comment="on_reject",
    escalations=(Escalation(24 * HOUR, ("role:cfo",)),),
    delegates=("role:deputy",),
)
ROLES: dict[str, frozenset[str]] = {
    "ann": frozenset({"finance"}),
    "bob": frozenset({"finance"}),
    "cyd": frozenset({"legal"}),
    "dan": frozenset({"cfo"}),
    "eve": frozenset({"deputy"}),
    "both": frozenset({"finance", "legal"}),
    "req": frozenset({"finance"}),
}


def person(name: str, via: str = "oidc") -> Person:
    """A person with their roles."""
    return Person(name, via=via, roles=ROLES.get(name, frozenset()))


def vote(voter: str, hours: float = 1, word: str = "confirm", **more: Any) -> Vote:
    """A stored vote."""
    return Vote(voter, word, int(hours * HOUR), more.pop("seen", "d"), roles=ROLES.get(voter, frozenset()), **more)


def asked(
    voter: str, word: str = "confirm", *, votes: tuple[Vote, ...] = (), hours: float = 1, rule: Rule = RULE, **more: Any
) -> Why | None:
    """Why a vote is refused."""
    ballot, via = more.pop("ballot", CASE), more.pop("via", "oidc")
    return may_vote(rule, person(voter, via), word, ballot, votes, int(hours * HOUR), **{"seen": "d", "comment": "well", **more})


REASONS: list[tuple[Why | None, dict[str, Any]]] = [
    (None, {"voter": "ann"}),
    (None, {"voter": "cyd"}),
    (Why.not_among, {"voter": "dan"}),
    (None, {"voter": "dan", "hours": 24}),
    (Why.not_among, {"voter": "zed"}),
    (Why.requester, {"voter": "req"}),
    (Why.no_requester, {"voter": "ann", "ballot": evolve(CASE, requester=None)}),
    (Why.no_requester, {"voter": "ann", "ballot": evolve(CASE, requester=" ")}),
    (Why.earlier_gate, {"voter": "ann", "ballot": evolve(CASE, deciders=frozenset({"ann"}))}),
    (None, {"voter": "ann", "ballot": evolve(CASE, deciders=frozenset({"ann"})), "rule": evolve(RULE, gates=())}),
    (Why.agent, {"voter": "ann", "via": "mcp"}),
    (Why.declared, {"voter": "ann", "via": "declared", "rule": evolve(RULE, identified=True)}),
    (Why.declared, {"voter": "ann", "via": "declared", "rule": evolve(RULE, via=("oidc",))}),
    (Why.via, {"voter": "ann", "via": "link", "rule": evolve(RULE, via=("oidc",))}),
    (None, {"voter": "ann", "via": "declared"}),
    (Why.uncomputed, {"voter": "ann", "rule": evolve(RULE, of=None)}),
    (Why.expired, {"voter": "ann", "hours": 100}),
    (Why.unseen, {"voter": "ann", "seen": None}),
    (None, {"voter": "ann", "comment": None}),
    (Why.comment, {"voter": "ann", "word": "reject", "comment": " "}),
    (Why.comment, {"voter": "ann", "comment": None, "rule": evolve(RULE, comment="always")}),
    (Why.voted, {"voter": "ann", "votes": (vote("ann"),)}),
    (None, {"voter": "ann", "word": "reject", "votes": (vote("ann"),)}),
    (Why.voted, {"voter": "ann", "votes": (vote("ann", word="reject"),)}),
    (Why.voted, {"voter": "ann", "votes": (vote("eve", giver="ann"),)}),
    (Why.voted, {"voter": "ann", "word": "reject", "votes": (vote("eve", giver="ann"),)}),
    (None, {"voter": "zed", "rule": Rule()}),
    (None, {"voter": "zed", "rule": Rule(of=("zed",))}),
    (Why.not_among, {"voter": "finance", "rule": RULE}),
]


@pytest.mark.spec("AUTH-3", "AUTH-6", "AUTH-7")
@pytest.mark.parametrize(("why", "given"), REASONS)
def test_each_refusal_has_its_reason(why, given):
    """A vote is taken, or refused for one named reason that has a sentence."""
    assert asked(**given) is why
    assert set(SAYS) == set(Why)


@pytest.mark.spec("AUTH-6")
def test_a_blank_name_is_no_person():
    """What stands for a person elsewhere is judged again here: a name without a sign decides nothing."""
    nobody = evolve(person("ann"))
    object.__setattr__(nobody, "name", "  ")
    assert may_act(RULE, nobody, CASE, 1) is Why.nobody


def said(
    *votes: Vote, rule: Rule = RULE, now: float = 50, roles: dict[str, frozenset[str]] | None = None, ballot: Ballot = CASE
) -> Any:
    """What votes say, with the roles of now."""
    return opens(rule, votes, ballot, (ROLES | (roles or {})).get, int(now * HOUR))


@pytest.mark.spec("AUTH-3", "AUTH-7")
def test_votes_open_where_every_seat_is_filled():
    """Two of finance and one of legal, whatever their order; a voter fills one seat; other digests and values do not add up."""
    assert said() == Needs(3, (("role:finance", "role:cfo"), ("role:finance", "role:cfo"), ("role:legal",)))
    assert said(now=1).seats[0] == ("role:finance",)
    for three in ((vote("ann"), vote("bob"), vote("cyd")), (vote("cyd"), vote("both"), vote("ann"))):
        assert said(*three) == Satisfied("confirm", three)
    assert said(vote("both"), vote("ann")).n == 1
    assert said(vote("both"), vote("ann"), vote("bob")) == Satisfied("confirm", (vote("both"), vote("ann"), vote("bob")))
    assert said(vote("ann"), vote("bob", seen="other"), vote("cyd")).n == 1
    assert said(vote("ann"), vote("bob", value="1"), vote("cyd")).n == 1
    assert said(vote("ann"), vote("bob", word="edit"), vote("cyd")).n == 1


@pytest.mark.spec("AUTH-3")
def test_a_rejection_refuses_and_holds_where_it_leads_on():
    """One no refuses; where a no has steps of its own it needs the rule, and holds the gate as long as it stands."""
    rejected = vote("bob", word="reject")
    assert said(vote("ann"), vote("both"), vote("cyd"), rejected) == Rejected(rejected)
    fork = evolve(RULE, no_holds=True)
    yes = (vote("ann"), vote("both"), vote("cyd"))
    assert said(*yes, rejected, rule=fork) == Needs(0, (), ("bob",))
    assert said(*yes, rule=fork) == Satisfied("confirm", yes)
    no = tuple(evolve(each, word="reject") for each in yes)
    assert said(*no, rule=fork) == Satisfied("reject", no)
    assert said(no[0], rule=fork) == Needs(2, (("role:finance", "role:cfo"), ("role:legal",)), ("ann",))


@pytest.mark.spec("AUTH-4")
def test_a_lost_role_takes_a_yes_away_and_leaves_a_no():
    """A yes whose voter has lost the role lapses; another role that would do now does not save it; roles of a login alone are judged once."""
    votes = (vote("ann"), vote("bob"), vote("cyd"))
    lost = {"ann": frozenset({"cfo", "legal"})}
    assert said(*votes, roles=lost).n == 1
    assert lapsed(RULE, votes, CASE, (ROLES | lost).get) == (votes[0],)
    assert opens(RULE, votes, CASE, lambda _: None, HOUR) == Satisfied("confirm", votes)
    no = vote("ann", word="reject")
    assert said(no, roles=lost) == Rejected(no)
    assert lapsed(RULE, (no,), CASE, (ROLES | lost).get) == ()


@pytest.mark.spec("AUTH-4", "AUTH-5")
def test_the_clock_alone_opens_nothing():
    """An escalation that lowers k counts from the next vote on; one that is stored stays; `instead` takes those before away for new votes only."""
    rule = evolve(RULE, also=(), escalations=(Escalation(24 * HOUR, ("role:cfo",), 1, instead=True),))
    early, late = vote("ann", 1), vote("dan", 25)
    assert said(early, rule=rule, now=90) == Needs(1, (("role:cfo",),))
    assert said(early, late, rule=rule, now=90) == Satisfied("confirm", (early, late))
    assert (asked("bob", rule=rule, hours=25), asked("bob", rule=rule, hours=23)) == (Why.not_among, None)
    assert said(early, late, rule=rule, roles={"dan": frozenset()}) == Needs(1, (("role:cfo",),))
    more = evolve(rule, k=1, escalations=(Escalation(24 * HOUR, ("role:cfo",), 3),))
    assert said(early, rule=more, now=90) == Satisfied("confirm", (early,))
    assert said(early, late, rule=more).n == 1


@pytest.mark.spec("AUTH-5")
def test_a_vote_is_handed_on_once():
    """To a delegate who may not vote; the vote counts as both persons', lapses with either role, and neither has another one."""
    given = Delegation("ann", "eve", HOUR, ROLES["ann"])
    ballot = evolve(CASE, delegations=(given,))

    def may(giver: str, to: str, ballot: Ballot = CASE, **more: Any) -> Why | None:
        now = int(more.get("hours", 1) * HOUR)
        return may_delegate(more.get("rule", RULE), person(giver), person(to), ballot, more.get("votes", ()), now)

    assert may("ann", "eve") is None
    assert may("ann", "eve", rule=evolve(RULE, delegates=())) is Why.no_delegation
    assert (may("ann", "zed"), may("ann", "bob"), may("ann", "ann")) == (Why.not_delegate, Why.delegate_may, Why.delegate_may)
    assert (may("zed", "eve"), may("req", "eve"), may("ann", "req")) == (Why.not_among, Why.requester, Why.requester)
    assert (may("ann", "eve", ballot), may("bob", "eve", ballot), may("eve", "zed", ballot)) == (
        Why.handed_on,
        Why.delegate_may,
        Why.not_among,
    )
    assert (may("ann", "eve", votes=(vote("ann"),)), may("ann", "eve", hours=100)) == (Why.voted, Why.expired)
    assert (asked("eve", ballot=ballot), asked("ann", ballot=ballot), asked("eve")) == (None, Why.handed_on, Why.not_among)
    stands = vote("eve", giver="ann", giver_roles=ROLES["ann"])
    assert said(stands, vote("bob"), vote("cyd")).deciders == {"eve", "ann", "bob", "cyd"}
    for lost in ("ann", "eve"):
        assert said(stands, vote("bob"), vote("cyd"), roles={lost: frozenset()}).n == 1
    assert said(stands, vote("ann"), vote("cyd")).n == 1
    seen = evolve(CASE, deciders=frozenset({"ann"}), delegations=(given,))
    assert asked("eve", ballot=seen) is Why.earlier_gate
    assert said(stands, vote("bob"), vote("cyd"), ballot=seen).n == 1


def test_a_vote_that_was_handed_on_is_judged_by_its_givers_right():
    """A giver outside those who may decide hands nothing on; a deputy of one of finance may."""
    rule = evolve(RULE, gates=(), also=())
    given = Delegation("ann", "eve", HOUR, ROLES["ann"])
    assert may_vote_for(rule, person("eve"), given, CASE, HOUR) is None
    assert may_vote_for(rule, person("eve"), given._replace(giver="cyd", giver_roles=ROLES["cyd"]), CASE, HOUR) is Why.not_among
    assert may_vote_for(rule, person("bob"), given, CASE, HOUR) is Why.not_delegate
    assert may_vote_for(rule, person("eve"), given._replace(giver="req"), CASE, HOUR) is not None
