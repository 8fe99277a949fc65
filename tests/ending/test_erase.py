"""P28: values of an ended run are erased: no trace stays in the files, no candidate can be confirmed, and `verify` says by whom and when."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256

import pytest

from statecore import Inbox
from statecore.codec import ERASED
from statecore.errors import NotEnded, RunErased, UnknownRun, UnsupportedSetting
from statecore.stores.endings import FIELDS
from statecore.stores.frames import framing
from statecore.stores.records import RunFilter
from statecore.stores.sqlite.health import verify
from tests.ending.made import IBAN, LIVING, completed, failing_of, filled, flow_of, rows_of
from tests.unit.stores.sqlite_files import folder_of, raw, tamper

OTHER = "GB33BUKB20201555555555"
"""A value of another run, which stays."""


def traces(file, text=IBAN):
    """The files beside the store that hold a text."""
    return sorted(name for name, content in folder_of(file).items() if text.encode() in content)


def told(file):
    """What `verify` remarks of erasures."""
    found = verify(file)
    assert found.faults == []
    return [(each.run_id, each.why) for each in found.remarks]


@pytest.mark.parametrize("run_id", ["done", "again", "cancelled", "failed", "wide"])
def test_no_trace_stays_in_the_files(db, file, clock, run_id):
    """After an erasure the value is in no file of the store: not in a row, an index, a free page, or the log; other runs have theirs."""
    filled_once(db, clock, run_id)
    flow_of(db, clock, name="other").run(OTHER, run_id="other", session_id="other")
    assert traces(file) != []
    done = db.erase(run_id, "dpo", clock(), reason="asked for")
    assert (done.done, done.what) == (True, "everything")
    assert done.bodies > 0
    assert traces(file) == []
    assert traces(file, OTHER) != []
    [(named, why)] = told(file)
    assert named == run_id
    assert "erased: everything, ordered by dpo at" in why


def filled_once(db, clock, run_id):
    """The one of the ended runs that has an id, alone with runs that hold another value."""
    from tests.ending import made

    flow = flow_of(db, clock)
    if run_id in ("done", "again"):
        completed(flow, run_id, comment=f"checked {IBAN}", user_id=IBAN, session_id=IBAN)
    elif run_id == "cancelled":
        flow.run(IBAN, run_id=run_id)
        flow.cancel_run(run_id, by=IBAN)
    elif run_id == "failed":
        with pytest.raises(OSError, match=IBAN):
            failing_of(db, clock).run(IBAN, run_id=run_id)
    else:
        wide = made.wide_of(db, clock)
        wide.run(IBAN, run_id=run_id)
        wide.cancel_run(run_id, by=IBAN)


@pytest.mark.parametrize("size", [1, 40, 120, 500, 3_000])
def test_no_trace_stays_whatever_the_sizes(db, file, clock, size):
    """Values that lie in their row, in a page of their own or on many pages leave nothing behind, with neighbours of any size that come and go."""
    from statecore import Step, Workflow

    for n in range(30):
        steps = [Step("a", lambda s: s.input * size), Step("b", lambda s: "y" * (37 * size % 2_000))]
        Workflow("sizes", steps, db=db, session_id=f"s{n}").run(IBAN if n % 3 == 0 else OTHER, run_id=f"r{n}")
    for n in range(1, 30, 3):
        db.erase(f"r{n}", "dpo", clock())
    for n in range(0, 30, 3):
        assert db.erase(f"r{n}", "dpo", clock()).done
    assert traces(file) == []
    assert len(told(file)) == 20


def candidates():
    """All that the erased value may have been, the right one among them."""
    return [f"DE{number:02d}120300000000202051" for number in range(100)]


def bytes_of(file):
    """Every column of bytes that a store holds."""
    with closing(raw(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL")]
        rows = [row for table in tables for row in connection.execute(f"SELECT * FROM {table}").fetchall()]  # noqa: S608  # ours
    return [value for row in rows for value in row if isinstance(value, bytes)]


def salts_of(stored):
    """The salts among stored bytes: of 16 bytes, or in the list that an erasure leaves."""
    left = [
        part
        for part in stored
        if len(part) > 16 and part[:7] == bytes(7) and part[8:13] in (b"event", b"run.i", b"pause", b"decis")
    ]
    return {part for part in stored if len(part) == 16} | {salt for part in left for salt in framing.salts_kept(part).values()}


def confirmed(stored, salts, slots):
    """The candidates that stored hashes confirm: under any of the salts, as one of a row or of a slot, or under none."""
    hashes = {part[i : i + 32] for part in stored for i in range(0, len(part) - 31, 32)}
    found = set()
    for text in candidates():
        for body in (text, f'"{text}"'):
            tried = {sha256(body.encode()).digest()}
            for slot in slots:
                for salt in salts:
                    tried |= {framing.commitment(slot, each, body) for each in (salt, framing.slot_salt(salt, slot) or bytes(16))}
            found |= {text} if tried & hashes else set()
    return found


def test_a_dictionary_confirms_nothing(db, file, clock):
    """With every salt that is stored no candidate gives a hash that is stored; with the salts from before it would, so the attempt is a fair one."""
    completed(flow_of(db, clock), "one", comment=IBAN)
    slots = ("run.input", "decision.comment", "event.value", "event.note")
    before = salts_of(bytes_of(file))
    db.erase("one", "dpo", clock())
    stored = bytes_of(file)
    assert confirmed(stored, salts_of(stored), slots) == set()
    assert confirmed(stored, before, slots) == {IBAN}


def test_an_erased_value_is_read_as_erased(db, clock):
    """Input, outputs and answers are `ERASED`, names and comments say so, and the run is listed as before."""
    flow = flow_of(db, clock)
    completed(flow, "one", comment="fine", user_id="ann")
    db.erase("one", "dpo", clock())
    box = Inbox(db)
    shown = box.show("one")
    assert shown.content is ERASED
    assert [step.content for step in shown.step_results] == [ERASED] * 3
    record = db.load("one")
    assert (record.identity.session_id, record.identity.user_id, record.session_state) == ("(erased)", "(erased)", "{}")
    [decided] = db.decisions("one")
    assert (decided.word, decided.by, decided.comment) == ("confirm", "(erased)", "(erased)")
    assert [each.run_id for each in box.runs(RunFilter())] == ["one"]


def test_only_an_ended_run_is_erased(db, file, clock):
    """A run that goes on or waits is refused by name, and so are an unknown run and an unknown field; no row of any of them has changed."""
    filled(db, clock)
    before = {run_id: rows_of(file, run_id) for run_id in LIVING}
    for run_id in LIVING:
        with pytest.raises(NotEnded, match=run_id):
            db.erase(run_id, "dpo", clock())
    with pytest.raises(UnknownRun):
        db.erase("never", "dpo", clock())
    with pytest.raises(UnsupportedSetting, match="iban"):
        db.erase("done", "dpo", clock(), fields=["iban"])
    assert told(file) == []
    for run_id in ("done", "again", "cancelled", "failed", "wide"):
        db.erase(run_id, "dpo", clock())
    assert {run_id: rows_of(file, run_id) for run_id in LIVING} == before


def test_a_run_with_erased_values_does_not_go_on(db, clock):
    """A failed run would call its step with a value that is no more: it is refused by name, and nothing is called."""
    flow = failing_of(db, clock)
    with pytest.raises(OSError, match=IBAN):
        flow.run(IBAN, run_id="one")
    db.erase("one", "dpo", clock(), fields=["error"])
    with pytest.raises(RunErased, match="error"):
        flow.continue_run(run_id="one", retry_failed=True)
    assert "(erased)" in str(Inbox(db).show("one").step_results[0].error)


HOLDS = {
    "input": "input-7f",
    "output": "output-7f",
    "message": "message-7f",
    "comment": "comment-7f",
    "by": "person-7f",
    "user": "user-7f",
    "session": "session-7f",
}


@pytest.mark.parametrize("field", HOLDS)
def test_a_field_goes_alone(db, file, clock, field):
    """An erasure of one field takes its text and no other, and the chain stays whole."""
    from statecore import HumanReview, Step, Workflow

    review = HumanReview(requires_confirmation=True, confirmation_message="message-7f")
    steps = [Step("first", lambda _: "output-7f"), Step("gate", lambda _: "ok", human_review=review)]
    flow = Workflow("fields", steps, db=db)
    flow.run("input-7f", run_id="one", user_id="user-7f", session_id="session-7f")
    flow.decide("one", "gate:confirmation:0", "confirm", by="person-7f", comment="comment-7f")
    flow.continue_run(run_id="one")
    assert {name for name, text in HOLDS.items() if traces(file, text)} == set(HOLDS)
    assert db.erase("one", "dpo", clock(), fields=[field]).bodies > 0
    assert {name for name, text in HOLDS.items() if traces(file, text)} == set(HOLDS) - {field}
    [(_, why)] = told(file)
    assert f"erased: {field}, ordered by dpo" in why


def test_a_step_goes_alone(db, file, clock):
    """An erasure of one step takes what is its own; a second one takes the rest, and each is told."""
    from statecore import Step, Workflow

    flow = Workflow("steps", [Step("a", lambda _: "output-a"), Step("b", lambda _: "output-b")], db=db)
    flow.run("x", run_id="one")
    db.erase("one", "dpo", clock(), fields=["output"], step="a")
    assert (traces(file, "output-a"), traces(file, "output-b") != []) == ([], True)
    db.erase("one", "dpo", clock())
    assert traces(file, "output-b") == []
    assert [why.split(",")[0] for _, why in told(file)] == ["erased: output of step 'a'", "erased: everything"]
    assert set(FIELDS) >= set(HOLDS)


def test_a_reader_holds_the_log_back(db, file, clock):
    """While a reader sees the store as it was the erasure is not done and says so; the same call afterwards does it, under the same order."""
    completed(flow_of(db, clock), "one")
    with closing(raw(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM run").fetchone()
        done = db.erase("one", "dpo", clock(), wait=0.1)
        assert not done.done
        assert "a process reads the store as it was" in (done.left or "")
        assert "an erasure is not done: everything" in told(file)[0][1]
    again = db.erase("one", "dpo", clock(), wait=0.1)
    assert (again.done, again.bodies, len(told(file)), traces(file)) == (True, 0, 1, [])


def test_an_erased_run_is_purged(db, file, clock):
    """A run whose erasure is done is purged as any other; one whose erasure is not done stays until it is."""
    completed(flow_of(db, clock), "one")
    with closing(raw(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM run").fetchone()
        db.erase("one", "dpo", clock(), wait=0.1)
    assert db.purge(clock() + 1, clock()).runs == 0
    db.erase("one", "dpo", clock())
    assert db.purge(clock() + 1, clock()).runs == 1
    assert verify(file).faults == []


FORGED = {
    "a body taken by hand": ("UPDATE pause SET message = NULL, message_c = zeroblob(32)", "pause"),
    "an order taken away": ("DELETE FROM erasure", "gone, and no erasure says so"),
    "another person": ("UPDATE erasure SET \"by\" = CAST('eve' AS BLOB)", "not as it was sealed"),
    "another order": ("UPDATE erasure SET what = 'output'", "not as it was sealed"),
    "another commitment": ("UPDATE run SET input_c = zeroblob(32)", "run"),
    "a value put back": ("UPDATE run SET input = CAST('\"x\"' AS BLOB)", "run"),
    "a salt put back": ("UPDATE event SET salt = zeroblob(16) WHERE value_c IS NOT NULL", "does not follow"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_erasure_is_seen(db, file, clock, name):
    """A thief with the file who erases, restores or renames by hand, behind the triggers, is seen by `verify`."""
    statement, why = FORGED[name]
    flow = flow_of(db, clock)
    completed(flow, "one", comment="fine")
    completed(flow, "two", comment="fine")
    db.erase("one", "dpo", clock())
    tamper(file, statement)
    faults = [str(fault) for fault in verify(file).faults]
    assert [fault for fault in faults if why in fault] != [], faults


def test_no_body_goes_without_an_order(db, file, clock):
    """Past the library the tables let no body go without an order in force, and none come back under one."""
    completed(flow_of(db, clock), "one", comment="fine")
    with closing(raw(file)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="only an erasure in force"):
            connection.execute("UPDATE run SET input = NULL, input_c = zeroblob(32), salt = NULL")
        db.erase("one", "dpo", clock())
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE run SET input = CAST('1' AS BLOB)")
        with pytest.raises(sqlite3.IntegrityError, match="done once"):
            connection.execute("UPDATE erasure SET done_us = NULL")
