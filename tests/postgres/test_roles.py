"""Two roles, with what their processes have to do and no more: a worker, and a decider who can do nothing but decide."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from statecore import HumanReview, OnTimeout, Step, Workflow
from statecore.db.postgres import PostgresDb
from statecore.errors import NotPermitted, PauseExpired
from statecore.stores import PauseFilter, postgres
from statecore.testing.doubles import Clock, timed
from statecore.testing.stores.samples import ALIVE, TIME, answer, asked, begin, claim, identity, question, started
from tests.postgres.server import QUOTED

ROLES = (Path(postgres.__file__).parent / "roles.sql").read_text(encoding="utf-8")


@pytest.fixture
def role(server, database, db):
    """What opens the store of a fresh database as somebody who has one of the two roles."""
    opened, made = [], []
    asked(db)
    server.execute(ROLES, url=database)

    def log_in(name):
        server.execute(f"CREATE ROLE {name}_ada LOGIN PASSWORD 'not the server''s, ours' IN ROLE {name}", url=database)
        made.append(f"{name}_ada")
        opened.append(PostgresDb(database.replace("ada:", f"{name}_ada:", 1)))
        return opened[-1]

    yield log_in
    for store in opened:
        store.close()
    names = [*made, "statecore_worker", "statecore_decider"]
    server.execute(*[f"DROP OWNED BY {name}" for name in names], *[f"DROP ROLE {name}" for name in names], url=database)


def test_a_decider_decides_and_nothing_else(role, db, database):
    """Whoever has only the decider's role lists, reads and decides; whatever else he tries is refused by name, and nothing is changed."""
    decider = role("statecore_decider")
    assert [waiting.pause.run_id for waiting in decider.pauses(PauseFilter())] == ["run-1"]
    decided = decider.decide(answer(question("run-1"), value='"why"', by="eve", key="k"))
    assert decider.decide(answer(question("run-1"), value='"why"', by="bob")) == decided == db.decisions("run-1")[0]
    before = db.load("run-1")
    for attempt in (
        lambda: claim(decider, "run-1", ALIVE, TIME),
        lambda: begin(decider, identity("run-2")),
        lambda: decider.request_cancel("run-1", "eve", TIME),
        lambda: decider.release("run-1", 1),
        lambda: started(decider, "run-3"),
    ):
        with pytest.raises(NotPermitted) as refused:
            attempt()
        assert QUOTED not in str(refused.value)
    assert db.load("run-1") == before


FORBIDDEN = {
    "UPDATE run SET phase = 'completed'": "permission denied",
    "UPDATE run SET state = '{}'": "permission denied",
    "UPDATE pause SET closed = 1": "permission denied",
    "UPDATE pause SET decided = 1": "when its decision says so",
    "UPDATE decision SET word = 'reject'": "permission denied",
    "DELETE FROM decision": "permission denied",
    "INSERT INTO journal VALUES (1, 5, 1, '', '', 0, 0, '', NULL, '')": "permission denied",
    "INSERT INTO value VALUES ('\\x00', 'a lie')": "value_is_at_its_hash",
    "INSERT INTO decision (run, pause_id, word, time) VALUES (1, 'nowhere', 'confirm', 1)": "only an open question",
    "TRUNCATE journal CASCADE": "permission denied",
    "DROP TRIGGER decision_fits ON decision": "must be owner",
}


def test_what_a_decider_may_not_do_the_database_refuses(role, database):
    """Past the store, with SQL of his own, a decider changes neither a run nor what was written."""
    role("statecore_decider").pauses(PauseFilter())
    url = database.replace("ada:", "statecore_decider_ada:", 1)
    for statement, why in FORBIDDEN.items():
        with psycopg.connect(url, options="-c search_path=statecore") as connection, pytest.raises(psycopg.Error, match=why):
            connection.execute(statement.encode())


def test_a_worker_executes_and_rewrites_nothing(role, db, database):
    """Whoever has the worker's role starts, continues and ends runs; what was written he cannot change."""
    worker = role("statecore_worker")
    flow = Workflow("flow", steps=[Step("a", lambda s: s.input), Step("b", lambda s: "b", requires_confirmation=True)], db=worker)
    run = flow.run("x")
    run.steps_requiring_confirmation[0].confirm(by="ann")
    assert flow.continue_run(run).content == "b"
    assert flow.cancel_run(flow.run("y").run_id)
    url = database.replace("ada:", "statecore_worker_ada:", 1)
    for statement in (
        "UPDATE journal SET detail = ''",
        "DELETE FROM decision",
        "UPDATE run SET run_id = 'x'",
        "UPDATE value SET text = ''",
    ):
        with (
            psycopg.connect(url, options="-c search_path=statecore") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())


def test_what_is_late_is_refused_to_a_decider_too(role, db):
    """A decision after the deadline is refused by its name, though only a worker can apply what follows from that."""
    review = HumanReview(requires_confirmation=True, timeout=5, on_timeout=OnTimeout.skip)
    clock = Clock()
    flow = timed(Workflow("payout", steps=[Step("a", lambda s: "a", human_review=review)], db=db), clock)
    late, early = flow.run("x"), flow.run("y")
    clock.advance(4)
    asking = timed(Workflow("payout", steps=[Step("a", lambda s: "a", human_review=review)], db=role("statecore_decider")), clock)
    pause_id = late.requirements[0].pause_id
    asking.decide(early.run_id, pause_id, "confirm")
    clock.advance(1)
    with pytest.raises(PauseExpired):
        asking.decide(late.run_id, pause_id, "confirm")
    assert [(each.run_id, each.is_timed_out) for each in asking.list_pauses()] == [(late.run_id, True)]
    assert flow.db.load(late.run_id).state.run == "paused"
    assert {run.run_id: run.status.value for run in flow.tick()} == {late.run_id: "COMPLETED", early.run_id: "COMPLETED"}


def test_a_schema_that_is_not_there_is_not_made_by_just_anybody(role, server, database):
    """A role that may not make the schema is told who has to."""
    store = role("statecore_worker")
    other = PostgresDb(database.replace("ada:", "statecore_worker_ada:", 1), db_schema="elsewhere")
    with pytest.raises(NotPermitted, match="by its owner first"):
        other.load("run-1")
    assert store.load("run-1").seq == 3
