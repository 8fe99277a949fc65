"""Onboarding and its tests: plain data over a page that is posted back, a session's history, a function as a workflow."""

from __future__ import annotations

import json

import pytest

from statecore import InvalidInput
from statecore.run.base import RunStatus
from statecore.run.workflow import RunEvent, StepCompletedEvent
from statecore.workflow import StepInput
from tests.rehearsal import onboarding as app

FORM = {"name": "Ada", "mail": "ada@example.com"}


@pytest.fixture
def crm():
    """A client that counts."""
    return app.Crm()


@pytest.fixture
def workflow(tmp_path, crm):
    """An onboarding of this test."""
    made = app.build_onboarding(str(tmp_path / "onboarding.db"), crm)
    yield made
    made.db.close()


def test_a_page_that_is_posted_back(workflow, crm):
    """The page carries the run as JSON; a yes creates one account, and the output has its events."""
    page = json.loads(json.dumps(app.start(workflow, FORM, "ada")))
    assert (page["paused"], page["questions"], page["status"]) == (True, ["Create the account?"], "PAUSED")
    assert crm.created == []
    done = app.decide(workflow, {**page, "answer": "yes"}, "boss")
    assert (done["status"], done["content"]) == ("COMPLETED", "welcome, account 1: ada@example.com")
    assert (crm.created, done["session_state"], done["metadata"]) == (["Ada"], {"account": 1}, {"team": "sales"})
    events = [RunEvent.from_dict(each) for each in done["events"]]
    assert [each.step_name for each in events if isinstance(each, StepCompletedEvent)] == ["create account", "welcome"]


def test_a_no_cancels(workflow, crm):
    """Nothing is created, and the run is found in the session of its user alone."""
    page = app.start(workflow, FORM, "eve")
    done = app.decide(workflow, {**page, "answer": "no"}, "boss")
    assert (done["status"], crm.created) == ("CANCELLED", [])
    assert workflow.get_last_run_output("onboarding of eve").status == RunStatus.cancelled
    assert workflow.get_last_run_output("onboarding of ada") is None


def test_a_wrong_form_is_refused(workflow):
    """The schema of the input is checked before anything is stored."""
    with pytest.raises(InvalidInput, match="mail"):
        app.start(workflow, {"name": "Ada"}, "ada")
    assert workflow.list_runs() == []


def test_a_function_as_a_workflow(tmp_path):
    """It is called with the workflow and the input, and its answer is the content."""
    flow = app.build_greeter(str(tmp_path / "g.db"))
    assert flow.run(input={"name": "Ada"}).content == 'greeter says hello to {\n  "name": "Ada"\n}'


def test_the_history_of_a_session(tmp_path):
    """A step sees the inputs and outputs of the session's runs before it; another session begins anew."""
    flow = app.build_rememberer(str(tmp_path / "m.db"))
    said = [flow.run(input=text, session_id="s").content for text in ("one", "two", "three")]
    assert said == ["first time for one", "two after one (first time)", "three after two (two after )"]
    assert flow.run(input="four", session_id="other").content == "first time for four"
    assert [each.output for each in flow.get_chat_history("s", num_runs=1)] == ["three after two (two after )"]


def test_an_executor_by_hand():
    """A session with a history is made by hand, too."""
    assert app.remembers(StepInput(input="x")) == "first time for x"
