"""SKIP: what a skip leaves behind, in every store and colour."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, Step, Steps, Workflow
from statecore.errors import UnknownStep
from tests.conformance.drive import flat


def no_to_all(run):
    """A person rejects what asks, and skips what failed."""
    for asked in run.steps_requiring_confirmation:
        asked.reject("no")
    for failed in run.steps_with_errors:
        failed.skip()


def skipped_step(cause, calls) -> Any:
    """A step that ends as skipped, by each cause there is."""
    error = OSError("x")
    inner = Workflow("inner", [calls.does("inside")])
    return {
        "a person skipped its error": lambda: Step("it", calls.does("it", error), on_error="pause"),
        "its error policy": lambda: Step("it", calls.does("it", error), on_error="skip"),
        "rejected": lambda: Step("it", calls.does("it"), requires_confirmation=True),
        "rejected, and it runs a workflow": lambda: Step("it", workflow=inner, requires_confirmation=True),
    }[cause]()


@pytest.mark.spec("SKIP-1", "SKIP-3", "SKIP-4")
@pytest.mark.parametrize(
    "cause", ["a person skipped its error", "its error policy", "rejected", "rejected, and it runs a workflow"]
)
def test_after_a_skipped_step_the_previous_content_is_none(db, drive, calls, cause):
    """Whatever the cause, the next step sees None; the skipped one is recorded with its reason and no content, by name too."""
    looked: list[Any] = []

    def end(step_input):
        looked.append((step_input.previous_step_content, step_input.get_step_content("it"), step_input.get_step_content("a")))
        looked.append(step_input.get_step_output("it"))

    workflow = Workflow("flow", [calls.does("a"), skipped_step(cause, calls), end], db)
    run = drive.finish(workflow, drive.run(workflow), no_to_all)
    assert looked[0] == (None, None, "a")
    for output in (looked[1], flat(run.step_results)["it"]):
        assert (output.status, output.content) == ("skipped", None)
        assert output.reason


def unentered(cause, calls) -> Any:
    """A branching or grouping component that is never entered, by each cause there is."""
    return {
        "condition not taken": lambda: Condition("it", [calls.does("x")], evaluator=False),
        "condition rejected": lambda: Condition(
            "it", [calls.does("x")], [calls.does("y")], requires_confirmation=True, on_reject="skip"
        ),
        "no else to take": lambda: Condition("it", [calls.does("x")], requires_confirmation=True),
        "steps rejected": lambda: Steps("it", [calls.does("x")], requires_confirmation=True),
    }[cause]()


@pytest.mark.spec("SKIP-2", "SKIP-3")
@pytest.mark.parametrize("cause", ["condition not taken", "condition rejected", "no else to take", "steps rejected"])
def test_a_component_that_was_not_entered_is_transparent(db, drive, calls, cause):
    """The previous content flows through it, also where it stands inside another; it is recorded as skipped, with its reason."""
    workflow = Workflow("flow", [calls.does("a"), unentered(cause, calls), calls.does("end")], db)
    run = drive.finish(workflow, drive.run(workflow), no_to_all)
    assert calls.seen == [("a", None), ("end", "a")]
    skipped = flat(run.step_results)["it"]
    assert (skipped.status, skipped.content) == ("skipped", None)
    assert skipped.reason
    inside = Workflow("flow", [calls.does("a"), Steps("group", [unentered(cause, calls)]), calls.does("end")], db)
    drive.finish(inside, drive.run(inside), no_to_all)
    assert calls.saw("end") == ["a", "a"]


@pytest.mark.spec("SKIP-2")
@pytest.mark.parametrize("kind", ["steps", "condition", "workflow"])
def test_an_empty_component_hands_on_what_was_there(db, drive, calls, kind):
    """A component that is entered and has nothing inside completes, and the previous content flows through."""
    empty: Any = {
        "steps": lambda: Steps("it", []),
        "condition": lambda: Condition("it", []),
        "workflow": lambda: Workflow("it", []),
    }[kind]()
    run = drive.run(Workflow("flow", [calls.does("a"), empty, calls.does("end")], db))
    assert calls.saw("end") == ["a"]
    assert flat(run.step_results)["it"].status == "completed"


@pytest.mark.spec("SKIP-2")
@pytest.mark.parametrize("kind", ["steps", "condition", "workflow", "step of a workflow"])
@pytest.mark.parametrize("by", ["policy", "person"])
def test_a_component_left_by_an_error_gives_none(db, drive, calls, kind, by):
    """One that was entered and then left by an error policy is not transparent: what follows sees None."""
    children, policy = [calls.does("done"), calls.does("bad", OSError("x"))], {"policy": "skip", "person": "pause"}[by]
    component: Any = {
        "steps": lambda: Steps("it", children, on_error=policy),
        "condition": lambda: Condition("it", children, on_error=policy),
        "workflow": lambda: Steps("around", [Workflow("it", children)], on_error=policy),
        "step of a workflow": lambda: Step("it", workflow=Workflow("inner", children), on_error=policy),
    }[kind]()
    workflow = Workflow("flow", [calls.does("a"), component, calls.does("end")], db)
    run = drive.finish(workflow, drive.run(workflow), no_to_all)
    assert calls.saw("end") == [None]
    assert flat(run.step_results)["it"].status == "skipped"


@pytest.mark.spec("SKIP-2", "SKIP-1")
def test_skips_inside_a_component_follow_the_same_rule(db, drive, calls):
    """What a component hands on is what its last child shows: None after a skipped step, the content before a skipped group."""
    group = Steps("group", [calls.does("b"), Step("bad", calls.does("bad", OSError()), on_error="skip")])
    drive.run(Workflow("flow", [group, calls.does("end")], db))
    group = Steps("group", [calls.does("b"), Condition("fork", [calls.does("x")], evaluator=False)])
    drive.run(Workflow("flow", [group, calls.does("end")], db))
    assert calls.saw("end") == [None, "b"]


@pytest.mark.spec("SKIP-3")
def test_reasons_tell_the_causes_apart(db, drive, calls):
    """The reason of a skip says whether a person rejected it, a person skipped its error, a policy did, or it was not taken."""
    steps: list[Any] = [
        Step("rejected", calls.does("x"), requires_confirmation=True),
        Step("skipped", calls.does("x", OSError()), on_error="pause"),
        Step("policy", calls.does("x", OSError()), on_error="skip"),
        Condition("not taken", [calls.does("x")], evaluator=False),
        Steps("left", [Step("inside", calls.does("x", OSError()))], on_error="skip"),
    ]
    workflow = Workflow("flow", steps, db)
    run = drive.finish(workflow, drive.run(workflow), no_to_all)
    outputs = flat(run.step_results)
    reasons = [outputs[step.name].reason for step in steps]
    assert len(set(reasons)) == len(reasons)
    assert all(outputs[step.name].content is None for step in steps)


@pytest.mark.spec("SKIP-4")
def test_earlier_outputs_stay_reachable_by_name(db, drive, calls):
    """After a skip a step finds what earlier steps handed on: by name, as the last content, and all together."""
    looked: dict[str, Any] = {}

    def end(step_input):
        looked.update(
            a=step_input.get_step_content("a"),
            inside=step_input.get_step_content("inside"),
            group=step_input.get_step_content("group"),
            last=step_input.get_last_step_content(),
            everything=step_input.get_all_previous_content(),
            names=list(step_input.previous_step_outputs),
        )

    bad = Step("bad", calls.does("bad", OSError()), on_error="skip")
    drive.run(Workflow("flow", [calls.does("a", "A"), Steps("group", [calls.does("inside", "I")]), bad, end], db))
    assert looked["names"] == ["a", "group", "inside", "bad"]
    assert (looked["a"], looked["inside"], looked["group"], looked["last"]) == ("A", "I", "I", "I")
    assert looked["everything"].index("A") < looked["everything"].index("I")
    assert "bad" not in looked["everything"]


@pytest.mark.spec("SKIP-4")
def test_a_name_that_has_not_run_gives_none(db, drive, calls):
    """A step that is still to come has no content and no output."""

    def look(step_input):
        return (step_input.get_step_content("later"), step_input.get_step_output("later"))

    workflow = Workflow("flow", [look, Step("later", calls.does("later"), requires_confirmation=True)], db)
    assert flat(drive.run(workflow).step_results)["look"].content == (None, None)


@pytest.mark.spec("GATE-3", "SKIP-4")
@pytest.mark.parametrize("look_up", ["get_step_content", "get_step_output"])
def test_a_name_that_no_component_has_is_an_error(db, drive, calls, look_up):
    """A misspelt name is `UnknownStep` with the nearest name; a step that was left out, in whatever branch, gives None."""

    def look(step_input):
        return getattr(step_input, look_up)("reserch")

    def left_out(step_input):
        return getattr(step_input, look_up)("other") is None

    fork = Condition("fork", [calls.does("research")], [calls.does("other")])
    run = drive.run(Workflow("flow", [fork, left_out, Step("look", look, on_error="pause")], db))
    assert flat(run.step_results)["left_out"].content is True
    [error] = run.steps_with_errors
    assert (error.step_name, error.error_type) == ("look", "UnknownStep")
    assert "'reserch'. Did you mean 'research'?" in error.error_message


@pytest.mark.spec("GATE-3")
def test_the_workflow_itself_is_no_step(db, drive, calls):
    """The name of the run is none of a component; that of a nested workflow is."""
    inner = Workflow("inner", [calls.does("a", "A")])
    run = drive.run(Workflow("flow", [inner, lambda step_input: step_input.get_step_content("inner")], db))
    assert run.content == "A"
    with pytest.raises(UnknownStep, match="'flow'"):
        drive.run(Workflow("flow", [inner, lambda step_input: step_input.get_step_content("flow")], db))
