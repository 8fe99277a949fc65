"""The trail of a run for an auditor: one row an event, in every store, with columns and names that stay (AUDIT-1)."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from statecore import InMemoryDb, SqliteDb, Step, Workflow
from statecore.cli.main import main
from statecore.errors import UnknownRun, WrongArgument
from statecore.stores.trail import COLUMNS, EVENTS
from statecore.testing.doubles import Clock

STABLE = "run_id workflow session seq time event step address turn attempt pause_id kind word by comment value seen deadline detail chain"


@pytest.fixture(params=["memory", "sqlite"])
def db(request, tmp_path):
    """Each store of this machine; a test of Postgres plays the same."""
    store = InMemoryDb() if request.param == "memory" else SqliteDb(tmp_path / "runs.db", durability="normal")
    yield store
    store.close()


def flow(db: Any) -> Workflow:
    """A payment that is confirmed, reviewed, and followed by a step that asks again."""
    steps = [
        Step("pay", lambda _: {"paid": 3}, requires_confirmation=True, requires_output_review=True, timeout=60),
        Step("ship", fails, on_error="pause"),
    ]
    return Workflow("payout", steps, db)


def fails(_about: object) -> None:
    """Fail."""
    message = "no carrier"
    raise OSError(message)


def played(db: Any) -> Workflow:
    """One run with every kind of event that a person gives, and one that is cancelled."""
    workflow = flow(db)
    run = workflow.run("order 7", run_id="one", user_id="ada")
    workflow.decide("one", "pay:confirmation:0", "confirm", by="bob", comment='=HYPERLINK("x")')
    run = workflow.continue_run(run_id="one")
    run.steps_requiring_output_review[0].edit({"paid": 4}, by="eve")
    workflow.continue_run(run)
    workflow.run("order 8", run_id="two")
    workflow.cancel_run("two", by="cyd")
    return workflow


def events(db: Any, run_id: str) -> list[Any]:
    """The rows of a run without those that only move."""
    return [row for row in db.audit(run_id) if row.event not in ("moved", "root")]


@pytest.mark.spec("AUDIT-1")
def test_a_run_is_told_event_by_event(db):
    """Each question with what was shown, each decision with its person, what was applied and what failed, in the order in which it was."""
    played(db)
    found = events(db, "one")
    assert [(row.event, row.pause_id, row.word, row.by) for row in found] == [
        ("started", "", "start", "ada"),
        ("asked", "pay:confirmation:0", "", ""),
        ("decided", "pay:confirmation:0", "confirm", "bob"),
        ("applied", "pay:confirmation:0", "confirm", "bob"),
        ("asked", "pay:output_review:0", "", ""),
        ("decided", "pay:output_review:0", "edit", "eve"),
        ("applied", "pay:output_review:0", "edit", "eve"),
        ("failed_call", "", "fail", ""),
        ("asked", "ship:error:0", "", ""),
    ]
    asked, decided = found[4], found[5]
    assert (json.loads(asked.value), json.loads(decided.value)) == ({"paid": 3}, {"paid": 4})
    assert asked.seen == decided.seen == db.pause("one", "pay:output_review:0").pause.seen != ""
    assert (json.loads(found[0].value), found[1].deadline > found[1].time) == ("order 7", True)
    assert [row.event for row in events(db, "two")] == ["started", "asked", "cancel_requested", "cancelled"]
    assert events(db, "two")[2].by == "cyd"


@pytest.mark.spec("AUDIT-1")
def test_the_chain_goes_through_the_rows(db):
    """Each row of the journal is there once, in its order, with a link of its own; the last link is the head of the run."""
    played(db)
    rows = [row for row in db.audit("one") if row.seq]
    assert [row.seq for row in rows] == list(range(1, len(db.journal("one")) + 1))
    assert len({row.chain for row in rows}) == len(rows)
    assert rows[-1].chain == db.head("one")
    root = [row for row in db.audit() if row.event == "root"]
    assert [row.chain for row in root] == ([db.root().root] if hasattr(db, "root") else [])


@pytest.mark.spec("AUDIT-1")
def test_columns_and_events_stay(db):
    """The names of the columns are these, in this order; each event that occurs has a meaning."""
    played(db)
    assert " ".join(COLUMNS) == STABLE
    assert {row.event for row in db.audit()} <= set(EVENTS)
    assert {row.run_id for row in db.audit()} - {""} == {"one", "two"}


@pytest.mark.spec("AUDIT-1")
def test_a_time_and_a_run_choose_rows(db):
    """`since` leaves out what was before, in all runs; an unknown run and a time that is none are refused by name."""
    played(db)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert [row.event for row in db.audit(since=later) if row.event != "root"] == []
    assert len(list(db.audit(since=later - timedelta(hours=2)))) == len(list(db.audit()))
    with pytest.raises(UnknownRun):
        list(db.audit("three"))
    with pytest.raises(WrongArgument, match="since"):
        db.audit(since=wrong("yesterday"))


def wrong(value: object) -> Any:
    """A value that its parameter does not allow."""
    return value


@pytest.mark.spec("AUDIT-1")
def test_a_deadline_and_an_erasure_are_told(tmp_path):
    """A deadline that passed is an event; what was erased is shown as erased, and the order is an event with its person and reason."""
    with closing(SqliteDb(tmp_path / "runs.db", durability="normal")) as db:
        clock = Clock()
        workflow = Workflow("late", [Step("pay", lambda _: "x", requires_confirmation=True, timeout=60)], db)
        workflow.host = evolve(workflow.host, clock=clock)
        workflow.run("secret", run_id="one")
        clock.advance(61)
        workflow.tick()
        assert [row.event for row in events(db, "one")] == ["started", "asked", "expired", "cancelled"]
        db.erase("one", "dpo", clock(), reason="asked for")
        rows = list(db.audit("one"))
        assert [cell for row in rows for cell in row if isinstance(cell, str) and "secret" in cell] == []
        [order] = [row for row in rows if row.event == "erased"]
        assert (order.by, order.comment) == ("dpo", "asked for")


@pytest.mark.spec("AUDIT-1")
def test_the_command_prints_it_in_three_forms(tmp_path, capsys):
    """A table, lines of JSON and CSV have the same rows; no cell of the CSV is a formula; forms that contradict are a usage error."""
    file = tmp_path / "runs.db"
    with closing(SqliteDb(file, durability="normal")) as db:
        played(db)
        expected = list(db.audit("one"))
    asked = ["audit", "one", "--db", str(file)]
    assert main([*asked, "--jsonl"]) == 0
    assert [tuple(json.loads(line).values()) for line in capsys.readouterr().out.splitlines()] == [tuple(row) for row in expected]
    assert main([*asked, "--csv"]) == 0
    read = list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))
    assert read[0] == list(COLUMNS)
    assert next(row[14] for row in read if row[5] == "decided") == '\'=HYPERLINK("x")'
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in read for cell in row)
    assert len(read) == len(expected) + 1
    assert main(asked) == 0
    assert "decided" in capsys.readouterr().out
    assert main(["audit", "--since", "1d", "--csv", "--db", str(file)]) == 0
    capsys.readouterr()
    for usage in ([*asked, "--csv", "--jsonl"], [*asked, "--anchor"], ["audit", "--csv", "--db", str(file)]):
        assert main(usage) == 2
