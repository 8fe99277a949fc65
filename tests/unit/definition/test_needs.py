"""A setting that can have no effect is refused (GATE-1): each row of the table, on each component, with and without each companion."""

from __future__ import annotations

from typing import Any

import pytest

from specs.tools import settings as settings_page
from statecore import Approval, Condition, HumanReview, Loop, Parallel, Router, Step, Steps, Workflow, pause
from statecore.definition.fields import function_name
from statecore.definition.needs import NEEDS, OWN, QUESTIONS, STANDARD
from statecore.definition.plain import Nested
from statecore.errors import UnsupportedSetting
from statecore.testing.strategies import never_called


def judge(_output):
    """Stand for code that says yes or no."""
    return True


# a value of each setting that is not its default
SET: dict[str, Any] = {
    "confirmation_message": "Pay?",
    "allow_edit": True,
    "user_input_message": "Which?",
    "user_input_schema": [{"name": "n"}],
    "user_input_check": judge,
    "allow_multiple_selections": True,
    "output_review_message": "Good?",
    "iteration_review_message": "Again?",
    "requires_iteration_review": True,
    "end_condition": judge,
    "forward_iteration_output": True,
    "evaluator": judge,
    "on_reject": "cancel",
    "hitl_max_retries": 9,
    "timeout": 60,
    "approval": Approval(2),
    "on_timeout": "skip",
    "retry_delay": 5,
    "backoff": 2,
    "on_interrupt": "pause",
}


def component(kind: str, given: dict[str, Any], spelling: str = "flat") -> Any:
    """A component of a kind; in the second spelling its review's settings are a HumanReview."""
    given = dict(given)
    if spelling == "human_review":
        names = {"hitl_max_retries": "max_retries"}
        review = {names.get(name, name): given.pop(name) for name in list(given) if name not in OWN}
        given["human_review"] = HumanReview(**review)
    work = Step("work", never_called)
    makers: dict[str, Any] = {
        "Step": lambda: Step("it", never_called, **given),
        "Step(workflow)": lambda: Step("it", workflow=Nested(Workflow("inner", [work]).definition), **given),
        "Steps": lambda: Steps("it", [work], **given),
        "Condition": lambda: Condition("it", [work], **given),
        "Loop": lambda: Loop("it", [work], **{"max_iterations": 1, **given}),
        "Router": lambda: Router("it", [work, Step("other", never_called)], **given),
        "Parallel": lambda: Parallel(work, Step("other", never_called), name="it", **given),
    }
    if kind == "Router" and not given.get("requires_user_input") and not asks_for_a_route(given):
        given.setdefault("selector", judge)
    return makers[kind]()


def asks_for_a_route(given: dict[str, Any]) -> bool:
    """Whether a person chooses, in either spelling."""
    review = given.get("human_review")
    return review is not None and review.requires_user_input


def closed(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """These settings, with the first companion of each that still lacks one."""
    given = {"max_iterations": 2, **given} if kind == "Loop" else given
    for _ in NEEDS:
        every = {**STANDARD, **given}
        lacking = next((need for need in NEEDS if need.companions and need.idle(kind, every)), None)
        if lacking is None:
            return given
        given = {**given, **lacking.companions[0].example}
    raise AssertionError


CASES = [(need, kind) for need in NEEDS for kind in need.kinds]


@pytest.mark.spec("GATE-1")
@pytest.mark.parametrize("spelling", ["flat", "human_review"])
@pytest.mark.parametrize(("need", "kind"), CASES, ids=lambda each: getattr(each, "says", each))
def test_a_setting_without_its_companion_is_refused(need, kind, spelling):
    """Each setting of the table is refused by name where none of its companions is set, and the refusal names them."""
    lonely = {need.setting: need.value.value if need.value is not None else SET[need.setting]}
    others: dict[str, Any] = {"evaluator": {"requires_confirmation": True}, "on_interrupt": {}}.get(need.setting, {})
    if kind == "Condition" and need.setting == "on_interrupt":
        others = {"requires_confirmation": True}
    if need.why.startswith("a step that asks"):
        others = {"requires_user_input": True, "user_input_message": "Which?"}
    if kind == "Router" and need.setting == "on_interrupt":
        others = {"requires_user_input": True}
    if kind in QUESTIONS and need.setting == "timeout":
        others = {"on_error": "fail"}
    if need.setting == "forward_iteration_output" and need.why.startswith("a yes"):
        others = {"requires_iteration_review": True, "max_iterations": 2}
    if need.setting == "hitl_max_retries" and need.why:
        others = {"requires_output_review": True}
    if need.setting == "backoff" and kind == "Step" and need.why:
        others = {"retry_delay": 1, "max_retries": 1}
    with pytest.raises(UnsupportedSetting) as refused:
        component(kind, {**lonely, **others}, spelling)
    assert refused.value.component.endswith("'it'")
    assert refused.value.setting == need.says
    assert all(companion.says in str(refused.value) for companion in need.companions)


@pytest.mark.spec("GATE-1")
@pytest.mark.parametrize("spelling", ["flat", "human_review"])
@pytest.mark.parametrize(
    ("need", "kind", "companion"),
    [(need, kind, each) for need, kind in CASES for each in need.companions],
    ids=lambda each: getattr(each, "says", each),
)
def test_each_companion_gives_it_its_effect(need, kind, companion, spelling):
    """With any one of its companions, and what those need, the setting is accepted, and the workflow too."""
    wanted = closed(kind, {need.setting: need.value if need.value is not None else SET[need.setting], **companion.example})
    made = component(kind, wanted, spelling)
    Workflow("flow", [made])


@pytest.mark.spec("GATE-1")
@pytest.mark.parametrize("kind", list(QUESTIONS))
def test_a_default_that_is_written_out_sets_nothing(kind):
    """Every setting may be written with its default value, and the word that a rejection takes by default may be, too."""
    written = {"confirmation_message": None, "on_timeout": "cancel", "timeout": None, "on_reject": None}
    component(kind, written)
    component(kind, {"on_reject": "else" if kind == "Condition" else "skip"})
    component(kind, {"human_review": HumanReview()})


@pytest.mark.spec("GATE-1", "ERR-7")
def test_a_deadline_of_an_error_pause_stands_beside_it():
    """A deadline counts for the step's own error pause; one that only the group has is not seen where the deadline is written."""
    late = Step("late", never_called, timeout=60, on_timeout="skip", on_error="pause")
    around = Steps("group", [late], on_error="pause")
    assert Workflow("flow", [around]).compiled.program.nodes["group/late"].limits.timeout == 60_000_000
    with pytest.raises(UnsupportedSetting, match=r"Step 'late'.*timeout.*on_error='pause' of its own"):
        Step("late", never_called, timeout=60, on_timeout="skip")


@pytest.mark.spec("GATE-1")
def test_an_inner_fail_takes_the_deadline_its_effect():
    """An explicit `fail` on the step beats the pause around it, so nothing would wait, and its constructor says so."""
    with pytest.raises(UnsupportedSetting, match="'late'"):
        Step("late", never_called, timeout=60, on_error="fail")


@pytest.mark.spec("GATE-1")
def test_pause_and_plain_data_follow_the_same_table():
    """What `@pause` puts on a function and what `from_dict` reads are refused as what is written by hand."""

    @pause(confirmation_message="Pay?")
    def pay(_step_input):
        return 1

    with pytest.raises(UnsupportedSetting, match="confirmation_message"):
        Step("pay", pay)
    plain = Workflow("flow", [Step("pay", never_called, requires_confirmation=True, timeout=60)]).to_dict()
    functions = {function_name(never_called): never_called}
    assert Workflow.from_dict(plain, functions).definition == Workflow.from_dict(plain, functions).definition
    del plain["steps"][0]["human_review"]["requires_confirmation"]
    with pytest.raises(UnsupportedSetting, match="timeout"):
        Workflow.from_dict(plain, functions)


@pytest.mark.spec("GATE-1")
def test_a_gate_without_its_switch_does_not_run_unasked():
    """A message, a rejection policy and a deadline are written and the switch is forgotten: there is no workflow that pays unasked."""
    with pytest.raises(UnsupportedSetting, match="requires_confirmation=True"):
        Step("pay", never_called, confirmation_message="Pay 5,000?", on_reject="cancel", timeout=3600)


def test_the_page_of_settings_is_up_to_date():
    """`python -m specs.tools.settings` was run after the last change of a table."""
    assert settings_page.main(["--check"]) == 0


@pytest.mark.spec("GATE-1")
def test_a_step_that_may_ask_has_a_use_for_a_deadline():
    """A deadline beside `may_ask` is for the questions from inside the step: neither the step nor its workflow refuses it."""
    step = Step("a", lambda _: 1, may_ask=1, human_review=HumanReview(timeout=60))
    assert Workflow("w", [step]).run("x").content == 1
