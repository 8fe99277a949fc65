"""PAR, NEST: what runs side by side, and what stands inside, in every store and colour."""

from __future__ import annotations

import asyncio
from threading import Barrier, Event, Lock, Thread
from typing import Any

import pytest

from statecore import Condition, Loop, Parallel, Router, RunStatus, Step, StepOutput, Steps, Workflow
from statecore.run.workflow import ParallelExecutionCompletedEvent, ParallelExecutionStartedEvent, StepOutputEvent
from tests.conformance.drive import Drive, confirm_all, flat, statuses, triggers

PATIENCE = 60  # seconds until a test that hangs is given up; nothing is measured by it


def after(calls, name, wait=None, then=None, outcome=None):
    """User code that waits for one event, sets another, and ends as told."""

    def work(step_input):
        calls.note(name, step_input)
        assert wait is None or wait.wait(PATIENCE)
        if then is not None:
            then.set()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome if outcome is not None else name

    return Step(name, work)


@pytest.mark.spec("PAR-1", "PAR-5")
def test_branches_run_at_the_same_time(db, drive):
    """Each branch waits for all the others, and gets what it waits for."""
    meeting = Barrier(3)

    def meet(step_input):
        meeting.wait(PATIENCE)
        return step_input.step_name

    run = drive.run(Workflow("flow", [Parallel(*[Step(name, meet) for name in "abc"])], db))
    assert (run.status, run.content) == (RunStatus.completed, {"a": "a", "b": "b", "c": "c"})
    if drive.streams:
        assert [event.parallel_step_count for event in drive.heard(ParallelExecutionStartedEvent)] == [3]
        assert [event.parallel_step_count for event in drive.heard(ParallelExecutionCompletedEvent)] == [3]


@pytest.mark.spec("PAR-1")
def test_coroutines_run_at_the_same_time(db, drive):
    """Asynchronous branches are tasks of one event loop, or loops of their own in a synchronous run."""
    order: list[str] = []

    async def slow(_step_input):
        for _ in range(3):
            await asyncio.sleep(0)
        order.append("slow")
        return "slow"

    async def quick(_step_input):
        order.append("quick")
        return "quick"

    run = drive.run(Workflow("flow", [Parallel(Step("s", slow), Step("q", quick))], db))
    assert (run.content, sorted(order)) == ({"s": "slow", "q": "quick"}, ["quick", "slow"])
    assert not drive.colour.startswith("async") or order == ["quick", "slow"]


@pytest.mark.spec("PAR-1")
@pytest.mark.parametrize("most", [1, 2])
def test_no_more_at_once_than_allowed(db, drive, most):
    """Never more branches run than `max_concurrency`, and as many as that do."""
    inside, peak, lock, pairs = [0], [0], Lock(), Barrier(most)

    def work(_step_input):
        with lock:
            inside[0] += 1
            peak[0] = max(peak[0], inside[0])
        pairs.wait(PATIENCE)
        with lock:
            inside[0] -= 1

    run = drive.run(Workflow("flow", [Parallel(*[Step(name, work) for name in "abcd"], max_concurrency=most)], db))
    assert (run.status, peak[0]) == (RunStatus.completed, most)


@pytest.mark.spec("PAR-2", "PAR-5", "RUN-4")
@pytest.mark.parametrize("first", ["a", "b"])
def test_the_order_of_completion_makes_no_difference(db, drive, calls, first):
    """Every branch sees what was before the Parallel; what follows sees a dict in the order of the definition."""
    done = Event()
    branches = [after(calls, name, *((None, done) if name == first else (done, None))) for name in "ab"]
    workflow = Workflow("flow", [calls.does("first"), Parallel(*branches, name="par"), calls.does("end")], db)
    run = drive.run(workflow)
    assert [calls.saw(name) for name in ("a", "b", "end")] == [["first"], ["first"], [{"a": "a", "b": "b"}]]
    assert [list(seen) for seen in calls.saw("end")] == [["a", "b"]]
    assert [output.step_name for output in flat(run.step_results)["par"].steps] == ["a", "b"]


@pytest.mark.spec("PAR-3", "LAW-2", "LAW-3")
@pytest.mark.parametrize("how", ["together", "one by one", "elsewhere"])
def test_all_that_branches_owe_is_listed(db, drive, calls, reopened, how):
    """A question in one branch holds up no other; all are listed when nothing runs, and may be decided at once or one by one."""
    parallel = Parallel(
        [Step("gate", calls.does("gate"), requires_confirmation=True), calls.does("then")],
        [calls.does("free"), calls.does("more")],
        Step("bad", calls.does("bad", OSError("x"), "good"), on_error="pause"),
        name="par",
    )
    workflow = Workflow("flow", [parallel, calls.does("end")], db)
    run = drive.run(workflow)
    assert sorted(each.kind for each in run.requirements) == ["confirmation", "error"]
    assert sorted(calls.names) == ["bad", "free", "more"]
    if how == "together":
        confirm_all(run)
        run = drive.resume(workflow, run)
    elif how == "one by one":
        run.error_requirements[0].retry()
        run = drive.resume(workflow, run)
        assert (run.is_paused, [each.kind for each in run.requirements]) == (True, ["confirmation"])
        run.step_requirements[0].confirm()
        run = drive.resume(workflow, run)
    else:
        elsewhere = workflow.on(reopened())
        for asked in elsewhere.list_pauses(run_id=run.run_id):
            elsewhere.decide(run.run_id, asked.pause_id, "retry" if asked.kind == "error" else "confirm")
        run = drive.resume(workflow, run_id=run.run_id)
    assert run.status is RunStatus.completed
    assert calls.saw("end") == [{"gate+then": "then", "free+more": "more", "bad": "good"}]


@pytest.mark.spec("PAR-3", "CONF-4")
def test_one_no_may_cancel_all(db, drive, calls):
    """A rejection with cancel in one branch cancels the run, and what the other branches owed is owed no more."""
    gates = [Step(name, calls.does(name), requires_confirmation=True, on_reject="cancel") for name in "ab"]
    workflow = Workflow("flow", [Parallel(*gates)], db)
    run = drive.run(workflow)
    run.requirements[0].reject()
    run = drive.resume(workflow, run)
    assert (run.status, calls.names, run.requirements, workflow.list_pauses()) == (RunStatus.cancelled, [], [], [])


@pytest.mark.spec("PAR-4", "ERR-1")
def test_a_failure_keeps_what_has_not_begun_from_beginning(db, drive, calls):
    """Under policy fail the run fails: waiting branches never begin; reopened, the failed step runs again and they begin."""
    branches = [Step("bad", calls.does("bad", OSError("x"), "good")), calls.does("late"), calls.does("later")]
    workflow = Workflow("flow", [Parallel(*branches, max_concurrency=1)], db)
    with pytest.raises(OSError, match="x"):
        drive.run(workflow, run_id="r")
    assert (workflow.get_run_output("r").status, calls.names) == (RunStatus.error, ["bad"])
    run = drive.resume(workflow, run_id="r", retry_failed=True)
    assert (run.content, calls.names) == ({"bad": "good", "late": "late", "later": "later"}, ["bad", "bad", "late", "later"])


@pytest.mark.spec("PAR-4")
def test_what_flies_when_a_branch_fails_is_journaled(db, drive, calls):
    """The result of a call in flight is stored though the run has failed, and is not asked for again."""
    failing = Event()
    branches = [after(calls, "slow", failing), after(calls, "bad", None, failing, OSError("x"))]
    workflow = Workflow("flow", [Parallel(*branches)], db)
    with pytest.raises(OSError, match="x"):
        drive.run(workflow, run_id="r")
    run = workflow.get_run_output("r")
    assert (run.status, statuses(run)["slow"], statuses(run)["bad"]) == (RunStatus.error, "completed", "failed")
    with pytest.raises(OSError):
        drive.resume(workflow, run_id="r", retry_failed=True)
    assert sorted(calls.names) == ["bad", "bad", "slow"]


@pytest.mark.spec("PAR-4", "ERR-1")
def test_a_run_fails_of_several_errors(db, drive, calls):
    """Where several branches fail the run fails once, with one of their errors; reopened, each failed step runs again."""
    meeting = Barrier(2)

    def bad(step_input):
        if calls.note(step_input.step_name, step_input) == 0:
            meeting.wait(PATIENCE)
            raise OSError(step_input.step_name)
        return step_input.step_name

    workflow = Workflow("flow", [Parallel(Step("a", bad), Step("b", bad))], db)
    with pytest.raises(OSError, match=r"^[ab]\b"):
        drive.run(workflow, run_id="r")
    failed = workflow.get_run_output("r")
    assert {name: statuses(failed)[name] for name in "ab"} == {"a": "failed", "b": "failed"}
    assert drive.resume(workflow, run_id="r", retry_failed=True).content == {"a": "a", "b": "b"}


@pytest.mark.spec("PAR-6", "CONF-5", "SKIP-2")
@pytest.mark.parametrize("answer", ["confirm", "reject"])
def test_a_gate_before_a_parallel(db, drive, calls, answer):
    """Confirmation on the Parallel gates all of it: confirmed, everything runs; rejected, nothing, and it is transparent."""
    parallel = Parallel(calls.does("a"), calls.does("b"), name="par", requires_confirmation=True)
    workflow = Workflow("flow", [calls.does("first"), parallel, calls.does("end")], db)
    run = drive.run(workflow)
    assert (run.paused_step_name, calls.names) == ("par", ["first"])
    run.step_requirements[0].decide(answer)
    run = drive.resume(workflow, run)
    assert calls.saw("end") == [{"a": "a", "b": "b"} if answer == "confirm" else "first"]


@pytest.mark.spec("ERR-7")
@pytest.mark.parametrize("policy", ["skip", "pause"])
def test_the_policy_of_a_parallel_leaves_the_branch_alone(db, drive, calls, policy):
    """An error policy on a Parallel is each branch's own: the failed branch is left as a unit, the others are not touched."""
    parallel = Parallel(
        [calls.does("a"), Step("bad", calls.does("bad", OSError("x"))), calls.does("rest")],
        calls.does("b"),
        name="par",
        on_error=policy,
    )
    workflow = Workflow("flow", [parallel, calls.does("end")], db)
    run = drive.run(workflow)
    if policy == "pause":
        [failed] = run.steps_with_errors
        assert failed.step_name == "bad"
        failed.skip()
        run = drive.resume(workflow, run)
    assert (run.status, "rest" in calls.names) == (RunStatus.completed, False)
    assert (calls.saw("end"), statuses(run)["par"], statuses(run)["a+bad+rest"]) == (
        [{"a+bad+rest": None, "b": "b"}],
        "completed",
        "skipped",
    )


@pytest.mark.spec("ERR-7", "PAR-4")
def test_a_unit_around_a_parallel_is_left_as_a_whole(db, drive, calls):
    """A policy outside the Parallel leaves all of it: branches that have not begun never begin, those in flight are journaled."""
    failing = Event()
    branches = [after(calls, "slow", failing), after(calls, "bad", None, failing, OSError("x")), calls.does("late")]
    unit = Steps("unit", [Parallel(*branches, name="par", max_concurrency=2), calls.does("rest")], on_error="skip")
    workflow = Workflow("flow", [unit, calls.does("end")], db)
    run = drive.run(workflow)
    assert (run.status, statuses(run)["unit"], statuses(run)["par"]) == (RunStatus.completed, "skipped", "skipped")
    assert (statuses(run)["slow"], calls.saw("end"), "rest" in calls.names) == ("completed", [None], False)


@pytest.mark.spec("RUN-3")
def test_stop_in_a_branch_ends_the_workflow(db, drive, calls):
    """A step's `stop` in a branch ends the workflow: branches that have not begun never begin, and what it handed on is the content."""
    halt = Step("halt", calls.does("halt", StepOutput("out", stop=True)))
    workflow = Workflow("flow", [Parallel(halt, calls.does("late"), max_concurrency=1), calls.does("end")], db)
    run = drive.run(workflow)
    assert (run.status, run.content, calls.names) == (RunStatus.completed, "out", ["halt"])


@pytest.mark.spec("RUN-3", "PAR-3")
def test_stop_waits_for_what_flies_and_not_for_people(db, drive, calls):
    """What flies when a branch says stop is journaled; a question that is open beside it is cancelled with the rest."""
    halted = Event()
    halt = after(calls, "halt", None, halted, StepOutput("out", stop=True))
    gate = Step("gate", calls.does("gate"), requires_confirmation=True)
    workflow = Workflow("flow", [Parallel(gate, halt, after(calls, "slow", halted))], db)
    run = drive.run(workflow)
    assert (run.status, run.content, statuses(run)["slow"]) == (RunStatus.completed, "out", "completed")
    assert (statuses(run)["gate"], workflow.list_pauses()) == ("cancelled", [])


@pytest.mark.spec("CANCEL-1", "PAR-4")
def test_cancelling_while_branches_fly(db, drive, calls):
    """A cancellation is heeded at the next boundary: what flies ends, nothing more begins, and the run is cancelled."""
    entered, release = Barrier(3), Event()

    def work(step_input):
        calls.note(step_input.step_name, step_input)
        entered.wait(PATIENCE)
        assert release.wait(PATIENCE)

    workflow = Workflow("flow", [Parallel([Step("a", work), calls.does("more")], Step("b", work))], db)
    running = Thread(target=lambda: Drive(drive.colour).run(workflow, run_id="r"))
    running.start()
    try:
        entered.wait(PATIENCE)
        assert workflow.cancel_run("r", by="ann")
    finally:
        release.set()
        running.join(PATIENCE)
    run = workflow.get_run_output("r")
    assert (run.status, sorted(calls.names), workflow.cancel_run("r")) == (RunStatus.cancelled, ["a", "b"], False)


@pytest.mark.spec("ERR-9", "CRASH-2")
@pytest.mark.parametrize("on_interrupt", ["pause", "retry"])
def test_an_interruption_stops_all_branches(db, drive, calls, on_interrupt):
    """KeyboardInterrupt in one branch comes out; every call in flight is recorded as interrupted, and the run can be continued."""
    entered, release = Event(), Event()

    def stubborn(step_input):
        first = calls.note("stubborn", step_input) == 0
        entered.set()
        assert not first or release.wait(PATIENCE)
        return "stubborn"

    def interrupted(step_input):
        if calls.note("interrupted", step_input) == 0:
            assert entered.wait(PATIENCE)
            Thread(target=release.set).start()
            raise KeyboardInterrupt
        return "interrupted"

    branches = [Step("stubborn", stubborn, on_interrupt=on_interrupt), Step("interrupted", interrupted, on_interrupt=on_interrupt)]
    workflow = Workflow("flow", [Parallel(*branches)], db)
    with pytest.raises(KeyboardInterrupt):
        drive.run(workflow, run_id="r")
    run = workflow.get_run_output("r")
    assert run.status is (RunStatus.paused if on_interrupt == "pause" else RunStatus.running)
    assert "interrupt" in triggers(workflow, "r", "parallel/interrupted")
    if on_interrupt == "pause":
        assert {each.kind for each in run.requirements} == {"interrupted"}
        confirm_all(run)
    run = drive.finish(workflow, drive.resume(workflow, run), confirm_all)
    assert (run.status, run.content) == (RunStatus.completed, {"stubborn": "stubborn", "interrupted": "interrupted"})


@pytest.mark.spec("CONT-3", "CRASH-1")
@pytest.mark.parametrize("colour", ["stream", "async stream"])
def test_a_stream_that_is_left_while_calls_fly(db, calls, colour):
    """Left while a call is in flight, the run is free at once: it is continued, what was over is not called again, and it completes."""
    release = Event()
    branches = [after(calls, "quick"), after(calls, "slow", release), calls.does("late")]
    workflow = Workflow("flow", [Parallel(*branches, max_concurrency=2)], db)

    async def leave():
        stream = workflow.arun("x", run_id="r", stream=True)
        async for event in stream:
            if isinstance(event, StepOutputEvent):
                break
        release.set()
        await stream.aclose()

    if colour == "stream":
        stream = workflow.run("x", run_id="r", stream=True)
        while not isinstance(next(stream), StepOutputEvent):
            pass
        release.set()
        stream.close()
    else:
        asyncio.run(leave())
    assert workflow.get_run_output("r").status is RunStatus.running
    run = Drive("sync").resume(workflow, run_id="r")
    assert (run.status, run.content) == (RunStatus.completed, {"quick": "quick", "slow": "slow", "late": "late"})
    assert calls.names.count("quick") == 1


@pytest.mark.spec("RUN-8", "PAR-5")
def test_branches_share_the_session_state(db, drive):
    """What each branch changed in the session state is kept, whoever was first; a failed attempt's change is not."""

    def mark(step_input, run_context):
        run_context.session_state[f"{step_input.step_name}{step_input.attempt}"] = run_context.session_state.pop("base", None)
        if step_input.attempt == 0 and step_input.step_name == "b":
            raise OSError("b")

    branches = [Step(name, mark, max_retries=1) for name in "abc"]
    run = drive.run(Workflow("flow", [Parallel(*branches)], db), session_state={"kept": 1})
    assert run.session_state == {"kept": 1, "a0": None, "b1": None, "c0": None}


INSIDE = ["steps", "condition", "else", "loop", "router", "parallel", "workflow", "step of a workflow"]


def inside(kind, step, calls):
    """A component of each kind with this step inside."""
    return {
        "steps": lambda: Steps("outer", [step]),
        "condition": lambda: Condition("outer", [step]),
        "else": lambda: Condition("outer", [calls.does("if")], [step], evaluator=False),
        "loop": lambda: Loop("outer", [step], max_iterations=1),
        "router": lambda: Router("outer", [step, calls.does("other")], lambda _: step.name),
        "parallel": lambda: Parallel(step, name="outer"),
        "workflow": lambda: Workflow("outer", [step]),
        "step of a workflow": lambda: Step("outer", workflow=Workflow("inner", [step])),
    }[kind]()


@pytest.mark.spec("CONF-7", "NEST-1", "CONF-5")
@pytest.mark.parametrize("kind", INSIDE)
@pytest.mark.parametrize("around", ["nothing", "parallel", "loop", "workflow"])
@pytest.mark.parametrize("answer", ["confirm", "reject"])
def test_a_gate_holds_at_every_depth(db, drive, calls, kind, around, answer):  # noqa: PLR0913  # one for each question
    """A gate inside any component inside any other is asked by its address, and holds: confirmed it runs, rejected it never does."""
    component = inside(kind, Step("gate", calls.does("gate"), requires_confirmation=True), calls)
    if around != "nothing":
        component = {
            "parallel": lambda: Parallel(component, calls.does("beside"), name="top"),
            "loop": lambda: Loop("top", [component], max_iterations=1),
            "workflow": lambda: Workflow("top", [component]),
        }[around]()
    workflow = Workflow("flow", [component, calls.does("end")], db)
    run = drive.run(workflow)
    [asked] = run.step_requirements
    assert (asked.step_name, asked.address.split("/")[-1], "gate" in calls.names) == ("gate", "gate", False)
    assert asked.address.startswith("outer/" if around == "nothing" else "top/outer/")
    asked.decide(answer)
    run = drive.resume(workflow, run)
    assert (run.status, calls.names.count("gate")) == (RunStatus.completed, int(answer == "confirm"))


@pytest.mark.spec("SKIP-2", "CONF-3")
@pytest.mark.parametrize("kind", INSIDE)
def test_what_was_not_entered_is_transparent(db, drive, calls, kind):
    """A rejected group of any kind lets the content before it through; a step that runs a workflow is a step."""
    if kind in ("else", "workflow"):
        return  # a bare workflow has no gate, and an else is no component of its own
    work = Step("work", calls.does("work"))
    settings: Any = {"requires_confirmation": True, "on_reject": "skip"}
    component: Any = {
        "steps": lambda: Steps("outer", [work], **settings),
        "condition": lambda: Condition("outer", [work], [calls.does("else")], **settings),
        "loop": lambda: Loop("outer", [work], **settings),
        "router": lambda: Router("outer", [work], lambda _: "work", **settings),
        "parallel": lambda: Parallel(work, name="outer", **settings),
        "step of a workflow": lambda: Step("outer", workflow=Workflow("inner", [work]), **settings),
    }[kind]()
    workflow = Workflow("flow", [calls.does("first"), component, calls.does("end")], db)
    run = drive.run(workflow)
    run.step_requirements[0].reject()
    run = drive.resume(workflow, run)
    assert calls.saw("end") == [None if kind == "step of a workflow" else "first"]
    assert (statuses(run)["outer"], calls.names) == ("skipped", ["first", "end"])
