"""GATE-7 and GATE-7a: an answer means what it meant, or its question is put again, in every store and colour."""

from __future__ import annotations

import pytest
from attrs import evolve

from statecore import Inbox, InMemoryDb, Parallel, PauseFilter, RunStatus, Step, Steps, UserInputField, Workflow
from statecore.errors import PauseExpired, StaleDecision, Undecided
from statecore.lifecycles import words as w
from statecore.runtime import aio, sync
from statecore.runtime.launching import launch
from statecore.runtime.worker import Worker
from statecore.stores.detail import detail_of
from statecore.testing import Clock, timed
from statecore.testing.stores.samples import DEAD
from tests.conformance.drive import confirm_all, history, triggers


def gated(calls, name, **settings):
    """A step with a gate."""
    return Step(name, calls.does(name), requires_confirmation=True, **settings)


def meant(calls):
    """The steps under which an answer is given."""
    return [gated(calls, "pay"), calls.does("log"), gated(calls, "end")]


MEANINGS = {
    "a step is inserted behind the gate": (lambda c: [gated(c, "pay"), c.does("wire"), c.does("log"), gated(c, "end")], False),
    "the message": (lambda c: [gated(c, "pay", confirmation_message="Pay 10000?"), *meant(c)[1:]], False),
    "the version of the step": (lambda c: [gated(c, "pay", version=2), *meant(c)[1:]], False),
    "what is behind the next gate": (lambda c: [*meant(c)[:2], gated(c, "end", version=2), c.does("more")], True),
}


@pytest.mark.spec("GATE-7", "GATE-7a")
@pytest.mark.parametrize("change", MEANINGS)
def test_an_answer_means_what_it_meant(db, drive, calls, change):
    """A yes counts under another definition only where it says and leads to the same; otherwise it lapses and is asked for again."""
    steps, counts = MEANINGS[change]
    workflow, later = Workflow("flow", meant(calls), db), Workflow("flow", steps(calls), db)
    run = drive.run(workflow)
    old = run.requirements[0]
    workflow.decide(run.run_id, old.pause_id, "confirm", by="ada", comment="as ordered")
    run = drive.resume(later, run_id=run.run_id)
    if not counts:
        [asked] = run.requirements
        assert (run.status, calls.names, asked.pause_id) == (RunStatus.paused, [], f"{old.pause_id}@2")
        assert asked.confirmation_message == ("Pay 10000?" if change == "the message" else None)
        assert "ada said confirm under the former definition (as ordered)" in asked.put_again
        closed = db.pause(run.run_id, old.pause_id)
        assert (closed.pause.closed, closed.decided.by) == (asked_at(db, asked), "ada")
        assert triggers(later, run.run_id, "pay") == [w.enter, w.renew]
        confirm_all(run)
        run = drive.resume(later, run)
    assert run.paused_step_name == "end"
    assert calls.names == [step.name for step in later.definition.steps][: len(calls.names)]
    assert drive.finish(later, run, confirm_all).status is RunStatus.completed


def asked_at(db, asked):
    """When a question was put."""
    return db.pause(asked.run_id, asked.pause_id).pause.opened


def refusing(calls, db, word, **settings):
    """A gate whose no leads where `word` says, and a step behind it."""
    return Workflow("flow", [gated(calls, "risk", on_reject=word, **settings), calls.does("ship")], db)


@pytest.mark.spec("GATE-7")
def test_a_no_never_allows_what_it_refused(db, drive, calls):
    """A no that cancelled is not taken for one that skips: it lapses, the question is put again and shows it, and takes any answer."""
    run = drive.run(refusing(calls, db, "cancel"))
    run.requirements[0].reject("fraud", by="ada", comment="seen before")
    run = drive.resume(refusing(calls, db, "skip"), run)
    assert (run.status, calls.names) == (RunStatus.paused, [])
    [asked] = run.requirements
    assert (
        asked.put_again == "put again: 'reject' leads to something else now; ada said no under the former definition (seen before)"
    )
    asked.reject()
    run = drive.resume(refusing(calls, db, "skip"), run)
    assert (run.status, calls.names) == (RunStatus.completed, ["ship"])


@pytest.mark.spec("GATE-7")
def test_a_no_counts_where_it_leads_to_the_same(db, drive, calls):
    """Another message, or another way behind the yes, lapses no rejection."""
    run = drive.run(refusing(calls, db, "cancel"))
    run.requirements[0].reject(by="ada")
    asks_more = [gated(calls, "risk", on_reject="cancel", confirmation_message="Really?"), calls.does("pack"), calls.does("ship")]
    run = drive.resume(Workflow("flow", asks_more, db), run)
    assert (run.status, calls.names) == (RunStatus.cancelled, [])


@pytest.mark.spec("GATE-7", "TIME-4")
def test_a_silence_counts_where_it_means_the_same(db, drive, calls):
    """A deadline that has passed is not applied where its consequence has changed: the question is put again, and its deadline begins anew."""

    def flow(*more):
        gate = gated(calls, "pay", timeout=60, on_timeout="skip")
        return timed(Workflow("flow", [gate, *more, gated(calls, "end")], db), clock)

    clock = Clock()
    run = drive.run(flow())
    clock.advance(61)
    with pytest.raises(PauseExpired):
        flow().decide(run.run_id, run.requirements[0].pause_id, "confirm")
    run = drive.resume(flow(calls.does("log")), run_id=run.run_id)
    [asked] = run.requirements
    assert (asked.pause_id, asked.is_timed_out, calls.names) == ("pay:confirmation:0@2", False, [])
    assert asked.put_again == "put again: 'expire' leads to something else now"
    clock.advance(61)
    run = drive.resume(flow(calls.does("log")), run_id=run.run_id)
    assert (run.paused_step_name, calls.names) == ("end", ["log"])


@pytest.mark.spec("GATE-7", "TIME-3")
def test_a_silence_is_applied_at_its_instant(db, drive, calls):
    """At the very deadline it is the silence that is compared, and no other word: it means the same, so it is applied."""

    def flow(*more):
        return timed(Workflow("flow", [gated(calls, "pay", timeout=60, on_timeout="cancel"), *more], db), clock)

    clock = Clock()
    run = drive.run(flow())
    clock.advance(60)
    run = drive.resume(flow(calls.does("log")), run_id=run.run_id)
    assert (run.status, calls.names) == (RunStatus.cancelled, [])


@pytest.mark.spec("GATE-7a")
def test_other_answers_stay(db, drive, calls):
    """Of two answers only the one whose question has changed lapses; the other is applied in the same boundary."""

    def flow(message):
        gates = [gated(calls, "one", confirmation_message=message), gated(calls, "other")]
        return Workflow("flow", [Parallel(*gates, name="p"), gated(calls, "after")], db)

    run = drive.run(flow("Pay 10?"))
    confirm_all(run)
    later = flow("Pay 10000?")
    run = drive.resume(later, run)
    assert (calls.names, [each.pause_id for each in run.requirements]) == (["other"], ["p/one:confirmation:0@2"])
    confirm_all(run)
    run = drive.resume(later, run)
    assert (run.paused_step_name, sorted(calls.names)) == ("after", ["one", "other"])


@pytest.mark.spec("GATE-7a", "REV-1")
def test_what_a_review_has_stays(db, drive, calls):
    """A review that is put again keeps attempt, output and the number of rejections; feedback reaches the next attempt, and the limit holds."""

    def flow(message):
        draft = Step("draft", calls.does("draft", "one", "two", "three"), requires_output_review=True, on_reject="retry", hitl_max_retries=2,
            output_review_message=message)  # fmt: skip
        return Workflow("flow", [draft], db)

    run = drive.run(flow("Good?"))
    run.requirements[0].reject("shorter")
    run = drive.resume(flow("Good?"), run)
    run.requirements[0].confirm()
    later = flow("Good enough to print?")
    run = drive.resume(later, run)
    [asked] = run.requirements
    assert (asked.pause_id, asked.retry_count, asked.max_retries) == ("draft:output_review:1@2", 1, 2)
    assert (asked.step_output.content, asked.output_review_message, calls.names) == ("two", "Good enough to print?", ["draft"] * 2)
    asked.reject("shorter still")
    run = drive.resume(later, run)
    [asked] = run.requirements
    assert (asked.pause_id, asked.retry_count, asked.step_output.content) == ("draft:output_review:2", 2, "three")
    asked.reject()
    assert drive.resume(later, run).status is RunStatus.cancelled


@pytest.mark.spec("GATE-7a", "ERR-4")
def test_an_error_stays_the_error(db, drive, calls):
    """The question about a failure that is put again shows the failure; a retry has the key of the first attempt."""
    keys = []

    def fails(step_input):
        keys.append(step_input.idempotency_key)
        calls.note("call", step_input)
        if len(keys) == 1:
            raise OSError("the line is busy")
        return "called"

    def flow(*more):
        return Workflow("flow", [Step("call", fails, on_error="pause"), *more], db)

    run = drive.run(flow())
    run.steps_with_errors[0].retry(by="ada")
    later = flow(calls.does("log"))
    run = drive.resume(later, run)
    [asked] = run.steps_with_errors
    assert (asked.pause_id, asked.error_message, asked.error_type) == ("call:error:0@2", "the line is busy", "OSError")
    assert asked.put_again.startswith("put again: 'retry' leads to something else now; ada said retry")
    asked.retry()
    run = drive.resume(later, run)
    assert (run.status, calls.names, len(set(keys))) == (RunStatus.completed, ["call", "call", "log"], 1)


@pytest.mark.spec("GATE-7a", "CRASH-2")
def test_an_interruption_stays_an_interruption(db, drive, calls):
    """The question about a death stays of its kind, under the second name, too, and so does its decision in the output."""

    def flow(*more):
        step = Step("long", calls.does("long", KeyboardInterrupt(), "done"), on_interrupt="pause")
        return Workflow("flow", [step, *more], db)

    with pytest.raises(KeyboardInterrupt):
        drive.run(flow(), run_id="r")
    run = flow().get_run_output("r")
    run.steps_with_errors[0].retry()
    later = flow(calls.does("log"))
    run = drive.resume(later, run)
    [asked] = run.steps_with_errors
    assert (asked.pause_id, asked.kind) == ("long:interrupted:0@2", "interrupted")
    asked.retry(by="ada")
    run = drive.resume(later, run)
    assert (run.status, calls.names) == (RunStatus.completed, ["long", "long", "log"])
    [decision] = run.step_results[0].decisions
    assert (decision.kind, decision.word, decision.by) == ("interrupted", "retry", "ada")


@pytest.mark.spec("GATE-7a", "INPUT-1", "SAID-3")
def test_the_form_that_was_filled_in_last_counts(db, drive, calls):
    """A form with another field is put again; the step is given what was said to the newer one, and when it was said."""
    given = []

    def flow(*names):
        fields = [UserInputField(name=name, field_type="int") for name in names]

        def pay(step_input):
            given.append((step_input.additional_data["user_input"], step_input.decision.value))

        return Workflow("flow", [Step("pay", pay, requires_user_input=True, user_input_schema=fields)], db)

    run = drive.run(flow("amount"))
    run.steps_requiring_user_input[0].set_user_input(amount=3)
    later = flow("amount", "copies")
    run = drive.resume(later, run)
    [asked] = run.steps_requiring_user_input
    assert ([each.name for each in asked.user_input_schema], given) == (["amount", "copies"], [])
    asked.set_user_input(amount=4, copies=2)
    run = drive.resume(later, run)
    assert (run.status, given) == (RunStatus.completed, [({"amount": 4, "copies": 2}, {"amount": 4, "copies": 2})])


# -- words to a former question ------------------------------------------------------------------------------------------------------


def lapsed(db, drive, calls):
    """A run whose question was put again, the requirements of before and of now, and the workflow."""

    def flow(message):
        gates = [gated(calls, "one", confirmation_message=message), gated(calls, "other")]
        return Workflow("flow", [Parallel(*gates, name="p")], db)

    before = drive.run(flow("Pay 10?"))
    one, _ = before.steps_requiring_confirmation
    flow("Pay 10?").decide(before.run_id, one.pause_id, "confirm", idempotency_key="k")
    later = flow("Pay 10000?")
    return later, before, drive.resume(later, run_id=before.run_id)


@pytest.mark.spec("GATE-7a", "CONT-10")
@pytest.mark.parametrize("word", ["confirm", "reject"])
@pytest.mark.parametrize("key", ["k", "another", None])
def test_a_word_to_the_former_question_is_stale(db, drive, calls, word, key):
    """Whatever is said to a question that was put again, and with whichever key, is refused with the id of the newer one; nothing is stored."""
    later, before, now = lapsed(db, drive, calls)
    one = before.steps_requiring_confirmation[0]
    stored, rows = db.decisions(now.run_id), history(later, now.run_id)
    for decide in (later.decide, Inbox(db).decide):
        with pytest.raises(StaleDecision, match="p/one:confirmation:0@2") as refused:
            decide(now.run_id, one.pause_id, word, idempotency_key=key)
        assert isinstance(refused.value, ValueError)
        assert refused.value.newer == "p/one:confirmation:0@2"
    assert (db.decisions(now.run_id), history(later, now.run_id)) == (stored, rows)


@pytest.mark.spec("GATE-7a")
def test_one_stale_requirement_refuses_the_whole_call(db, drive, calls):
    """Requirements of before, of which one was put again, decide nothing; those of now do, and one without a decision is no word."""
    later, before, now = lapsed(db, drive, calls)
    rows, undecided = history(later, now.run_id), before.steps_requiring_confirmation[1]
    confirm_all(before)
    with pytest.raises(StaleDecision) as refused:
        drive.resume(later, before)
    assert refused.value.newer == "p/one:confirmation:0@2"
    assert (len(db.decisions(now.run_id)), history(later, now.run_id), calls.names) == (1, rows, [])
    confirm_all(now)
    undecided.decision = None
    run = drive.resume(later, run_id=now.run_id, step_requirements=[*now.requirements, undecided])
    assert (run.status, sorted(calls.names)) == (RunStatus.completed, ["one", "other"])


# -- who puts questions again --------------------------------------------------------------------------------------------------------


@pytest.mark.spec("GATE-7", "GATE-7a", "CONT-2")
def test_a_question_without_an_answer_is_put_again_once(db, drive, calls):
    """`continue_run` without a decision puts a changed question again and returns the run; where nothing has changed it is `Undecided`."""
    run = drive.run(Workflow("flow", meant(calls), db))
    with pytest.raises(Undecided):
        drive.resume(Workflow("flow", meant(calls), db), run_id=run.run_id)
    later = Workflow("flow", [gated(calls, "pay", confirmation_message="Pay 10000?"), *meant(calls)[1:]], db)
    run = drive.resume(later, run_id=run.run_id)
    [asked] = run.requirements
    assert (asked.pause_id, asked.confirmation_message) == ("pay:confirmation:0@2", "Pay 10000?")
    assert asked.put_again == "put again: the question says something else now"
    rows = history(later, run.run_id)
    with pytest.raises(Undecided):
        drive.resume(later, run_id=run.run_id)
    assert (history(later, run.run_id), calls.names) == (rows, [])


@pytest.mark.spec("GATE-7a")
def test_each_definition_puts_it_again(db, drive, calls):
    """A question may be put again often: its name counts how often, and each former one names the newest."""
    workflow = Workflow("flow", meant(calls), db)
    run = drive.run(workflow)
    for number in (2, 3, 4):
        workflow = Workflow("flow", [gated(calls, "pay", confirmation_message=f"Pay {number}?"), *meant(calls)[1:]], db)
        confirm_all(run)
        run = drive.resume(workflow, run)
        assert [each.pause_id for each in run.requirements] == [f"pay:confirmation:0@{number}"]
    for former in ("pay:confirmation:0", "pay:confirmation:0@2", "pay:confirmation:0@3"):
        with pytest.raises(StaleDecision, match="put again as 'pay:confirmation:0@4'"):
            workflow.decide(run.run_id, former, "confirm")
    assert drive.finish(workflow, run, confirm_all).status is RunStatus.completed


WHO = {
    "tick": lambda flow: flow.tick(),
    "recover": lambda flow: flow.recover(),
    "a worker": lambda flow: Worker(flow).work(until_idle=True),
}


@pytest.mark.spec("GATE-7a", "SAID-2")
@pytest.mark.parametrize("who", WHO)
def test_everybody_who_executes_puts_it_again(db, calls, who):
    """`tick`, `recover` and a worker that take up a run with a lapsed answer put its question again, once, and call nothing."""
    workflow = Workflow("flow", meant(calls), db)
    run = workflow.run()
    workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm", by="ada")
    later = Workflow("flow", [gated(calls, "pay"), calls.does("wire"), *meant(calls)[1:]], db)
    for _ in range(2):
        WHO[who](later)
        assert [each.pause_id for each in Inbox(db).pending(PauseFilter())] == ["pay:confirmation:0@2"]
    assert (calls.names, triggers(later, run.run_id, "pay")) == ([], [w.enter, w.renew])
    later.decide(run.run_id, "pay:confirmation:0@2", "confirm")
    WHO[who](later)
    assert (later.get_run_output(run.run_id).paused_step_name, calls.names) == ("end", ["pay", "wire", "log"])


@pytest.mark.spec("GATE-7", "CANCEL-1")
def test_a_cancellation_never_lapses(db, drive, calls):
    """A run that is cancelled by its id, or while an answer waits, is cancelled under any definition; no question is put again."""
    run = drive.run(Workflow("flow", meant(calls), db))
    workflow = Workflow("flow", [gated(calls, "pay", confirmation_message="Pay 10000?"), *meant(calls)[1:]], db)
    workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm")
    assert workflow.cancel_run(run.run_id, by="ada")
    assert (workflow.get_run_output(run.run_id).status, calls.names) == (RunStatus.cancelled, [])
    assert w.renew not in [entry.trigger for entry in db.journal(run.run_id)]


@pytest.mark.spec("GATE-7", "GATE-8")
def test_no_order_makes_a_lapsed_answer_count(db, drive, calls):
    """A run that a person takes over is asked again all the same; the journal says who took it, and which answer lapsed."""
    run = drive.run(Workflow("flow", [gated(calls, "pay"), gated(calls, "ship"), calls.does("end")], db))
    run.requirements[0].confirm(by="ada")
    later = Workflow("flow", [gated(calls, "pay"), calls.does("wire"), calls.does("ship")], db)
    run = drive.resume(later, run, adopt=True, by="bob")
    assert (run.status, calls.names) == (RunStatus.paused, [])
    said = [detail_of(entry.body.detail) for entry in db.journal(run.run_id)]
    assert [each.adopted_by for each in said if each.adopted_by] == ["bob"]
    assert [each.lapsed for each in said if each.lapsed] == [
        {"why": "'confirm' leads to something else now", "word": "confirm", "by": "ada"}
    ]
    assert drive.finish(later, run, confirm_all).status is RunStatus.completed


# -- questions beside a failure ------------------------------------------------------------------------------------------------------


GATE = "p/b/gate:confirmation:0"


def beside(calls, db, *, longer=False, first=None, **settings):
    """A gate, and beside it a step that raises `first` once the gate was confirmed; perhaps a step more behind the gate."""

    def other(step_input):
        if calls.note("other", step_input) or first is None:
            return "done"
        flow.decide("r", GATE, "confirm", by="ada")
        raise first

    branch = [gated(calls, "gate"), *([calls.does("more")] if longer else [])]
    flow = Workflow("flow", [Parallel(Steps("b", branch), Step("other", other, **settings), name="p")], db)
    return flow


@pytest.fixture
def deaf(monkeypatch):
    """Drivers that do not look for decisions while a call runs."""
    for module in (sync, aio):
        monkeypatch.setattr(module, "decided_beside", lambda _: ())


@pytest.mark.usefixtures("deaf")
@pytest.mark.spec("GATE-7", "SAID-1")
def test_a_reopened_run_asks_again(db, drive, calls):
    """An answer that was stored before a run failed lapses when it is reopened under a definition in which it means something else."""
    with pytest.raises(OSError, match="x"):
        drive.run(beside(calls, db, first=OSError("x")), run_id="r")
    later = beside(calls, db, longer=True)
    run = drive.resume(later, run_id="r", retry_failed=True)
    assert ([each.pause_id for each in run.requirements], calls.names) == ([f"{GATE}@2"], ["other", "other"])
    assert drive.finish(later, run, confirm_all).status is RunStatus.completed
    assert calls.names == ["other", "other", "gate", "more"]


@pytest.mark.usefixtures("deaf")
@pytest.mark.spec("GATE-7", "SAID-1", "CRASH-2")
def test_a_boundary_that_fails_asks_again(db, drive, calls):
    """Where the boundary that takes a run over fails it, its question is put again all the same: no answer of before counts at a reopening."""
    settings = {"on_interrupt": "fail"}
    flow = beside(calls, db, **settings)
    host = flow.host
    flow.host = evolve(host, owner=lambda: DEAD)
    launch(flow, "x", run_id="r")  # its owner dies when the call is to be made
    flow.host = host
    flow.decide("r", GATE, "confirm", by="ada")
    later = beside(calls, db, longer=True, **settings)
    run = drive.resume(later, run_id="r")
    assert (run.status, calls.names, db.load("r").identity.fingerprint) == (RunStatus.error, [], later.compiled.program.fingerprint)
    run = drive.resume(later, run_id="r", retry_failed=True)
    assert ([each.pause_id for each in run.requirements], calls.names) == ([f"{GATE}@2"], ["other"])
    with pytest.raises(StaleDecision):
        later.decide("r", GATE, "confirm")


@pytest.mark.spec("GATE-7")
def test_a_run_of_the_same_id_in_another_store_is_another_run(calls):
    """A workflow that has looked at the question of a run in one store looks at that of a run of this id in another, too."""
    new = Workflow("w", [gated(calls, "pay", confirmation_message="Pay 10000?")], InMemoryDb())
    new.run(run_id="r")
    with pytest.raises(Undecided):
        new.continue_run(run_id="r")
    old = Workflow("w", [gated(calls, "pay", confirmation_message="Pay 10?")], InMemoryDb())
    [asked] = old.run(run_id="r").requirements
    old.decide("r", asked.pause_id, "confirm", by="ada")
    run = new.on(old.db).continue_run(run_id="r")
    assert (run.is_paused, run.steps_requiring_confirmation[0].confirmation_message, calls.names) == (True, "Pay 10000?", [])
