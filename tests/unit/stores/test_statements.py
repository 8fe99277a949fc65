"""P26: no statement of a run, a review, a poll or a page scans. The statements are those that the operations really issue, each explained.

A scan is what reads a table, or an index, from its beginning to its end. The first page of a listing reads an index from its end on, and stops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from statecore import HumanReview, Inbox, OnTimeout, Parallel, Step, Worker, Workflow
from statecore.db.sqlite import SqliteDb
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.records import after_of
from statecore.testing.doubles import Clock, timed
from statecore.testing.stores.samples import TIME, answer, asked, question

SMALL = {"store", "workflow", "definition", "legal", "shape"}
"""Tables of a few rows, however many runs there are."""
SORT = "USE TEMP B-TREE"
SCAN = re.compile(r"SCAN (?:TABLE )?(\w+)")


def flow(name, db, clock):
    """A workflow with two plain steps, a gate with a deadline, and a gate in each of two branches."""
    review = HumanReview(requires_confirmation=True, timeout=60, on_timeout=OnTimeout.skip)
    branches: list[Any] = [Step(each, lambda s: s.input, requires_confirmation=True) for each in ("left", "right")]
    steps: list[Any] = [
        Step("one", lambda s: s.input),
        Step("gate", lambda s: 1, human_review=review),
        Parallel(*branches, name="both"),
    ]
    return timed(Workflow(name, steps, db=db), clock)


def whole(read, wanted, **parts):
    """The first pages of a listing, of two rows each."""
    after, seen = None, 0
    while not seen or (after is not None and seen < 4):
        page = read(wanted(limit=2, after=after, **parts))
        after, seen = after_of(page), seen + 1


class Operations:
    """What is done with a store, by name."""

    def __init__(self, db, clock, name=""):
        self.db, self.clock, self.of = db, clock, name
        self.flow, self.box = flow(f"flow{name}", db, clock), Inbox(db)
        for n in range(8):
            self.flow.run("x", run_id=f"parked-{n}{self.of}", session_id=f"session {n % 2}", user_id=f"user {n % 3}")
        flow("other", db, clock).run("x", run_id=f"other{self.of}")
        self.flow.cancel_run(f"parked-7{self.of}")

    def a_run_and_its_reviews(self):
        """A run, its questions answered one by one, to its end."""
        run = self.flow.run("x", run_id=f"new{self.of}", session_id="session 0", idempotency_key="k")
        while run.is_paused:
            for each in run.requirements:
                self.flow.decide(f"new{self.of}", each.pause_id, "confirm", by="ada", idempotency_key=each.pause_id)
            run = self.flow.continue_run(run_id=f"new{self.of}")
        assert run.status.value == "COMPLETED"

    def workers(self):
        """A worker that finds work, and one that finds none."""
        self.flow.submit("x", run_id=f"submitted{self.of}")
        self.flow.decide(f"parked-1{self.of}", "gate:confirmation:0", "confirm")
        Worker(self.flow, 1).work(until_idle=True)
        assert self.db.claim_next(self.flow.id, "h/b/1/1", self.clock()) == []
        self.flow.submit("x", run_id=f"once more{self.of}")
        assert len(self.db.claim_next(self.flow.id, "h/b/1/1", self.clock(), most=5)) == 1

    def those_who_look_after_them(self):
        """Ticks, recoveries, cancellations, leases."""
        self.flow.tick()
        self.flow.recover()
        self.flow.cancel_run(f"parked-2{self.of}", by="ada")
        self.clock.advance(100)
        self.flow.tick()

    def readers(self):
        """What is shown of one run."""
        self.box.show(f"parked-0{self.of}")
        self.box.find(f"parked-0{self.of}")
        self.db.decisions(f"parked-0{self.of}")
        self.db.journal(f"parked-0{self.of}")
        self.db.outline(f"parked-0{self.of}", 1, 2)
        self.db.head(f"parked-0{self.of}")
        self.db.tallies(self.flow.id)
        self.db.session_state("session 0", self.flow.id)
        self.flow.list_pauses(run_id=f"parked-0{self.of}")

    def listings(self):
        """Every page of every listing."""
        every: list[dict[str, Any]] = [
            {}, {"workflow_id": self.flow.id}, {"session_id": "session 0"}, {"user_id": "user 1"}, {"prefix": "parked-"}, {"phases": ("paused",)},
            {"phases": ("paused", "cancelled")}, {"workflow_id": self.flow.id, "phases": ("paused", "cancelled")},
            {"session_id": "session 0", "workflow_id": self.flow.id, "phases": ("paused",)}, {"prefix": "p", "user_id": "user 1"},
        ]  # fmt: skip
        for parts in every:
            whole(self.db.runs, RunFilter, **parts)
        questions: list[dict[str, Any]] = [
            {}, {"workflow_id": self.flow.id}, {"due_before": 2**60}, {"due_before": 2**60, "workflow_id": self.flow.id}, {"kind": "confirmation"},
            {"session_id": "session 0"}, {"undecided_only": False}, {"decided_only": True}, {"workflow_id": self.flow.id, "decided_only": True},
            {"step_name": "gate", "due_after": 5},
        ]  # fmt: skip
        for parts in questions:
            whole(self.db.pauses, PauseFilter, **parts)

    def those_who_end_data(self):
        """A purge of everything that has ended, planned and done."""
        late = self.clock() + 10**12
        self.flow.cancel_run(f"parked-3{self.of}", by="ada")
        self.db.purge(late, late, by="ada", plan=True)
        self.db.anchor()
        self.db.root(2)
        with TemporaryDirectory() as folder:
            self.db.archive([f"parked-3{self.of}", f"parked-0{self.of}"], f"{folder}/some.archive", late)
        for wanted in (
            RunFilter(),
            RunFilter(workflow_id=self.flow.id),
            RunFilter(phases=("paused",)),
            PauseFilter(),
            PauseFilter(kind="confirmation"),
        ):
            self.db.count(wanted)
        assert self.db.erase(f"parked-3{self.of}", "ada", late).bodies > 0
        assert self.db.erase(f"parked-7{self.of}", "ada", late, fields=["input"]).bodies > 0
        assert self.db.purge(late, late, by="ada").runs >= 1


NAMES = ["a_run_and_its_reviews", "workers", "those_who_look_after_them", "readers", "listings", "those_who_end_data"]


@contextmanager
def issued(db) -> Iterator[list[str]]:
    """The statements that a store issues, with their values in them."""
    found: list[str] = []
    connection = db._channel().connection
    connection.set_trace_callback(found.append)
    yield found
    connection.set_trace_callback(None)


def faults(db, statement):
    """What a statement scans or sorts, beside what is small."""
    plan = [row[3] for row in db._channel().connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
    sorts = any(SORT in step for step in plan)
    stops = " LIMIT " in statement and not sorts
    names = dict(re.findall(r"(\w+) (?:AS )?([a-z])\b", statement))
    found = []
    for step in plan:
        name = SCAN.match(step)
        table = name and next((table for table, short in names.items() if short == name[1]), name[1])
        if (
            name
            and step != "SCAN CONSTANT ROW"
            and table not in SMALL
            and not (stops and plan.index(step) == 0)
            and not statement.startswith(SHAPES)
        ):
            found.append(step)
    return found + [step for step in plan if SORT in step and not is_few(statement)]


SHAPES = "INSERT INTO shape "
"""Its plan has a look at the events for a reference that is open, which is left out where none is, as always here."""


def is_few(statement):
    """Whether a statement reads the questions of one run, or the runs that processes execute now: these are few, and may be sorted."""
    return re.search(r"\b(p\.)?run = \d+|h\.owner IS NOT NULL", statement) is not None


@pytest.fixture
def operations(tmp_path):
    """A store with some runs, on one thread."""
    clock = Clock()
    db = SqliteDb(tmp_path / "runs.db", durability="normal")
    yield Operations(db, clock)
    db.close()


@pytest.mark.parametrize("name", NAMES)
def test_no_statement_that_is_issued_scans(operations, name):
    """Each statement reads each table by a key or an index, and sorts nothing but a few rows."""
    with issued(operations.db) as statements:
        getattr(operations, name)()
    asked = {each for each in statements if each.split(None, 1)[0].upper() in {"SELECT", "INSERT", "UPDATE", "DELETE"}}
    assert len(asked) > 10
    found = {each[:300]: found for each in asked if (found := faults(operations.db, each))}
    assert found == {}, found


def test_a_narrowed_page_reads_a_bounded_number_of_rows(tmp_path):
    """A page that has to pass over 1,000 rows gives what it has, and where to go on; the next one finds what lies behind them."""
    db = SqliteDb(tmp_path / "runs.db", durability="normal")
    asked(db, "rare", question("rare", opened=TIME + 10**9), session_id="s", user_id="rare")
    for n in range(1_001):
        asked(db, f"run-{n}", question(f"run-{n}", opened=TIME + n), session_id="s", user_id="many")
    asked(db, "idle", session_id="nobody's")
    db.decide(answer(question("idle")))
    page = db.pauses(PauseFilter(kind="confirmation", limit=3))
    assert [each.pause.run_id for each in page] == ["run-0", "run-1", "run-2"]
    first = db.pauses(PauseFilter(step_name="gate", session_id="nobody's", limit=3))
    assert (list(first), after_of(first)) == ([], ("run-999", "gate:confirmation:0"))
    assert after_of(db.pauses(PauseFilter(session_id="nobody's", limit=3, after=after_of(first)))) is None
    found = db.runs(RunFilter(session_id="s", phases=("completed",), limit=3))
    assert (list(found), after_of(found)) == ([], "run-1")
    assert [each.identity.run_id for each in db.runs(RunFilter(user_id="rare"))] == ["rare"]
    db.close()
