"""Who decided, and who cancelled, is a part of the event: as the driver makes it, in every colour, and as replay finds it in the journal."""

from __future__ import annotations

import pytest

from statecore import Step, Workflow
from statecore.core import stored_program
from statecore.runtime.execution import Execution
from statecore.stores.detail import detail_of
from statecore.stores.replay import replay


@pytest.fixture
def events(monkeypatch):
    """Every event of every boundary that this process makes."""
    seen = []
    made = Execution.boundary

    def boundary(self, effect, *, heeds_cancel):
        seen.extend(effect.events)
        return made(self, effect, heeds_cancel=heeds_cancel)

    monkeypatch.setattr(Execution, "boundary", boundary)
    return seen


def people(events):
    """The events of people: what they did, and who."""
    return [(event.trigger, event.by) for event in events if event.trigger in ("confirm", "reject", "skip", "cancel")]


def replayed(db, run_id):
    """The events that replay finds in the journal."""
    rows = db.journal(run_id)
    return [event for past in replay(lambda name: stored_program(db.definition(name)), rows) for event in past.commit.events]


def busy(_):
    """Fail."""
    message = "busy"
    raise OSError(message)


def flow(db):
    """A gate, a step that fails, and another gate."""
    return Workflow(
        "flow",
        [
            Step("pay", lambda _: "paid", requires_confirmation=True),
            Step("post", busy, on_error="pause"),
            Step("file", lambda _: "filed", requires_confirmation=True),
        ],
        db,
    )


@pytest.mark.spec("CONF-9")
def test_an_event_says_who_decided(db, drive, events):
    """A confirmation, a decision about an error and a rejection carry their person, and replay finds the same events."""
    workflow = flow(db)
    run = drive.run(workflow)
    run.steps_requiring_confirmation[0].confirm(by="ada", comment="checked")
    run = drive.resume(workflow, run)
    run.steps_with_errors[0].skip(by="bob")
    run = drive.resume(workflow, run)
    run.steps_requiring_confirmation[0].reject()
    run = drive.resume(workflow, run)
    expected = [("confirm", "ada"), ("skip", "bob"), ("reject", None)]
    assert people(events) == people(replayed(db, run.run_id)) == expected
    assert [event.by for event in events] == [event.by for event in replayed(db, run.run_id)]


@pytest.mark.spec("CANCEL-1")
@pytest.mark.parametrize("by", ["eve", None])
def test_an_event_says_who_cancelled_a_paused_run(db, drive, events, by):
    """The cancellation of a run that rests carries who asked for it."""
    workflow = flow(db)
    run = drive.run(workflow)
    workflow.cancel_run(run.run_id, by=by)
    assert people(events) == people(replayed(db, run.run_id)) == [("cancel", by)]


@pytest.mark.spec("CANCEL-1")
def test_an_event_says_who_cancelled_a_running_run(db, drive, events):
    """The cancellation that a boundary heeds carries who asked for it, and its row says the same."""
    workflow = Workflow("flow", [Step("stop", lambda _: workflow.cancel_run("r", by="eve")), Step("never", lambda _: 1)], db)
    drive.run(workflow, run_id="r")
    assert people(events)[-1] == people(replayed(db, "r"))[-1] == ("cancel", "eve")
    [row] = [row for row in db.journal("r") if row.machine == "run" and row.trigger == "cancel"]
    assert (detail_of(row.body.detail).by, row.body.detail) == ("eve", '{"by": "eve"}')
