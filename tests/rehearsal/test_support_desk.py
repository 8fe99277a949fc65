"""The support desk and its tests: a stream that pauses three times, and a person who answers each time."""

from __future__ import annotations

from typing import Any

import pytest

from statecore.media import Image
from statecore.run.workflow import (
    RouterPausedEvent,
    StepOutputDelta,
    StepOutputReviewEvent,
    StepPausedEvent,
    WorkflowCompletedEvent,
    WorkflowPausedEvent,
)
from statecore.workflow import StepInput
from tests.rehearsal import support_desk as desk


@pytest.fixture
def workflow():
    """A desk without refunds, whose mail server is up."""
    desk.REFUNDS.clear()
    desk.MAIL["down"] = False
    return desk.build()


def listen(stream, heard):
    """A page at work: it keeps the events that it shows."""
    for event in stream:
        if isinstance(event, desk.CustomerFound):
            heard.append(("customer", event.customer, event.tier, event.step_name))
        elif isinstance(event, StepOutputDelta):
            heard.append(("delta", event.content))
        elif isinstance(event, (RouterPausedEvent, StepPausedEvent, StepOutputReviewEvent)):
            heard.append(("asked", event.step_name, event.kind))
        elif isinstance(event, (WorkflowPausedEvent, WorkflowCompletedEvent)):
            heard.append((event.event,))


def test_a_conversation_over_streams(workflow):
    """Route, amount and review are asked one after the other; each stream goes on where the last one paused."""
    heard: list[Any] = []
    start = {"stream": True, "stream_events": True, "session_id": "desk"}
    listen(
        workflow.run("a broken lamp", additional_data={"customer": "ada"}, images=[Image(url="https://example.com/lamp")], **start),
        heard,
    )
    assert heard == [("customer", "ada", "gold", "look up"), ("asked", "help", "route"), ("WorkflowPaused",)]

    run = workflow.get_last_run_output("desk")
    [route] = run.steps_requiring_route
    assert route.available_choices == ["refund", "replace"]
    route.select("refund")
    heard.clear()
    listen(workflow.continue_run(run, stream=True, stream_events=True), heard)
    assert heard == [("asked", "refund", "user_input"), ("WorkflowPaused",)]

    run = workflow.get_last_run_output("desk")
    [form] = run.steps_requiring_user_input
    assert [field.name for field in form.user_input_schema] == ["amount"]
    form.set_user_input(amount=12)
    heard.clear()
    listen(workflow.continue_run(run, stream=True, stream_events=True), heard)
    assert [each for each in heard if each[0] == "delta"] == [
        ("delta", "Dear"),
        ("delta", " customer,"),
        ("delta", " about 'refunded 12'"),
        ("delta", " and 1 picture(s)."),
    ]
    assert heard[-2:] == [("asked", "answer", "output_review"), ("WorkflowPaused",)]

    run = workflow.get_last_run_output("desk")
    [review] = run.steps_requiring_output_review
    assert review.step_output.content == "Dear customer, about 'refunded 12' and 1 picture(s)."
    review.edit("Dear Ada, here are 12.")
    heard.clear()
    listen(workflow.continue_run(run, stream=True, stream_events=True), heard)
    assert heard == [("WorkflowCompleted",)]
    assert workflow.get_last_run_output("desk").content == "sent: Dear Ada, here are 12."
    assert desk.REFUNDS == [("a broken lamp", 12)]
    assert workflow.get_session_state("desk") == {"refunded": 12}


def test_an_error_is_put_to_a_person(workflow):
    """The mail server is away: the run pauses, and a retry sends what was reviewed; nothing is refunded twice."""
    desk.MAIL["down"] = True
    run = workflow.run("a lamp", additional_data={"customer": "eve"})
    run.steps_requiring_route[0].select("refund")
    run = workflow.continue_run(run)
    run.steps_requiring_user_input[0].set_user_input(amount=3)
    run = workflow.continue_run(run)
    run.steps_requiring_output_review[0].confirm()
    run = workflow.continue_run(run)
    [failed] = run.steps_with_errors
    assert (failed.step_name, failed.error_type, failed.error_message) == ("send", "ConnectionError", "no mail server")
    desk.MAIL["down"] = False
    failed.retry()
    run = workflow.continue_run(run)
    assert (run.has_completed(), desk.REFUNDS) == (True, [("a lamp", 3)])


def test_a_rejected_answer_is_written_again(workflow):
    """A rejection under retry calls the agent once more, with what the person said in its prompt."""
    run = workflow.run("a lamp", additional_data={"customer": "eve"})
    run.steps_requiring_route[0].select("replace")
    run = workflow.continue_run(run)
    run.steps_requiring_output_review[0].reject("too stiff")
    run = workflow.continue_run(run)
    assert "too stiff" in run.steps_requiring_output_review[0].step_output.content


def test_the_pieces_by_hand(workflow):
    """An executor that reads a form is tested with a made input."""
    output = desk.replace(StepInput(input="a lamp"))
    assert output == "a new one for a lamp"
    found = list(workflow.definition.steps[0].execute_stream(StepInput("x", additional_data={"customer": "ada"})))
    assert [each.tier for each in found if isinstance(each, desk.CustomerFound)] == ["gold"]
    assert found[-1].content == "ada (gold)"
