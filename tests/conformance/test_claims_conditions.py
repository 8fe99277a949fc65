"""COND, STEPS, NEST: forks and groups, in every store and colour."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, HumanReview, RunStatus, Step, Steps, Workflow
from statecore.errors import DefinitionError, DuplicateNames, NotAComponent
from statecore.run.workflow import ConditionExecutionStartedEvent, StepsExecutionStartedEvent
from tests.conformance.drive import confirm_all, flat, statuses


def fork_of(calls, **settings):
    """A fork of two branches."""
    return Condition("fork", [calls.does("then")], [calls.does("else")], **settings)


def reject_all(run):
    """A person says no."""
    for asked in run.steps_requiring_confirmation:
        asked.reject()


@pytest.mark.spec("COND-1", "COND-4")
@pytest.mark.parametrize("on_reject", [None, "else", "skip", "cancel"])
def test_confirm_runs_steps(db, drive, calls, on_reject):
    """Confirmed, a Condition runs `steps`, whatever its on_reject."""
    fork = fork_of(calls, requires_confirmation=True, on_reject=on_reject)
    workflow = Workflow("flow", [calls.does("a"), fork, calls.does("end")], db)
    run = drive.finish(workflow, drive.run(workflow), confirm_all)
    assert calls.seen == [("a", None), ("then", "a"), ("end", "then")]
    assert statuses(run) == {"a": "completed", "fork": "completed", "then": "completed", "end": "completed"}


@pytest.mark.spec("COND-2", "COND-4", "CONF-5")
@pytest.mark.parametrize(
    ("on_reject", "called", "status"),
    [
        (None, ["a", "else", "end"], "COMPLETED"),
        ("else", ["a", "else", "end"], "COMPLETED"),
        ("skip", ["a", "end"], "COMPLETED"),
        ("cancel", ["a"], "CANCELLED"),
    ],
)
@pytest.mark.parametrize("spelling", ["flat", "human_review"])
def test_reject_goes_by_on_reject(db, drive, calls, on_reject, called, status, spelling):  # noqa: PLR0913  # the matrix
    """Rejected, it runs `else_steps` by default, or is skipped, or cancels the run; the default evaluator, True, is not asked."""
    settings: dict[str, Any] = {"requires_confirmation": True, "on_reject": on_reject}
    fork = fork_of(calls, **(settings if spelling == "flat" else {"human_review": HumanReview(**settings)}))
    workflow = Workflow("flow", [calls.does("a"), fork, calls.does("end")], db)
    run = drive.finish(workflow, drive.run(workflow), reject_all)
    assert (calls.names, run.status.value) == (called, status)
    assert (calls.saw("end") in ([], ["else"])) == (on_reject != "skip")


@pytest.mark.spec("COND-3")
@pytest.mark.parametrize("on_reject", [None, "else"])
def test_without_else_steps_a_rejection_skips(db, drive, calls, on_reject):
    """The else branch of a Condition without one is a skip."""
    fork = Condition("fork", [calls.does("then")], requires_confirmation=True, on_reject=on_reject)
    workflow = Workflow("flow", [calls.does("a"), fork, calls.does("end")], db)
    run = drive.finish(workflow, drive.run(workflow), reject_all)
    assert calls.seen == [("a", None), ("end", "a")]
    assert (flat(run.step_results)["fork"].status, flat(run.step_results)["fork"].reason) == ("skipped", "rejected")


@pytest.mark.spec("COND-5")
@pytest.mark.parametrize(
    "setting",
    ["requires_output_review", "requires_user_input", "requires_iteration_review", "output_review_message", "user_input_message"],
)
@pytest.mark.parametrize("spelling", ["flat", "human_review"])
def test_another_review_on_a_condition_is_refused_by_name(calls, setting, spelling):
    """A Condition supports confirmation only: every other review is refused where it is written, naming the setting."""
    value: Any = True if setting.startswith("requires") else "text"
    with pytest.raises(ValueError, match=setting):
        fork_of(calls, **({setting: value} if spelling == "flat" else {"human_review": HumanReview(**{setting: value})}))


@pytest.mark.spec("COND-6")
@pytest.mark.parametrize(("answer", "branch"), [(True, "then"), (False, "else")])
def test_one_branch_runs_by_the_evaluator(db, drive, calls, answer, branch):
    """The evaluator's answer chooses one branch; it is called once, with the previous content."""
    workflow = Workflow("flow", [calls.does("a"), fork_of(calls, evaluator=calls.does("evaluator", answer)), calls.does("end")], db)
    run = drive.run(workflow)
    assert calls.seen == [("a", None), ("evaluator", "a"), (branch, "a"), ("end", branch)]
    assert list(statuses(run)) == ["a", "fork", branch, "end"]
    started = [event.branch for event in drive.heard(ConditionExecutionStartedEvent)]
    assert started == [{"then": "steps", "else": "else_steps"}[branch]] * drive.streams


@pytest.mark.spec("COND-6")
@pytest.mark.parametrize(("evaluator", "branch"), [(True, "then"), (False, "else")])
def test_an_evaluator_may_be_a_bool(db, drive, calls, evaluator, branch):
    """True and False choose a branch without anything being called."""
    drive.run(Workflow("flow", [fork_of(calls, evaluator=evaluator)], db))
    assert calls.names == [branch]


@pytest.mark.spec("COND-6")
def test_an_evaluator_may_ask_for_the_context(db, drive, calls):
    """An evaluator with a parameter `run_context` sees the session state."""
    fork = fork_of(calls, evaluator=lambda step_input, run_context: run_context.session_state["deep"])
    workflow = Workflow("flow", [fork], db)
    drive.run(workflow, session_state={"deep": True})
    drive.run(workflow, session_state={"deep": False})
    assert calls.names == ["then", "else"]


@pytest.mark.spec("COND-6")
def test_the_evaluator_is_not_asked_again_when_the_branch_resumes(db, drive, calls):
    """A pause inside a branch keeps the choice: continuing does not evaluate again."""
    fork = Condition(
        "fork", [Step("gate", calls.does("gate"), requires_confirmation=True)], evaluator=calls.does("evaluator", True, False)
    )
    workflow = Workflow("flow", [fork], db)
    drive.finish(workflow, drive.run(workflow), confirm_all)
    assert calls.names == ["evaluator", "gate"]


@pytest.mark.spec("STEPS-1")
def test_steps_runs_its_children_in_order_as_one(db, drive, calls):
    """Children run in order, the first with the content before the group, and the group hands on what the last one did."""
    group = Steps("group", [calls.does("b"), calls.does("c")], requires_confirmation=True)
    workflow = Workflow("flow", [calls.does("a"), group, calls.does("end")], db)
    run = drive.finish(workflow, drive.run(workflow), confirm_all)
    assert calls.seen == [("a", None), ("b", "a"), ("c", "b"), ("end", "c")]
    [_, output, _] = run.step_results
    assert (output.step_name, output.content, [inside.step_name for inside in output.steps]) == ("group", "c", ["b", "c"])
    assert [event.step_name for event in drive.heard(StepsExecutionStartedEvent)] == ["group"] * drive.streams


@pytest.mark.spec("NEST-1")
def test_a_nested_workflow_is_a_steps_with_its_own_name(db, drive, calls):
    """A bare nested Workflow and a Steps of its name and children run alike; its own store is not used."""
    children = [calls.does("b"), Step("gate", calls.does("gate"), requires_confirmation=True)]
    inner = Workflow("nested", children)
    results = []
    for component in (inner, Steps("nested", children)):
        workflow = Workflow("flow", [calls.does("a"), component, calls.does("end")], db)
        run = drive.finish(workflow, drive.run(workflow), confirm_all)
        results.append([without_times(output.to_dict()) for output in run.step_results])
    assert results[0] == results[1]
    assert inner.list_runs() == []


def without_times(plain):
    """An output as plain data, but for the instants at which it was decided, and the seconds that it took."""
    decisions = [each | {"time": None} for each in plain["decisions"]]
    return plain | {"metrics": None, "decisions": decisions, "steps": [without_times(each) for each in plain["steps"]]}


@pytest.mark.spec("NEST-1", "CONF-7")
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pause_inside_shows_outside(db, drive, calls, wrapped):
    """What pauses inside a nested workflow is asked of the outer run, at its address, and its session state is the outer one's."""

    def leaf(step_input, run_context):
        run_context.session_state["seen"] = (run_context.workflow_name, step_input.input)
        return calls.note("leaf", step_input)

    inner = Workflow("inner", [Workflow("innermost", [Step("leaf", leaf, requires_confirmation=True, confirmation_message="In?")])])
    nested = Step("wrapper", workflow=inner) if wrapped else inner
    workflow = Workflow("flow", [calls.does("a"), nested, calls.does("end")], db)
    run = drive.run(workflow, "outer")
    [asked] = run.step_requirements
    assert [each.pause_id for each in workflow.list_pauses(run_id=run.run_id)] == [asked.pause_id]
    at = "wrapper/innermost/leaf" if wrapped else "inner/innermost/leaf"
    assert (asked.address, asked.step_name, asked.confirmation_message) == (at, "leaf", "In?")
    confirm_all(run)
    run = drive.resume(workflow, run)
    assert calls.saw("leaf") == ["a"]
    assert run.session_state == {"seen": ("flow", "outer")}


@pytest.mark.spec("NEST-1", "ERR-3")
def test_an_error_inside_is_asked_outside(db, drive, calls):
    """An error that pauses inside a nested workflow is retried from outside; its neighbours do not run again."""
    inner = Workflow("inner", [calls.does("b"), Step("bad", calls.does("bad", OSError("x"), "fine"), on_error="pause")])
    workflow = Workflow("flow", [inner, calls.does("end")], db)
    run = drive.run(workflow)
    assert [(failed.step_name, failed.error_message) for failed in run.steps_with_errors] == [("bad", "x")]
    run = drive.finish(workflow, run, confirm_all)
    assert (calls.names, run.status) == (["b", "bad", "bad", "end"], RunStatus.completed)


@pytest.mark.spec("NEST-1")
@pytest.mark.parametrize("reject", [True, False])
def test_a_step_that_runs_a_workflow_is_gated_as_a_whole(db, drive, calls, reject):
    """`Step(workflow=...)` takes a Step's gate; rejected it is a skipped Step, so what follows sees None."""
    step = Step("whole", workflow=Workflow("inner", [calls.does("b"), calls.does("c")]), requires_confirmation=True)
    workflow = Workflow("flow", [calls.does("a"), step, calls.does("end")], db)
    drive.finish(workflow, drive.run(workflow), reject_all if reject else confirm_all)
    assert calls.seen == ([("a", None), ("end", None)] if reject else [("a", None), ("b", "a"), ("c", "b"), ("end", "c")])


@pytest.mark.spec("NEST-1")
def test_one_workflow_may_stand_in_many_places(db, drive, calls):
    """A nested workflow is no run of its own: twice in one workflow, under different names, each asks for itself."""
    inner = Workflow("inner", [Step("leaf", calls.does("leaf"), requires_confirmation=True)])
    workflow = Workflow("flow", [Step("one", workflow=inner), Step("two", workflow=inner)], db)
    run, asked = drive.run(workflow), []
    while run.is_paused:
        asked += [each.address for each in run.requirements]
        confirm_all(run)
        run = drive.resume(workflow, run)
    assert (asked, calls.names) == (["one/leaf", "two/leaf"], ["leaf", "leaf"])


@pytest.mark.spec("STEPS-1", "NEST-1")
@pytest.mark.parametrize("where", ["workflow", "steps", "condition", "else", "nested"])
def test_names_are_unique_in_each_list(calls, where):
    """Two components of one name in one list are refused where they are written, naming the list; elsewhere names may repeat."""
    twins = [Step("twin", calls.does("x")), Step("twin", calls.does("y"))]
    steps: Any = {
        "workflow": lambda: twins,
        "steps": lambda: [Steps("around", twins)],
        "condition": lambda: [Condition("around", twins)],
        "else": lambda: [Condition("around", [], twins)],
        "nested": lambda: [Step("around", workflow=Workflow("inner", twins))],
    }[where]
    with pytest.raises(DuplicateNames, match="'twin'") as refused:
        Workflow("flow", steps())
    assert isinstance(refused.value, DefinitionError)
    Workflow("flow", [twins[0], Steps("a", [twins[0]]), Condition("b", [twins[0]], [twins[1]])])


@pytest.mark.spec("STEPS-1")
@pytest.mark.parametrize("wrong", [7, "a step", None, Step, ("not", "steps")])
def test_what_is_no_component_is_refused(wrong):
    """Something that is no component is refused where it is written, naming the place."""
    with pytest.raises(NotAComponent, match="flow"):
        Workflow("flow", [wrong])


@pytest.mark.spec("STEPS-1", "SKIP-4")
@pytest.mark.parametrize("name", ["a/b", "~", "then", "else", "é 🙂", "'; DROP TABLE run --", "<b>", "x" * 500])
def test_any_name_will_do(db, drive, calls, name):
    """Names are free: slashes, other scripts, markup and the words that addresses use are told apart and found again."""
    steps: list[Any] = [
        Step(name, calls.does("one"), requires_confirmation=True),
        Condition("fork", [Step(name, calls.does("two", OSError("x"), "2"), on_error="pause")]),
    ]
    workflow = Workflow("flow", [*steps, lambda step_input: step_input.get_step_content(name)], db)
    run = drive.run(workflow)
    assert run.paused_step_name == name
    confirm_all(run)
    run = drive.resume(workflow, run)
    assert [failed.step_name for failed in run.steps_with_errors] == [name]
    run = drive.finish(workflow, run, confirm_all)
    assert (run.content, run.step_results[0].step_name) == ("2", name)
