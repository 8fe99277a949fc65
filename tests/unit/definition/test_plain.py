"""Plain data and back: definitions, sessions and their runs, events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from statecore import Condition, InMemoryDb, Loop, Parallel, Router, Step, Workflow, WorkflowRunOutput, WorkflowSession
from statecore.core import compile_definition
from statecore.definition.fields import function_name
from statecore.definition.plain import plain_definition, read_definition
from statecore.errors import DefinitionError
from statecore.testing.strategies import families, judge, never_called
from tests.sizes import examples


class Agent:
    """An agent."""

    def run(self, said):
        return said


def work(step_input):
    """Hand the input on."""
    return step_input.input


def holds(_outputs):
    """Always yes."""
    return True


AGENT = Agent()
FUNCTIONS = {function_name(each): each for each in (work, holds, AGENT)}


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(families())
def test_any_definition_comes_back(definition):
    """A definition written as plain JSON and read back with its functions compiles to the same program."""
    plain = json.loads(json.dumps(plain_definition(definition)))
    again = read_definition(plain, {function_name(each): each for each in (never_called, judge)})
    assert compile_definition(again).program == compile_definition(definition).program
    assert again == definition


def workflow(db=None) -> Workflow:
    """One of every component, with options of its own."""
    inner = Workflow("inner", [Step("deep", work, requires_output_review=holds)])
    steps: list[Any] = [
        Step("asked", work, requires_confirmation=True, on_reject="cancel", timeout=60),
        Condition("fork", [work], [Step("other", agent=AGENT)], evaluator="input == 1"),
        Loop("again", [Step("body", work)], 2, holds),
        Router("way", [Step("left", work), Step("right", work)], requires_user_input=True),
        Parallel(Step("one", work), Step("two", workflow=inner), name="both"),
        inner,
    ]
    options: dict[str, Any] = {"id": "its-id", "description": "what it does", "metadata": {"team": "a"}, "max_concurrency": 2}
    return Workflow("outer", steps, db, input_schema=[{"name": "n", "field_type": "int"}], store_events=True, **options)


def test_a_workflow_comes_back():
    """`Workflow.from_dict` gives the workflow that `to_dict` wrote, options included, on the store that is given."""
    db, plain = InMemoryDb(), json.loads(json.dumps(workflow().to_dict()))
    again = Workflow.from_dict(plain, FUNCTIONS, db)
    assert again.to_dict() == workflow().to_dict()
    assert again.compiled.program == workflow().compiled.program
    assert (again.db, again.store_events, again.definition.max_concurrency) == (db, True, 2)


def test_a_function_that_was_not_given_is_named():
    """Nothing is imported by a stored name: a missing function is an error that says which ones were given."""
    with pytest.raises(DefinitionError, match=r"test_plain\.Agent.*not given.*work"):
        Workflow.from_dict(workflow().to_dict(), {function_name(work): work, function_name(holds): holds})


def test_a_kind_that_there_is_not_is_named():
    """A component of an unknown kind is refused with the kinds that there are."""
    with pytest.raises(DefinitionError, match=r"'Fork' is no kind.*Condition"):
        Workflow.from_dict({"name": "flow", "steps": [{"type": "Fork", "name": "x"}]}, {})


@pytest.mark.parametrize("stores", [True, False])
def test_a_session_and_its_runs_come_back(stores):
    """A session's plain data are JSON and read back as the same; its runs tell their events where the workflow stores them."""
    flow = Workflow("flow", [Step("a", work), Step("gate", work, requires_confirmation=True)], store_events=stores)
    done = flow.run({"n": 1}, session_id="s")
    for asked in done.step_requirements:
        asked.confirm()
    done = flow.continue_run(done)
    flow.run({"n": 2}, session_id="s")
    session = flow.get_session("s")
    assert session is not None
    plain = json.loads(json.dumps(session.to_dict(), default=list))
    again = WorkflowSession.from_dict(plain)
    assert json.loads(json.dumps(again.to_dict(), default=list)) == plain
    first, second = again.runs
    assert (first.content, second.is_paused, second.requirements[0].kind) == ({"n": 1}, True, "confirmation")
    told = [each.event for each in first.events]
    assert told == ([each.event for each in done.events] if stores else [])
    assert "events" in plain["runs"][0] or not stores
    assert isinstance(first, WorkflowRunOutput)
