"""AUTH-1 to AUTH-4, AUTH-7: where an Approval stands people vote, in memory and in a file; the pages that are paid are the judge."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Event
from typing import Any, cast
from unicodedata import normalize

import pytest

from statecore import Approval, InMemoryDb, Loop, Parallel, Person, SqliteDb, Step, Workflow, requester
from statecore.cli.main import main
from statecore.errors import (
    AlreadyDecided,
    ClaimLost,
    DefinitionChanged,
    MayNotDecide,
    NeedsRequester,
    NeedsVotes,
    NoVote,
    StaleDecision,
    Undecided,
    UnsupportedSetting,
)
from statecore.stores import Boundary, Decided, PauseFilter
from statecore.stores.owner import this_process, wall_clock
from statecore.stores.votes import OF_ALL, OF_ONE

FINANCE = {name: {"finance"} for name in ("ann", "bob", "cem", "dan", "eve", "fay")}


@pytest.fixture(params=["memory", "file"])
def keeper(request, tmp_path):
    """A store that keeps votes."""
    store = InMemoryDb() if request.param == "memory" else SqliteDb(db_file=tmp_path / "runs.db")
    yield store
    store.close()


class Office:
    """A workflow with a gate, what was paid, and the roles of people."""

    def __init__(self, db, *steps, k=2, **settings):
        self.paid, self.roles, self.db = [], {name: set(roles) for name, roles in FINANCE.items()}, db
        approval = Approval(k, of="role:finance", exclude=requester, **settings)
        pay = Step("pay", self.pay, requires_confirmation=True, on_reject="cancel", approval=approval)
        self.flow = Workflow("payout", [*steps, pay], db=db, people=lambda name: self.roles.get(name, set()))

    def pay(self, step_input):
        """Pay."""
        self.paid.append(step_input.input)
        return "paid"

    def run(self, **more):
        """A run that waits at the gate, and its question."""
        run = self.flow.run("order", requester="ada", **more)
        return run.run_id, run.requirements[0]

    def vote(self, run_id, asked, who, word="confirm", **more):
        """A vote."""
        return self.flow.decide(run_id, asked.pause_id, word, by=who, seen=asked.seen, **more)


@pytest.mark.spec("AUTH-2", "AUTH-7")
def test_a_gate_opens_with_the_votes_of_as_many_people_as_its_approval_names(keeper):
    """One of two votes opens nothing, by whichever way; the second does, and the stored decision names both."""
    office = Office(keeper)
    run_id, asked = office.run()
    assert (asked.still_needed, asked.votes_say, asked.who_may) == (2, "needs_more", ("role:finance",))
    assert office.vote(run_id, asked, "ann").still_needed == 1
    assert office.vote(run_id, asked, "ann").still_needed == 1
    with pytest.raises(Undecided, match="1 more vote"):
        office.flow.continue_run(run_id=run_id)
    assert (list(office.flow.tick()), office.paid) == ([], [])
    answer = office.vote(run_id, asked, Person("bob", via="oidc"))
    assert (answer.still_needed, answer.votes_say) == (0, "satisfied")
    assert [run.status for run in office.flow.tick()] == ["COMPLETED"]
    assert office.paid == ["order"]
    [decided] = keeper.decisions(run_id)
    assert (decided.word, decided.by) == ("confirm", "ann, bob")
    assert office.vote(run_id, asked, "bob").votes_say == "satisfied"
    with pytest.raises(AlreadyDecided):
        office.vote(run_id, asked, "cem")


@pytest.mark.spec("AUTH-2", "AUTH-7")
def test_what_the_rule_refuses_is_kept_and_decides_nothing(keeper):
    """The requester, a stranger, a blank vote and one without the digest are refused by name, and each attempt is kept with the question."""
    office = Office(keeper, k=1)
    run_id, asked = office.run()
    for who, why in (("ada", "asked for the run"), ("zoe", "not among"), (None, "has a name")):
        with pytest.raises(MayNotDecide, match=why):
            office.vote(run_id, asked, who)
    with pytest.raises(MayNotDecide, match="digest"):
        office.flow.decide(run_id, asked.pause_id, "confirm", by="ann")
    with pytest.raises(StaleDecision):
        office.flow.decide(run_id, asked.pause_id, "confirm", by="ann", seen="0" * 64)
    with pytest.raises(UnsupportedSetting, match="one vote"):
        office.vote(run_id, asked, "ann", idempotency_key="k")
    [shown] = office.flow.list_pauses()
    assert [(each["kind"], each["by"], each["why"]) for each in shown.votes] == [
        ("refusal", "ada", "requester"),
        ("refusal", "zoe", "not_among"),
        ("refusal", None, "nobody"),
        ("refusal", "ann", "unseen"),
    ]
    assert (shown.still_needed, office.paid) == (1, [])


@pytest.mark.spec("AUTH-1", "AUTH-2")
def test_a_name_is_the_same_however_it_is_spelt(keeper):
    """A requester by user id, and the decider of an earlier plain gate, are excluded under both spellings of a letter with a mark."""
    spellings = [normalize(form, "Zo\u00eb") for form in ("NFC", "NFD")]
    office = Office(keeper, k=1)
    plain = Step("check", lambda _: None, requires_confirmation=True)
    pay = Step("pay", lambda _: None, requires_confirmation=True, approval=Approval(1, exclude="check"))
    later = Workflow("later", [plain, pay], db=keeper)
    for said in spellings:
        run = later.run()
        later.decide(run.run_id, run.requirements[0].pause_id, "confirm", by=said)
        checked = later.continue_run(run_id=run.run_id)
        started = office.flow.run("order", user_id=said)
        for flow, waits in ((later, checked), (office.flow, started)):
            [asked] = waits.requirements
            for who in spellings:
                with pytest.raises(MayNotDecide, match=r"earlier gate|asked for the run"):
                    flow.decide(waits.run_id, asked.pause_id, "confirm", by=who, seen=asked.seen)


@pytest.mark.spec("AUTH-2")
def test_refusals_beyond_some_are_counted(keeper):
    """Of one person eight attempts are rows, of all a hundred; the others are counted, and none is lost."""
    office = Office(keeper)
    run_id, asked = office.run()
    people = [f"stranger-{n}" for n in range(15)]
    for who, _ in product(people, range(OF_ONE + 1)):
        with pytest.raises(MayNotDecide):
            office.vote(run_id, asked, who)
    acts = keeper.pause(run_id, asked.pause_id).acts
    assert len(acts) == OF_ALL
    assert max(sum(act.by == who for act in acts) for who in people) == OF_ONE
    assert sum(act.times for act in acts) == len(people) * (OF_ONE + 1)


@pytest.mark.spec("AUTH-2")
def test_a_no_counts_until_the_outcome_is_applied(keeper):
    """A yes may be turned into a no, also after the rule was satisfied, and never back; then the run is cancelled and nothing is paid."""
    office = Office(keeper)
    run_id, asked = office.run()
    office.vote(run_id, asked, "ann")
    assert office.vote(run_id, asked, "bob").votes_say == "satisfied"
    assert office.vote(run_id, asked, "bob", "reject", comment="not this one").votes_say == "refused"
    with pytest.raises(AlreadyDecided, match="reject by bob"):
        office.vote(run_id, asked, "bob")
    assert office.flow.continue_run(run_id=run_id).status == "CANCELLED"
    assert office.paid == []
    [decided] = keeper.decisions(run_id)
    assert (decided.word, decided.by, decided.comment) == ("reject", "bob", "not this one")


@pytest.mark.spec("AUTH-2")
def test_a_vote_may_be_withdrawn_until_the_outcome_is_applied(keeper):
    """A withdrawn yes counts no more and a withdrawn no refuses no more; the person votes once more; an applied outcome stays."""
    office = Office(keeper)
    run_id, asked = office.run()
    with pytest.raises(NoVote, match="ann has no vote"):
        office.flow.withdraw(run_id, asked.pause_id, by="ann")
    office.vote(run_id, asked, "ann")
    office.vote(run_id, asked, "bob")
    assert office.flow.withdraw(run_id, asked.pause_id, by="bob", comment="a mistake").still_needed == 1
    assert keeper.claim_next(office.flow.id, this_process(), wall_clock()) == [], "a worker looks at a run that waits for votes"
    assert list(office.flow.tick()) == []
    office.vote(run_id, asked, "bob", "reject")
    assert office.flow.withdraw(run_id, asked.pause_id, by="bob").still_needed == 1
    office.vote(run_id, asked, "bob")
    assert [run.status for run in office.flow.tick()] == ["COMPLETED"]
    with pytest.raises(AlreadyDecided):
        office.flow.withdraw(run_id, asked.pause_id, by="bob")
    rounds = [(act.kind, act.by, act.round) for act in keeper.pause(run_id, asked.pause_id).acts]
    assert [each for each in rounds if each[0] == "vote"] == [
        ("vote", "ann", 0),
        ("vote", "bob", 0),
        ("vote", "bob", 1),
        ("vote", "bob", 2),
    ]


@pytest.mark.spec("AUTH-4")
def test_a_yes_lapses_with_the_role_by_which_it_was_allowed(keeper):
    """Ann confirms, loses the role, and bob confirms: nothing is paid, and the lapse is kept. With a third vote it is."""
    office = Office(keeper)
    run_id, asked = office.run()
    office.vote(run_id, asked, "ann")
    office.roles["ann"] = set()
    assert office.vote(run_id, asked, "bob").votes_say == "satisfied"
    assert list(office.flow.tick()) == []
    assert office.paid == []
    [shown] = office.flow.list_pauses()
    assert [(each["kind"], each["by"]) for each in shown.votes] == [("vote", "ann"), ("vote", "bob"), ("lapse", "ann")]
    assert shown.still_needed == 1
    office.vote(run_id, asked, "cem")
    assert [run.status for run in office.flow.tick()] == ["COMPLETED"]


@pytest.mark.spec("AUTH-4")
def test_a_no_stands_without_its_role(keeper):
    """A person who said no and lost the role since has refused all the same."""
    office = Office(keeper)
    run_id, asked = office.run()
    office.vote(run_id, asked, "ann", "reject")
    office.roles["ann"] = set()
    assert [run.status for run in office.flow.tick()] == ["CANCELLED"]


@pytest.mark.spec("AUTH-4")
def test_people_that_raise_keep_the_gate_closed(keeper):
    """While the roles of now cannot be told nothing is paid; the votes stand, and count when they can."""
    office = Office(keeper, k=1)
    run_id, asked = office.run()
    office.vote(run_id, asked, "ann")
    known, office.roles = office.roles, cast("Any", None)
    assert list(office.flow.tick()) == []
    assert office.paid == []
    office.roles = known
    assert [run.status for run in office.flow.tick()] == ["COMPLETED"]


@pytest.mark.spec("AUTH-1")
def test_a_run_that_excludes_nobody_in_particular_is_refused_at_its_start(keeper):
    """A gate that excludes the requester needs one: requester= or a user_id, which is excluded then."""
    office = Office(keeper, k=1)
    with pytest.raises(NeedsRequester, match="'pay'"):
        office.flow.run("order")
    assert keeper.pauses(PauseFilter()) == []
    run = office.flow.run("order", user_id="ann")
    with pytest.raises(MayNotDecide, match="asked for the run"):
        office.vote(run.run_id, run.requirements[0], "ann")
    office.vote(run.run_id, run.requirements[0], "bob")


@pytest.mark.spec("AUTH-1")
def test_a_decider_of_the_earlier_gate_may_not_decide_at_the_later_one(keeper):
    """Four eyes: whose votes were counted at the review may not pay, in the same turn of a loop; in the next turn they may."""
    paid = []
    review = Step("review", lambda _: None, requires_confirmation=True, approval=Approval(1))
    pay = Step("pay", lambda _: paid.append(1), requires_confirmation=True, approval=Approval(1, exclude="review"))
    flow = Workflow("w", [Loop("twice", [review, pay], max_iterations=2)], db=keeper)

    def say(run, who):
        [asked] = run.requirements
        flow.decide(run.run_id, asked.pause_id, "confirm", by=who, seen=asked.seen)
        return flow.continue_run(run_id=run.run_id)

    run = say(flow.run(), "ann")
    with pytest.raises(MayNotDecide, match="earlier gate"):
        say(run, "ann")
    run = say(say(run, "bob"), "bob")
    with pytest.raises(MayNotDecide, match="earlier gate"):
        say(run, "bob")
    assert say(run, "ann").status == "COMPLETED"
    assert len(paid) == 2


@pytest.mark.spec("AUTH-1")
def test_a_callable_names_the_people_once(keeper):
    """It is called when the question is put, and what it gave is stored: another answer later changes nothing. Where it raises, no vote counts."""
    calls = []

    def of(run):
        calls.append(run.run_id)
        if run.user_id == "nobody":
            raise OSError
        return ["ann"] if len(calls) == 1 else ["bob"]

    step = Step("pay", lambda _: "paid", requires_confirmation=True, approval=Approval(1, of=of))
    flow = Workflow("w", [step], db=keeper)
    run = flow.run(user_id="u")
    [asked] = run.requirements
    assert asked.who_may == ("ann",)
    with pytest.raises(MayNotDecide):
        flow.decide(run.run_id, asked.pause_id, "confirm", by="bob", seen=asked.seen)
    flow.decide(run.run_id, asked.pause_id, "confirm", by="ann", seen=asked.seen)
    assert flow.continue_run(run_id=run.run_id).status == "COMPLETED"
    assert calls == [run.run_id]
    run = flow.run(user_id="nobody")
    with pytest.raises(MayNotDecide, match="not known yet"):
        flow.decide(run.run_id, asked.pause_id, "confirm", by="ann", seen=run.requirements[0].seen)


@pytest.mark.spec("AUTH-2", "SAID-1")
def test_votes_that_satisfy_beside_a_running_branch_are_applied_before_the_run_is_parked(keeper):
    """While one branch runs, two people open the gate of the other one: the run ends without being continued."""
    begun, voted, paid = Event(), Event(), []

    def slow(_):
        begun.set()
        assert voted.wait(30)

    gate = Step("pay", lambda _: paid.append(1), requires_confirmation=True, approval=Approval(2, of="role:finance"))
    flow = Workflow("w", [Parallel(Step("slow", slow), gate, name="both")], db=keeper, people=lambda name: FINANCE[name])
    with ThreadPoolExecutor() as pool:
        running = pool.submit(flow.run, run_id="r")
        assert begun.wait(30)
        [asked] = flow.list_pauses()
        for who in ("ann", "bob"):
            flow.decide("r", asked.pause_id, "confirm", by=who, seen=asked.seen)
        voted.set()
        assert running.result(30).status == "COMPLETED"
    assert paid == [1]


@pytest.mark.spec("AUTH-2")
def test_a_requirement_that_is_handed_in_is_a_vote(keeper):
    """`confirm(by=...)` and `continue_run` vote where an Approval stands: once for each person, and the last one lets the run go on."""
    office = Office(keeper)
    run_id, asked = office.run()
    for _ in range(2):
        asked.confirm(by="ann")
        with pytest.raises(Undecided, match="1 more vote"):
            office.flow.continue_run(run_id=run_id, step_requirements=[asked])
    asked.confirm(by="bob")
    assert office.flow.continue_run(run_id=run_id, step_requirements=[asked]).status == "COMPLETED"
    assert office.paid == ["order"]


@pytest.mark.spec("AUTH-2")
def test_no_decision_gets_past_the_votes(keeper):
    """A decision without votes is refused, alone and in a boundary; so is a boundary whose outcome the votes do not say any more."""
    office = Office(keeper)
    run_id, asked = office.run()
    decided = Decided(run_id, asked.pause_id, "confirm", asked_at(keeper, run_id) + 1, by="ann")
    with pytest.raises(NeedsVotes):
        keeper.decide(decided)
    record = keeper.load(run_id)
    boundary = Boundary(
        run_id,
        record.epoch,
        record.seq,
        decided.time,
        record.state,
        (),
        record.held,
        decisions=(decided,),
        parks=True,
        heeds_decisions=False,
    )
    with pytest.raises(ClaimLost):
        keeper.commit(boundary)
    office.vote(run_id, asked, "ann")
    with pytest.raises(ClaimLost):
        keeper.commit(boundary)
    assert keeper.decisions(run_id) == []


def asked_at(db, run_id):
    """When the question of a run was put."""
    return db.pauses(PauseFilter(run_id=run_id))[0].pause.opened


@pytest.mark.spec("AUTH-2")
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_a_storm_of_voters_opens_a_gate_once(keeper, k):
    """People vote at once, each twice, beside the requester and a stranger; k different ones open the gate, and every refusal is kept or counted."""
    office = Office(keeper, k=k)
    run_id, asked = office.run()
    people = [*list(FINANCE)[: k + 1], "ada", "zoe"]

    def vote(who):
        try:
            return office.vote(run_id, asked, who).votes_say
        except (MayNotDecide, AlreadyDecided) as error:
            return type(error).__name__

    with ThreadPoolExecutor(max_workers=8) as pool:
        said = list(pool.map(vote, people * 2))
        ends = list(pool.map(lambda _: [run.status for run in office.flow.tick()], range(3)))
    assert [status for end in ends for status in end] == ["COMPLETED"]
    assert office.paid == ["order"]
    acts = keeper.pause(run_id, asked.pause_id).acts
    voters = [act.by for act in acts if act.kind == "vote"]
    assert len(voters) == len(set(voters)) >= k
    assert set(voters) <= set(FINANCE)
    [decided] = keeper.decisions(run_id)
    assert set(decided.by.split(", ")) <= set(voters)
    assert sum(act.times for act in acts if act.kind == "refusal") == said.count("MayNotDecide") == 4


@pytest.mark.spec("AUTH-2")
def test_a_changed_vote_is_found(tmp_path, capsys):
    """`verify` finds a file with votes sound, and not one in which the word of a vote was changed."""
    db = SqliteDb(db_file=tmp_path / "runs.db")
    office = Office(db)
    run_id, asked = office.run()
    office.vote(run_id, asked, "ann")
    with pytest.raises(MayNotDecide):
        office.vote(run_id, asked, "zoe")
    office.vote(run_id, asked, "bob")
    assert main(["verify", str(tmp_path / "runs.db")]) == 0
    office.flow.continue_run(run_id=run_id)
    assert main(["verify", str(tmp_path / "runs.db")]) == 0
    db._channel().connection.execute("DROP TRIGGER act_keeps")
    db._channel().connection.execute("UPDATE act SET word = 'reject' WHERE id = 1")
    db.close()
    assert main(["verify", str(tmp_path / "runs.db")]) == 1
    assert "not sound: 1 faults" in capsys.readouterr().out


@pytest.mark.spec("AUTH-2")
def test_an_erasure_takes_the_names_of_voters(keeper, tmp_path):
    """After an erasure of `by` and `user` no row of the run has a voter's, a requester's or a decider's name, and the rest can be read."""
    review = Step("review", lambda _: None, requires_confirmation=True, approval=Approval(1, of=["rae", "sue"]))
    pay = Step("pay", lambda _: None, requires_confirmation=True, approval=Approval(1, exclude=["review", requester]))
    flow = Workflow("w", [review, pay], db=keeper)
    run = flow.run(requester="ada-the-requester")
    for who in ("rae", "bob-the-voter"):
        flow.decide(run.run_id, run.requirements[0].pause_id, "confirm", by=who, seen=run.requirements[0].seen, comment="so")
        run = flow.continue_run(run_id=run.run_id)
    assert flow.inbox.erase(run.run_id, by="dpo", fields=["by", "user"]).done
    rows = [keeper.pause(run.run_id, each.pause_id) for each in keeper.decisions(run.run_id)]
    assert [act.comment for row in rows for act in row.acts] == ["so", "so"]
    told = repr((rows, keeper.load(run.run_id).identity.requester, keeper.journal(run.run_id)))
    assert not [name for name in ("rae", "sue", "bob-the-voter", "ada-the-requester") if name in told]


@pytest.mark.spec("AUTH-5")
def test_a_delegation_is_refused_where_none_is_kept(keeper):
    """A rule that lets a person hand on a vote begins no run, and nothing is stored."""
    office = Office(keeper, delegate="role:deputy")
    with pytest.raises(UnsupportedSetting, match="it keeps no delegations"):
        office.run(run_id="r")
    assert keeper.pauses(PauseFilter()) == []


@pytest.mark.spec("AUTH-2", "GATE-7", "GATE-8")
def test_a_release_with_another_rule_takes_no_votes_of_the_former_one(keeper):
    """Votes satisfied two of finance: a release that wants one is refused, one that wants three asks again, and its question has no vote."""
    office = Office(keeper)
    run_id, asked = office.run()
    for name in ("ann", "bob"):
        office.vote(run_id, asked, name)
    weaker, stricter = Office(keeper, k=1), Office(keeper, k=3)
    with pytest.raises(DefinitionChanged, match="the approval of 'pay' would be weaker"):
        weaker.flow.continue_run(run_id=run_id)
    run = stricter.flow.continue_run(run_id=run_id)
    [again] = run.requirements
    assert (run.is_paused, again.pause_id, again.still_needed, stricter.paid) == (True, f"{asked.pause_id}@2", 3, [])
    with pytest.raises(StaleDecision):
        stricter.vote(run_id, asked, "cem")
    for name in ("cem", "dan", "eve"):
        stricter.vote(run_id, again, name)
    assert stricter.flow.continue_run(run_id=run_id).status == "COMPLETED"
    assert (weaker.paid, stricter.paid) == ([], ["order"])
