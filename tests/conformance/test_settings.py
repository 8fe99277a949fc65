"""Every setting on every component either works or is refused by name, with what is supported; in both spellings."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from statecore import Approval, Condition, HumanReview, Loop, Parallel, Router, RunStatus, Step, Steps, Workflow
from statecore.core.program import DANGEROUS
from statecore.definition.review import SETTINGS, SUPPORTED
from statecore.errors import DefinitionError, InvalidInput, UnsupportedSetting
from tests.conformance.drive import Calls

COMPONENTS = [kind for kind in SUPPORTED if kind != "Workflow"]  # a bare Workflow has no settings
GATED: dict[str, Any] = {"requires_confirmation": True}
ASKED: dict[str, Any] = {"requires_user_input": True}
REVIEWED: dict[str, Any] = {"requires_output_review": True}
ITERATED: dict[str, Any] = {"requires_iteration_review": True}

# setting -> a value that is not the default, and what has to be set beside it for the setting to mean anything
VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "requires_confirmation": (True, {}),
    "confirmation_message": ("Well?", GATED),
    "allow_edit": (True, GATED),
    "requires_user_input": (True, {}),
    "user_input_message": ("Well?", ASKED),
    "user_input_schema": ([{"name": "n", "field_type": "int"}], ASKED),
    "user_input_check": (lambda values: f"{len(values)} is too many", ASKED),
    "allow_multiple_selections": (True, ASKED),
    "requires_output_review": (True, {}),
    "output_review_message": ("Well?", REVIEWED),
    "requires_iteration_review": (True, {}),
    "iteration_review_message": ("Well?", ITERATED),
    "on_reject": ("cancel", GATED),
    "on_error": ("pause", {}),
    "max_retries": (1, {**REVIEWED, "on_reject": "retry"}),
    "timeout": (5.5, GATED),
    "on_timeout": ("skip", {**GATED, "timeout": 5}),
    "dangerous": (True, GATED),
    "approval": (Approval(2, of="role:finance"), GATED),
}
FLAT = {"max_retries": "hitl_max_retries", "timeout": "hitl_timeout"}


def built(kind: str, calls: Calls, settings: dict[str, Any], spelling: str, *outcomes: Any) -> Any:
    """A component of a kind with these settings, with one call, of "work", inside."""
    given: dict[str, Any] = {FLAT.get(name, name): value for name, value in settings.items()}
    if spelling == "human_review":
        given = {"human_review": HumanReview(**settings)}
    work = Step("work", calls.does("work", *outcomes))
    selector = None if settings.get("requires_user_input") else lambda _: "work"
    makers: dict[str, Any] = {
        "Step": lambda: Step("work", calls.does("work", *outcomes), **given),
        "Step(workflow)": lambda: Step("unit", workflow=Workflow("inner", [work]), **given),
        "Steps": lambda: Steps("unit", [work], **given),
        "Condition": lambda: Condition("unit", [work], **given),
        "Loop": lambda: Loop("unit", [work], max_iterations=2, **given),
        "Router": lambda: Router("unit", [work, calls.does("other")], selector, **given),
        "Parallel": lambda: Parallel(work, name="unit", **given),
    }
    return makers[kind]()


def works(setting: str, kind: str, calls: Calls, workflow: Workflow) -> None:  # noqa: C901, PLR0912, PLR0915  # one case for each setting
    """Assert that a setting does what it says."""
    if setting == "approval":  # which stores keep its votes is no affair of the component
        [rule] = [node.rule for node in workflow.compiled.program.nodes.values() if node.rule is not None]
        assert (rule.k, rule.of) == (2, ("role:finance",))
        return
    run = workflow.run("x")
    [asked] = run.requirements
    asked_for: Any = asked
    match setting:
        case "requires_confirmation":
            assert (asked.kind, calls.names) == ("confirmation", [])
        case "confirmation_message":
            assert asked_for.confirmation_message == "Well?"
        case "requires_user_input":
            assert (asked.kind, calls.names) == ("route" if kind == "Router" else "user_input", [])
        case "user_input_message":
            assert asked_for.user_input_message == "Well?"
        case "user_input_schema":
            assert [each.name for each in asked_for.user_input_schema] == ["n"]
        case "allow_edit":
            asked_for.edit("another input")
            assert workflow.continue_run(run).status is RunStatus.completed
            assert "amend" in [row.trigger for row in workflow.db.journal(run.run_id)]
        case "user_input_check":
            with pytest.raises(InvalidInput, match="1 is too many"):
                workflow.decide(run.run_id, asked.pause_id, "input", value={"n": 1})
        case "allow_multiple_selections":
            asked_for.select_multiple(["other", "work"])
            workflow.continue_run(run)
            assert calls.names == ["other", "work"]
        case "requires_output_review" | "requires_iteration_review":
            assert (asked.kind, calls.names) == (setting.removeprefix("requires_"), ["work"])
        case "output_review_message" | "iteration_review_message":
            assert asked_for.output_review_message == "Well?"
        case "on_reject":
            asked_for.reject()
            assert (workflow.continue_run(run).status, calls.names) == (RunStatus.cancelled, [])
        case "on_error":
            assert (asked.kind, asked.step_name) == ("error", "work")
        case "max_retries":
            asked_for.reject()
            run = workflow.continue_run(run)
            assert (run.is_paused, calls.names) == (True, ["work", "work"])
            run.step_requirements[0].reject()
            assert workflow.continue_run(run).status is RunStatus.cancelled
        case "timeout":
            assert asked.timeout_at is not None
        case "on_timeout":
            assert asked.on_timeout == "skip"
        case "dangerous":
            marked = [node.name for node in workflow.compiled.program.nodes.values() if DANGEROUS in node.facts]
            assert marked == [workflow.definition.steps[0].name]


@pytest.mark.spec("COND-5", "CONF-1")
@pytest.mark.parametrize("spelling", ["flat", "human_review"])
@pytest.mark.parametrize(("kind", "setting"), list(product(COMPONENTS, SETTINGS)))
def test_a_setting_works_or_is_refused(calls, kind, setting, spelling):
    """What is supported does what it says; what is not is a ValueError that names component, setting and what is supported."""
    value, beside = VALUES[setting]
    outcomes = (OSError("x"),) if setting == "on_error" else ()
    if setting in SUPPORTED[kind]:
        component = built(kind, calls, {**beside, setting: value}, spelling, *outcomes)
        works(setting, kind, calls, Workflow("flow", [component]))
        return
    with pytest.raises(UnsupportedSetting) as refused:
        built(kind, calls, {setting: value}, spelling)
    said = str(refused.value)
    assert isinstance(refused.value, ValueError)
    assert setting in said
    assert kind.partition("(")[0] in said
    assert all(name in said for name in SUPPORTED[kind])


@pytest.mark.spec("CONF-10")
@pytest.mark.parametrize("spelling", ["flat", "human_review"])
@pytest.mark.parametrize("kind", COMPONENTS)
def test_answers_that_lead_nowhere_are_refused(calls, kind, spelling):
    """`retry` without a review, and the else branch of anything but a Condition, are refused where they are written."""
    with pytest.raises(UnsupportedSetting, match="on_reject='retry'"):
        built(kind, calls, {**GATED, "on_reject": "retry"}, spelling)
    if kind != "Condition":
        with pytest.raises(UnsupportedSetting, match="on_reject='else'"):
            built(kind, calls, {**GATED, "on_reject": "else"}, spelling)


@pytest.mark.spec("TIME-3")
@pytest.mark.parametrize("kind", ["Step", "Router"])
def test_a_value_cannot_be_approved_by_silence(calls, kind):
    """Where a person gives a value, `on_timeout=approve` is refused: there is none to go on with."""
    with pytest.raises(UnsupportedSetting, match="on_timeout='approve'"):
        built(kind, calls, {**ASKED, "timeout": 1, "on_timeout": "approve"}, "flat")


WRONG: dict[str, list[Any]] = {
    "requires_confirmation": [1, "yes", None],
    "requires_user_input": ["no"],
    "requires_output_review": [1, "yes"],
    "confirmation_message": [5],
    "user_input_schema": [
        "n",
        [5],
        [{"field_type": "int"}],
        [{"name": "n", "field_type": "integer"}],
        [{"name": "n"}, {"name": "n"}],
    ],
    "on_reject": ["stop", 1],
    "on_error": ["ignore"],
    "on_timeout": ["confirm"],
    "max_retries": [-1, 1.5, True],
    "timeout": [0, -1, "5", True, float("nan"), float("inf"), 1e11],
}


@pytest.mark.spec("CONF-10", "TIME-1")
@pytest.mark.parametrize(("setting", "value"), [(setting, value) for setting, values in WRONG.items() for value in values], ids=str)
def test_a_wrong_value_is_refused_by_name(setting, value):
    """A value of the wrong kind is a ValueError that names the setting."""
    with pytest.raises(DefinitionError, match=r"user_input_schema|field_type|UserInputField|" + setting):
        HumanReview(**{setting: value})


@pytest.mark.spec("CONF-10")
@pytest.mark.parametrize("given", ["name", b"name", {"name": "n"}, 5], ids=str)
def test_what_is_no_list_is_no_schema(given):
    """One field, a text or a number in place of a list of fields is refused as such."""
    with pytest.raises(
        DefinitionError,
        match=r"user_input_schema (must be a list of UserInputField or dicts, a class|as a JSON Schema is that of)",
    ):
        HumanReview(requires_user_input=True, user_input_schema=given)


@pytest.mark.spec("TIME-1")
def test_the_longest_timeout_can_be_shown():
    """A deadline thousands of years ahead is still an instant that a person can be told."""
    workflow = Workflow("flow", [Step("s", lambda _: None, requires_confirmation=True, hitl_timeout=99_999_999_999)])
    assert workflow.run("x").requirements[0].timeout_at is not None


@pytest.mark.parametrize("made", ["step", "workflow"])
def test_a_step_id_is_what_outsiders_see(made):
    """Events and requirements carry the `step_id` of a step where it has one, and its address where it has none; nothing else depends on it."""
    inner = Workflow("inner", [Step("deep", lambda _: 1, requires_confirmation=True)])
    settings: dict[str, Any] = {"step_id": "S-1", "requires_confirmation": True}
    step = Step("a", lambda _: 1, **settings) if made == "step" else Step("a", workflow=inner, **settings)
    flow = Workflow("flow", [step, Step("b", lambda _: 2)])
    run = flow.run()
    assert [(each.step_id, each.address) for each in run.step_requirements] == [("S-1", "a")]
    while run.is_paused:
        run.step_requirements[0].confirm()
        run = flow.continue_run(run)
    ids = {event.step_name: event.step_id for event in run.events if event.step_name}
    assert ids == {"a": "S-1", "b": "b"} | ({"deep": "a/deep"} if made == "workflow" else {})
    plain = Workflow("flow", [evolved(step), Step("b", lambda _: 2)])
    assert plain.compiled.program.fingerprint == flow.compiled.program.fingerprint


def evolved(step: Step) -> Step:
    """The same step without a step_id."""
    work = {"workflow": Workflow("inner", step.workflow.steps)} if step.workflow is not None else {"executor": step.executor}
    return Step(step.name, human_review=step.human_review, **work)


@pytest.mark.parametrize("wrong", ["", 3, "\ud800"])
def test_a_step_id_that_is_none_is_refused(wrong):
    """It is a non-empty string, or left out."""
    with pytest.raises(DefinitionError, match="step_id"):
        Step("a", lambda _: 1, step_id=wrong)
