"""Logins with the roles of a store: a worker, a decider that can do nothing but decide, and a gateway that decides for others (P19)."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from attrs import evolve

from statecore import HumanReview, Inbox, OnTimeout, Parallel, Step, UserInputField, Workflow
from statecore.db.postgres import PostgresDb
from statecore.errors import (
    AlreadyDecided,
    InvalidInput,
    KeyReused,
    NotPaused,
    NotPermitted,
    PauseExpired,
    StaleDecision,
    UnknownDecision,
    UnknownPause,
    UnknownRun,
    UnstorableValue,
)
from statecore.stores import PauseFilter, postgres
from statecore.stores.postgres.health import verify
from statecore.testing.doubles import Clock, timed
from statecore.testing.stores.samples import ALIVE, TIME, answer, begin, claim, identity, question, started
from tests.postgres.deciders import ROLES as NAMES
from tests.postgres.server import QUOTED

ROLES = (Path(postgres.__file__).parent / "roles-3.sql").read_text(encoding="utf-8")


def open_question(db):
    """The question of the run that waits."""
    return db.pause("run-1", db.pauses(PauseFilter(run_id="run-1", undecided_only=False))[0].pause.pause_id).pause


LOGINS = {"dora": "statecore_decider", "gate": "statecore_gateway", "walt": "statecore_worker"}


@pytest.fixture
def run(db):
    """A run that waits for a review, so that a yes, a no and an edit are answers."""
    flow = Workflow("reviewed", [Step("gate", lambda s: s.input, requires_output_review=True)], db=db)
    return flow.run("x", run_id="run-1")


@pytest.fixture
def role(server, database, run):
    """What opens the store of a fresh database as a login: dora decides, gate is a gateway, walt works."""
    assert run.is_paused
    server.execute(ROLES, url=database)
    opened, made = [], []

    def log_in(name):
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'not the server''s, ours' IN ROLE {LOGINS[name]}", url=database)
        made.append(name)
        opened.append(PostgresDb(database.replace("ada:", f"{name}:", 1)))
        return opened[-1]

    yield log_in
    for store in opened:
        store.close()
    names = [*made, *NAMES]
    server.execute(*[f"DROP OWNED BY {name}" for name in names], *[f"DROP ROLE {name}" for name in names], url=database)


def stored(database, run_id):
    """What the row of a decision says: by whom it is, by which login, and how the login knew."""
    query = 'SELECT p."by", p.login, p.via FROM statecore.pause p JOIN statecore.run r ON r.id = p.run WHERE run_id = %s'
    with psycopg.connect(database) as connection:
        return connection.execute(query, (run_id,)).fetchone()


def test_a_decider_decides_and_nothing_else(role, db, database):
    """A login with the decider's role lists, reads and decides under its own name, at the server's time; all else is refused, and nothing changes."""
    decider = role("dora")
    assert [waiting.pause.run_id for waiting in decider.pauses(PauseFilter())] == ["run-1"]
    before = db.clock()
    new = answer(open_question(db), "reject", value='"why"', by=None, key="k", comment="so")
    decided = decider.decide(new)
    assert (decided.by, decided.comment, decided.key, decided.value) == ("dora", "so", "k", '"why"')
    assert before <= decided.time <= db.clock()  # and not the time that the caller gave
    assert decider.decide(new) == decided == db.decisions("run-1")[0]
    assert stored(database, "run-1") == (b"dora", b"dora", "login")
    kept = db.load("run-1")
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
    assert db.load("run-1") == kept
    assert verify(db).faults == []


def test_another_name_is_a_gateways(role, db, database):
    """A decider that names another person is refused by name; a gateway may, and its login is stored beside that name."""
    new = answer(open_question(db), by="grace")
    with pytest.raises(NotPermitted, match="statecore_gateway"):
        role("dora").decide(new)
    assert db.decisions("run-1") == []
    assert role("gate").decide(new).by == "grace"
    assert stored(database, "run-1")[:2] == (b"grace", b"gate")
    assert verify(db).faults == []


def test_each_refusal_of_the_function_is_the_stores_own(role, db):
    """Each refusal reaches a decider as the error that every store raises, and nothing is stored."""
    decider = role("dora")
    ended = Workflow("other", [Step("a", lambda _: 1, requires_confirmation=True)], db=db)
    run = ended.run("x")
    pause = db.pauses(PauseFilter(run_id=run.run_id))[0].pause
    ended.cancel_run(run.run_id)
    new = answer(open_question(db), by=None, value=None, key="k")
    calls = {
        UnknownRun: lambda: decider.decide(answer(question("no such run"), by=None)),
        UnknownPause: lambda: decider.decide(answer(question("run-1", "nowhere"), by=None)),
        UnknownDecision: lambda: decider.decide(answer(open_question(db), "select", by=None)),
        NotPaused: lambda: decider.decide(answer(pause, by=None)),
        UnstorableValue: lambda: decider.decide(answer(open_question(db), by=None, comment="a\0b")),
    }
    for error, call in calls.items():
        with pytest.raises(error):
            call()
    assert db.decisions("run-1") == []
    decider.decide(new)
    with pytest.raises(AlreadyDecided, match="dora"):
        decider.decide(answer(open_question(db), "reject", by=None))


def test_several_decisions_are_stored_together(role, db):
    """Of two decisions of one run, of which the second is refused, none is stored; a key that was used answers no other question."""
    steps = [Step(name, lambda s: s.step_name, requires_confirmation=True) for name in ("a", "b")]
    flow = Workflow("both", [Parallel(*steps, name="p")], db=db)
    run = flow.run("x")
    first, second = (each.pause_id for each in run.requirements)
    decider = role("dora")
    both = [answer(db.pause(run.run_id, pause_id).pause, by=None, value=None) for pause_id in (first, second)]
    with pytest.raises(UnknownDecision):
        decider.decide(both[0], evolve(both[1], word="select"))
    assert db.decisions(run.run_id) == []
    with pytest.raises(KeyReused, match="'confirm'"):
        decider.decide(evolve(both[0], key="k"), evolve(both[1], key="k"))
    assert decider.decide(*both).pause_id == first
    assert [each.by for each in db.decisions(run.run_id)] == ["dora", "dora"]
    assert flow.continue_run(run_id=run.run_id).status.value == "COMPLETED"


FORM = [
    UserInputField("amount", "decimal"),
    UserInputField("to", "email"),
    UserInputField("why", "text"),
    UserInputField("on", "date"),
    UserInputField("tags", "list", allowed_values=["a", "b"]),
    UserInputField("rate", "float", allowed_values=[1, 2.5]),
]
FILLED = {"amount": "12.50", "to": "ada@example.org", "why": "so\nso", "on": "2026-12-24", "tags": ["a", "b"], "rate": 1.0}


@pytest.mark.spec("GATE-6")
def test_a_decider_answers_the_question_that_it_was_shown(role, db):
    """The function compares the digest that was shown with the stored one: another one is stale and stores nothing, the right one stays with it."""
    decider, pause = role("dora"), open_question(db)
    for wrong in ("00" * 32, "no digest"):
        with pytest.raises(StaleDecision):
            decider.decide(answer(pause, by=None, seen=wrong))
    assert db.decisions("run-1") == []
    assert decider.decide(answer(pause, by=None, seen=pause.seen)).seen == pause.seen is not None
    assert verify(db).faults == []


def test_a_form_of_every_type_is_answered(role, db):
    """The function takes what the form takes, of each type of field, and names the field that it refuses, also where nothing else has judged."""
    flow = Workflow("form", [Step("ask", lambda s: s.input, requires_user_input=True, user_input_schema=FORM)], db=db)
    run, decider = flow.run("x"), role("dora")
    pause = db.pause(run.run_id, run.requirements[0].pause_id).pause
    with pytest.raises(InvalidInput, match="tags"):
        decider.decide(
            answer(pause, "input", by=None, value='{"tags": ["c"], "why": "x", "rate": 1, "amount": {}, "on": {}, "to": "x"}')
        )
    Inbox(decider).decide(run.run_id, pause.pause_id, "input", value=FILLED)
    done = flow.continue_run(run_id=run.run_id)
    assert done.status.value == "COMPLETED", done.content


def test_a_worker_executes_and_rewrites_nothing(role, db, database):
    """A login with the worker's role starts, continues and ends runs; what was written it cannot change."""
    worker = role("walt")
    flow = Workflow("flow", steps=[Step("a", lambda s: s.input), Step("b", lambda s: "b", requires_confirmation=True)], db=worker)
    run = flow.run("x")
    run.steps_requiring_confirmation[0].confirm(by="ann")
    assert flow.continue_run(run).content == "b"
    assert flow.cancel_run(flow.run("y").run_id)
    url = database.replace("ada:", "walt:", 1)
    for statement in (
        "UPDATE event SET fact = ''",
        "DELETE FROM pause",
        "UPDATE run SET run_id = 'x'",
        "UPDATE value SET body = ''",
    ):
        with (
            psycopg.connect(url, options="-c search_path=statecore") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())


def test_what_is_late_is_refused_by_the_servers_clock(role, db):
    """A decider whose clock stands before the deadline is late all the same: the server's clock decides, where the decision is stored."""
    review = HumanReview(requires_confirmation=True, timeout=5, on_timeout=OnTimeout.skip)
    clock = Clock()
    flow = timed(Workflow("payout", steps=[Step("a", lambda s: "a", human_review=review)], db=db), clock)
    late = flow.run("x")
    asking = timed(Workflow("payout", steps=[Step("a", lambda s: "a", human_review=review)], db=role("dora")), clock)
    with pytest.raises(PauseExpired, match="it is skipped"):
        asking.decide(late.run_id, late.requirements[0].pause_id, "confirm")
    assert db.decisions(late.run_id) == []
    clock.advance(5)
    assert [(each.run_id, each.is_timed_out) for each in asking.list_pauses()] == [(late.run_id, True)]
    assert {run.run_id: run.status.value for run in flow.tick()} == {late.run_id: "COMPLETED"}


def test_a_schema_that_is_not_there_is_not_made_by_just_anybody(role, server, database):
    """A role that may not make the schema is told who has to."""
    store = role("walt")
    other = PostgresDb(database.replace("ada:", "walt:", 1), db_schema="elsewhere")
    with pytest.raises(NotPermitted, match="by its owner first"):
        other.load("run-1")
    assert store.load("run-1").state.run == "paused"
