"""Agents as steps: which results are believed, and what an agent is given and asked, in every store and colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import Loop, OnError, Router, Step, StepOutput, Worker, Workflow
from statecore.errors import AgentFailed, AgentPaused, UnknownAgentResult, UnstorableValue
from tests.conformance.drive import flat


class Agent:
    """An agent that answers with results in order, the last one for ever, and remembers what it was asked."""

    name = "agent"

    def __init__(self, *results: Any) -> None:
        self.results, self.asked = results, list[Any]()

    def run(self, message: Any) -> Any:
        self.asked.append(message)
        return self.results[min(len(self.asked), len(self.results)) - 1]


class AsyncAgent(Agent):
    """The same, asynchronously only."""

    run = None  # type: ignore[assignment]

    async def arun(self, message: Any) -> Any:
        return Agent.run(self, message)


def result(**parts: Any) -> SimpleNamespace:
    """A result of an agent."""
    return SimpleNamespace(**parts)


# -- results that are believed -----------------------------------------------------------------------------------------------------


class Status(Enum):
    """The status of a result, as frameworks have it."""

    done = "COMPLETED"
    paused = "PAUSED"
    failed = "ERROR"
    cancelled = "CANCELLED"
    running = "RUNNING"


FATES: dict[str, list[dict[str, Any]]] = {
    "done": [{}, {"status": Status.done}, {"status": "completed"}, {"is_paused": False}, {"status": None, "success": True}],
    "paused": [{"is_paused": True}, {"is_paused": lambda: True}, {"status": Status.paused}, {"status": "input-required"}],
    "failed": [{"status": Status.failed}, {"status": "RunStatus.error"}, {"is_error": True}, {"success": False}, {"error": "401"}],
    "cancelled": [{"status": Status.cancelled}, {"is_cancelled": True}, {"status": "canceled"}],
    "running": [{"status": Status.running}, {"status": "pending"}, {"done": False}, {"status": "in progress"}],
    "unheard of": [{"status": "PARTIAL"}, {"status": 3}, {"state": "max_steps_error"}],
}
NAMES = ("content", "output", "final_output", "raw")
fates = st.sampled_from([(fate, says) for fate, each in FATES.items() for says in each])


@pytest.mark.spec("AGENT-1", "AGENT-2")
@given(
    fate=fates,
    names=st.sets(st.sampled_from(NAMES)),
    policy=st.sampled_from(OnError),
    stream=st.booleans(),
    as_stream=st.booleans(),
)
def test_a_result_that_is_not_done_never_completes_its_step(fate, names, policy, stream, as_stream):
    """Whatever a result says with whichever content: the step completes where it is done and has content, and fails by its policy else."""
    how, says = fate
    made = result(**{name: f"my {name}" for name in names}, **says)
    agent = Agent(iter([made]) if as_stream else made)
    workflow = Workflow("flow", [Step("mail", agent=agent, on_error=policy), Step("end", lambda i: i.previous_step_content)])
    try:
        list(workflow.run("x", run_id="r", stream=True)) if stream else workflow.run("x", run_id="r")
    except (AgentPaused, AgentFailed, UnknownAgentResult):
        assert policy is OnError.fail
    mail = flat(workflow.get_run_output("r").step_results)["mail"]
    if how == "done" and names:
        first = next(name for name in NAMES if name in names)
        assert (mail.status, mail.content) == ("completed", f"my {first}")
        return
    assert mail.status == {"fail": "failed", "skip": "skipped", "pause": "errored_paused"}[policy.value]
    [failure] = mail.failures
    expected = {"paused": "AgentPaused", "done": "UnknownAgentResult"}.get(how, "AgentFailed")
    assert failure["error_type"] == expected


@pytest.mark.spec("AGENT-1")
@given(good=st.sampled_from(FATES["done"]), bad=fates.filter(lambda each: each[0] != "done"))
def test_a_result_that_contradicts_itself_is_not_believed(good, bad):
    """A result that says that it is done and that it is not is not done, whichever it says in which place."""
    made = result(**{"is_done": True, "content": "x", **good, **bad[1]})
    run = Workflow("flow", [Step("mail", agent=Agent(made), on_error="pause")]).run("x")
    assert run.steps_with_errors[0].error_type == ("AgentPaused" if bad[0] == "paused" else "AgentFailed")


@pytest.mark.spec("AGENT-1", "ERR-3")
@pytest.mark.parametrize("made", [Agent, AsyncAgent])
def test_a_paused_agent_is_a_failure_of_its_step(db, drive, calls, made):
    """A result that says PAUSED is put to a person where errors are, with the agent's words; a retry that is done goes on."""
    agent = made(result(content="May I send it?", status=Status.paused), result(content="sent", status=Status.done))
    workflow = Workflow("flow", [Step(agent=agent, on_error="pause"), calls.does("end")], db)
    run = drive.run(workflow)
    [failed] = run.steps_with_errors
    assert (failed.error_type, "May I send it?" in failed.error_message, calls.names) == ("AgentPaused", True, [])
    failed.retry()
    assert (drive.resume(workflow, run).status, calls.saw("end")) == ("COMPLETED", ["sent"])


@pytest.mark.spec("AGENT-1", "AGENT-3", "AGENT-4")
def test_a_worker_believes_no_more_than_a_driver(db):
    """Driven by a worker, a paused agent is put to a person, too, and its next result is kept; it is asked as from `run`."""
    agent = Agent(result(content="May I?", is_paused=True), result(output="sent"))
    workflow = Workflow("flow", [Step(agent=agent, on_error="pause")], db)
    workflow.submit("mail bob", run_id="r")
    Worker(workflow).work(until_idle=True)
    [failed] = workflow.get_run_output("r").steps_with_errors
    assert failed.error_type == "AgentPaused"
    workflow.decide("r", failed.pause_id, "retry", by="ada")
    Worker(workflow).work(until_idle=True)
    assert (workflow.get_run_output("r").content, agent.asked) == ("sent", ["mail bob"] * 2)


@pytest.mark.spec("AGENT-1", "ERR-1")
@pytest.mark.parametrize(
    ("says", "words"),
    [
        ({"content": "401 Unauthorized", "status": Status.failed}, "401 Unauthorized"),
        ({"content": "so far", "status": Status.cancelled}, "CANCELLED: so far"),
        ({"content": "so far", "status": Status.running}, "RUNNING: so far"),
        ({"content": None, "error": "no route"}, "no route"),
    ],
)
def test_a_failed_agent_fails_with_its_words(db, drive, calls, says, words):
    """A result that says ERROR, CANCELLED or RUNNING fails its step, and the run says it in the agent's words."""
    workflow = Workflow("flow", [Step(agent=Agent(result(**says))), calls.does("end")], db)
    with pytest.raises(AgentFailed, match=words.rpartition(" ")[2]):
        drive.run(workflow, run_id="r")
    run = workflow.get_run_output("r")
    assert (run.status, run.error, calls.names) == ("ERROR", words, [])


@pytest.mark.spec("AGENT-1")
@pytest.mark.parametrize(
    ("made", "believed"),
    [
        ({"status": "PAUSED"}, False),
        ({"is_paused": True, "text": "x"}, False),
        ({"__interrupt__": ["?"], "messages": []}, False),
        ({"content": "x", "status": "odd"}, False),
        ({"status": "rejected", "loan": 5}, True),
        ({"error": "none of ours", "host": "a"}, True),
        ("PAUSED", True),
        (None, True),
    ],
)
def test_a_plain_value_is_judged_by_what_it_says_too(made, believed):
    """A dict that says of itself that the agent is not done is no output; any other plain value is the output as it is."""
    workflow = Workflow("flow", [Step("mail", agent=Agent(made), on_error="pause")])
    run = workflow.run("x")
    assert (run.status == "COMPLETED", run.content if believed else None) == (believed, made if believed else None)


@dataclass
class Told:
    """A result that can be stored as it is."""

    content: str
    status: str = "COMPLETED"


@pytest.mark.spec("AGENT-1")
@pytest.mark.parametrize(
    "around", [lambda told: [told], lambda told: (Told("first"), told), StepOutput], ids=["list", "tuple", "output"]
)
@pytest.mark.parametrize(("status", "error"), [("PAUSED", AgentPaused), ("ERROR", AgentFailed), ("RUNNING", AgentFailed)])
def test_a_result_inside_is_judged_too(around, status, error):
    """A result in a list or a tuple, or as the content of a `StepOutput`, completes no step that it says is not done; one that is done does."""
    with pytest.raises(error, match="May I"):
        Workflow("flow", [Step("mail", agent=Agent(around(Told("May I?", status))))]).run("x")
    assert Workflow("flow", [Step("mail", agent=Agent(around(Told("sent"))))]).run("x").status.value == "COMPLETED"
    assert Workflow("flow", [Step("mail", agent=Agent([{"status": status}]))]).run("x").content == [{"status": status}]


@pytest.mark.spec("AGENT-1")
def test_pending_calls_of_tools_are_a_pause():
    """Results that hold tool calls to be approved are paused: interruptions beside the output, or the requests as the output."""
    requests = result(approvals=[result(tool_call_id="c1", tool_name="send")], calls=[])
    for each in (result(final_output="", interruptions=[object()]), result(output=requests)):
        with pytest.raises(AgentPaused):
            Workflow("flow", [Step("mail", agent=Agent(each))]).run("x")


@pytest.mark.spec("AGENT-2")
def test_a_result_without_content_is_refused_by_type(db, drive):
    """An object with no known content is refused with its type and what to write instead; its contents are not told."""

    class Odd:
        secret = "s3cret"  # noqa: S105  # that is the point

    with pytest.raises(UnknownAgentResult, match=r"a value of type Odd.*adapter") as refused:
        drive.run(Workflow("flow", [Step("mail", agent=Agent(Odd()))], db))
    assert "s3cret" not in str(refused.value)


# -- media -------------------------------------------------------------------------------------------------------------------------


class Image:
    """A medium that makes plain data of itself."""

    def to_dict(self) -> dict[str, Any]:
        return {"url": "https://example.org/a.png"}


MADE = result(content="drawn", images=[b"\x89PNG", Image()], audio=None, video="clip.mp4", files=[])


@pytest.mark.spec("AGENT-2")
@pytest.mark.parametrize("review", [False, True])
@pytest.mark.parametrize("made", [MADE, StepOutput("drawn", images=MADE.images, videos=["clip.mp4"])], ids=["result", "output"])
def test_media_are_kept_beside_the_content(db, drive, reopened, review, made):
    """Images, videos, audio and files that can be stored are in the step's output: for later steps, reviews, and after a restart."""
    seen: list[Any] = []

    def look(step_input):
        output = step_input.get_step_output("draw")
        seen.append((output.content, output.images, output.videos, output.audio, output.files))

    workflow = Workflow("flow", [Step("draw", agent=Agent(made), requires_output_review=review), Step("look", look)], db)
    run = drive.run(workflow, run_id="r")
    kept: Any = ("drawn", [b"\x89PNG", {"url": "https://example.org/a.png"}], ["clip.mp4"], [], [])
    if review:
        shown = run.steps_requiring_output_review[0].step_output
        assert (shown.content, shown.images, shown.videos, shown.audio, shown.files) == kept
        run.steps_requiring_output_review[0].confirm()
        run = drive.resume(workflow, run)
    drawn = flat(workflow.on(reopened()).get_run_output("r").step_results)["draw"]
    assert seen == [kept] == [(drawn.content, drawn.images, drawn.videos, drawn.audio, drawn.files)]


@pytest.mark.spec("AGENT-2", "REV-1")
def test_an_edited_output_has_no_media_of_the_agent():
    """A person who replaces the output replaces all of it."""
    workflow = Workflow("flow", [Step("draw", agent=Agent(MADE), requires_output_review=True)])
    run = workflow.run("x")
    run.steps_requiring_output_review[0].edit("mine")
    [drawn] = workflow.continue_run(run).step_results
    assert (drawn.content, drawn.images, drawn.videos) == ("mine", [], [])


@pytest.mark.spec("AGENT-2")
@pytest.mark.parametrize("made", [result(content="x", images=[object()]), StepOutput("x", files=[object()])])
def test_a_medium_that_cannot_be_stored_is_refused_by_name(made):
    """A medium that is no storable value fails its step, by its name and type."""
    with pytest.raises(UnstorableValue, match=r"\$\.(images|files)\[0\].*object"):
        Workflow("flow", [Step("draw", agent=Agent(made))]).run("x")


# -- what an agent is given --------------------------------------------------------------------------------------------------------


class Taking:
    """An agent whose `run` names all that it may be given."""

    name = "taking"

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []

    def run(  # noqa: PLR0913  # all that may be given
        self,
        message,
        *,
        session_id,
        user_id=None,
        session_state=None,
        dependencies=None,
        images="none",
        audio="none",
        stream=None,
        other="own",
        **more,
    ):
        session_state["count"] = session_state.get("count", 0) + 1
        self.given.append(
            {"message": message, "session_id": session_id, "user_id": user_id, "dependencies": dependencies, "more": more}
            | {"images": images, "audio": audio, "stream": stream, "other": other}
        )
        return result(content="done", images=[b"out"])


@pytest.mark.spec("AGENT-3", "RUN-8")
def test_an_agent_is_given_what_its_signature_takes(db, drive):
    """`run` gets session, user, session state, dependencies, media and stream where it names them, and nothing else."""
    agent = Taking()
    workflow = Workflow("flow", [Step("a", agent=agent), Step("b", agent=agent)], db, dependencies={"mailer": 1})
    run = drive.run(workflow, "hi", session_id="s", user_id="ada", additional_data={"images": [b"in"]})
    told = {"session_id": "s", "user_id": "ada", "dependencies": {"mailer": 1}, "more": {}, "audio": "none", "other": "own"}
    assert agent.given == [
        told | {"message": "hi", "images": [b"in"], "stream": drive.streams},
        told | {"message": "done", "images": [b"in", b"out"], "stream": drive.streams},
    ]
    assert run.session_state == {"count": 2}


class Remembering:
    """An agent that keeps what it was told, by session, and answers with all of it."""

    name = "remembering"

    def __init__(self) -> None:
        self.heard: dict[Any, list[Any]] = {}

    def run(self, message, session_id=None):
        before = self.heard.get(session_id, [])
        self.heard[session_id] = [*before, message]
        return result(content=before)


@pytest.mark.spec("AGENT-3")
def test_users_of_one_agent_never_see_each_others_words(db, drive):
    """An agent that remembers by session answers with the words of that session alone; a run that names none has one of its own."""
    workflow = Workflow("flow", [Step(agent=Remembering())], db)
    told = [("ada", None), ("bob", None), ("ada", None), ("ada", "s"), ("bob", "t"), ("bob", "t"), ("bob", None)]
    answers = [
        drive.run(workflow, f"{user} {n}", user_id=user, session_id=session).content for n, (user, session) in enumerate(told)
    ]
    assert answers == [[], [], [], [], [], ["bob 4"], []]


@pytest.mark.spec("AGENT-3")
def test_a_session_that_is_named_is_shared():
    """A workflow that names its session shares it among its users."""
    workflow = Workflow("flow", [Step(agent=Remembering())], session_id="ours")
    assert [workflow.run(user, user_id=user).content for user in ("ada", "bob")] == [[], ["ada"]]


# -- what an agent is asked --------------------------------------------------------------------------------------------------------


@pytest.mark.spec("AGENT-4", "REV-1")
def test_a_rejected_output_comes_back_with_the_feedback(db, drive):
    """After a rejected review the prompt has the input, the rejected output and the feedback; before, the input alone."""
    agent = Agent(result(content="draft one"), result(content="draft two"))
    workflow = Workflow("flow", [Step(agent=agent, requires_output_review=True, on_reject="retry")], db)
    run = drive.run(workflow, "write a letter")
    run.steps_requiring_output_review[0].reject("shorter, please")
    run = drive.resume(workflow, run)
    first, again = agent.asked
    assert first == "write a letter"
    assert again.startswith("write a letter\n")
    assert all(said in again for said in ("draft one", "shorter, please"))
    assert run.steps_requiring_output_review[0].step_output.content == "draft two"


@pytest.mark.spec("AGENT-4", "LOOP-3", "REV-4")
@pytest.mark.parametrize("kind", ["loop", "router"])
def test_a_rejection_around_an_agent_reaches_it(db, drive, kind):
    """Where the result of a Loop's iteration or of a Router is rejected, the agent inside is asked with that result and the feedback."""
    agent = Agent(result(content="one"), result(content="two"))
    around: Any = {
        "loop": lambda: Loop("l", [Step("a", agent=agent)], 3, requires_iteration_review=True, on_reject="retry"),
        "router": lambda: Router("r", [Step("a", agent=agent)], lambda _: "a", requires_output_review=True, on_reject="retry"),
    }[kind]()
    workflow = Workflow("flow", [around], db)
    run = drive.run(workflow, "x")
    run.steps_requiring_output_review[0].reject("worse")
    drive.resume(workflow, run)
    assert (agent.asked[0], ["one" in agent.asked[1], "worse" in agent.asked[1]]) == ("x", [True, True])


@pytest.mark.spec("AGENT-4", "INPUT-1")
@pytest.mark.parametrize("asked", ["order 7", {"order": 7}])
def test_a_form_reaches_the_agent(db, drive, asked):
    """The values of a form are in the prompt: after a text, and under their name in a dict."""
    agent = Agent(result(content="done"))
    workflow = Workflow("flow", [Step(agent=agent, requires_user_input=True, user_input_schema=[{"name": "colour"}])], db)
    run = drive.run(workflow, asked)
    run.steps_requiring_user_input[0].set_user_input(colour="grün")
    drive.resume(workflow, run)
    [prompt] = agent.asked
    if isinstance(asked, dict):
        assert prompt == {"order": 7, "user_input": {"colour": "grün"}}
    else:
        assert prompt.startswith("order 7\n")
        assert '{"colour": "grün"}' in prompt


@pytest.mark.spec("AGENT-4")
@pytest.mark.parametrize("previous", ["", 0, False, [], {}])
def test_an_agent_is_asked_with_an_empty_content(db, drive, calls, previous):
    """A previous content that is empty is the prompt, and not the run's input: only None stands for none."""
    agent = Agent(result(content="done"))
    drive.run(Workflow("flow", [Step("before", calls.does("before", previous)), Step("mail", agent=agent)], db), "the input")
    assert agent.asked == [previous]


@pytest.mark.spec("AGENT-4", "SKIP-1")
def test_an_agent_is_never_asked_with_another_steps_words(db, drive, calls):
    """The prompt is the previous content; the run's input first and after a skipped step, whatever earlier steps said."""
    agents = [Agent(result(content=name)) for name in ("a", "b", "c")]
    steps = [
        Step("a", agent=agents[0]),
        Step("b", agent=agents[1]),
        Step("skipped", calls.does("skipped", OSError("bad")), on_error="skip"),
        Step("c", agent=agents[2]),
    ]
    drive.run(Workflow("flow", steps, db), ["the", "input"])
    assert [each.asked for each in agents] == [[["the", "input"]], ["a"], [["the", "input"]]]
