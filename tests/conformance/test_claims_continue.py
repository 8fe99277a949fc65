"""CONT: continuing a run, in every store and colour."""

from __future__ import annotations

from queue import Queue
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from statecore import InMemoryDb, RunStatus, Step, Workflow
from statecore.errors import AlreadyDecided, NotPaused, RunBusy, Undecided, UnknownRun
from tests.conformance.drive import Drive, confirm_all, history, statuses

Answers = Queue[Any]
PATIENCE = 60  # seconds until a test that hangs is given up; nothing is measured by it


def two_gates(calls, db):
    """A workflow that asks twice."""
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("one", "two")]
    return Workflow("flow", [*gates, calls.does("end")], db)


@pytest.mark.spec("CONT-1")
@pytest.mark.parametrize("by", ["output", "run_id", "run_id and session_id", "another output object"])
def test_a_run_is_named_by_its_output_or_its_id(db, drive, calls, by):
    """A run's output says which run and what was decided; its id, with or without its session's, says which run."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow, session_id="s")
    workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm")
    given = {
        "output": lambda: drive.resume(workflow, run, session_id="s"),
        "run_id": lambda: drive.resume(workflow, run_id=run.run_id),
        "run_id and session_id": lambda: drive.resume(workflow, run_id=run.run_id, session_id="s"),
        "another output object": lambda: drive.resume(workflow, workflow.get_run_output(run.run_id), session_id="s"),
    }[by]
    assert given().paused_step_name == "two"


@pytest.mark.spec("CONT-1", "CONT-3")
def test_a_run_of_another_session_is_unknown_there(db, drive, calls):
    """A session_id that is not the run's own finds no run, and naming no run at all is refused."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow, session_id="s")
    confirm_all(run)
    with pytest.raises(UnknownRun, match="'t'"):
        drive.resume(workflow, run, session_id="t")
    with pytest.raises(TypeError, match="run_id"):
        drive.resume(workflow)
    assert calls.names == []


@pytest.mark.spec("CONT-1")
def test_requirements_may_be_given_apart(db, drive, calls):
    """Decided requirements may be handed in beside a run_id, as lists, in place of an output."""
    steps = [
        Step("one", calls.does("one"), requires_confirmation=True),
        Step("two", calls.does("two", OSError(), "2"), on_error="pause"),
    ]
    workflow = Workflow("flow", steps, db)
    run = drive.run(workflow)
    run.step_requirements[0].confirm()
    run = drive.resume(workflow, run_id=run.run_id, step_requirements=run.step_requirements)
    run.error_requirements[0].retry()
    assert drive.resume(workflow, run_id=run.run_id, error_requirements=run.error_requirements).content == "2"


@pytest.mark.spec("CONT-2")
@pytest.mark.parametrize("handed", ["output", "run_id"])
def test_undecided_changes_nothing_and_lists_what_is_owed(db, drive, calls, handed):
    """Where nothing is decided nothing is changed, and the refusal, a ValueError, says what is owed by whom to call."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow)
    before, record = history(workflow, run.run_id), db.load(run.run_id)
    with pytest.raises(Undecided, match="confirmation of 'one'") as refused:
        drive.resume(workflow, run) if handed == "output" else drive.resume(workflow, run_id=run.run_id)
    assert isinstance(refused.value, ValueError)
    assert (refused.value.run_id, len(refused.value.owed)) == (run.run_id, 1)
    assert (history(workflow, run.run_id), db.load(run.run_id), calls.names) == (before, record, [])
    confirm_all(run)
    assert drive.resume(workflow, run).paused_step_name == "two"


@pytest.mark.spec("CONT-2")
def test_stored_decisions_count(db, drive, calls, reopened):
    """A decision that somebody stored, perhaps through another store, is applied by whoever continues."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow)
    elsewhere = two_gates(calls, reopened())
    [asked] = elsewhere.list_pauses(run_id=run.run_id)
    stored = elsewhere.decide(run.run_id, asked.pause_id, "confirm", by="ann")
    assert (stored.decision, stored.by, calls.names) == ("confirm", "ann", [])
    assert elsewhere.list_pauses(run_id=run.run_id) == []
    assert workflow.get_run_output(run.run_id).is_paused
    run = drive.resume(workflow, run)
    assert (run.paused_step_name, calls.names) == ("two", ["one"])


@pytest.mark.spec("CONT-3")
def test_an_ended_run_is_not_paused(db, drive, calls):
    """Continuing a completed, cancelled or failed run is a ValueError that tells its status; nothing runs."""
    workflow = Workflow("flow", [Step("gate", calls.does("gate"), requires_confirmation=True), calls.does("end", 1, OSError())], db)
    done = drive.finish(workflow, drive.run(workflow), confirm_all)
    gone = drive.run(workflow)
    workflow.cancel_run(gone.run_id)
    lost = drive.run(workflow)
    confirm_all(lost)
    with pytest.raises(OSError):
        drive.resume(workflow, lost)
    journal = {run.run_id: history(workflow, run.run_id) for run in (done, gone, lost)}
    for run, status in ((done, "COMPLETED"), (gone, "CANCELLED"), (lost, "ERROR")):
        with pytest.raises(NotPaused, match=status) as refused:
            drive.resume(workflow, run_id=run.run_id)
        assert (refused.value.status, isinstance(refused.value, ValueError)) == (status, True)
        assert history(workflow, run.run_id) == journal[run.run_id]


@pytest.mark.spec("CONT-3")
def test_an_unknown_run_is_refused(db, drive, calls):
    """A run that the store does not hold is a ValueError naming it, for whatever is asked about it."""
    workflow = two_gates(calls, db)
    foreign = two_gates(calls, InMemoryDb()).run("x")
    confirm_all(foreign)
    for ask in (
        lambda: drive.resume(workflow, run_id="nowhere"),
        lambda: drive.resume(workflow, foreign),
        lambda: workflow.get_run_output("nowhere"),
        lambda: workflow.cancel_run("nowhere"),
        lambda: workflow.decide("nowhere", "x", "confirm"),
    ):
        with pytest.raises(UnknownRun) as refused:
            ask()
        assert isinstance(refused.value, ValueError)
    assert calls.names == []


def held(calls, entered, release):
    """User code that says that it has begun, and goes on when it is told to."""

    def work(step_input):
        calls.note("work", step_input)
        entered.set()
        assert release.wait(PATIENCE)
        return "work"

    return work


@pytest.mark.spec("CONT-3")
def test_a_run_whose_executor_lives_is_busy(db, drive, calls):
    """While a process executes a run nobody else continues it, from this process or any other colour; afterwards it is over."""
    entered, release = Event(), Event()
    workflow = Workflow("flow", [held(calls, entered, release)], db)
    running = Thread(target=lambda: Drive(drive.colour).run(workflow, run_id="r"))
    running.start()
    try:
        assert entered.wait(PATIENCE)
        assert workflow.get_run_output("r").status is RunStatus.running
        with pytest.raises(RunBusy) as refused:
            drive.resume(workflow, run_id="r")
        assert (refused.value.run_id, workflow.recover()) == ("r", [])
    finally:
        release.set()
        running.join(PATIENCE)
    with pytest.raises(NotPaused, match="COMPLETED"):
        drive.resume(workflow, run_id="r")
    assert calls.names == ["work"]


@pytest.mark.spec("CONT-4")
@pytest.mark.parametrize("given", ["empty", "foreign", "undecided"])
def test_requirements_that_decide_nothing(db, drive, calls, given):
    """Empty lists, undecided requirements and those of another run decide nothing of this one."""
    workflow = two_gates(calls, db)
    run, other = drive.run(workflow), drive.run(workflow)
    confirm_all(other)
    handed = {"empty": [], "foreign": other.step_requirements, "undecided": run.step_requirements}[given]
    with pytest.raises(Undecided):
        drive.resume(workflow, run, step_requirements=handed)
    with pytest.raises(Undecided):
        drive.resume(workflow, run_id=run.run_id, error_requirements=handed)
    assert calls.names == []
    assert workflow.get_run_output(other.run_id).requirements[0].decision is None


@pytest.mark.spec("CONT-4", "CONT-2")
def test_a_foreign_requirement_beside_one_of_its_own(db, drive, calls):
    """The run's own decision is applied, the foreign one is not, to neither run."""
    workflow = two_gates(calls, db)
    other = drive.run(workflow)
    run = drive.run(workflow)
    confirm_all(run)
    other.step_requirements[0].reject()
    run = drive.resume(workflow, run, step_requirements=[*other.step_requirements, *run.step_requirements])
    assert (run.paused_step_name, calls.names) == ("two", ["one"])
    assert workflow.get_run_output(other.run_id).paused_step_name == "one"


@pytest.mark.spec("CONT-5")
def test_everything_but_decisions_is_read_from_the_store(db, drive, calls):
    """A run object that was tampered with changes nothing but what it decides."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow, {"amount": 1})
    confirm_all(run)
    run.status = RunStatus.completed
    run.session_id = run.workflow_id = "forged"
    run.__dict__.update(input={"amount": 10**6}, content="forged", session_state={"forged": True}, step_results=[])
    run.step_requirements[0].step_name = run.step_requirements[0].address = "two"
    run.step_requirements[0].on_reject = "cancel"
    now = drive.resume(workflow, run)
    assert (calls.names, now.paused_step_name) == (["one"], "two")
    assert (now.input, now.session_state, now.workflow_id) == ({"amount": 1}, {}, workflow.id)
    assert statuses(now) == {"one": "completed", "two": "awaiting_confirmation"}


@pytest.mark.spec("CONT-5", "CONF-9")
def test_a_requirement_with_a_forged_pause_decides_nothing(db, drive, calls):
    """A pause that the run does not have cannot be decided; its next one cannot be decided beforehand."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow)
    [asked] = run.step_requirements
    asked.pause_id = asked.pause_id.replace("one", "two")
    asked.confirm()
    with pytest.raises(ValueError):
        drive.resume(workflow, run)
    assert calls.names == []


@pytest.mark.spec("CONT-6")
@pytest.mark.parametrize("second", ["confirm", "reject"])
def test_of_two_continuations_one_executes(db, drive, calls, second):
    """Two people continue one run at the same moment: one executes it, and the other is told while that one is still at it."""
    entered, release, together, told = Event(), Event(), Barrier(2), Answers()
    workflow = Workflow("flow", [Step("gate", held(calls, entered, release), requires_confirmation=True)], db)
    run_id = drive.run(workflow).run_id

    def one(decision):
        mine = workflow.get_run_output(run_id)
        getattr(mine.step_requirements[0], decision)()
        together.wait(PATIENCE)
        try:
            told.put(Drive(drive.colour).resume(workflow, mine))
        except Exception as refusal:  # noqa: BLE001  # whatever a person is told
            told.put(refusal)

    people = [Thread(target=one, args=(decision,)) for decision in ("confirm", second)]
    for person in people:
        person.start()
    try:
        first = told.get(timeout=PATIENCE)
        if second == "confirm":
            assert isinstance(first, RunBusy | AlreadyDecided)
        else:  # a rejection needs no executor, so it may be the one that wins, and is then over at once
            assert isinstance(first, RunBusy | AlreadyDecided) or not entered.is_set()
    finally:
        release.set()
        for person in people:
            person.join(PATIENCE)
    ends = [first, told.get(timeout=PATIENCE)]
    refusals = [end for end in ends if isinstance(end, Exception)]
    assert [type(refusal) in (RunBusy, AlreadyDecided) for refusal in refusals] == [True]
    assert len(db.decisions(run_id)) == 1
    assert calls.names == ["work"] * (db.decisions(run_id)[0].word == "confirm")
    assert workflow.get_run_output(run_id).status is RunStatus.completed


@pytest.mark.spec("CONT-6", "CONF-9")
def test_of_many_deciders_one_is_heard(db, calls):
    """Eight people decide one pause at the same moment, half of them against the other half: one decision is stored and all are told."""
    workflow = Workflow("flow", [Step("gate", calls.does("gate"), requires_confirmation=True)], db)
    run = workflow.run("x")
    together, told = Barrier(8), Answers()

    def one(number):
        together.wait(PATIENCE)
        try:
            told.put(workflow.decide(run.run_id, run.requirements[0].pause_id, ["confirm", "reject"][number % 2], by=f"p{number}"))
        except Exception as refusal:  # noqa: BLE001  # whatever a person is told
            told.put(refusal)

    people = [Thread(target=one, args=(number,)) for number in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join(PATIENCE)
    answers = [told.get(timeout=PATIENCE) for _ in people]
    [decided] = db.decisions(run.run_id)
    heard = [answer for answer in answers if not isinstance(answer, Exception)]
    assert {(answer.decision, answer.by) for answer in heard} == {(decided.word, decided.by)}
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert {type(refusal) for refusal in refused} == {AlreadyDecided}
    assert (len(heard), len(refused)) == (4, 4)


@pytest.mark.spec("CONT-7")
def test_the_object_passed_in_stays_what_it_was(db, drive, calls):
    """The output that is returned is new and fresh; the one passed in still says what it said."""
    workflow = two_gates(calls, db)
    old = drive.run(workflow)
    confirm_all(old)
    said = old.to_dict()
    new = drive.resume(workflow, old)
    assert new is not old
    assert old.to_dict() == said
    assert (old.paused_step_name, new.paused_step_name) == ("one", "two")
    assert (old.step_requirements[0].decision, new.step_requirements[0].decision) == ("confirm", None)


@pytest.mark.spec("CONT-8")
@pytest.mark.parametrize("colour", ["stream", "async stream"])
def test_after_a_stream_the_session_ends_with_its_run(db, calls, colour):
    """`get_session().runs[-1]` is the run that the last stream ran, also where it is an older one that was continued."""
    drive, workflow = Drive(colour), two_gates(calls, db)
    first = drive.run(workflow, run_id="first", session_id="s")
    assert drive.run(workflow, run_id="second", session_id="s").run_id == "second"
    confirm_all(first)
    assert drive.resume(workflow, first).run_id == "first"
    session = workflow.get_session("s")
    assert [run.run_id for run in session.runs] == ["second", "first"]
    assert session.get_run("second").paused_step_name == "one"
    assert drive.run(workflow, run_id="third", session_id="elsewhere").run_id == "third"
    assert workflow.get_session("s").runs[-1].run_id == "first"
    assert workflow.get_session("never") is None


@pytest.mark.spec("PAR-3", "CONT-2")
def test_the_inbox_lists_what_is_owed_across_runs(db, drive, calls):
    """`list_pauses` shows every question that is open and undecided, oldest first, by run, session, step and kind."""
    steps = [Step("gate", calls.does("gate", OSError("x"), "fine"), requires_confirmation=True, on_error="pause")]
    workflow = Workflow("flow", steps, db)
    first, second = drive.run(workflow, run_id="1", session_id="s"), drive.run(workflow, run_id="2", session_id="t")
    assert [(each.run_id, each.kind) for each in workflow.list_pauses()] == [("1", "confirmation"), ("2", "confirmation")]
    confirm_all(first)
    drive.resume(workflow, first, session_id="s")
    assert [(each.run_id, each.kind) for each in workflow.list_pauses()] == [("2", "confirmation"), ("1", "error")]
    assert [each.run_id for each in workflow.list_pauses(kind="error")] == ["1"]
    assert [each.run_id for each in workflow.list_pauses(session_id="t")] == ["2"]
    assert [each.run_id for each in workflow.list_pauses(step_name="gate", limit=1)] == ["2"]
    page = workflow.list_pauses(limit=1)
    assert [each.run_id for each in workflow.list_pauses(after=page.after)] == ["1"]
    assert (workflow.list_pauses(step_name="none"), workflow.list_pauses(run_id=second.run_id)[0].run_id) == ([], "2")


@pytest.mark.spec("CONT-3")
def test_runs_are_listed_by_status(db, drive, calls):
    """`list_runs` finds runs by status, session and user, the one that began last first, whatever happened since; page by page."""
    workflow = Workflow("flow", [Step("gate", calls.does("gate"), requires_confirmation=True)], db)
    for number in "123":
        drive.run(workflow, run_id=number, session_id="s", user_id=f"user {number}")
    drive.finish(workflow, workflow.get_run_output("1"), confirm_all)
    assert [run.run_id for run in workflow.list_runs()] == ["3", "2", "1"]
    assert [run.run_id for run in workflow.list_runs(user_id="user 2")] == ["2"]
    assert [run.run_id for run in workflow.list_runs(status="PAUSED")] == ["3", "2"]
    assert [run.run_id for run in workflow.list_runs(status=RunStatus.completed, session_id="s")] == ["1"]
    pages, after = list[list[str]](), None
    while not pages or after is not None:
        page = workflow.list_runs(limit=1, after=after)
        pages.append([run.run_id for run in page])
        after = page.after
    assert pages == [["3"], ["2"], ["1"]]
    with pytest.raises(ValueError, match="PAUSED"):
        workflow.list_runs(status="sleeping")
