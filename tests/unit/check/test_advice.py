"""A no stops what it was asked about (GATE-4): which gates a check names, which it never names, and what the command makes of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from statecore import Condition, HumanReview, Loop, Parallel, Router, Step, Steps, Workflow, pause
from statecore.check import Verdict, check
from statecore.check.advice import TEXT, advice
from statecore.cli import main
from statecore.core import stored_program

GATE: dict[str, Any] = {"requires_confirmation": True}


def blind(_step_input):
    """Code that reads nothing."""
    return 1


def reader(step_input):
    """Code that reads the content before it."""
    return step_input.previous_step_content


def by_name(step_input):
    """Code that reads a step by its name, in a function inside it."""
    return [step_input.get_step_content(name) for name in ("ask", "nothing")]


def everything(step_input):
    """Code that reads all earlier contents."""
    return step_input.get_all_previous_content()


class Agent:
    """An agent is given the content before it."""

    name = "agent"

    def run(self, message):
        """Answer."""
        return message


class Caller:
    """An object that is called."""

    def __call__(self, step_input):
        """Read the content before it."""
        return step_input.previous_step_content


def named(*steps: Any) -> list[str]:
    """The gates that a check names, each with its steps."""
    found = advice(Workflow("flow", list(steps)).compiled)
    assert (found.verdict is Verdict.advice) == bool(found.why)
    said = found.why.partition(". Write")[0]
    return [each.replace("'", "").replace(": its no skips it, and ", " -> ") for each in said.split("; ") if each]


def ask(**settings: Any) -> Step:
    """A gate whose no skips."""
    return Step("ask", blind, **{**GATE, **settings})


DANGER = Step("pay", blind, dangerous=True)
NAMED = ["ask -> pay (dangerous) begins"]


@pytest.mark.spec("GATE-4")
@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ([ask(), DANGER], NAMED),
        ([ask(), Step("x", blind), DANGER], NAMED),
        ([ask(on_reject="skip"), DANGER], NAMED),
        ([ask(on_reject="cancel"), DANGER], []),
        ([ask(), Step("pay", blind)], []),
        ([DANGER, ask()], []),
        ([Step("ask", blind), DANGER], []),
        ([ask(), Step("pay", blind, dangerous=True, **GATE)], []),
        ([ask(), Step("stop", blind, **GATE, on_reject="cancel"), DANGER], []),
        ([ask(), Step("x", blind, requires_output_review=True, on_reject="cancel"), DANGER], []),
        ([Step("ask", blind, requires_user_input=True), DANGER], NAMED),
        ([Step("ask", blind, requires_output_review=True), DANGER], NAMED),
        ([Step("ask", blind, requires_output_review=lambda _: True), DANGER], NAMED),
        ([Step("ask", blind, requires_output_review=True, on_reject="retry"), DANGER], []),
        ([Steps("ask", [Step("a", blind)], **GATE), DANGER], NAMED),
        ([Loop("ask", [Step("a", blind)], **GATE), DANGER], NAMED),
        ([Parallel(Step("a", blind), name="ask", **GATE), DANGER], NAMED),
        ([Router("ask", [Step("a", blind)], blind, **GATE), DANGER], NAMED),
        ([Router("ask", [Step("a", blind)], requires_user_input=True), DANGER], NAMED),
        ([Step("ask", workflow=Workflow("inner", [Step("a", blind)]), **GATE), DANGER], NAMED),
        ([Condition("ask", [Step("a", blind)], **GATE), DANGER], []),
        ([Condition("ask", [Step("a", blind)], on_reject="skip", **GATE), DANGER], []),
        ([ask(), Condition("c", [DANGER], evaluator=blind)], NAMED),
        ([ask(), Condition("c", [], [DANGER], evaluator=blind)], NAMED),
        ([ask(), Condition("c", [DANGER], **GATE)], []),
        ([ask(), Steps("group", [Step("pay", blind)], dangerous=True)], NAMED),
        ([Steps("group", [ask()]), DANGER], NAMED),
        ([ask(), Workflow("inner", [DANGER])], NAMED),
        ([Parallel(Steps("one", [ask()]), DANGER)], []),
        ([Parallel(Steps("one", [ask()]), Step("b", blind)), DANGER], NAMED),
        ([Loop("loop", [DANGER, ask()])], NAMED),
        ([Loop("loop", [DANGER, ask()], requires_iteration_review=True)], []),
        ([Router("route", [Steps("one", [ask()]), DANGER], blind)], NAMED),
        ([Condition("c", [ask()], [DANGER], evaluator=blind)], []),
    ],
)
def test_a_no_that_leads_on_to_something_dangerous_is_named(steps, wanted):
    """Wherever the gate and the step stand; not where the no ends the run or chooses, where a further question is certain, or beside it."""
    assert named(*steps) == wanted


READS = "which reads what was skipped"


@pytest.mark.spec("GATE-4")
@pytest.mark.parametrize(
    ("code", "near", "far"),
    [
        ({"executor": blind}, False, False),
        ({"executor": reader}, True, False),
        ({"executor": partial(reader)}, True, False),
        ({"executor": Caller()}, True, False),
        ({"executor": len}, True, False),
        ({"agent": Agent()}, True, False),
        ({"executor": by_name}, True, True),
        ({"executor": everything}, True, True),
    ],
)
def test_a_step_that_reads_what_was_skipped_is_named(code, near, far):
    """By the previous content it reads the step before it, by name any earlier one; code that cannot be looked into counts as reading."""
    says = [f"ask -> it ({READS}) begins"]
    assert named(ask(), Step("it", **code)) == says * near
    assert named(ask(), Step("x", blind), Step("it", **code)) == says * far


@pytest.mark.spec("GATE-4")
def test_a_name_inside_the_skipped_group_counts():
    """A step that reads by name what stands inside the group that a no skips is named, with its address where its name is not its own."""
    group = Steps("group", [Step("ask", blind)], **GATE)
    assert named(group, Step("x", blind), Step("it", by_name)) == [f"group -> it ({READS}) begins"]
    twice = [Steps("one", [ask()]), Steps("two", [Step("ask", blind, dangerous=True)])]
    assert named(*twice) == ["one/ask -> two/ask (dangerous) begins"]


@pytest.mark.spec("GATE-4")
def test_advice_changes_no_exit_code_unless_it_is_strict():
    """The finding is ADVICE and the code 0; under strict it is REFUTED and the code 1; where no gate is named it is PROVED."""
    leaky, sound = Workflow("f", [ask(), DANGER]), Workflow("f", [ask(on_reject="cancel"), DANGER])
    found = [check(each, strict=strict) for each in (leaky, sound) for strict in (False, True)]
    verdicts = [Verdict.advice, Verdict.refuted, Verdict.proved, Verdict.proved]
    assert [(each[TEXT].verdict, each.exit_code) for each in found] == list(zip(verdicts, (0, 1, 0, 0), strict=True))


@pytest.mark.spec("GATE-4")
def test_the_command_prints_advice(tmp_path, capsys):
    """`statecore check` prints it in each format and exits 0, with `--strict` 1."""
    file = tmp_path / "advised_flow.py"
    file.write_text(
        "from statecore import Step, Workflow\n"
        "flow = Workflow('f', [Step('ask', len, requires_confirmation=True), Step('pay', len, dangerous=True)])\n"
    )
    for style in ("text", "json", "sarif", "junit"):
        assert main(["check", f"{file}:flow", "--format", style]) == 0
        assert ("its no skips it" in capsys.readouterr().out) == (style != "junit")
        assert main(["check", f"{file}:flow", "--format", style, "--strict"]) == 1
        assert "its no skips it" in capsys.readouterr().out


@pytest.mark.spec("GATE-4")
def test_dangerous_is_part_of_the_definition():
    """The mark is in the canonical form where it is set, survives storing, plain data and `@pause`, and changes no other fingerprint."""
    plain, marked = Workflow("f", [Step("a", blind)]), Workflow("f", [Step("a", blind, dangerous=True)])
    assert Workflow("f", [Step("a", blind, dangerous=False)]).compiled.program.canonical == plain.compiled.program.canonical
    assert "dangerous" not in plain.compiled.program.canonical
    assert marked.compiled.program.fingerprint != plain.compiled.program.fingerprint
    assert stored_program(marked.compiled.program.canonical).nodes["a"].facts == marked.compiled.program.nodes["a"].facts
    assert marked.to_dict()["steps"][0]["human_review"] == {"dangerous": True}
    again = Workflow.from_dict(marked.to_dict(), {f"{__name__}.blind": blind})
    assert again.compiled.program.canonical == marked.compiled.program.canonical
    assert Step("a", pause(dangerous=True)(lambda _: 1)).human_review == HumanReview(dangerous=True)
    assert marked.run("x").content == 1
