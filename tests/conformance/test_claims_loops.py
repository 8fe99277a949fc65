"""LOOP, ROUTE: what goes round, and who chooses where to go, in every store and colour."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Loop, Router, RunStatus, Step, StepOutput, Steps, Workflow
from statecore.errors import InvalidInput
from statecore.run.workflow import (
    LoopExecutionCompletedEvent,
    LoopExecutionStartedEvent,
    LoopIterationCompletedEvent,
    LoopIterationStartedEvent,
    RouterExecutionCompletedEvent,
    RouterExecutionStartedEvent,
    RouterPausedEvent,
    StepOutputReviewEvent,
)
from tests.conformance.drive import flat, statuses


def counted(calls, name="work"):
    """User code that hands on its count, with the feedback that it was given."""

    def work(step_input):
        return [calls.note(name, step_input), step_input.additional_data.get("rejection_feedback"), step_input.input]

    return work


@pytest.mark.spec("LOOP-1", "LAW-9")
@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_loop_goes_round_and_ends(db, drive, calls, most):
    """Without an end condition a loop runs `max_iterations` times, hands on its last content, and tells each turn."""
    workflow = Workflow("flow", [Loop("loop", [Step("work", counted(calls))], max_iterations=most), calls.does("end")], db)
    run = drive.run(workflow)
    assert (run.status, calls.saw("end")) == (RunStatus.completed, [[most - 1, None, "input"]])
    assert calls.names == ["work"] * most + ["end"]
    if drive.streams:
        assert [event.max_iterations for event in drive.heard(LoopExecutionStartedEvent)] == [most]
        assert [event.iteration for event in drive.heard(LoopIterationStartedEvent)] == list(range(1, most + 1))
        over = [(event.iteration, event.should_continue) for event in drive.heard(LoopIterationCompletedEvent)]
        assert over == [(number, number < most) for number in range(1, most + 1)]
        assert [event.total_iterations for event in drive.heard(LoopExecutionCompletedEvent)] == [most]


@pytest.mark.spec("LOOP-1")
def test_the_end_condition_sees_the_iteration(db, drive, calls):
    """The end condition is called with the outputs of the iteration alone, and is not asked after the last one."""

    def enough(outputs):
        calls.seen.append(("enough", [(output.step_name, output.content) for output in outputs]))
        return len(calls.saw("enough")) == 2

    inside = [Step("a", calls.does("a", 1, 2, 3)), Step("b", calls.does("b"))]
    twice = Loop("twice", [Step("c", calls.does("c"))], max_iterations=2, end_condition=enough)
    workflow = Workflow("flow", [Loop("loop", inside, max_iterations=9, end_condition=enough), twice], db)
    run = drive.run(workflow)
    assert calls.saw("enough") == [[("a", 1), ("b", "b")], [("a", 2), ("b", "b")], [("c", "c")]]
    assert (run.content, calls.names.count("a"), calls.names.count("c")) == ("c", 2, 2)


@pytest.mark.spec("LOOP-1", "RUN-3")
@pytest.mark.parametrize("inside", ["loop", "router", "loop in a nested workflow"])
def test_stop_in_a_loop_ends_the_workflow(db, drive, calls, inside):
    """A step's `stop` ends its workflow, not the loop or the router that it stands in; a nested one ends alone."""
    work = Step("work", calls.does("work", 0, StepOutput("halt", stop=True)))
    loop = Loop("loop", [work, calls.does("rest")], max_iterations=5)
    component: Any = {
        "loop": lambda: loop,
        "router": lambda: Router("router", [Steps("both", [loop]), calls.does("other")], lambda _: ["both", "other"]),
        "loop in a nested workflow": lambda: Workflow("nested", [loop, calls.does("other")]),
    }[inside]()
    run = drive.run(Workflow("flow", [component, calls.does("end")], db))
    ended = ["work", "rest", "work"]
    nested = inside.endswith("workflow")
    assert (run.status, calls.names) == (RunStatus.completed, [*ended, "end"] if nested else ended)
    assert (run.content, calls.saw("end")) == (("end", ["halt"]) if nested else ("halt", []))
    assert set(statuses(run).values()) == {"completed"}


@pytest.mark.spec("LOOP-2")
@pytest.mark.parametrize("forwards", [True, False])
def test_what_the_next_iteration_sees(db, drive, calls, forwards):
    """With `forward_iteration_output` an iteration begins with the last content, else with what was before the loop; the input stays."""
    loop = Loop(
        "loop", [Step("work", counted(calls)), Step("last", calls.does("last", 1, 2, 3))], forward_iteration_output=forwards
    )
    run = drive.run(Workflow("flow", [calls.does("first"), loop], db))
    assert calls.saw("work") == ["first", *([1, 2] if forwards else ["first", "first"])]
    assert calls.saw("last") == [[number, None, "input"] for number in range(3)]
    assert run.content == 3


@pytest.mark.spec("LOOP-3", "LAW-9")
@pytest.mark.parametrize("forwards", [True, False])
def test_a_review_of_each_iteration(db, drive, calls, forwards):
    """A rejected result goes round again with the feedback, a confirmed one is the loop's; the last possible one is not asked about."""
    settings: Any = {"requires_iteration_review": True, "iteration_review_message": "Enough?", "on_reject": "retry"}
    loop = Loop("loop", [Step("work", counted(calls))], 3, forward_iteration_output=forwards, **settings)
    workflow = Workflow("flow", [loop, calls.does("end")], db)
    run = drive.run(workflow)
    [asked] = run.steps_requiring_output_review
    assert (asked.kind, asked.output_review_message, asked.step_output.content) == (
        "iteration_review",
        "Enough?",
        [0, None, "input"],
    )
    if drive.streams:
        assert [(e.kind, e.pause_id) for e in drive.heard(StepOutputReviewEvent)] == [("iteration_review", asked.pause_id)]
    asked.reject("more")
    again = drive.resume(workflow, run)
    assert again.step_requirements[0].step_output.content == [1, "more", "input"]
    again.step_requirements[0].reject("yet more")
    done = drive.resume(workflow, again)
    assert (done.status, calls.saw("end")) == (RunStatus.completed, [[2, "yet more", "input"]])
    accepted = drive.run(workflow)
    accepted.step_requirements[0].confirm()
    assert drive.resume(workflow, accepted).status is RunStatus.completed
    assert calls.saw("end")[1] == [3, None, "input"]


@pytest.mark.spec("LOOP-3", "SKIP-2")
@pytest.mark.parametrize("on_reject", [None, "skip", "cancel"])
def test_a_rejected_loop_is_given_up(db, drive, calls, on_reject):
    """A rejected result is discarded: the loop is skipped and transparent, or the run is cancelled."""
    loop = Loop("loop", [calls.does("work")], requires_iteration_review=True, on_reject=on_reject)
    workflow = Workflow("flow", [calls.does("first"), loop, calls.does("end")], db)
    run = drive.run(workflow)
    run.step_requirements[0].reject()
    run = drive.resume(workflow, run)
    cancelled = on_reject == "cancel"
    assert (statuses(run)["loop"], calls.names.count("work")) == ("cancelled" if cancelled else "skipped", 1)
    assert calls.saw("end") == ([] if cancelled else ["first"])


@pytest.mark.spec("LOOP-3", "LOOP-1")
def test_the_end_condition_is_asked_before_the_person(db, drive, calls):
    """Where the end condition holds nobody is asked; where it does not, a person is."""
    loop = Loop("loop", [calls.does("work")], 5, lambda _: len(calls.names) > 1, requires_iteration_review=True, on_reject="retry")
    workflow = Workflow("flow", [loop], db)
    run = drive.run(workflow)
    run.step_requirements[0].reject()
    assert (drive.resume(workflow, run).status, calls.names) == (RunStatus.completed, ["work", "work"])


@pytest.mark.spec("LOOP-3", "SKIP-1")
def test_a_loop_of_nothing_but_skipped_steps(db, drive, calls):
    """An iteration that handed nothing on is reviewed and confirmed like another; what follows sees None."""
    bad = Step("bad", calls.does("bad", OSError()), on_error="skip")
    loop = Loop("loop", [bad], end_condition=lambda outputs: len(outputs) > 1, requires_iteration_review=True)
    workflow = Workflow("flow", [calls.does("first"), loop, calls.does("end")], db)
    run = drive.run(workflow)
    assert run.step_requirements[0].step_output.content is None
    run.step_requirements[0].confirm()
    run = drive.resume(workflow, run)
    assert (run.status, calls.saw("end")) == (RunStatus.completed, [None])


@pytest.mark.spec("CONF-8", "CONF-7")
def test_every_iteration_asks_anew(db, drive, calls):
    """A gate in a loop is asked in each iteration, under a name of its own; the answers are independent."""
    workflow = Workflow("flow", [Loop("loop", [Step("gate", calls.does("gate"), requires_confirmation=True)], 3)], db)
    run, names = drive.run(workflow), []
    for answer in ("confirm", "reject", "confirm"):
        [asked] = run.step_requirements
        names.append(asked.pause_id)
        asked.decide(answer)
        run = drive.resume(workflow, run)
    assert (run.status, calls.names, len(set(names))) == (RunStatus.completed, ["gate", "gate"], 3)


# -- routers -----------------------------------------------------------------------------------------------------------------------


def routed(calls, **settings):
    """A router of three choices, one of them a list, where a person chooses; with what is around it."""
    choices = [calls.does("p"), Step("q", calls.does("q")), [calls.does("r"), calls.does("s")]]
    return [calls.does("first"), Router("router", choices, requires_user_input=True, **settings), calls.does("end")]


@pytest.mark.spec("ROUTE-1", "ROUTE-5", "LAW-3")
def test_a_person_is_asked_for_a_route(db, drive, calls):
    """A router with user input offers the names of its choices, a list among them as one, and runs what is chosen."""
    workflow = Workflow("flow", routed(calls, user_input_message="Where?"), db)
    run = drive.run(workflow)
    [asked] = run.steps_requiring_route
    assert (asked.kind, asked.available_choices, asked.user_input_message) == ("route", ["p", "q", "r+s"], "Where?")
    assert calls.names == ["first"]
    if drive.streams:
        [told] = drive.heard(RouterPausedEvent)
        assert (told.pause_id, told.available_choices, told.user_input_message) == (asked.pause_id, ("p", "q", "r+s"), "Where?")
    asked.select_single("r+s", by="ann")
    assert asked.selected_choices == ["r+s"]
    run = drive.resume(workflow, run)
    assert (calls.names, calls.saw("r"), calls.saw("end")) == (["first", "r", "s", "end"], ["first"], ["s"])
    if drive.streams:
        assert [event.selected_steps for event in drive.heard(RouterExecutionStartedEvent)] == [("r+s",)]
        assert len(drive.heard(RouterExecutionCompletedEvent)) == 1


@pytest.mark.spec("ROUTE-1", "CONF-3", "CONF-4")
@pytest.mark.parametrize("on_reject", [None, "cancel"])
def test_a_route_may_be_refused(db, drive, calls, on_reject):
    """Instead of choosing a person may reject: nothing of the router runs."""
    workflow = Workflow("flow", routed(calls, on_reject=on_reject), db)
    run = drive.run(workflow)
    run.step_requirements[0].reject()
    run = drive.resume(workflow, run)
    assert calls.names == (["first"] if on_reject else ["first", "end"])
    assert calls.saw("end") == ([] if on_reject else ["first"])


@pytest.mark.spec("ROUTE-1")
def test_a_question_is_as_long_as_its_definition(db, calls):
    """What a person is shown is the definition's, not a value: names that are together longer than any value may be are offered, and run."""
    names = ["x" * 600_000, "y" * 600_000]
    workflow = Workflow("flow", [Router("r", [Step(name, calls.does(name[0])) for name in names], requires_user_input=True)], db)
    run = workflow.run()
    [asked] = run.steps_requiring_route
    assert asked.available_choices == names
    asked.select(names[1])
    assert workflow.continue_run(run).content == "y"


@pytest.mark.spec("ROUTE-2")
@pytest.mark.parametrize("choices", [[], ["nowhere"], ["p", "p"], ["p", "q"], "P", None], ids=repr)
def test_a_wrong_selection_is_refused_when_made(db, drive, calls, choices):
    """Nothing, an unknown name, one twice, or several where one is asked for: refused on the requirement and in the store."""
    workflow = Workflow("flow", routed(calls), db)
    run = drive.run(workflow)
    [asked] = run.step_requirements
    with pytest.raises(InvalidInput):
        asked.select(*([choices] if isinstance(choices, str) else choices or []))
    with pytest.raises(InvalidInput):
        workflow.decide(run.run_id, asked.pause_id, "select", value=choices)
    assert (asked.is_resolved, db.decisions(run.run_id), calls.names) == (False, [], ["first"])


@pytest.mark.spec("ROUTE-3", "ROUTE-5")
@pytest.mark.parametrize("by", ["person", "selector", "component"])
def test_several_choices_run_in_the_order_chosen(db, drive, calls, by):
    """Whoever chooses several sees them run in that order, each after the other's content."""
    q = Step("q", calls.does("q"))
    choices = [calls.does("p"), q, [calls.does("r"), calls.does("s")]]
    who: dict[str, dict[str, Any]] = {
        "person": {"requires_user_input": True, "allow_multiple_selections": True},
        "selector": {"selector": lambda _: ("r+s", "q", "p")},
        "component": {"selector": lambda _: [Steps("r+s", [q]), q, Step("p", calls.does("p"))]},
    }
    workflow = Workflow("flow", [calls.does("first"), Router("router", choices, **who[by])], db)
    run = drive.run(workflow)
    if by == "person":
        run.step_requirements[0].select_multiple(["r+s", "q", "p"])
        run = drive.resume(workflow, run)
    assert (run.content, calls.names, calls.saw("q")) == ("p", ["first", "r", "s", "q", "p"], ["s"])


@pytest.mark.spec("ROUTE-4")
def test_confirmation_comes_before_the_route(db, drive, calls):
    """A router with both asks whether, then where; a rejection at the gate asks nothing more."""
    workflow = Workflow("flow", routed(calls, requires_confirmation=True), db)
    run, other = drive.run(workflow), drive.run(workflow)
    assert run.pause_kind == "confirmation"
    run.step_requirements[0].confirm()
    run = drive.resume(workflow, run)
    assert (run.pause_kind, calls.names) == ("route", ["first", "first"])
    run.step_requirements[0].select("q")
    assert drive.resume(workflow, run).status is RunStatus.completed
    other.step_requirements[0].reject()
    assert drive.resume(workflow, other).status is RunStatus.completed
    assert calls.names == ["first", "first", "q", "end", "end"]


@pytest.mark.spec("SKIP-2")
@pytest.mark.parametrize("answer", [None, []])
def test_a_router_with_nothing_to_run_is_transparent(db, drive, calls, answer):
    """A selector that chooses nothing lets the content before it through."""
    workflow = Workflow("flow", [calls.does("first"), Router("r", [calls.does("p")], lambda _: answer), calls.does("end")], db)
    run = drive.run(workflow)
    assert (statuses(run)["r"], calls.saw("end")) == ("skipped", ["first"])


@pytest.mark.spec("ERR-10")
@pytest.mark.parametrize("policy", ["fail", "skip", "pause"])
@pytest.mark.parametrize("what", ["selector", "unknown choice", "end condition"])
def test_what_decides_may_fail(db, drive, calls, what, policy):
    """A selector or end condition that raises, or a choice that is none, is an error of its component, under its policy."""
    asked: list[object] = []

    def decide(_):
        asked.append(1)
        if len(asked) > 1:
            return "p" if what != "end condition" else True
        if what == "unknown choice":
            return "nowhere"
        raise OSError(what)

    component = (
        Loop("c", [calls.does("p")], 2, decide, on_error=policy)
        if what == "end condition"
        else Router("c", [calls.does("p")], decide, on_error=policy)
    )
    workflow = Workflow("flow", [component, calls.does("end")], db)
    if policy == "fail":
        with pytest.raises((OSError, ValueError)):
            drive.run(workflow, run_id="r")
        run = drive.resume(workflow, run_id="r", retry_failed=True)
    else:
        run = drive.run(workflow)
    if policy == "pause":
        [failed] = run.steps_with_errors
        assert (failed.step_name, failed.retry_count) == ("c", 0)
        failed.retry()
        run = drive.resume(workflow, run)
    assert (run.status, calls.names.count("p")) == (RunStatus.completed, 0 if policy == "skip" and what != "end condition" else 1)
    assert (calls.saw("end"), len(asked)) == (([None], 1) if policy == "skip" else (["p"], 2))


@pytest.mark.spec("REV-4", "LAW-9")
@pytest.mark.parametrize("by", ["person", "selector"])
def test_a_rejected_route_is_chosen_again(db, drive, calls, by):
    """`retry` on a router's output asks the person again who chose, or calls the selector again; gates inside ask anew."""
    who: dict[str, Any] = {"requires_user_input": True} if by == "person" else {"selector": lambda _: choose()}
    gated = Step("p", calls.does("p"), requires_confirmation=True)

    def choose():
        calls.seen.append(("choose", None))
        return "p" if calls.names.count("choose") < 3 else "q"

    router = Router("router", [gated, calls.does("q")], requires_output_review=True, on_reject="retry", hitl_max_retries=2, **who)
    workflow = Workflow("flow", [router, calls.does("end")], db)
    run, kinds = drive.run(workflow), []
    while run.is_paused:
        [asked] = run.step_requirements
        kinds.append(asked.kind)
        if asked.kind == "route":
            asked.select("p" if kinds.count("route") < 3 else "q")
        elif asked.kind == "confirmation":
            asked.confirm()
        else:
            asked.reject("other") if kinds.count("output_review") < 3 else asked.confirm()
        run = drive.resume(workflow, run)
    route = ["route"] if by == "person" else []
    assert kinds == [*route, "confirmation", "output_review", *route, "confirmation", "output_review", *route, "output_review"]
    assert (run.content, calls.saw("end"), flat(run.step_results)["router"].content) == ("end", ["q"], "q")


@pytest.mark.spec("REV-4", "REV-1", "ERR-4")
def test_a_selector_hears_why_it_is_asked_again(db, drive, calls):
    """The feedback of a rejection is there when the selector is called again, and after it has failed and been retried as well."""
    heard: list[Any] = []

    def choose(step_input):
        heard.append([step_input.additional_data.get(each) for each in ("rejection_feedback", "previous_output")])
        if len(heard) == 2:
            raise OSError("for a while")
        return "p"

    router = Router("way", [calls.does("p")], choose, requires_output_review=True, on_reject="retry", on_error="pause")
    workflow = Workflow("flow", [router], db)
    run = drive.run(workflow)
    run.step_requirements[0].reject("the other one")
    run = drive.resume(workflow, run)
    run.error_requirements[0].retry()
    run = drive.resume(workflow, run)
    assert heard == [[None, None], ["the other one", "p"], ["the other one", "p"]]
    run.step_requirements[0].reject("no, really")
    run = drive.resume(workflow, run)
    assert heard[-1] == ["no, really", "p"]


@pytest.mark.spec("REV-4", "REV-1", "SKIP-2")
@pytest.mark.parametrize("answer", ["confirm", "edit", "reject"])
def test_a_review_of_what_a_router_hands_on(db, drive, calls, answer):
    """A router's output is kept, replaced, or given up and transparent, whatever was chosen; also where it handed nothing on."""
    bad = Step("bad", calls.does("bad", OSError()), on_error="skip")
    router = Router("router", [bad, calls.does("p")], lambda s: s.input, requires_output_review=True)
    workflow = Workflow("flow", [calls.does("first"), router, calls.does("end")], db)
    for choice, content in (("p", "p"), ("bad", None)):
        run = drive.run(workflow, choice)
        assert run.step_requirements[0].step_output.content == content
        run.step_requirements[0].decide(answer, "edited" if answer == "edit" else None)
        run = drive.resume(workflow, run)
        assert (run.status, calls.saw("end")[-1]) == (
            RunStatus.completed,
            {"confirm": content, "edit": "edited", "reject": "first"}[answer],
        )


@pytest.mark.spec("ERR-7")
@pytest.mark.parametrize("policy", ["skip", "pause"])
@pytest.mark.parametrize("kind", ["loop", "router"])
def test_a_loop_or_router_is_left_as_a_unit(db, drive, calls, kind, policy):
    """Its error policy leaves the whole of it, not the failed step alone; a retry runs that step again and goes on inside."""
    inside = [calls.does("a"), Step("bad", calls.does("bad", OSError("x"), "good")), calls.does("rest")]
    component: Any = (
        Loop("unit", inside, 2, on_error=policy)
        if kind == "loop"
        else Router("unit", [inside, calls.does("other")], lambda _: ["a+bad+rest", "other"], on_error=policy)
    )
    workflow = Workflow("flow", [component, calls.does("end")], db)
    run = drive.run(workflow)
    if policy == "pause":
        [failed] = run.steps_with_errors
        assert failed.step_name == "bad"
        failed.retry()
        run = drive.resume(workflow, run)
        again = ["a", "bad", "rest"] if kind == "loop" else ["other"]
        assert calls.names == ["a", "bad", "bad", "rest", *again, "end"]
        return
    assert (calls.names, statuses(run)["unit"], statuses(run)["bad"]) == (["a", "bad", "end"], "skipped", "skipped")
    assert (calls.saw("end"), flat(run.step_results)["a"].content) == ([None], "a")
