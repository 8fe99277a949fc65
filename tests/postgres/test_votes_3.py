"""`statecore_vote`: a login that may write no table votes, and the database judges it as the pure rule does (AUTH-3, P19)."""

from __future__ import annotations

from random import Random
from typing import Any
from unicodedata import normalize

import psycopg
import pytest
from attrs import evolve

from statecore import Approval, Person, Step, Workflow, requester
from statecore.core.authority import Ballot, Vote, identity, may_vote
from statecore.core.rule import Escalation, Rule
from statecore.db.postgres import PostgresDb
from statecore.errors import AlreadyDecided, MayNotDecide, NotPermitted, NoVote, StaleDecision, UnknownDecision, UnknownRun
from statecore.stores.naming import parted
from statecore.stores.postgres.health import verify
from statecore.stores.records import Pause
from statecore.stores.votes import OF_ALL, OF_ONE, Voter
from tests.postgres.deciders import ROLES as NAMES
from tests.postgres.test_roles import ROLES
from tests.sizes import examples

PEOPLE = ("ann", "bob", "Å", "role:finance", "person:0", "", " \u2003", "\x1f\x85", *("ann", "bob") * 4)
HELD = ("finance", "legal", "cfo", "person:1")
WHO = ("role:finance", "role:legal", "role:cfo", "ann", "bob", "Å")
ASKED, LATE = 1_000, 2_000
PAUSE = Pause("r", "p", "confirmation", "a", (), 0, "a", None, ASKED)
JUDGE = "SELECT why_not(%s::json, %s::json, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s), why_unknown(%s::json, %s, %s)"


def some(random: Random, among: tuple[str, ...], most: int = 2) -> tuple[str, ...]:
    """Up to `most` different ones of some texts."""
    return tuple(random.sample(among, random.randint(0, most)))


def rule_of(random: Random) -> Rule:
    """A rule, of any shape but for delegation."""
    times = sorted(random.sample(range(1, 900), random.randint(0, 2)))
    return Rule(
        k=random.randint(1, 3),
        of=None if random.random() < 0.1 else some(random, WHO),
        also=some(random, WHO, 1),
        requester=random.random() < 0.3,
        gates=random.choice(((), ("a",))),
        comment=random.choice(("", "", "always", "on_reject")),
        escalations=tuple(Escalation(each, some(random, WHO) or ("bob",), None, random.random() < 0.5) for each in times),
        via=random.choice((None, None, None, ("login",), ("declared",))),
        identified=random.random() < 0.2,
    )


def situation(random: Random) -> tuple[tuple[str | None, str | None], tuple[Any, ...]]:
    """A random situation: the answers of the pure rule, and the arguments of their twins."""
    rule, name, held = rule_of(random), random.choice(PEOPLE), sorted(some(random, HELD))
    who = Voter(name, random.choice(("login",) * 5 + ("declared", "agent", "mcp")), frozenset(held))
    ballot = Ballot(ASKED, LATE, random.choice((None, " ", "ann", "bob", "zoe")), frozenset(some(random, ("ann", "Å"), 1)))
    word, now, mine = (
        random.choice(("confirm", "reject")),
        random.randrange(ASKED, LATE),
        random.choice((None, None, "confirm", "reject")),
    )
    votes = [] if mine is None else [Vote(name, mine, now)]
    seen, comment = random.choice((None, "d", "d", "d")), random.choice((None, "\u3000\n", "so"))
    told = may_vote(rule, who, word, ballot, votes, now, seen=seen, comment=comment), identity(rule, who)
    without, names = parted(evolve(PAUSE, rule=rule.text(), deciders=tuple(ballot.deciders)))
    asked = (without, names, name, who.via, held, word, mine, seen, comment, ballot.requester, ASKED, now, without, name, who.via)
    return (told[0] and told[0].value, told[1] and told[1].value), asked


class Hall:
    """A store with a gate of two of finance, not the requester, and what opens it as a login."""

    def __init__(self, db: PostgresDb, url: str) -> None:
        self.db, self.url = db, url
        self.paid: list[Any] = []
        self.opened: list[PostgresDb] = []
        self.steps = [self.step("cancel")]
        self.flow = Workflow("payout", self.steps, db=db)
        self.run_id = self.flow.run("order", requester="rick", run_id="run-1").run_id
        [self.asked] = self.flow.list_pauses()

    def step(self, on_reject: Any) -> Step:
        """The step behind the gate."""
        approval = Approval(2, of="role:finance", exclude=requester)
        return Step("pay", lambda s: self.paid.append(s.input), requires_confirmation=True, on_reject=on_reject, approval=approval)

    def log_in(self, name: str) -> Workflow:
        """The workflow, with the store of a login."""
        self.opened.append(PostgresDb(self.url.replace("ada:", f"{name}:", 1)))
        return Workflow("payout", self.steps, db=self.opened[-1])

    def vote(self, flow: Workflow, word: str = "confirm", by: Any = None, **more: Any) -> Any:
        """A vote by the store of a login."""
        return flow.decide(self.run_id, self.asked.pause_id, word, by=by, **{"seen": self.asked.seen} | more)

    def acts(self) -> list[tuple[Any, ...]]:
        """What people did, as the owner reads it."""
        row = self.db.pause(self.run_id, self.asked.pause_id)
        return [] if row is None else [(act.kind, act.by, act.via, act.detail) for act in row.acts]


LOGINS = {"dora": "statecore_decider", "rick": "statecore_decider", "eve": "statecore_decider", "gate": "statecore_gateway"}


@pytest.fixture
def hall(server, database, db):
    """A gate, with logins: dora and rick are of finance in the database, eve is not, and gate speaks for others."""
    found = Hall(db, database)
    server.execute(ROLES, "CREATE ROLE finance", url=database)
    for name, role in LOGINS.items():
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'not the server''s, ours' IN ROLE {role}", url=database)
    server.execute("GRANT finance TO dora, rick", url=database)
    yield found
    for store in found.opened:
        store.close()
    names = [*LOGINS, *NAMES, "finance"]
    server.execute(*[f"DROP OWNED BY {name}" for name in names], *[f"DROP ROLE {name}" for name in names], url=database)


@pytest.mark.spec("AUTH-3")
def test_the_database_judges_as_the_pure_rule_does(db):
    """Random rules, people, times and votes: `why_not` gives the reason of `may_vote`, or none, and `why_unknown` that of `identity`."""
    random, told = Random(), set()  # noqa: S311  # random situations, no secret
    with db.channel().lent() as connection:
        for _ in range(examples(400)):
            expected, asked = situation(random)
            found = connection.execute(JUDGE, asked).fetchone()
            assert found == expected, asked
            told.add(found[0])
    assert told >= {None, "not_among", "voted"}


@pytest.mark.spec("AUTH-3")
def test_a_login_votes_once_and_a_gateway_for_others(hall):
    """Dora votes as herself and a gateway for bob: the gate opens by both, and neither vote counts twice; the seals fit."""
    dora, gate = hall.log_in("dora"), hall.log_in("gate")
    for _ in range(2):
        assert hall.vote(dora).still_needed == 1
    assert list(hall.flow.tick()) == []
    with pytest.raises(NotPermitted, match="statecore_gateway"):
        hall.vote(dora, by="bob")
    bob = Person("bob", via="oidc", roles={"finance"})
    assert hall.vote(gate, by=bob).votes_say == "satisfied"
    assert verify(hall.db).faults == []
    assert [run.status for run in hall.flow.tick()] == ["COMPLETED"]
    assert hall.paid == ["order"]
    assert hall.acts() == [("vote", "dora", "login", None), ("vote", "bob", "oidc", None)]
    assert [each.by for each in hall.db.decisions(hall.run_id)] == ["dora, bob"]
    with pytest.raises(AlreadyDecided):
        hall.vote(gate, by=evolve(bob, name="cyd"))
    assert verify(hall.db).faults == []


@pytest.mark.spec("AUTH-2", "AUTH-3")
def test_the_function_refuses_whom_the_rule_excludes(hall):
    """The requester's login, one without the role, and a person of a gateway without name or digest are refused by name; each attempt is kept."""
    rick, eve, gate = hall.log_in("rick"), hall.log_in("eve"), hall.log_in("gate")
    bob = Person("bob", via="oidc", roles={"finance"})
    for why, call in {
        "asked for the run": lambda: hall.vote(rick),
        "not among": lambda: hall.vote(eve),
        "has a name": lambda: hall.vote(gate),
        "token of an agent": lambda: hall.vote(gate, by=evolve(bob, via="mcp")),
        "digest": lambda: hall.vote(gate, by=bob, seen=None),
    }.items():
        with pytest.raises(MayNotDecide, match=why):
            call()
    with pytest.raises(StaleDecision):
        hall.vote(gate, by=bob, seen="0" * 64)
    with pytest.raises(UnknownDecision):
        hall.vote(gate, "edit", by=bob, value="x")
    with pytest.raises(UnknownRun):
        gate.decide("no such run", "pay", "confirm", by=bob, seen=None)
    assert [(by, why) for kind, by, _, why in hall.acts() if kind == "refusal"] == [
        ("rick", "requester"),
        ("eve", "not_among"),
        (None, "nobody"),
        ("bob", "agent"),
        ("bob", "unseen"),
    ]
    assert len(hall.acts()) == 5
    assert verify(hall.db).faults == []


@pytest.mark.spec("AUTH-1", "AUTH-3")
def test_the_function_knows_a_requester_however_the_user_id_is_spelt(hall):
    """A requester by user id, spelt with a mark apart from its letter, is refused under the name of one letter."""
    apart, whole = (normalize(form, "Zo\u00eb") for form in ("NFD", "NFC"))
    hall.run_id = hall.flow.run("order", user_id=apart, run_id="run-2").run_id
    [hall.asked] = hall.flow.list_pauses(run_id="run-2")
    gate = hall.log_in("gate")
    for name in (apart, whole):
        with pytest.raises(MayNotDecide, match="asked for the run"):
            hall.vote(gate, by=Person(name, via="oidc", roles={"finance"}))


@pytest.mark.spec("AUTH-2", "AUTH-3")
def test_a_login_turns_and_withdraws_its_own_vote(hall):
    """A yes is withdrawn, given anew and turned into a no, which wakes the run and cancels it; another's vote cannot be taken back."""
    dora, eve = hall.log_in("dora"), hall.log_in("eve")
    with pytest.raises(NoVote):
        dora.withdraw(hall.run_id, hall.asked.pause_id, by="dora")
    hall.vote(dora)
    with pytest.raises(NotPermitted):
        eve.withdraw(hall.run_id, hall.asked.pause_id, by="dora")
    assert dora.withdraw(hall.run_id, hall.asked.pause_id, by="dora", comment="a mistake").still_needed == 2
    hall.vote(dora)
    assert hall.vote(dora, "reject").votes_say == "refused"
    with pytest.raises(AlreadyDecided, match="reject by dora"):
        hall.vote(dora)
    assert [run.status for run in hall.flow.tick()] == ["CANCELLED"]
    rounds = [(act.kind, act.word, act.round) for act in hall.db.pause(hall.run_id, hall.asked.pause_id).acts]
    assert rounds == [("vote", "confirm", 0), ("withdrawal", "confirm", 1), ("vote", "confirm", 1), ("vote", "reject", 2)]
    assert verify(hall.db).faults == []


@pytest.mark.spec("AUTH-3", "GATE-7")
def test_a_lapsed_no_holds_for_its_login(hall):
    """Dora's no under another definition holds the question that is put again: her yes is refused, and her withdrawal lets two others open it."""
    hall.vote(hall.log_in("dora"), "reject")
    hall.steps = [hall.step("skip")]
    hall.flow = Workflow("payout", hall.steps, db=hall.db)
    [hall.asked] = hall.flow.continue_run(run_id=hall.run_id).requirements
    dora, gate = hall.log_in("dora"), hall.log_in("gate")
    for name in ("bob", "cyd"):
        hall.vote(gate, by=Person(name, via="oidc", roles={"finance"}))
    with pytest.raises(AlreadyDecided, match="withdrawn"):
        hall.vote(dora)
    assert list(hall.flow.tick()) == []
    assert dora.withdraw(hall.run_id, hall.asked.pause_id, by="dora").votes_say == "satisfied"
    assert [run.status for run in hall.flow.tick()] == ["COMPLETED"]
    assert verify(hall.db).faults == []


@pytest.mark.spec("AUTH-2", "AUTH-3")
def test_refusals_of_the_function_are_bounded(hall):
    """Of one person eight refusals are rows, of all a hundred; the others are counted, and none is lost."""
    call = """SELECT (statecore.statecore_vote('run-1', %s, 'confirm', "by" => %s, via => 'oidc')).code"""
    with psycopg.connect(hall.url.replace("ada:", "gate:", 1), autocommit=True) as gate:
        for who in [f"stranger {n}" for n in range(15)]:
            for _ in range(OF_ONE + 1):
                assert gate.execute(call, (hall.asked.pause_id, who)).fetchone() == ("refused",)
    acts = hall.db.pause(hall.run_id, hall.asked.pause_id).acts
    assert (len(acts), sum(act.times for act in acts)) == (OF_ALL, 15 * (OF_ONE + 1))
    assert max(sum(act.by == by for act in acts) for by in {act.by for act in acts}) == OF_ONE


@pytest.mark.spec("AUTH-4")
def test_the_function_judges_the_deadline_and_the_roles_of_the_database(hall, server):
    """A vote after the deadline is refused by the server's clock; a role that the login has no more counts no more."""
    call = "SELECT code, detail FROM statecore.statecore_vote('run-1', %s, 'confirm', seen => %s)"
    given = (hall.asked.pause_id, bytes.fromhex(hall.asked.seen))
    with psycopg.connect(hall.url.replace("ada:", "dora:", 1), autocommit=True) as dora:
        server.execute("REVOKE finance FROM dora", url=hall.url)
        assert dora.execute(call, given).fetchone() == ("refused", "not_among")
        server.execute("GRANT finance TO dora", url=hall.url)
        late = "SET session_replication_role = replica", "UPDATE statecore.pause SET due_us = 1, deadline_us = 1"
        server.execute(*late, url=hall.url)
        assert dora.execute(call, given).fetchone() == ("expired", "1")
