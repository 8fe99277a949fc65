"""The content team and its unit tests, as its users have them."""

from __future__ import annotations

import pytest

from statecore.run.base import RunStatus
from statecore.run.workflow import WorkflowRunEvent
from statecore.workflow import Step, StepInput, StepOutput
from tests.rehearsal import content_studio as studio


@pytest.fixture
def workflow(tmp_path):
    """A studio of this test."""
    made = studio.build(str(tmp_path / "studio.db"))
    yield made
    made.db.close()


def test_the_evaluator_and_the_end_condition():
    """Functions of a workflow are tested by hand, with inputs and outputs that are made."""
    assert studio.is_about_animals(StepInput(input="Owls at night"))
    assert not studio.is_about_animals(StepInput(input="a release"))
    assert not studio.is_good_enough([StepOutput(content="short")])
    assert studio.is_good_enough([StepOutput(content="short"), StepOutput(content="x" * 31)])


def test_the_planner_by_hand():
    """A custom function is called with what came before."""
    output = studio.plan(StepInput(input="owls", previous_step_content="they hunt"))
    assert output.success
    assert output.content.startswith("## Plan")
    assert "they hunt" in studio.planner.asked[-1]


def test_a_step_by_itself():
    """A step is executed by itself, and its state is changed in place."""
    state = {"sources": 1}
    counted = Step(name="count", executor=studio.count_sources)
    output = counted.execute(StepInput(input="owls", previous_step_content="seen"), session_state=state)
    assert (output.content, state) == ("seen (3 sources)", {"sources": 3})


def test_a_run_to_its_end(workflow):
    """All steps run; session state is kept over the runs of a session, and each output can be looked up by its step."""
    run = workflow.run(input="owls at night", session_id="s")
    assert run.status == RunStatus.completed
    assert run.content == "archived: thread on owls at night"
    names = [result.step_name for result in run.step_results]
    assert names == ["remember", "research", "animals", "plan", "drafts", "style", "publish"]
    drafts = run.step_results[4]
    assert [each.content for each in drafts.steps] == ["writer: draft owls at night", "a longer draft about owls, with sources"]
    assert [each.step_name for each in run.step_results[5].steps] == ["article", "thread"]
    assert run.session_state == {"topics": ["owls at night"], "sources": 2}
    again = workflow.run(input="fox", session_id="s")
    assert again.session_state == {"topics": ["owls at night", "fox"], "sources": 4}
    assert [each.step_name for each in again.step_results[5].steps] == ["thread"]
    session = workflow.get_session("s")
    assert [each.input for each in session.runs] == ["owls at night", "fox"]
    assert workflow.get_session_state("s")["sources"] == 4


def test_the_events_of_a_stream(workflow):
    """A program that prints events finds those that it knows, with the fields that it prints."""
    lines = []
    for event in workflow.run(input="a release of ours", stream=True, stream_events=True):
        if event.event == WorkflowRunEvent.workflow_started.value:
            lines.append(f"started {event.workflow_name}")
        elif event.event == WorkflowRunEvent.step_started.value and event.step_name == "plan":
            lines.append(f"step {event.step_name}")
        elif event.event == WorkflowRunEvent.parallel_execution_completed.value:
            lines.append(f"parallel {event.parallel_step_count} {sorted(event.executed_steps)}")
        elif event.event == WorkflowRunEvent.loop_iteration_completed.value:
            lines.append(
                f"iteration {event.iteration} of {event.max_iterations}: {len(event.iteration_results)} {event.should_continue}"
            )
        elif event.event == WorkflowRunEvent.router_execution_started.value:
            lines.append(f"route {list(event.selected_steps)}")
        elif event.event == WorkflowRunEvent.workflow_completed.value:
            lines.append(f"completed {event.content} {len(event.step_results)}")
    assert lines == [
        "started Content Studio",
        "parallel 2 ['research news', 'research web']",
        "step plan",
        "iteration 1 of 3: 1 False",
        "route ['article', 'thread']",
        "completed archived: thread on a release of ours 7",
    ]
