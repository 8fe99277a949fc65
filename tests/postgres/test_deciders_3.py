"""A decider's login can do nothing but decide: the attacks that a store has to withstand."""

from __future__ import annotations

from threading import Thread

import psycopg
import pytest

from tests.format3.tables import HASH
from tests.postgres.deciders import ask, decide, store
from tests.postgres.hostile import lockable

DENIED = {
    "UPDATE statecore.pause SET word = 'confirm', decided_us = 1, decision_seal = seal": "permission denied",
    "UPDATE statecore.pause SET decision_seal = decode(repeat('00', 32), 'hex')": "permission denied",
    "UPDATE statecore.pause SET closed = 1, outcome = 'decided'": "permission denied",
    "UPDATE statecore.hot SET wake_us = 0": "permission denied",
    "SELECT FROM statecore.hot FOR NO KEY UPDATE": "permission denied",
    "SELECT FROM statecore.pause FOR KEY SHARE": "permission denied",
    "INSERT INTO statecore.value (event, slot, body) VALUES (1, 'value', '')": "permission denied",
    "INSERT INTO statecore.event (id) VALUES (1)": "permission denied",
    "INSERT INTO statecore.act (pause) VALUES (1)": "permission denied",
    "DELETE FROM statecore.pause": "permission denied",
    "TRUNCATE statecore.event CASCADE": "permission denied",
    "SELECT head FROM statecore.tombstone": "permission denied",
    "SELECT statecore.store_decision(NULL, '', '', 1, NULL, NULL, NULL, NULL, NULL)": "permission denied",
    "SELECT statecore.decision_digest('', '', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)": "permission denied",
    "SELECT statecore.store_act(NULL, '', NULL)": "permission denied",
    "CREATE TABLE statecore.mine (x INT)": "permission denied",
    "CREATE OR REPLACE FUNCTION statecore.refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$": "permission denied",
    "ALTER TABLE statecore.pause DISABLE TRIGGER ALL": "must be owner",
    "DROP TRIGGER pause_decides ON statecore.pause": "must be owner",
    "SET session_replication_role = replica": "permission denied",
    "SET SESSION AUTHORIZATION gate": "permission denied",
    "SET ROLE gate": "permission denied",
    "SET ROLE statecore_gateway": "permission denied",
}
"""What a decider's login tries past the function, and why the database refuses."""


@pytest.fixture(scope="module")
def database(server):
    """A store, with a decider, a gateway and a worker."""
    with store(server, "deciders_3") as (owner, logins):
        for name, role in (("dora", "statecore_decider"), ("gate", "statecore_gateway"), ("walt", "statecore_worker")):
            logins.make(name, role)
        yield owner, logins


@pytest.fixture
def owner(database):
    """The owner's session."""
    return database[0]


@pytest.fixture
def log_in(database):
    """What opens a session of a login."""
    return database[1].open


def clock(owner):
    """The server's clock, in microseconds."""
    return owner.connection.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchone()[0]


def until(owner, instant):
    """Wait until the server's clock has passed an instant."""
    while clock(owner) <= instant:
        pass


def word_of(owner, run_id):
    """The word with which the question of a run was decided."""
    return owner.connection.execute("SELECT word FROM pause p JOIN run r ON r.id = p.run WHERE run_id = %s", (run_id,)).fetchone()[
        0
    ]


# -- the eight attacks -------------------------------------------------------------------------------------------------------------


def test_a_transaction_that_began_before_the_deadline_is_late(owner, log_in):
    """now() stands still in a transaction; the function reads the clock: what is decided after the deadline is refused."""
    due = clock(owner) + 200_000
    asked, login = ask(owner, deadline_us=due), log_in("dora")
    login.execute("BEGIN")
    assert login.execute("SELECT extract(epoch FROM now()) * 1000000 < %s", (due,)).fetchone() == (True,)
    until(owner, due)
    assert decide(login, *asked, "confirm") == ("expired", str(due))
    assert login.execute("SELECT extract(epoch FROM now()) * 1000000 < %s", (due,)).fetchone() == (True,)


def test_a_call_that_waited_over_the_deadline_is_late(owner, log_in, database):
    """The clock is read when the locks are there: a call that was made in time and waited for a worker until it was late is refused."""
    due = clock(owner) + 1_500_000
    asked, login, told = ask(owner, deadline_us=due), log_in("dora"), []
    worker = log_in("walt")
    worker.execute("BEGIN")
    lock = "SELECT FROM statecore.hot WHERE run = (SELECT id FROM statecore.run WHERE run_id = %s) FOR NO KEY UPDATE"
    worker.execute(lock, (asked[0],))
    calling = Thread(target=lambda: told.append(decide(login, *asked, "confirm")))
    calling.start()
    blocked = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    while owner.connection.execute(blocked, (login.info.backend_pid,)).fetchone() == (False,):
        pass
    assert clock(owner) < due
    until(owner, due)
    worker.execute("COMMIT")
    calling.join()
    assert told == [("expired", str(due))]


@pytest.mark.parametrize("statement", DENIED)
def test_past_the_function_nothing_is_allowed(log_in, statement):
    """No decision with a seal, a time or a value of its own, no lock, no table, no trigger, no other function and no other role."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=DENIED[statement]):
        log_in("dora").execute(statement.encode())


def test_a_decider_may_execute_two_functions(owner):
    """Of all functions of the schema a decider's role has EXECUTE on two, and on no table more than SELECT."""
    query = "SELECT proname FROM pg_proc WHERE pronamespace = 'statecore'::regnamespace AND has_function_privilege('dora', oid, 'EXECUTE')"
    assert sorted(owner.connection.execute(query.encode()).fetchall()) == [("statecore_decide",), ("statecore_vote",)]
    more = """SELECT relname FROM pg_class WHERE relnamespace = 'statecore'::regnamespace AND relkind = 'r' AND
    (has_table_privilege('dora', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege('dora', oid, 'UPDATE'))"""
    assert owner.connection.execute(more.encode()).fetchall() == []


def test_nobody_else_may_execute_it(owner, database):
    """What was granted to nobody is nobody's: a login without a role executes no function of the schema."""
    owner.connection.execute(b"CREATE ROLE no_role LOGIN")
    query = "SELECT proname FROM pg_proc WHERE pronamespace = 'statecore'::regnamespace AND has_function_privilege('no_role', oid, 'EXECUTE')"
    found = owner.connection.execute(query.encode()).fetchall()
    owner.connection.execute(b"DROP ROLE no_role")
    assert found == []


def test_no_decision_is_without_its_update(owner, log_in):
    """A decision wakes its run, in the same transaction: there is none of which the workers do not know."""
    asked = ask(owner)
    decide(log_in("dora"), *asked, "confirm")
    query = "SELECT word, wake_us FROM pause p JOIN hot h ON h.run = p.run JOIN run r ON r.id = p.run WHERE run_id = %s"
    assert owner.connection.execute(query, (asked[0],)).fetchone() == ("confirm", 0)


def test_an_idle_decider_holds_up_one_run(owner, log_in):
    """A decider that does not commit holds the run that it answered, and no other; who it is can be seen, and the worker's timeout ends the wait."""
    asked, other = ask(owner), ask(owner)
    login, worker = log_in("dora"), log_in("walt", options="-c lock_timeout=50ms -c search_path=statecore")
    login.execute("BEGIN")
    assert decide(login, *asked, "confirm")[0] == "stored"
    login.execute("SET lock_timeout = 0")
    assert {asked[0], other[0]} - lockable(worker) == {asked[0]}
    claim = "UPDATE hot SET owner = 'walt', epoch = epoch + 1 WHERE run = (SELECT id FROM run WHERE run_id = %s)"
    with pytest.raises(psycopg.errors.LockNotAvailable):
        worker.execute(claim, (asked[0],))
    assert worker.execute(claim, (other[0],)).rowcount == 1
    patient = log_in("walt", options="-c search_path=statecore")
    waiting = Thread(target=lambda: patient.execute(claim, (asked[0],)))
    waiting.start()
    holder = "SELECT usename FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids(%s))"
    while not (found := worker.execute(holder, (patient.info.backend_pid,)).fetchall()):
        pass
    assert found == [("dora",)]
    login.execute("ROLLBACK")
    waiting.join()
    assert word_of(owner, asked[0]) is None


@pytest.mark.parametrize("question", [{"deadline_us": 1}, {"seen": HASH}, {"rule": "2 of role:finance"}], ids=str)
def test_a_refusal_holds_nothing(owner, log_in, question):
    """A call that is refused keeps no lock, though its transaction goes on."""
    asked, login, worker = ask(owner, **question), log_in("dora"), log_in("walt")
    login.execute("BEGIN")
    assert decide(login, *asked, "confirm", seen=bytes(32))[0] in {"expired", "stale", "needs_votes"}
    assert asked[0] in lockable(worker)


def test_another_name_is_refused(owner, log_in):
    """A decider speaks for its login alone, in whatever role it calls; so does a worker. A gateway speaks for others, and its login is stored, too."""
    asked = ask(owner)
    for name in ("dora", "walt"):
        login = log_in(name)
        assert decide(login, *asked, "confirm", by="grace") == ("not_you", name)
    dora = log_in("dora")
    dora.execute("SET ROLE statecore_decider")
    assert decide(dora, *asked, "confirm", by="statecore_decider") == ("not_you", "dora")
    dora.execute("SET search_path = pg_temp")
    dora.execute("CREATE FUNCTION pg_temp.is_gateway() RETURNS BOOLEAN LANGUAGE sql AS $$ SELECT true $$")
    dora.execute(
        "CREATE TEMP TABLE pg_roles AS SELECT 'statecore_gateway'::name AS rolname, 'statecore_decider'::regrole::oid AS oid"
    )
    assert decide(dora, *asked, "confirm", by="grace") == ("not_you", "dora")
    assert decide(log_in("gate"), *asked, "confirm", by="grace", via="link")[0] == "stored"


def test_many_values_are_one(owner, log_in):
    """Each of 300 calls with a value of the largest size leaves one decision with one value behind; a larger value is refused."""
    asked, login = ask(owner, "output_review"), log_in("dora")
    value = b'"' + b"x" * 998 + b'"'
    codes = [decide(login, *asked, "edit", answer=value.replace(b"xxx", f"{n:03}".encode(), 1))[0] for n in range(300)]
    assert codes[0] == "stored"
    assert set(codes[1:]) <= {"already_decided", "same"}
    assert decide(login, *asked, "edit", answer=value + b" ")[0] == "too_large"
    size = "SELECT sum(octet_length(answer)) FROM pause p JOIN run r ON r.id = p.run WHERE run_id = %s"
    assert owner.connection.execute(size, (asked[0],)).fetchone() == (len(value),)


# -- beside others -----------------------------------------------------------------------------------------------------------------


def test_of_many_deciders_one_decides(owner, log_in):
    """Sixteen sessions decide one question at once: one is stored, and the others are told so."""
    asked = ask(owner)
    sessions, told = [log_in("dora") for _ in range(16)], []
    words = ["confirm", "reject"] * 8
    calling = [
        Thread(target=lambda s=session, w=word: told.append(decide(s, *asked, w)))
        for session, word in zip(sessions, words, strict=True)
    ]
    for each in calling:
        each.start()
    for each in calling:
        each.join()
    codes = [code for code, _ in told]
    assert codes.count("stored") == 1
    assert set(codes) <= {"stored", "same", "already_decided"}


def test_a_decision_and_a_boundary_do_not_deadlock(owner, log_in):
    """A worker that ends a run closes its question while it is being decided: one comes after the other."""
    for _ in range(10):
        asked, login, worker = ask(owner), log_in("dora"), log_in("walt", options="-c search_path=statecore")
        told: list[tuple[str, str | None]] = []

        def call(login=login, asked=asked, told=told):
            told.append(decide(login, asked[0], asked[1], "confirm"))

        worker.execute("BEGIN")
        run, epoch = worker.execute(
            "SELECT id, epoch FROM run JOIN hot ON run = id WHERE run_id = %s FOR NO KEY UPDATE OF hot", (asked[0],)
        ).fetchone()
        calling = Thread(target=call)
        calling.start()
        blocked = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
        while owner.connection.execute(blocked, (login.info.backend_pid,)).fetchone() == (False,):
            pass
        worker.execute("UPDATE pause SET closed = opened, outcome = 'cancelled', voter_salt = NULL WHERE run = %s", (run,))
        worker.execute("COMMIT")
        calling.join()
        assert (epoch, told) == (1, [("closed", "cancelled")])
