"""GATE-7 where an Approval stands: another rule asks again, and a no that has lapsed holds the question that is put again."""

from __future__ import annotations

import pytest

from statecore import Approval, InMemoryDb, SqliteDb, Step, Workflow
from statecore.errors import AlreadyDecided, StaleDecision, Undecided

FINANCE = ("ann", "bob", "cem")


@pytest.fixture(params=["memory", "file"])
def keeper(request, tmp_path):
    """A store that keeps votes."""
    store = InMemoryDb() if request.param == "memory" else SqliteDb(db_file=tmp_path / "runs.db")
    yield store
    store.close()


class Release:
    """A release of a workflow with one gate, and what it has paid."""

    def __init__(self, db, on_reject="cancel", **approval):
        self.paid: list[object] = []
        gate = Approval(**{"k": 1, "of": "role:finance", **approval})
        pay = Step("pay", self.paid.append, requires_confirmation=True, on_reject=on_reject, approval=gate)
        self.flow = Workflow(
            "payout", [pay, Step("tell", str)], db=db, people=lambda name: {"finance"} if name in FINANCE else set()
        )

    def vote(self, asked, who, word="confirm", **more):
        """A vote."""
        return self.flow.decide(asked.run_id, asked.pause_id, word, by=who, seen=asked.shown(), **more)


@pytest.mark.spec("GATE-5", "GATE-7")
@pytest.mark.parametrize("rule", [{"comment": "always"}, {"k": 2}, {"also": ("ann",)}], ids=str)
@pytest.mark.parametrize("answered", [True, False])
def test_a_release_with_another_rule_asks_again(keeper, rule, answered):
    """Where the rule of who may decide is another one, a satisfied question and an unanswered one are put again; the former votes count no more."""
    first, second = Release(keeper), Release(keeper, **rule)
    [asked] = first.flow.run("order").requirements
    if answered:
        assert first.vote(asked, "bob").votes_say == "satisfied"
    run = second.flow.continue_run(run_id=asked.run_id)
    [again] = run.requirements
    assert (again.pause_id, again.votes_say, again.votes, second.paid) == (f"{asked.pause_id}@2", "needs_more", (), [])
    assert str(again.put_again).startswith("put again: ")
    assert again.shown() != asked.shown()
    with pytest.raises(StaleDecision):
        second.vote(asked, "ann")
    for name in ("ann", "cem"):
        second.vote(again, name, comment="as ordered")
    assert second.flow.continue_run(run_id=asked.run_id).status == "COMPLETED"
    assert (first.paid, len(second.paid)) == ([], 1)


@pytest.mark.spec("GATE-7")
def test_a_no_stands_under_another_rule(keeper):
    """A rejection never allows what it refused: it counts although other people may decide by now."""
    first, second = Release(keeper), Release(keeper, comment="always")
    [asked] = first.flow.run("order").requirements
    first.vote(asked, "bob", "reject")
    assert second.flow.continue_run(run_id=asked.run_id).status == "CANCELLED"
    assert second.paid == []


@pytest.mark.spec("GATE-7")
@pytest.mark.parametrize("repeats", [True, False])
def test_a_no_that_lapsed_holds_the_question_that_is_put_again(keeper, repeats):
    """Votes open nothing until the giver of the no says it again, which refuses, or withdraws it; a question put a third time is held, too."""
    first, second, third = Release(keeper, "skip"), Release(keeper, "cancel"), Release(keeper, "cancel", comment="always")
    [asked] = first.flow.run("order").requirements
    first.vote(asked, "bob", "reject", comment="not this one")
    [again] = second.flow.continue_run(run_id=asked.run_id).requirements
    assert str(again.put_again).endswith("bob said no under the former definition (not this one)")
    assert second.vote(again, "ann").votes_say == "needs_more"
    with pytest.raises(Undecided):
        second.flow.continue_run(run_id=asked.run_id)
    [again] = third.flow.continue_run(run_id=asked.run_id).requirements
    assert (again.pause_id, third.vote(again, "ann", comment="paid before").votes_say) == (f"{asked.pause_id}@3", "needs_more")
    with pytest.raises(AlreadyDecided, match="withdrawn"):
        third.vote(again, "bob", comment="after all")
    if repeats:
        assert third.vote(again, "bob", "reject", comment="still not").votes_say == "refused"
        assert third.flow.continue_run(run_id=asked.run_id).status == "CANCELLED"
        assert third.paid == []
    else:
        assert third.flow.withdraw(asked.run_id, again.pause_id, by="bob").votes_say == "satisfied"
        assert third.flow.continue_run(run_id=asked.run_id).status == "COMPLETED"
        assert len(third.paid) == 1
