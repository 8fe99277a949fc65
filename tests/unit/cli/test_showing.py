"""OBS-5: `show` with decisions, tracebacks and a timeline, and a run that is followed while others execute it."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest

from statecore import Inbox, OnError, SqliteDb, Step, Workflow
from statecore.cli import main
from statecore.cli.timeline import COLUMNS, lanes_of, timeline_document
from statecore.definition import UserInputField
from statecore.errors import UnknownRun
from statecore.testing.doubles import Clock, timed

pytestmark = pytest.mark.spec("OBS-5")


def charge(_):
    """A step that fails once with words of its own."""
    raise OSError("the line is busy")


def flow(db):
    """A form, a failure, a gate."""
    calls = iter([True, False])
    form = [UserInputField("amount", "int"), UserInputField("pin", "str", secret=True)]
    return Workflow(
        "flow",
        [
            Step("form", lambda s: s.input, requires_user_input=True, user_input_schema=form),
            Step("fetch", lambda asked: charge(asked) if next(calls) else "data", on_error=OnError.pause),
            Step("pay", lambda _: "paid", requires_confirmation=True, on_reject="cancel"),
        ],
        db,
    )


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store in the current folder with a finished run of three decisions, an hour each."""
    monkeypatch.chdir(tmp_path)
    clock, db = Clock(), SqliteDb(db_file=tmp_path / "statecore.db")
    workflow = timed(flow(db), clock)
    workflow.run("x", run_id="whole")
    for pause_id, word, value, comment in (
        ("form:user_input:0", "input", {"amount": 3, "pin": "0815"}, "as ordered"),
        ("fetch:error:0", "retry", None, "try again"),
        ("pay:confirmation:0", "confirm", None, None),
    ):
        clock.advance(3_600)
        workflow.decide("whole", pause_id, word, value=value, by="ada", comment=comment)
        assert workflow.continue_run(run_id="whole").run_id == "whole"
    yield db
    db.close()


def test_the_json_of_a_run_has_decisions_and_tracebacks(store, capsys):
    """A finished run tells each decision with value, person, reason and outcome, and each failure with its traceback; a secret is hidden."""
    assert main(["show", "whole", "--json"]) == 0
    text = capsys.readouterr().out
    shown = json.loads(text)
    told = [(each["step_name"], each["decision"], each["by"], each["comment"], each["outcome"]) for each in shown["decisions"]]
    assert told == [
        ("form", "input", "ada", "as ordered", "applied"),
        ("fetch", "retry", "ada", "try again", "applied"),
        ("pay", "confirm", "ada", None, "applied"),
    ]
    assert shown["decisions"][0]["value"]["amount"] == 3
    assert "0815" not in text
    [failure] = shown["failures"]
    assert (failure["step_name"], failure["error_type"], failure["error"]) == ("fetch", "OSError", "the line is busy")
    assert "charge()" in failure["traceback"]


def test_the_text_of_a_run_has_values_and_reasons(store, capsys):
    """A decision's line has its word, its value, its person and its reason; the secret of a form is in none."""
    assert main(["show", "whole"]) == 0
    text = capsys.readouterr().out
    line = next(line for line in text.splitlines() if "input by" in line)
    assert "amount" in line
    assert "by ada" in line
    assert line.endswith("; as ordered")
    assert "charge()" in text
    assert "0815" not in text


def test_the_timeline_has_working_and_waiting_apart(store, capsys):
    """Each component has a bar as long as the run: it waits with dots, works with a sign of its own, and the seconds are those of the clock."""
    found = {each["address"]: each for each in timeline_document(Inbox(store), "whole")}
    assert {at: (each["waits"], each["works"]) for at, each in found.items()} == {
        "form": (3_600.0, 0.0),
        "fetch": (3_600.0, 0.0),
        "pay": (3_600.0, 0.0),
    }
    assert main(["show", "whole", "--timeline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["timeline"] == list(found.values())
    assert main(["show", "whole", "--timeline"]) == 0
    lines = capsys.readouterr().out.splitlines()
    bars = {line.split("|")[0].strip(): line.split("|")[1] for line in lines if "|" in line}
    assert list(bars) == ["form", "fetch", "pay"]
    assert {len(bar) for bar in bars.values()} == {COLUMNS}
    dots = [(bar.index("."), bar.rindex(".")) for bar in bars.values()]
    assert all(before[1] <= after[0] + 1 for before, after in pairwise(dots))
    assert all("#" in bar for bar in bars.values())
    assert "waits 1 h" in next(line for line in lines if line.strip().startswith("form"))


def test_an_open_lane_lasts_until_now(tmp_path):
    """A question that is open waits until now, and the timeline ends there."""
    clock, db = Clock(), SqliteDb(db_file=tmp_path / "runs.db")
    workflow = timed(flow(db), clock)
    workflow.run("x", run_id="r")
    clock.advance(60)
    [lane], start, end = lanes_of(workflow.inbox, "r")
    assert (lane.seconds("ask"), (end - start) / 1_000_000) == (60.0, 60.0)


# -- following ---------------------------------------------------------------------------------------------------------------------


def names(events):
    """The events of a run by name."""
    return [event.event for event in events]


def gated(db):
    """A step, and one behind a gate."""
    return Workflow("w", [Step("a", lambda _: 1), Step("b", lambda _: 2, requires_confirmation=True)], db)


def decide_and_go_on(path):
    """Another reader's process decides and executes: on a store of its own."""
    db = SqliteDb(db_file=path)
    workflow = gated(db)
    workflow.decide("r", "b:confirmation:0", "confirm")
    workflow.continue_run(run_id="r")
    db.close()


@pytest.fixture
def parked(tmp_path):
    """A run that waits, and its workflow on a store."""
    db = SqliteDb(db_file=tmp_path / "runs.db")
    workflow = gated(db)
    workflow.run("x", run_id="r")
    yield workflow
    db.close()


def test_a_run_is_followed_to_its_end(parked, tmp_path):
    """`follow` yields what was stored, waits where the run waits, and yields what another process stores, until the run has ended."""
    events, before = parked.follow("r", poll=0.01), list[Any]()
    while not before or before[-1].event != "WorkflowPaused":
        before.append(next(events))
    other = Thread(target=decide_and_go_on, args=(tmp_path / "runs.db",))
    other.start()
    after = list(events)
    other.join()
    whole = parked.get_run_output("r").events
    assert names([*before, *after]) == names(whole)
    assert after[-1].event == "WorkflowCompleted"
    assert names(parked.follow("r", after=len(before))) == names(after)


def test_a_run_is_followed_on_asyncio(parked, tmp_path):
    """`afollow` does the same in an event loop, which is free meanwhile."""

    async def followed():
        found = []
        async for event in parked.afollow("r", poll=0.01):
            found.append(event)
            if event.event == "WorkflowPaused":
                await asyncio.wrap_future(pool(decide_and_go_on, tmp_path / "runs.db"))
        return found

    from statecore.runtime.hands import CODE

    pool = CODE.submit
    assert names(asyncio.run(followed())) == names(parked.get_run_output("r").events)


def test_following_ends_where_a_run_rests_if_it_is_told_so(parked):
    """With `until_rest` it ends at the pause; a run that is not there is refused at the first event."""
    assert names(parked.follow("r", until_rest=True))[-1] == "WorkflowPaused"
    with pytest.raises(UnknownRun):
        next(parked.follow("nobody"))


def test_a_look_at_a_run_that_stands_reads_one_row(parked, monkeypatch):
    """Where nothing has happened a look asks for the run alone, and for no journal."""
    from statecore.workflow import elsewhere

    inbox, record = parked.inbox, parked.db.load("r")
    monkeypatch.setattr(parked.db, "journal", None)
    assert elsewhere.news(inbox, "r", record.seq, 3) == (record, [])


def test_show_follows(parked, tmp_path, capsys, monkeypatch):
    """`show --follow --json` prints each event as a line of JSON, until the run has ended; the exit code says how."""
    monkeypatch.chdir(tmp_path)
    decide_and_go_on(tmp_path / "runs.db")
    assert main(["show", "r", "--db", "runs.db", "--follow", "--json"]) == 0
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert told == names(parked.get_run_output("r").events)
    assert main(["show", "r", "--db", "runs.db", "--follow"]) == 0
    assert "completed" in capsys.readouterr().out
