"""TOOL: tool calls of agents, in every store and colour; the agents follow a plan."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Approval, Condition, InMemoryDb, Loop, OnError, Parallel, Router, RunStatus, Step, Steps, Workflow
from statecore.agents import Done, Failed
from statecore.errors import (
    AlreadyDecided,
    DefinitionError,
    InvalidInput,
    OtherFramework,
    Undecided,
    UndeclaredAsk,
    UnsupportedSetting,
)
from statecore.run.workflow import StepExecutorContinuedEvent, StepExecutorPausedEvent, StepPausedEvent
from statecore.testing import Clock, timed
from tests.agents.toys import FORM, MAIL, Gives, Toy, two
from tests.conformance.drive import statuses, triggers

BOTH = [{"to": "bob"}, {"to": "eve"}]


def approve(run, by="ada"):
    """Approve each open call."""
    for asked in run.requirements:
        asked.confirm(by=by)


@pytest.mark.spec("TOOL-1", "ASK-7", "GATE-12")
def test_each_call_of_an_agent_is_a_question(db, drive):
    """Name, arguments, the agent's words and which agent of a team asks; answered one by one or together, then the agent goes on."""
    toy = Toy([two(), [MAIL]])
    workflow = Workflow("flow", [Step("support", agent=toy), Step("end", lambda i: i.previous_step_content)], db)
    run = drive.run(workflow, "help")
    first, second = run.requirements
    assert (first.kind, first.wants, first.tool_name, first.tool_args) == ("question", "tool_call", "mail", {"to": "bob"})
    assert (first.pause_id, first.call["words"]) == ("support:question:0+0", "bob should know")
    assert (second.call["agent"], second.question) == ("scribe", "scribe wants to call mail(to='eve')")
    assert toy.ran == []
    workflow.decide(run.run_id, second.pause_id, "confirm", by="bob")
    run = drive.resume(workflow, run_id=run.run_id)
    assert ([each.pause_id for each in run.requirements], toy.ran) == ([first.pause_id], [])
    with pytest.raises(AlreadyDecided, match="bob"):
        workflow.decide(run.run_id, second.pause_id, "reject")
    approve(run)
    run = drive.resume(workflow, run)
    assert ([each.pause_id for each in run.requirements], toy.ran) == (["support:question:1+2"], BOTH)
    approve(run)
    run = drive.resume(workflow, run)
    assert (run.status, toy.ran) == (RunStatus.completed, [*BOTH, {"to": "bob"}])
    assert run.content == "asked help; mail done for bob; mail done for eve; mail done for bob"
    assert triggers(workflow, run.run_id, "support") == ["enter", "ask", "answer", "answer", "ask", "answer", "succeed"]


@pytest.mark.spec("TOOL-3")
def test_a_rejection_is_an_answer(db, drive):
    """Its words reach the model, the other calls stay, the agent goes on, and on_reject is not asked."""
    toy = Toy([two()])
    workflow = Workflow("flow", [Step("support", agent=toy, on_reject="cancel", requires_confirmation=True)], db)
    run = drive.run(workflow)
    run.requirements[0].confirm()
    run = drive.resume(workflow, run)
    run.requirements[0].reject("not to bob", by="ada")
    assert (run.requirements[0].confirmed, run.requirements[0].rejection_feedback) == (False, "not to bob")
    run.requirements[1].confirm()
    run = drive.resume(workflow, run)
    assert (run.status, toy.ran) == (RunStatus.completed, [{"to": "eve"}])
    assert run.content == "asked input; rejected: not to bob; mail done for eve"


@pytest.mark.spec("TOOL-1", "ASK-6")
def test_other_arguments_and_other_answers(db, drive):
    """`edit` gives other arguments where the adapter allows it; what is no verdict is refused, and answers nothing."""
    toy = Toy([two()])
    workflow = Workflow("flow", [Step("support", agent=toy)], db)
    run = drive.run(workflow)
    first, second = run.requirements
    with pytest.raises(InvalidInput, match="cannot be changed"):
        second.edit({"to": "carol"})
    for odd in ("perhaps", 3, None, {"approved": "yes"}, {"approved": True, "words": "why"}, {"approved": True, "more": 1}):
        with pytest.raises(InvalidInput):
            workflow.decide(run.run_id, first.pause_id, "answer", value=odd)
    workflow.decide(run.run_id, first.pause_id, "edit", value={"to": "carol"})
    workflow.decide(run.run_id, second.pause_id, "answer", value="no: not now")
    run = drive.resume(workflow, run_id=run.run_id)
    assert (toy.ran, run.content) == ([{"to": "carol"}], "asked input; mail done for carol; rejected: not now")


@pytest.mark.spec("TOOL-3", "TIME-2", "TIME-4")
@pytest.mark.parametrize("decided", [False, True])
def test_a_deadline_rejects_the_call(db, drive, decided):
    """With on_timeout="skip" the words of the silence reach the model, and an answer in time counts."""
    clock, toy = Clock(), Toy([two()])
    step = Step("support", agent=toy, timeout=60, on_timeout="skip")
    workflow = timed(Workflow("flow", [step], db), clock)
    run = drive.run(workflow)
    if decided:
        workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm", by="ada")
    clock.advance(61)
    run = drive.resume(workflow, run_id=run.run_id)
    first = "mail done for bob" if decided else "rejected: nobody decided in time"
    assert run.status == RunStatus.completed
    assert (run.content, toy.ran) == (f"asked input; {first}; rejected: nobody decided in time", BOTH[:1] * decided)


@pytest.mark.spec("TOOL-3")
def test_a_deadline_cancels_the_run(db, drive):
    """With on_timeout="cancel" the run is cancelled, and no tool runs."""
    clock, toy = Clock(), Toy([two()])
    workflow = timed(Workflow("flow", [Step("support", agent=toy, timeout=60, on_timeout="cancel")], db), clock)
    run = drive.run(workflow)
    clock.advance(61)
    run = drive.resume(workflow, run_id=run.run_id)
    assert (run.status, toy.ran) == (RunStatus.cancelled, [])


@pytest.mark.spec("TOOL-3", "AUTH-2")
def test_a_silence_is_no_vote(drive):
    """Where an Approval stands a deadline skips the step: no vote is made up, the agent is not resumed, no tool runs, and the run goes on."""
    clock, toy = Clock(), Toy([two()])
    step = Step("support", agent=toy, timeout=60, on_timeout="skip", approval=Approval(2, of="role:finance"))
    workflow = timed(Workflow("flow", [step, Step("after", lambda _: "on")], InMemoryDb()), clock)
    run = drive.run(workflow)
    clock.advance(61)
    run = drive.resume(workflow, run_id=run.run_id)
    assert (run.status, run.content, toy.ran) == (RunStatus.completed, "on", [])


@pytest.mark.spec("TOOL-3", "ASK-4")
def test_a_silence_approves_nothing():
    """`approve` beside tool calls is refused at definition; `may_ask=0` says that there are none, and then a call is an error."""
    with pytest.raises(UnsupportedSetting, match="tool call"):
        Step("support", agent=Toy(), timeout=60, on_timeout="approve", requires_confirmation=True)
    Step("support", agent=Toy(), timeout=60, on_timeout="approve", requires_confirmation=True, may_ask=0)
    with pytest.raises(UndeclaredAsk):
        Workflow("flow", [Step("support", agent=Toy(), may_ask=0)]).run()


@pytest.mark.spec("TOOL-4")
def test_an_agent_asks_for_values(db, drive):
    """A form is answered with a form: its values are checked, and the agent gets them."""
    toy = Toy([[FORM]])
    workflow = Workflow("flow", [Step("support", agent=toy)], db)
    run = drive.run(workflow)
    [asked] = run.requirements
    assert (asked.wants, [each.name for each in asked.user_input_schema]) == ("input", ["account", "amount"])
    with pytest.raises(InvalidInput):
        asked.answer({"account": 3})
    asked.answer({"account": "travel"})
    run = drive.resume(workflow, run)
    assert run.content == "asked input; values {'account': 'travel', 'amount': 3}"


@pytest.mark.spec("TOOL-5")
def test_an_undecided_call_is_neither_yes_nor_no(db, drive):
    """A run with an undecided call does not go on: nothing is called."""
    toy = Toy()
    workflow = Workflow("flow", [Step("support", agent=toy)], db)
    run = drive.run(workflow)
    with pytest.raises(Undecided):
        drive.resume(workflow, run)
    assert (toy.ran, [each.pause_id for each in workflow.list_pauses()]) == ([], [run.requirements[0].pause_id])


@pytest.mark.spec("TOOL-2")
def test_a_failure_after_an_approval_is_not_retried_by_itself(db, drive):
    """The tool may have run: no automatic retry follows. A person's retry is a person's word, and a failure before any approval is retried."""
    toy = Toy(fails=[ConnectionError("the model is away")])
    step = Step("support", agent=toy, max_retries=3, on_error=OnError.pause)
    workflow = Workflow("flow", [step], db)
    run = drive.run(workflow)
    approve(run)
    run = drive.resume(workflow, run)
    assert ([each.kind for each in run.steps_with_errors], toy.ran) == (["error"], BOTH[:1])
    run.steps_with_errors[0].retry(by="ada")
    run = drive.resume(workflow, run)
    assert (run.status, toy.ran) == (RunStatus.completed, BOTH[:1] * 2)


@pytest.mark.spec("TOOL-2")
def test_a_failure_after_rejections_is_retried(db, drive):
    """Where each call was rejected no tool has run: `max_retries` holds."""
    toy = Toy(fails=[ConnectionError("the model is away")])
    workflow = Workflow("flow", [Step("support", agent=toy, max_retries=1)], db)
    run = drive.run(workflow)
    run.requirements[0].reject("no")
    run = drive.resume(workflow, run)
    assert (run.status, run.content, toy.ran) == (RunStatus.completed, "asked input; rejected: no", [])


@pytest.mark.spec("TOOL-2", "REV-1", "AGENT-4")
def test_after_a_rejected_review_the_agent_begins_anew(db, drive):
    """The approvals of before are used up: the agent is asked with the feedback, and its calls are asked about again."""
    toy = Toy()
    workflow = Workflow("flow", [Step("support", agent=toy, requires_output_review=True, on_reject="retry")], db)
    run = drive.run(workflow)
    approve(run)
    run = drive.resume(workflow, run)
    run.requirements[0].reject("shorter")
    run = drive.resume(workflow, run)
    assert ([each.wants for each in run.requirements], toy.ran) == (["tool_call"], BOTH[:1])
    run.requirements[0].reject("enough")
    run = drive.resume(workflow, run)
    run.requirements[0].confirm()
    run = drive.resume(workflow, run)
    assert (run.status, toy.ran) == (RunStatus.completed, BOTH[:1])
    assert "shorter" in run.content
    assert run.content.endswith("rejected: enough")


PLACES: dict[str, Any] = {
    "parallel": lambda one, other: Parallel(Step("a", agent=one), Step("b", agent=other), name="both"),
    "loop": lambda one, other: Loop("twice", [Step("a", agent=one), Step("b", agent=other)], max_iterations=2),
    "router": lambda one, other: Router("way", [Step("a", agent=one), Step("b", agent=other)], selector=lambda i: ["a", "b"]),
    "condition": lambda one, other: Condition("if", [Step("a", agent=one), Step("b", agent=other)], evaluator=True),
    "nested": lambda one, other: Steps("in", [Step("a", workflow=Workflow("w", [Step("x", agent=one)])), Step("b", agent=other)]),
}


@pytest.mark.spec("TOOL-2", "ASK-2")
@pytest.mark.parametrize("where", PLACES)
def test_in_each_place_a_tool_runs_once_an_approval(db, drive, where):
    """Two agents in a Parallel, Loop, Router, Condition and nested workflow: as many calls as approvals, each after its own."""
    one, other = Toy(), Toy([two()])
    workflow = Workflow("flow", [PLACES[where](one, other)], db)
    run = drive.run(workflow)
    approved = 0
    while run.is_paused:
        [asked, *_] = run.requirements
        workflow.decide(run.run_id, asked.pause_id, "confirm", by="ada")
        approved += 1
        run = drive.resume(workflow, run_id=run.run_id)
        assert len(one.ran) + len(other.ran) <= approved
    times = 2 if where == "loop" else 1
    assert run.status == RunStatus.completed
    assert (approved, len(one.ran), len(other.ran)) == (3 * times, times, 2 * times)
    assert "error" not in statuses(run).values()


@pytest.mark.spec("TOOL-1")
def test_the_state_of_another_version_is_refused_by_name(db, drive):
    """A saved state names its framework and version: another one is an error, nothing is called, and the old version goes on."""
    toy = Toy()
    run = drive.run(Workflow("flow", [Step("support", agent=toy, max_retries=2)], db))
    approve(run)
    newer = Toy(version="2")
    with pytest.raises(OtherFramework, match=r"toys 1.*toys 2"):
        drive.resume(Workflow("flow", [Step("support", agent=newer, max_retries=2)], db), run)
    assert newer.ran == []
    run = drive.resume(Workflow("flow", [Step("support", agent=toy, max_retries=2)], db), run_id=run.run_id, retry_failed=True)
    assert (run.status, toy.ran) == (RunStatus.completed, BOTH[:1])


@pytest.mark.spec("TOOL-1", "AGENT-1")
@pytest.mark.parametrize(("gives", "says"), [(Failed("no line", "OFFLINE"), "OFFLINE: no line"), ({"done": True}, "NO OUTCOME")])
def test_an_agent_that_failed_fails_its_step(gives, says):
    """`Failed` is a failure with the agent's words; what is no outcome is one, too."""
    adapter = Gives()
    adapter.gives = gives
    with pytest.raises(Exception, match=says):
        Workflow("flow", [Step("support", agent=adapter)]).run()


@pytest.mark.spec("TOOL-1", "GATE-3")
def test_an_adapter_without_a_version_is_refused():
    """An adapter names itself, its framework and the version, when its step is written."""
    with pytest.raises(DefinitionError, match="version"):
        Step("support", agent=Toy(version=""))
    adapter = Gives()
    adapter.gives = Done(3)
    assert Workflow("flow", [Step("support", agent=adapter)]).run().content == 3


# -- the reference framework's words ---------------------------------------------------------------------------------------------------


@pytest.mark.spec("TOOL-6")
def test_an_agent_waits_in_the_reference_words(db, drive):
    """Each call is an executor requirement; a yes, a no with a note and values are taken from it, and events tell of pause and continuation."""
    toy = Toy([two(), [FORM]])
    workflow = Workflow("flow", [Step("support", agent=toy)], db)
    run = drive.run(workflow)
    if drive.streams:
        assert [told.executor_name for told in drive.heard(StepExecutorPausedEvent)] == ["support", "scribe"]
        assert all(isinstance(told, StepPausedEvent) for told in drive.heard(StepExecutorPausedEvent))
    first, second = run.steps_requiring_executor_resolution
    assert (first.requires_executor_input, first.executor_name, second.executor_name) == (True, "support", "scribe")
    [yes], [no] = first.executor_requirements, second.executor_requirements
    assert (yes.tool_execution.tool_name, yes.tool_execution.tool_args, yes.tool_execution.tool_call_id) == (
        "mail",
        {"to": "bob"},
        "c1",
    )
    assert (yes.needs_confirmation, yes.needs_user_input, yes.is_resolved(), no.member_agent_name) == (True, False, False, "scribe")
    yes.confirm(by="ada")
    no.reject(note="not to eve")
    assert (yes.confirmation, no.confirmation, no.confirmation_note, no.is_resolved()) == (True, False, "not to eve", True)
    assert run.steps_requiring_executor_resolution == []
    run = drive.resume(workflow, run)
    if drive.streams:
        assert [told.by for told in drive.heard(StepExecutorContinuedEvent)] == [None]
    [[form]] = [each.executor_requirements for each in run.steps_requiring_executor_resolution]
    assert (form.needs_user_input, [each.name for each in form.user_input_schema]) == (True, ["account", "amount"])
    with pytest.raises(InvalidInput):
        form.provide_user_input({"account": 3})
    form.provide_user_input({"account": "travel"}, by="ada")
    run = drive.resume(workflow, run)
    heard = ["asked input", "mail done for bob", "rejected: not to eve", "values {'account': 'travel', 'amount': 3}"]
    assert (run.status, run.content, toy.ran) == (RunStatus.completed, "; ".join(heard), BOTH[:1])
    assert [each.event for each in run.events].count("StepExecutorContinued") == 2


@pytest.mark.spec("TOOL-6")
def test_plain_data_of_an_executor_requirement_is_read(db, drive):
    """A page that edits the plain data decides: confirmed, rejected with a note, answered; a yes that is a no as well is refused."""
    toy = Toy([two(), [FORM]])
    workflow = Workflow("flow", [Step("support", agent=toy)], db)
    run = drive.run(workflow)
    plain = run.to_dict()
    [yes], [no] = [each["executor_requirements"] for each in plain["step_requirements"]]
    yes["confirmation"], no["confirmation"], no["confirmation_note"] = True, False, "no"
    no["tool_execution"]["confirmed"] = True
    with pytest.raises(InvalidInput, match="confirmed"):
        type(run).from_dict(plain)
    no["tool_execution"]["confirmed"] = False
    run = drive.resume(workflow, type(run).from_dict(plain))
    plain = run.to_dict()
    [form] = plain["step_requirements"][0]["executor_requirements"]
    form["user_input_schema"][0]["value"], form["tool_execution"]["answered"] = "travel", True
    run = drive.resume(workflow, type(run).from_dict(plain))
    assert (run.status, toy.ran) == (RunStatus.completed, BOTH[:1])
    assert run.content == "asked input; mail done for bob; rejected: no; values {'account': 'travel', 'amount': 3}"
