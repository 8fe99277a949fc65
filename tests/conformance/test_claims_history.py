"""AGENT-6: the earlier runs of a session stand before the prompts of agents, in every store and colour."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import DefinitionError, Step, Workflow


class Scribe:
    """An agent that keeps its prompts."""

    name = "scribe"

    def __init__(self):
        self.asked = []

    def run(self, prompt):
        self.asked.append(prompt)
        return f"answer {len(self.asked)}"


def text_of(*pairs):
    """The text of earlier runs, written out by hand."""
    told = "".join(
        f"[Workflow Run-{number}]\nUser input: {asked}\nWorkflow output: {answer}\n\n"
        for number, (asked, answer) in enumerate(pairs, 1)
    )
    return f"<workflow_history_context>\n{told}</workflow_history_context>\n"


@pytest.mark.spec("AGENT-6")
def test_an_agent_is_told_the_last_completed_runs_of_its_session(db, drive):
    """Of four runs and one of another session the last prompt has two, in their order; a run that has not completed is not among them."""
    scribe = Scribe()
    flow = Workflow("w", [Step("s", agent=scribe)], db, add_workflow_history_to_steps=True, num_history_runs=2)
    gated = Workflow("w", [Step("s", lambda _: 1, requires_confirmation=True)], db)
    for given, session in (("a", "x"), ("b", "x"), ("other", "y"), ("c", "x")):
        drive.run(flow, given, session_id=session)
    drive.run(gated, "waits", session_id="x")
    drive.run(flow, "d", session_id="x")
    assert scribe.asked[:1] == ["a"]
    assert scribe.asked[1] == text_of(("a", "answer 1")) + "\nb"
    assert scribe.asked[-1] == text_of(("b", "answer 2"), ("c", "answer 4")) + "\nd"


@pytest.mark.spec("AGENT-6", "AGENT-4")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"topic": "owls"}, {"topic": "owls", "workflow_history": text_of(("first", "answer 1"))}),
        (None, text_of(("first", "answer 1"))),
    ],
)
def test_a_prompt_that_is_no_text_has_it_too(given, expected):
    """A dict has it under `workflow_history`; where there is nothing else it is the prompt."""
    scribe = Scribe()
    flow = Workflow("w", [Step("s", agent=scribe)], session_id="x", add_workflow_history_to_steps=True)
    flow.run("first")
    flow.run(given)
    assert scribe.asked[-1] == expected


@pytest.mark.spec("AGENT-6")
def test_without_the_setting_an_agent_is_told_nothing_of_it():
    """The prompt is the input; so it is on another store after `on`, which has its own sessions."""
    scribe = Scribe()
    plain = Workflow("w", [Step("s", agent=scribe)], session_id="x")
    plain.run("a")
    plain.run("b")
    assert scribe.asked == ["a", "b"]
    told = Workflow("w", [Step("s", agent=scribe)], session_id="x", add_workflow_history_to_steps=True)
    told.run("c")
    told.on(plain.db).run("d")
    assert scribe.asked[2:] == ["c", text_of(("a", "answer 1"), ("b", "answer 2")) + "\nd"]


@pytest.mark.spec("AGENT-6")
def test_the_settings_are_read_back_and_checked():
    """They are in the plain data of a workflow; a number without the flag, or that is no count, is refused by name."""
    scribe = Scribe()
    flow = Workflow("w", [Step("s", agent=scribe)], add_workflow_history_to_steps=True, num_history_runs=5)
    again = Workflow.from_dict(flow.to_dict(), {"scribe": scribe, **dict.fromkeys(functions_of(flow), scribe)})
    assert (again.add_workflow_history_to_steps, again.num_history_runs) == (True, 5)
    wrongs: list[dict[str, Any]] = [{"num_history_runs": 2}, {"add_workflow_history_to_steps": True, "num_history_runs": 0}]
    for wrong in wrongs:
        with pytest.raises(DefinitionError, match="num_history_runs"):
            Workflow("w", [Step("s", agent=scribe)], **wrong)


def functions_of(flow):
    """The names of the functions in the plain data of a workflow of one step."""
    return [each["function"] for each in flow.to_dict()["steps"][0].values() if isinstance(each, dict) and "function" in each]
