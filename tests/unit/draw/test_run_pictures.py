"""A run on the picture of its workflow: the state of each component, at which attempt, who decided what, and where it waits."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from statecore import Condition, RunStatus, Step, Workflow
from statecore.draw import Past, draw_workflow
from statecore.output.pictures import FORMATS
from statecore.testing import Clock, timed
from tests.unit.draw.drawn_runs import paused_in_a_loop, publishing, work

WAITS = "waits for an answer"


def drawn(run):
    """The picture of a run."""
    return draw_workflow(*run._drawn())


def told(run):
    """What the picture of a run tells, by the first line of a box or frame, and of what is lit."""
    picture = drawn(run)
    items = (*picture.nodes, *picture.clusters)
    said = {each.lines[0]: each.told for each in items if each.told}
    return said, [each.lines[0] for each in items if "now" in each.marks]


def test_everything_that_happened_is_told_where_it_happened():
    """States, attempts and iterations stand at calls and frames, decisions at gates, and what waits is lit."""
    said, now = told(paused_in_a_loop())
    assert said == {
        "fetch": ("completed, attempt 3", "retry by ada"),
        "Condition: depth": ("completed",),
        "depth?": ("reject by bob",),
        "quick": ("completed",),
        "Loop: rounds, at most 3 times": ("running",),
        "draft": ("completed, attempt 2, iteration 2",),
        "draft?": ("confirm by carol",),
        "Parallel: reviews": ("running, iteration 2",),
        "Steps: legal": ("running, iteration 2",),
        "read": ("completed, iteration 2",),
        "sign?": ("confirm by dora, when the run goes on",),
        "price": ("completed, iteration 2",),
        "fraud": (f"failed: ValueError, iteration 2, {WAITS}",),
    }
    assert now == ["sign?", "fraud"]


def flow(**settings):
    """A step between two others."""
    return Workflow("flow", [Step("first", work), Step("ask", work, **settings), Step("last", work)])


def test_an_open_question_waits():
    """It says so, and is lit; what has not begun tells nothing."""
    assert told(flow(requires_confirmation=True).run()) == ({"first": ("completed",), "ask?": (WAITS,)}, ["ask?"])


@pytest.mark.parametrize(
    ("settings", "word", "value", "step", "gate"),
    [
        ({"requires_confirmation": True}, "confirm", None, "completed", "confirm by ada"),
        ({"requires_confirmation": True}, "reject", None, "skipped: rejected", "reject by ada"),
        ({"requires_user_input": True}, "input", {"a": 1}, "completed", "input by ada"),
        ({"requires_output_review": True}, "edit", "x", "completed", "edit by ada"),
        (
            {"requires_output_review": True, "on_reject": "skip"},
            "reject",
            None,
            "skipped: its output was rejected",
            "reject by ada",
        ),
    ],
)
def test_a_decision_stands_at_its_gate(settings, word, value, step, gate):  # a case is a row
    """With who made it; and its outcome at the step."""
    workflow = flow(**settings)
    run = workflow.run()
    workflow.decide(run.run_id, run.requirements[0].pause_id, word, value=value, by="ada")
    said, now = told(workflow.continue_run(run_id=run.run_id))
    assert (said["ask"], said["ask?"], now) == ((step,), (gate,), ["completed"])


def test_nobody_in_particular_is_nobody():
    """A decision without a name is told without one."""
    workflow = flow(requires_confirmation=True)
    run = workflow.run()
    run.requirements[0].confirm()
    assert told(workflow.continue_run(run))[0]["ask?"] == ("confirm",)


def test_silence_is_told():
    """What nobody decided in time says so."""
    clock = Clock()
    workflow = timed(flow(requires_confirmation=True, timeout=60, on_timeout="skip"), clock)
    run = workflow.run()
    clock.advance(61)
    workflow.tick()
    assert told(workflow.get_run_output(run.run_id))[0]["ask"] == ("skipped: nobody decided in time",)


def test_ends_are_told():
    """A failed run lights the step with its error, a cancelled one its end with who wanted it."""

    def broken(_step_input):
        raise ValueError("no")

    failing = Workflow("flow", [Step("first", work), Step("broken", broken)])
    with pytest.raises(ValueError, match="no"):
        failing.run(run_id="r")
    assert told(failing.get_run_output("r")) == ({"first": ("completed",), "broken": ("failed: ValueError",)}, ["broken"])
    asking = flow(requires_confirmation=True)
    run = asking.run()
    asking.cancel_run(run.run_id, by="ada")
    said, now = told(asking.get_run_output(run.run_id))
    assert (said["ask"], said["cancelled"], now) == (("cancelled",), ("by ada",), ["cancelled"])


def test_a_branch_that_was_not_taken_is_told():
    """At its frame, with the reason."""
    workflow = Workflow("flow", [Condition("large", [Step("a", work)], evaluator=False), Step("last", work)])
    assert told(workflow.run())[0]["Condition: large"] == ("skipped: not taken",)


@pytest.mark.parametrize("style", FORMATS)
def test_every_format_tells_it(style):
    """Mermaid, DOT, SVG, Markdown and the tree have every line that is told, and light what waits."""
    run = paused_in_a_loop()
    text = format(run, style)
    plain = text if style != "mermaid" else text.replace("#58;", ":")
    if style == "svg":
        plain = "\n".join(element.text or "" for element in ET.fromstring(text).iter())  # noqa: S314  # ours
    for lines in told(run)[0].values():
        assert [line for line in lines if line not in plain] == []
    lights = {"mermaid": "class reviews", "dot": " now waits", "svg": " now waits", "md": "| now |", "tree": "◀ now"}
    if style == "mermaid":
        assert "rounds__reviews__legal__sign___awaiting_confirmation,rounds__reviews__fraud now" in text
    else:
        assert text.count(lights[style]) == 2
    assert format(publishing(), style) != text


def test_the_waiting_boxes_stand_first_for_a_reader_of_markdown():
    """What became of what comes before the arrows, one line each."""
    table, arrows = f"{paused_in_a_loop():md}".split("\n\n")
    assert table.splitlines()[0] == "| in this run | what became of it |  |"
    assert "| sign? | confirm by dora, when the run goes on | now |" in table.splitlines()
    assert arrows == f"{publishing():md}"


def test_a_definition_tells_nothing():
    """Without a run no line is added and nothing is lit."""
    picture = draw_workflow(publishing().compiled.program)
    assert [node for node in picture.nodes if node.told or "now" in node.marks] == []
    assert [frame for frame in picture.clusters if frame.told or "now" in frame.marks] == []


def test_a_component_that_is_gone_is_passed_over():
    """A run whose definition has changed is drawn on the new one as far as it goes."""
    picture = draw_workflow(flow().compiled.program, None, {"old/one": Past("completed"), "first": Past("completed")})
    assert [node.lines[0] for node in picture.nodes if node.told] == ["first"]


def test_it_is_drawn_from_the_store_alone():
    """What is told does not depend on the process that ran it."""
    workflow = publishing()
    run = workflow.run()
    elsewhere = workflow.get_run_output(run.run_id)
    assert elsewhere.status is RunStatus.paused
    assert f"{elsewhere:tree}" == f"{run:tree}"
