"""Hand-made inputs: an executor is called by hand with what the engine would give it, and inputs and outputs come back from plain data."""

from __future__ import annotations

import json

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import InMemoryDb, Parallel, Step, StepInput, StepOutput, Workflow
from statecore.definition import Decision
from statecore.output.session import WorkflowSession

TEXTS = st.none() | st.text(max_size=5) | st.integers(-9, 9) | st.lists(st.integers(0, 3), max_size=2)
DECISIONS = st.builds(Decision, st.just("confirmation"), st.sampled_from(["confirm", "reject"]), by=st.none() | st.text(max_size=3))
OUTPUTS: st.SearchStrategy = st.deferred(
    lambda: st.builds(
        StepOutput,
        TEXTS,
        st.sampled_from(["a", "b", "c"]),
        success=st.booleans(),
        steps=st.lists(OUTPUTS, max_size=2),
        decisions=st.lists(DECISIONS, max_size=1),
        images=st.lists(st.text(max_size=2), max_size=1),
    )
)


def members(step_input):
    """All that an executor can ask of an input, its earlier steps by name."""
    named = ("first", "left", "right", "both")
    return {
        **{
            each: getattr(step_input, each) for each in ("input", "previous_step_content", "additional_data", "decision", "attempt")
        },
        **{each: getattr(step_input, each) for each in ("images", "videos", "audio", "files", "step_name", "idempotency_key")},
        "text": step_input.get_input_as_string(),
        "outputs": {name: output.to_dict() for name, output in step_input.previous_step_outputs.items()},
        "last": step_input.get_last_step_content(),
        "all": step_input.get_all_previous_content(),
        "named": {each: (step_input.get_step_content(each), step_input.get_step_output(each)) for each in named},
    }


def test_a_hand_made_input_says_what_the_engine_said():
    """An input made from the plain data of one that the engine gave answers each question alike: media, decisions, earlier steps."""
    met = []

    def pay(step_input):
        met.append((members(step_input), step_input.to_dict()))
        return "paid"

    flow = Workflow(
        "paying",
        [
            Step("first", lambda _: StepOutput(content={"sum": 3}, images=["cat.png"])),
            Parallel(Step("left", lambda _: "l"), Step("right", lambda _: "r"), name="both"),
            Step("pay", pay, requires_confirmation=True, on_reject="cancel"),
        ],
        db=InMemoryDb(),
    )
    run = flow.run({"for": "ada"}, additional_data={"files": ["bill.pdf"]})
    run.steps_requiring_confirmation[0].confirm(by="ada", comment="seen")
    flow.continue_run(run)
    [(said, plain)] = met
    assert said["decision"].by == "ada"
    assert said["files"] == ["bill.pdf"]
    assert said["named"]["both"][0] == {"left": "l", "right": "r"}
    assert members(StepInput.from_dict(json.loads(json.dumps(plain)))) == said


@given(
    input=TEXTS,
    previous=TEXTS,
    outputs=st.dictionaries(st.sampled_from(["a", "b"]), OUTPUTS, max_size=2),
    decision=st.none() | DECISIONS,
    images=st.lists(st.text(max_size=2), max_size=1),
)
def test_an_input_comes_back_from_plain_data(input, previous, outputs, decision, images):  # noqa: A002
    """Any hand-made input is the same after `to_dict` and `from_dict`; so is any output."""
    made = StepInput(input, previous, outputs, {"k": 1}, images, decision=decision, step_name="s", idempotency_key="key", attempt=2)
    again = StepInput.from_dict(made.to_dict())
    assert again.to_dict() == made.to_dict()
    assert (again.decision, again.get_last_step_content()) == (decision, made.get_last_step_content())
    assert [StepOutput.from_dict(each.to_dict()) for each in outputs.values()] == list(outputs.values())


class Order(pydantic.BaseModel):
    """A model as an input."""

    price: int
    note: str | None = None


def test_a_hand_made_input_has_the_session_that_it_was_given():
    """The session of an input that is made by hand is the given one; without one there is no history."""
    session = WorkflowSession("s", "w", None, [])
    assert StepInput(workflow_session=session).workflow_session is session
    assert StepInput(workflow_session=session).get_workflow_history() == StepInput().get_workflow_history() == []


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, None),
        ("ada", "ada"),
        (3, "3"),
        (Order(price=3), '{\n  "price": 3\n}'),
        ({"a": [1]}, '{\n  "a": [\n    1\n  ]\n}'),
    ],
)
def test_an_input_as_text(given, text):
    """A text is itself, a structure indented JSON, anything else its `str`."""
    assert StepInput(given).get_input_as_string() == text


def test_a_member_of_a_group_is_found_by_name():
    """An earlier output is found within the output of its group, the newest of that name first; an unknown name gives None."""
    group = StepOutput("g", "group", steps=[StepOutput(1, "a"), StepOutput(2, "a"), StepOutput(steps=[StepOutput(3, "deep")])])
    made = StepInput(previous_step_outputs={"group": group})
    assert (made.get_step_content("a"), made.get_step_content("deep"), made.get_step_output("none")) == (2, 3, None)


def test_a_wrong_key_of_plain_data_is_refused():
    """A key that an input or an output does not have is an error, not a loss."""
    with pytest.raises(TypeError):
        StepInput.from_dict({"inputs": 1})
    with pytest.raises(TypeError):
        StepOutput.from_dict({"contents": 1})


def test_the_history_of_a_session_is_given_to_a_step():
    """A step reads the inputs and outputs of the completed earlier runs of its session, the last ones where it asks for a number."""
    met = []

    def answer(step_input):
        met.append(
            (step_input.get_workflow_history(), step_input.get_workflow_history(1), step_input.get_workflow_history_context(1))
        )
        return f"re: {step_input.input}"

    flow = Workflow("talk", [Step("answer", answer)], db=InMemoryDb())
    for asked in ("one", "two", "three"):
        flow.run(asked, session_id="s")
    assert [each[0] for each in met] == [[], [("one", "re: one")], [("one", "re: one"), ("two", "re: two")]]
    assert [each[1] for each in met] == [[], [("one", "re: one")], [("two", "re: two")]]
    assert met[0][2] is None
    assert met[2][2] == (
        "<workflow_history_context>\n[Workflow Run-1]\nUser input: two\nWorkflow output: re: two\n\n</workflow_history_context>\n"
    )
