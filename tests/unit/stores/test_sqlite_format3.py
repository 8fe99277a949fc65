"""What the store of format 3 does beside the promises of every store: how little a step writes, and what is made of it again."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from attrs import evolve

from statecore import InMemoryDb, Loop, Parallel, Step, StepOutput, Workflow
from statecore.errors import ClaimLost, ReplayFailed, StoreCorrupt, StoreError, StoreReplaced
from statecore.runtime import Host
from statecore.stores import owner
from statecore.stores.frames.chain import shape_number
from statecore.stores.records import RunFilter
from statecore.stores.sql3 import shapes, writing
from statecore.stores.sqlite.formats import THREE
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb
from statecore.testing.stores.samples import Writer, claim, entered, started, succeeded
from statecore.testing.stores.threads import at_once, parted
from tests.unit.stores.sqlite_files import raw, tamper


class Died(BaseException):
    """The process ends in the middle of a step."""


@pytest.fixture
def file(tmp_path):
    """Where the store will be."""
    return tmp_path / "runs.db"


def one(file, query, *values):
    """The first row of a query."""
    connection = raw(file)
    row = connection.execute(query, values).fetchone()
    connection.close()
    return row


HOST = f"{owner.host()}/an-earlier-boot/1/1"


def dying(db, at, run_id="r"):
    """A run whose process dies in a step; the store is left as it is."""

    def work(step_input):
        if step_input.step_name == f"s{at}":
            die(db)
        return "x"

    workflow = Workflow("flow", [Step(f"s{n}", work) for n in range(6)], db, session_id="s")
    until_death(workflow, run_id)


def die(db):
    """End the process, as far as a store can tell: it is not used any more."""

    def gone(*_):
        raise Died

    db.commit = db.release = gone
    raise Died


def until_death(workflow, run_id="r"):
    """Run a workflow until its process dies."""
    db = workflow.db
    workflow.host = evolve(Host(db), owner=lambda: HOST, clock=lambda: 10**15)
    with pytest.raises(Died):
        workflow.run("go", run_id=run_id)
    del db.commit, db.release


# -- what a step writes --------------------------------------------------------------------------------------------------------


def test_a_plain_step_writes_one_row(file):
    """A step inserts one event and changes no row: where the run stands is stored at its beginning, and follows from the events."""
    connection_calls = []

    class Counting(sqlite3.Connection):
        def execute(self, statement, *values):
            connection_calls.append(" ".join(statement.split()[:3]))
            return super().execute(statement, *values)

    db = SqliteDb(file, durability="normal", connection_factory=Counting)
    Workflow("flow", [Step(f"s{n}", lambda _: "x") for n in range(4)], db).run(run_id="warm")
    connection_calls.clear()
    Workflow("flow", [Step(f"s{n}", lambda _: "x") for n in range(4)], db).run(run_id="r")
    first, last = connection_calls.index("COMMIT"), len(connection_calls) - connection_calls[::-1].index("BEGIN IMMEDIATE")
    assert connection_calls[first + 1 : last - 1] == ["INSERT INTO event"] * 3
    db.close()


def test_a_small_value_lies_with_its_event_and_a_large_one_apart(file):
    """1,024 bytes lie in the row of the event, 1,025 in `value`; both come back."""
    db = SqliteDb(file, durability="normal")
    writer = started(db)
    writer.commit(succeeded("first", "x" * 1_024), entered("second"), follows=True)
    writer.commit(succeeded("second", "y" * 1_025), entered("third"), follows=True)
    assert [entry.body.value for entry in db.journal("run-1") if entry.body.value] == ["x" * 1_024, "y" * 1_025]
    db.close()
    assert one(file, "SELECT count(*), max(length(body)) FROM value") == (1, 1_025)
    assert one(file, "SELECT max(length(value)) FROM event") == (1_024,)


def test_the_state_is_stored_every_so_often(file, monkeypatch):
    """At most so many boundaries follow from the stored state; then it is stored again, which is no other answer."""
    monkeypatch.setattr(writing, "EACH", 4)
    db, reference = SqliteDb(file, durability="normal"), InMemoryDb()
    numbers = []

    def work(step_input):
        numbers.append(one(file, "SELECT number FROM hot")[0])
        return step_input.step_name

    for each in (db, reference):
        Workflow(
            "flow", [Step(f"s{n}", work if each is db else lambda step_input: step_input.step_name) for n in range(10)], each
        ).run(run_id="r")
    assert numbers == [1, 1, 1, 1, 5, 5, 5, 5, 9, 9]
    assert db.load("r").state == reference.load("r").state
    db.close()


# -- after a death ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 1, 3, 5])
def test_the_state_of_a_run_that_died_is_replayed(file, at):
    """Another process finds the state, the outputs and the journal that the reference in memory has, wherever the process died."""
    db, reference = SqliteDb(file, durability="normal"), InMemoryDb()
    for each in (db, reference):
        dying(each, at)
    again = SqliteDb(file)
    expected, found = reference.load("r"), again.load("r")
    assert (found.state, found.held, found.seq, found.updated) == (expected.state, expected.held, expected.seq, expected.updated)
    assert again.journal("r") == reference.journal("r")
    assert [record.state for record in again.runs(RunFilter())] == [expected.state]
    assert one(file, "SELECT number FROM hot") == (1,)
    again.close()
    db.close()
    assert verify(file, of=THREE).faults == []


def test_loops_and_branches_are_replayed(file):
    """States with turns, frames and several branches follow from the events, too."""
    db, reference = SqliteDb(file, durability="normal"), InMemoryDb()
    for each in (db, reference):
        done: list[str] = []

        def work(step_input, done=done, db_of=each):
            done.append(step_input.step_name)
            if len(done) == 7:
                die(db_of)
            return StepOutput(content=len(done))

        steps: list[Any] = [
            Loop("again", [Step("a", work), Step("b", work)], max_iterations=3),
            Parallel(Step("l", work), Step("r", work), name="both"),
        ]
        until_death(Workflow("flow", [*steps, Step("z", work)], each))
    again = SqliteDb(file)
    assert again.load("r").state == reference.load("r").state
    assert again.load("r").held == reference.load("r").held
    again.close()
    db.close()


def test_a_claim_and_a_release_store_the_state(file):
    """Whoever takes the run over, or gives it back, stores the state that was replayed: the next one replays nothing."""
    db = SqliteDb(file, durability="normal")
    dying(db, 4)
    last = one(file, "SELECT max(id) & 16777215 FROM event")
    [(taken, doubtful)] = db.claim_next("flow", "h/b/2/2", 10**16, 10**16)
    assert (doubtful, one(file, "SELECT number FROM hot")) == (True, last)
    writer = Writer(db, "r", taken.epoch, taken.seq, taken.state)
    assert db.load("r") == taken
    db.release("r", writer.epoch)
    assert db.load("r") == evolve(taken, owner=None, lease=None)
    db.close()


def test_rules_of_another_release_are_not_replayed(file):
    """A run that follows rules which this release does not play is refused by name where its state would have to be replayed."""
    db = SqliteDb(file, durability="normal")
    dying(db, 3)
    db.close()
    again = SqliteDb(file)
    known = again._known
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("statecore.stores.sql3.reading.RULES_VERSION", 2)
        with pytest.raises(ReplayFailed, match="rules 1, and this release plays rules 2"):
            again.load("r")
    assert again.load("r").seq == 8
    assert known is again._known
    again.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET time_us = time_us + 1 WHERE id & 16777215 = 3",
        "UPDATE event SET value = CAST('\"y\"' AS BLOB) WHERE id & 16777215 = 3",
        "UPDATE event SET place = ':1;:0' WHERE id & 16777215 = 3",
        "DELETE FROM event WHERE id & 16777215 = 2",
        "UPDATE hot SET state = replace(state, 's0', 's1')",
        "UPDATE shape_move SET at = 's9' WHERE at = 's2'",
    ],
)
def test_damage_is_named_where_it_is_read(file, change):
    """A run whose rows are not as they were written is not loaded; its journal is not read either, where the damage is in it."""
    db = SqliteDb(file, durability="normal")
    dying(db, 4)
    db.close()
    tamper(file, change)
    again = SqliteDb(file)
    with pytest.raises(StoreError) as refused:
        again.load("r")
    assert type(refused.value) is StoreCorrupt
    if "hot" not in change:
        with pytest.raises(StoreCorrupt):
            again.journal("r")
    again.close()


# -- the fence -----------------------------------------------------------------------------------------------------------------------


def plain(store, run_id="r"):
    """A run whose process is in its third step, and the boundary that ends it."""
    dying(store, 3, run_id)
    found = store.load(run_id)
    return Writer(store, run_id, 1, found.seq, found.state).boundary(succeeded("s3", '"x"'), entered("s4"), follows=True)


def test_a_step_is_fenced_by_its_own_statement(file):
    """A step of an owner that was taken over, one that was stored already, and one of a run that is to be cancelled store nothing."""
    db, other = SqliteDb(file, durability="normal"), SqliteDb(file, durability="normal")
    boundary = plain(db)
    assert other.commit(boundary) is False
    with pytest.raises(ClaimLost):
        db.commit(boundary)
    cancelled = plain(db, "cancelled")
    other.request_cancel("cancelled", "ann", 5)
    assert db.commit(cancelled) is True
    assert other.commit(cancelled._replace(heeds_cancel=False)) is False
    late = plain(db, "taken")
    claim(other, "taken")
    with pytest.raises(ClaimLost):
        db.commit(late)
    assert [len(db.journal(run_id)) for run_id in ("r", "cancelled", "taken")] == [10, 10, 8]
    db.close()
    other.close()


def test_equal_steps_of_many_threads_are_stored_once(file):
    """Eight threads store the same steps while they wait for one disk: each is stored once, and the others are told that they lost the claim."""
    db = SqliteDb(file)
    writer = started(db)
    steps = [writer.boundary(succeeded(f"s{n}", str(n)), entered(f"s{n + 1}"), follows=True) for n in range(30)]
    moved = [tuple(row._replace(seq=row.seq + 2 * n) for row in each.entries) for n, each in enumerate(steps)]
    steps = [each._replace(seq=2 + 2 * n, entries=rows) for n, (each, rows) in enumerate(zip(steps, moved, strict=True))]

    def act(_who):
        stored = []
        for n, boundary in enumerate(steps):
            try:
                stored += [n] if db.commit(boundary) is False else []
            except ClaimLost:
                continue
        return stored

    won, lost = parted(at_once(act))
    assert lost == []
    assert sorted(n for stored in won for n in stored) == list(range(30))
    assert db.journal("run-1", 2) == [row for each in steps for row in each.entries]
    db.close()


def test_a_list_of_moves_is_compared_with_the_one_of_its_number(file, monkeypatch):
    """Two lists of one number do not become one: the moves of the second lie with its event, and both journals come back."""
    db = SqliteDb(file, durability="normal")
    boundary = plain(db)
    number = shape_number
    other = one(file, "SELECT shape FROM event ORDER BY id DESC LIMIT 1")[0]
    connection = raw(file)
    known = {bytes(row[0]) for row in connection.execute("SELECT digest FROM shape").fetchall()}
    connection.close()
    monkeypatch.setattr(shapes, "shape_number", lambda digest: number(digest) if digest in known else other)
    assert db.commit(boundary) is False
    assert db.journal("r", 8) == list(boundary.entries)
    db.close()
    assert one(file, "SELECT count(*) FROM move") == (2,)


def test_a_store_that_was_migrated_under_way_says_so(file):
    """An open store of format 2 whose tables a newer release took away says that another release has changed its file, and not that it is damaged."""
    db = SqliteDb2(file)
    started(db)
    tamper(file, "UPDATE run SET owner = owner")
    connection = raw(file)
    connection.execute("PRAGMA foreign_keys = 0")
    connection.execute("DROP TABLE journal")
    with pytest.raises(StoreCorrupt):
        db.journal("run-1")
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(StoreReplaced, match="another release changed its schema from 2 to 3"):
        db.journal("run-1")
    db.close()
