"""Agents, media and what a person said, where workers of a server call the code: the same shapes, the same refusals, the same journal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from statecore import Condition, Step, Workflow
from tests.temporal.conftest import Serve


def result(**parts: Any) -> SimpleNamespace:
    """A result of an agent."""
    return SimpleNamespace(**parts)


class Agent:
    """An agent that gives its results in order, and remembers what it was given."""

    name = "agent"

    def __init__(self, *results: Any) -> None:
        self.results, self.given = list(results), list[Any]()

    def run(self, message: Any, session_id: Any = None, user_id: Any = None, stream: Any = None) -> Any:
        self.given.append((message, session_id, user_id, stream))
        return self.results.pop(0)


@pytest.mark.spec("AGENT-1", "AGENT-2", "AGENT-3")
def test_a_paused_agent_does_not_complete_its_step(serve: Serve) -> None:
    """A worker judges a result as a driver does: a paused one is put to a person, and a retry that is done is kept with its media."""
    agent = Agent(result(content="May I?", status="PAUSED"), result(output="sent", images=[b"i"]))
    look = Step("look", lambda i: [i.previous_step_content, i.get_step_output("agent").images])
    runs = serve(Workflow("agents", [Step(agent=agent, on_error="pause"), look]))
    run = runs.run("hi", timeout=30, session_id="s", user_id="ada")
    [failed] = run.steps_with_errors
    assert (failed.error_type, "May I?" in failed.error_message) == ("AgentPaused", True)
    failed.retry(by="ada")
    assert runs.continue_run(run, timeout=30).content == ["sent", [b"i"]]
    assert agent.given == [("hi", "s", "ada", False)] * 2


@pytest.mark.spec("AGENT-4")
def test_the_feedback_reaches_the_agent(serve: Serve) -> None:
    """After a rejected review the prompt has the rejected output and the feedback."""
    agent = Agent(result(content="draft one"), result(content="draft two"))
    runs = serve(Workflow("drafts", [Step(agent=agent, requires_output_review=True, on_reject="retry")]))
    run = runs.run("write", timeout=30)
    run.steps_requiring_output_review[0].reject("shorter")
    run = runs.continue_run(run, timeout=30)
    again = agent.given[1][0]
    assert [part in again for part in ("write", "draft one", "shorter")] == [True] * 3


@pytest.mark.spec("SAID-3")
def test_what_was_said_reaches_the_code_of_a_worker(serve: Serve) -> None:
    """The else branch hears the no, and a later step hears it too, with person, reason and the time at which it was said."""
    hears = lambda i: [i.decision.word, i.decision.value, i.decision.by, i.decision.comment, i.decision.time]  # noqa: E731
    later = lambda i: [i.previous_step_content, [each.time for each in i.get_step_output("pay").decisions]]  # noqa: E731
    flow = Workflow(
        "said", [Condition("pay", [lambda _: 1], [Step("no", hears)], requires_confirmation=True), Step("later", later)]
    )
    runs = serve(flow)
    run = runs.run("x", timeout=30)
    [asked] = run.requirements
    decided = runs.workflow.decide(run.run_id, asked.pause_id, "reject", value="to dist", by="ada", comment="late")
    done = runs.wait(run.run_id, timeout=30)
    assert done.content == [["reject", "to dist", "ada", "late", decided.decided_at], [decided.decided_at]]
