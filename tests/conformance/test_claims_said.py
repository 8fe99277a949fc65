"""SAID: an answer counts when it is stored, whatever runs beside the question; in every store and colour."""

from __future__ import annotations

import asyncio
from threading import Event, Thread
from typing import Any

import pytest
from attrs import evolve

from statecore import Parallel, RunStatus, Step, StepOutput, Steps, Workflow
from statecore.errors import AlreadyDecided, DefinitionChanged, NotPaused, RunBusy, Undecided
from statecore.run.workflow import StepCompletedEvent, StepOutputDelta
from statecore.runtime import aio, sync
from statecore.runtime.launching import launch
from statecore.runtime.worker import Worker
from statecore.stores import PauseFilter
from statecore.stores.sqlite.store3 import SqliteDb
from statecore.testing import Clock, timed
from statecore.testing.stores.samples import DEAD
from tests.conformance.drive import Drive, history, statuses, triggers
from tests.conformance.dying import RUN_ID, die, flow
from tests.conformance.test_claims_crash import KILLED, called

PATIENCE = 60  # seconds until a test that hangs is given up; nothing is measured by it


class Boom(Exception):  # the user's own
    pass


@pytest.fixture
def deaf(monkeypatch):
    """Drivers that do not look for decisions while a call runs, so that only the boundary that would park the run hears of them."""
    for module in (sync, aio):
        monkeypatch.setattr(module, "decided_beside", lambda _: ())


def decided(workflow, name, word="confirm", by="ann"):
    """Decide the open question of a step."""
    [asked] = [each for each in workflow.list_pauses() if each.step_name == name]
    workflow.decide(asked.run_id, asked.pause_id, word, by=by)


def beside(calls, work, db, **settings) -> Workflow:
    """A branch that runs `work`, beside one behind a gate, and a step after both; `settings` are those of the gated step."""
    gated = Step("gated", calls.does("gated"), requires_confirmation=True, **settings)
    return Workflow("flow", [Parallel(Step("work", work), gated, name="both"), Step("end", calls.does("end"))], db)


# -- while something runs ----------------------------------------------------------------------------------------------------------


@pytest.mark.spec("SAID-1", "PAR-3")
def test_an_answer_is_acted_upon_while_its_sibling_runs(db, drive, calls):
    """The sibling ends only when the gated step was called: a driver that waits hears the answer, in every colour."""
    called_too = Event()

    def work(step_input):
        decided(workflow, "gated")
        assert called_too.wait(PATIENCE)
        return "work"

    gated = Step("gated", lambda _: called_too.set(), requires_confirmation=True)
    workflow = Workflow("flow", [Parallel(Step("work", work), gated, name="both"), Step("end", calls.does("end"))], db)
    run = drive.run(workflow, run_id="r")
    assert (run.status, statuses(run)["gated"], calls.names) == (RunStatus.completed, "completed", ["end"])
    assert [trigger for trigger in triggers(workflow, "r", "") if trigger in ("pause", "resume")] == []


@pytest.mark.spec("SAID-1")
def test_an_answer_is_acted_upon_while_a_delay_waits(db, drive, calls):
    """A branch that waits for its automatic retry does not hold up the answer to its sibling."""
    clock = Clock()
    flaky = Step("flaky", calls.does("flaky", OSError("x"), "good"), max_retries=1, retry_delay=60)
    gated = Step("gated", calls.does("gated"), requires_confirmation=True)
    workflow = timed(Workflow("flow", [Parallel(flaky, gated, name="both")], db), clock)
    host = workflow.host

    def sleeps(seconds):
        if [each.step_name for each in workflow.list_pauses()] == ["gated"]:
            decided(workflow, "gated")
        host.sleep(seconds)

    async def asleep(seconds):
        sleeps(seconds)

    workflow.host = evolve(host, sleep=sleeps, asleep=asleep)
    run = drive.run(workflow)
    assert (run.status, calls.names) == (RunStatus.completed, ["flaky", "gated", "flaky"])


@pytest.mark.spec("SAID-1")
def test_a_worker_acts_upon_an_answer_while_a_branch_runs(db, calls):
    """A worker that drives a run hears the answer to its other branch."""
    called_too = Event()

    def work(_step_input):
        decided(workflow, "gated")
        assert called_too.wait(PATIENCE)

    gated = Step("gated", lambda _: called_too.set(), requires_confirmation=True)
    workflow = Workflow("flow", [Parallel(Step("work", work), gated, name="both")], db)
    workflow.submit(run_id="r")
    assert Worker(workflow, concurrency=1).work(until_idle=True) == {"COMPLETED": 1}


@pytest.mark.spec("SAID-1", "AGENT-5")
@pytest.mark.parametrize("colour", ["stream", "async stream"])
def test_an_answer_is_acted_upon_while_pieces_are_told(db, calls, colour):
    """A branch yields pieces beside an open question: they are heard as they are made, and so is the answer, before the branch has ended."""
    called_too, order = Event(), []

    def work(_step_input):
        yield "one"
        assert called_too.wait(PATIENCE)
        yield "two"

    gated = Step("gated", lambda _: called_too.set(), requires_confirmation=True)
    workflow = Workflow("flow", [Parallel(Step("work", work), gated, name="both")], db)

    def hears(event):
        if isinstance(event, StepOutputDelta):
            order.append(event.content)
            if event.content == "one":
                decided(workflow, "gated")
        elif isinstance(event, StepCompletedEvent):
            order.append(event.step_name)

    async def listens():
        async for event in workflow.arun("x", run_id="r", stream=True, stream_events=True):
            hears(event)

    if colour == "stream":
        for event in workflow.run("x", run_id="r", stream=True, stream_events=True):
            hears(event)
    else:
        asyncio.run(listens())
    assert (order[0], workflow.get_run_output("r").status) == ("one", RunStatus.completed)
    assert sorted(order) == ["gated", "one", "two", "work"]
    assert order.index("two") < order.index("work")


# -- at the boundary that would park the run ---------------------------------------------------------------------------------------


@pytest.mark.spec("SAID-1", "LAW-2")
@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize(("word", "status"), [("confirm", "completed"), ("reject", "skipped")])
def test_no_boundary_parks_a_run_that_is_decided(db, drive, calls, word, status):  # fixtures
    """The last call of a run ends beside an answer that is stored: the answer joins that boundary, and nothing is paused."""

    def work(_step_input):
        decided(workflow, "gated", word)

    workflow = beside(calls, work, db)
    run = drive.run(workflow, run_id="r")
    assert (run.status, statuses(run)["gated"]) == (RunStatus.completed, status)
    assert calls.names == (["gated", "end"] if word == "confirm" else ["end"])
    assert triggers(workflow, "r", "") == ["start", "finish"]
    if drive.streams:
        assert "WorkflowPaused" not in {event.event for event in drive.events}


@pytest.mark.spec("SAID-1")
@pytest.mark.usefixtures("deaf")
def test_a_boundary_takes_all_answers_that_are_stored(db, drive, calls):
    """Of three questions two are decided meanwhile, one of them between two tries of the commit; the third stays open."""

    def work(_step_input):
        decided(workflow, "b")

    names = "bcd"
    branches = [Step(name, calls.does(name), requires_confirmation=True) for name in names]
    workflow = Workflow("flow", [Parallel(Step("a", work), *branches, name="all")], db)
    commit, seen = db.commit, []

    def commits(boundary):
        answer = commit(boundary)
        if isinstance(answer, tuple):
            seen.append([each.pause_id for each in answer])
            if len(seen) == 1:
                decided(workflow, "c")
        return answer

    db.commit = commits
    run = drive.run(workflow, run_id="r")
    db.commit = commit
    assert seen == [
        ["all/b:confirmation:0"],
        ["all/c:confirmation:0"],
    ]  # with b there was a call to make before the next try to park
    assert (run.status, run.paused_step_name, sorted(calls.names)) == (RunStatus.paused, "d", ["b", "c"])


@pytest.mark.spec("SAID-1")
@pytest.mark.usefixtures("deaf")
def test_the_commit_is_tried_until_no_answer_is_new(db, drive, calls):
    """A rejection leaves the run nothing to do, so that the next answer is asked for: at most once for each open question."""

    def work(_step_input):
        decided(workflow, "b", "reject")

    branches = [Step(name, calls.does(name), requires_confirmation=True) for name in "bc"]
    workflow = Workflow("flow", [Parallel(Step("a", work), *branches, name="all")], db)
    commit, seen = db.commit, []

    def commits(boundary):
        answer = commit(boundary)
        if isinstance(answer, tuple):
            seen.append([each.pause_id for each in answer])
            if len(seen) == 1:
                decided(workflow, "c", "reject")
        return answer

    db.commit = commits
    run = drive.run(workflow, run_id="r")
    db.commit = commit
    assert seen == [["all/b:confirmation:0"], ["all/c:confirmation:0"]]
    assert (run.status, calls.names) == (RunStatus.completed, [])


# -- boundaries that take no answer ------------------------------------------------------------------------------------------------


def unused(run) -> list[tuple[str, str | None]]:
    """The questions whose answers were not used, and the answers."""
    return [(each.step_name, each.decision) for each in run.unused_decisions]


@pytest.mark.spec("SAID-1", "PAR-4")
@pytest.mark.usefixtures("deaf")
def test_a_boundary_that_fails_takes_no_answer(db, drive, calls):
    """The yes stays stored and unused while the run has failed; reopened, the run asks nobody and applies it."""
    fails = [True, False]

    def work(_step_input):
        if fails.pop(0):
            decided(workflow, "gated")
            raise Boom

    workflow = beside(calls, work, db)
    with pytest.raises(Boom):
        drive.run(workflow, run_id="r")
    run = workflow.get_run_output("r")
    assert (run.status, calls.names, unused(run)) == (RunStatus.error, [], [("gated", "confirm")])
    assert unused(type(run).from_dict(run.to_dict())) == unused(run)
    run = drive.resume(workflow, run_id="r", retry_failed=True)
    assert (run.status, calls.names, unused(run)) == (RunStatus.completed, ["gated", "end"], [])


@pytest.mark.spec("SAID-1", "RUN-3")
@pytest.mark.usefixtures("deaf")
def test_a_boundary_that_stops_takes_no_answer(db, drive, calls):
    """A step says stop beside a yes that is stored: the workflow is completed, and the gated step never runs."""

    def work(_step_input):
        decided(workflow, "gated")
        return StepOutput("enough", stop=True)

    workflow = beside(calls, work, db)
    run = drive.run(workflow, run_id="r")
    assert (run.status, run.content, calls.names, unused(run)) == (RunStatus.completed, "enough", [], [("gated", "confirm")])


@pytest.mark.spec("SAID-1", "ERR-7")
@pytest.mark.usefixtures("deaf")
def test_a_boundary_that_leaves_a_unit_takes_no_answer_inside_it(db, drive, calls):
    """An error policy leaves the group with the question: its yes is not used, that of the question beside the group is."""

    def work(_step_input):
        decided(workflow, "inside")
        decided(workflow, "outside")
        raise Boom

    both = Parallel(Step("work", work), Step("inside", calls.does("inside"), requires_confirmation=True), name="both")
    unit = Steps("unit", [both], on_error="skip")
    outside = Step("outside", calls.does("outside"), requires_confirmation=True)
    workflow = Workflow("flow", [Parallel(unit, outside, name="all")], db)
    run = drive.run(workflow, run_id="r")
    assert (run.status, calls.names, unused(run)) == (RunStatus.completed, ["outside"], [("inside", "confirm")])


@pytest.mark.spec("SAID-1", "CANCEL-1")
@pytest.mark.usefixtures("deaf")
def test_a_boundary_that_cancels_takes_no_answer(db, drive, calls):
    """A cancellation that waits beside a yes ends the run; the yes is not used, and nothing says that it was."""

    def work(_step_input):
        decided(workflow, "gated")
        workflow.cancel_run("r")

    workflow = beside(calls, work, db)
    run = drive.run(workflow, run_id="r")
    assert (run.status, calls.names, unused(run)) == (RunStatus.cancelled, [], [("gated", "confirm")])
    assert "confirm" not in [trigger for *_, trigger, _, _, _ in history(workflow, "r")]


@pytest.mark.spec("SAID-1", "CANCEL-1")
@pytest.mark.usefixtures("deaf")
def test_a_cancellation_that_comes_with_an_answer_takes_its_place(db, drive, calls):
    """The commit first names the yes, and then, tried again, the cancellation: the yes is left out again."""

    def work(_step_input):
        decided(workflow, "gated")

    workflow = beside(calls, work, db)
    commit = db.commit

    def commits(boundary):
        answer = commit(boundary)
        if isinstance(answer, tuple):
            db.request_cancel("r", "eve", boundary.time)
        return answer

    db.commit = commits
    run = drive.run(workflow, run_id="r")
    db.commit = commit
    assert (run.status, calls.names, unused(run)) == (RunStatus.cancelled, [], [("gated", "confirm")])
    assert "confirm" not in [trigger for *_, trigger, _, _, _ in history(workflow, "r")]


@pytest.mark.spec("SAID-1", "PAR-4")
def test_no_answer_counts_beside_a_failure(db, drive, calls):
    """A branch has failed and another one's call goes on, when the third is confirmed: the driver, which looks again, does not begin it."""
    failed, commit = Event(), db.commit

    def commits(boundary):
        answer = commit(boundary)
        if any(entry.trigger == "fail" for entry in boundary.entries) and not failed.is_set():
            decided(workflow, "gated")
            failed.set()
        return answer

    def goes_on(_step_input):
        assert failed.wait(PATIENCE)

    db.commit = commits
    gated = Step("gated", calls.does("gated"), requires_confirmation=True)
    branches = [Step("fails", calls.does("fails", Boom())), Step("goes on", goes_on), gated]
    workflow = Workflow("flow", [Parallel(*branches, name="all")], db)
    with pytest.raises(Boom):
        drive.run(workflow, run_id="r")
    db.commit = commit
    run = workflow.get_run_output("r")
    assert (run.status, calls.names, unused(run)) == (RunStatus.error, ["fails"], [("gated", "confirm")])


@pytest.mark.spec("SAID-1", "CRASH-2")
@pytest.mark.parametrize("silent", [False, True])
def test_a_take_over_that_fails_takes_no_answer(db, drive, calls, silent):
    """A run whose owner is dead is taken over: its interrupted call fails it, before a yes, or a silence that approves, is applied."""
    clock = Clock()
    settings: dict[str, Any] = {"timeout": 60, "on_timeout": "approve"} if silent else {}
    gated = Step("gated", calls.does("gated"), requires_confirmation=True, **settings)
    branches = [Step("work", calls.does("work"), on_interrupt="fail"), gated]
    workflow = timed(Workflow("flow", [Parallel(*branches, name="both")], db), clock)
    host = workflow.host
    workflow.host = evolve(host, owner=lambda: DEAD)
    launch(workflow, "x", run_id="r")  # its owner dies when the call is to be made
    workflow.host = host
    if silent:
        clock.advance(61)
    else:
        decided(workflow, "gated")
    run = drive.resume(workflow, run_id="r")
    assert (run.status, calls.names) == (RunStatus.error, [])
    assert unused(run) == ([] if silent else [("gated", "confirm")])


@pytest.mark.spec("SAID-1", "CRASH-2")
@pytest.mark.parametrize("by", ["recover", "continue_run", "worker"])
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_death_that_fails_the_run_takes_no_answer(db_file, tmp_path, colour, by):
    """A process dies in a branch with `on_interrupt=fail` while the sibling's yes is stored: the run fails, and the gated step does not run."""
    log = tmp_path / "log"
    log.touch()
    assert die(db_file, log, colour, "branches, on_interrupt=fail", "in:a") == KILLED
    workflow = flow("branches, on_interrupt=fail", SqliteDb(db_file=db_file), log)
    decided(workflow, "b")
    if by == "worker":
        Worker(workflow, concurrency=1).work(until_idle=True)
    elif by == "recover":
        workflow.recover()
    else:
        Drive(colour).resume(workflow, run_id=RUN_ID)
    run = workflow.get_run_output(RUN_ID)
    assert (run.status, called(log), unused(run)) == (RunStatus.error, ["a"], [("b", "confirm")])
    assert run.unused_decisions[0].by == "ann"
    run = Drive(colour).resume(workflow, run_id=RUN_ID, retry_failed=True)
    assert (run.status, sorted(called(log)), unused(run)) == (RunStatus.completed, ["a", "a", "b", "end"], [])


@pytest.mark.spec("SAID-1", "CRASH-2")
@pytest.mark.parametrize("scenario", ["branches, on_interrupt=retry", "branches, on_interrupt=pause"])
def test_a_death_that_is_survived_lets_answers_count(db_file, tmp_path, scenario):
    """Where the interrupted call is made again, or put to a person, the sibling's yes is applied when the run is taken over."""
    log = tmp_path / "log"
    log.touch()
    assert die(db_file, log, "sync", scenario, "in:a") == KILLED
    workflow = flow(scenario, SqliteDb(db_file=db_file), log)
    decided(workflow, "b")
    [run] = workflow.recover()
    asks = scenario.endswith("pause")
    assert run.status is (RunStatus.paused if asks else RunStatus.completed)
    assert sorted(called(log)) == (["a", "b"] if asks else ["a", "a", "b", "end"])


@pytest.mark.spec("SAID-1", "CRASH-2", "TIME-3")
def test_a_deadline_is_no_yes_in_a_boundary_that_fails(db_file, tmp_path):
    """Silence that approves is applied after the interruptions, too: it never lets a step run in a run that fails."""
    log = tmp_path / "log"
    log.touch()
    assert die(db_file, log, "sync", "branches, on_interrupt=fail, timeout", "in:a") == KILLED
    workflow = flow("branches, on_interrupt=fail, timeout", SqliteDb(db_file=db_file), log)
    now = workflow.host.clock()
    workflow.host = evolve(workflow.host, clock=lambda: now + 3_600_000_000)
    workflow.recover()
    assert (workflow.get_run_output(RUN_ID).status, called(log)) == (RunStatus.error, ["a"])


@pytest.mark.spec("SAID-1", "CRASH-2")
def test_an_answer_that_is_handed_in_stays_where_the_take_over_fails(db_file, tmp_path):
    """`continue_run` on a run whose process died stores the answers that it was handed, though its first boundary fails the run."""
    log = tmp_path / "log"
    log.touch()
    assert die(db_file, log, "sync", "branches, on_interrupt=fail", "in:a") == KILLED
    workflow = flow("branches, on_interrupt=fail", SqliteDb(db_file=db_file), log)
    held = workflow.get_run_output(RUN_ID)
    held.steps_requiring_confirmation[0].confirm(by="ann")
    run = workflow.continue_run(held)
    assert (run.status, called(log), unused(run)) == (RunStatus.error, ["a"], [("b", "confirm")])


# -- two continuations -------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("SAID-1", "CONT-6")
def test_a_busy_run_keeps_the_answers_that_it_was_handed(db, drive, calls):
    """The loser of two continuations gets `RunBusy` with the pauses that it decided; the process that has the run applies its answers."""
    entered, release = Event(), Event()

    def held(_step_input):
        entered.set()
        assert release.wait(PATIENCE)

    questions = [Step(name, calls.does(name), requires_confirmation=True) for name in "bcd"]
    workflow = Workflow("flow", [Parallel(Step("a", held, requires_confirmation=True), *questions, name="all")], db)
    mine, theirs = drive.run(workflow, run_id="r"), workflow.get_run_output("r")
    mine.steps_requiring_confirmation[0].confirm()
    ended: list[Any] = []
    running = Thread(target=lambda: ended.append(Drive(drive.colour).resume(workflow, mine)))
    running.start()
    try:
        assert entered.wait(PATIENCE)
        for asked in theirs.steps_requiring_confirmation[1:3]:
            asked.confirm(by="bob")
        with pytest.raises(RunBusy) as refused:
            Drive(drive.colour).resume(workflow, theirs)
        assert refused.value.stored == ("all/b:confirmation:0", "all/c:confirmation:0")
        assert "all/c:confirmation:0" in str(refused.value)
        again = workflow.get_run_output("r")
        with pytest.raises(RunBusy) as empty:
            Drive(drive.colour).resume(workflow, run_id="r")
        assert (empty.value.stored, again.status) == ((), RunStatus.running)
    finally:
        release.set()
        running.join(PATIENCE)
    [run] = ended
    assert (run.status, run.paused_step_name, sorted(calls.names)) == (RunStatus.paused, "d", ["b", "c"])
    assert {(each.pause_id, each.by) for each in db.decisions("r")} >= {(pause_id, "bob") for pause_id in refused.value.stored}


@pytest.mark.spec("CONT-6")
def test_a_contradicted_answer_stores_none_of_them(db, calls):
    """Of two answers for a busy run one contradicts a stored one: `AlreadyDecided`, and the other is not stored, whenever it was contradicted."""
    entered, release = Event(), Event()

    def held(_step_input):
        entered.set()
        assert release.wait(PATIENCE)

    questions = [Step(name, calls.does(name), requires_confirmation=True) for name in "bc"]
    workflow = Workflow("flow", [Parallel(Step("a", held, requires_confirmation=True), *questions, name="all")], db)
    mine, theirs = workflow.run(run_id="r"), workflow.get_run_output("r")
    mine.steps_requiring_confirmation[0].confirm()
    stream = workflow.continue_run(mine, stream=True)
    for asked in theirs.steps_requiring_confirmation[1:]:
        asked.confirm(by="bob")
    decide = db.decide

    def overtaken(*decisions):  # the contradiction comes after everything was checked
        db.decide = decide
        decided(workflow, "c", "reject")
        return decide(*decisions)

    db.decide = overtaken
    with pytest.raises(AlreadyDecided):
        workflow.continue_run(theirs)
    db.decide = decide
    assert [(each.pause_id, each.word) for each in db.decisions("r")] == [
        ("all/a:confirmation:0", "confirm"),
        ("all/c:confirmation:0", "reject"),
    ]
    release.set()
    for _ in stream:
        pass


# -- runs that are decided and rest ------------------------------------------------------------------------------------------------


def two_runs(calls, db) -> Workflow:
    """Two parked runs of a gated step."""
    workflow = Workflow("flow", [Step("gated", calls.does("gated"), requires_confirmation=True)], db)
    for run_id in ("1", "2"):
        workflow.run(run_id=run_id)
    return workflow


@pytest.mark.spec("SAID-2")
@pytest.mark.parametrize("how", ["tick", "recover", "atick", "arecover"])
def test_decided_runs_are_taken_up(db, calls, how):
    """A run that is decided and rests stays PAUSED until it is ticked or recovered; one that is not decided is let be."""
    workflow = two_runs(calls, db)
    workflow.decide("1", "gated:confirmation:0", "confirm", by="ann")
    run = workflow.get_run_output("1")
    assert (run.status, [each.decision for each in run.requirements]) == (RunStatus.paused, ["confirm"])
    taken = getattr(workflow, how)()
    taken = asyncio.run(taken) if how.startswith("a") else taken
    assert [(each.run_id, each.status, each.refusal) for each in taken] == [("1", RunStatus.completed, None)]
    assert (calls.names, workflow.get_run_output("2").status) == (["gated"], RunStatus.paused)


@pytest.mark.spec("SAID-2")
@pytest.mark.parametrize("how", ["tick", "recover"])
def test_a_run_that_does_not_fit_does_not_keep_the_others(db, calls, how):
    """The refused run is returned with its error, and stays as it was; the others go on, before it and after it."""
    old = Workflow("flow", [Step("gone", calls.does("gone"), requires_confirmation=True)], db)
    workflow = Workflow("flow", [Step("gated", calls.does("gated"), requires_confirmation=True)], db)
    for run_id, which in (("1", workflow), ("2", old), ("3", workflow)):
        which.run(run_id=run_id)
        which.decide(run_id, f"{'gone' if which is old else 'gated'}:confirmation:0", "confirm")
    taken = {each.run_id: each for each in getattr(workflow, how)()}
    assert {run_id: each.status for run_id, each in taken.items()} == {
        "1": RunStatus.completed,
        "2": RunStatus.paused,
        "3": RunStatus.completed,
    }
    assert isinstance(taken["2"].refusal, DefinitionChanged)
    assert (taken["1"].refusal, taken["3"].refusal, calls.names) == (None, None, ["gated", "gated"])
    assert db.load("2").owner is None


@pytest.mark.spec("SAID-1")
def test_what_is_decided_and_rests_is_listed(db, calls):
    """`decided_only` lists the open pauses that are decided, and those alone; an applied decision is listed no more."""
    workflow = two_runs(calls, db)
    assert db.pauses(PauseFilter(decided_only=True)) == []
    workflow.decide("2", "gated:confirmation:0", "confirm")
    assert [row.pause.run_id for row in db.pauses(PauseFilter(decided_only=True))] == ["2"]
    assert [row.pause.run_id for row in db.pauses(PauseFilter())] == ["1"]
    workflow.continue_run(run_id="2")
    assert db.pauses(PauseFilter(decided_only=True)) == []
    for refused in (NotPaused, Undecided):
        with pytest.raises(refused):
            workflow.continue_run(run_id="2" if refused is NotPaused else "1")
