"""What only the store in Postgres promises: whose schema it is, what it refuses by itself, one clock, and errors without a password."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Barrier, Thread

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from statecore import InMemoryDb, Step, Workflow
from statecore.db.postgres import AsyncPostgresDb, PostgresDb
from statecore.errors import (
    NotAStatecoreStore,
    OutsideFormat,
    StoreCorrupt,
    StoreError,
    StoreForked,
    StoreTooNew,
    StoreUnavailable,
    UnstorableValue,
    UnsupportedSetting,
)
from statecore.stores import RunFilter
from statecore.stores.owner import wall_clock
from statecore.stores.postgres import channel
from statecore.stores.postgres.channel import Channel
from statecore.stores.postgres.store import NETWORK, PostgresDb2, read_url
from statecore.stores.rules import LEGAL
from statecore.testing.doubles import Clock, timed
from statecore.testing.stores.samples import TIME, answer, asked, begin, everything, identity, question, started, succeeded
from tests.postgres.server import PASSWORD, QUOTED

ROOT = Path(__file__).parents[2]


def within(database: str, *statements: str) -> None:
    """Execute statements in the store's schema, past the store, as the superuser."""
    with psycopg.connect(database, options="-c search_path=statecore") as connection:
        for statement in statements:
            connection.execute(statement.encode())


def channel_of(store: PostgresDb) -> Channel:
    """The connections of a store, opened."""
    return store.channel()


# -- where -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [f"postgresql://ada:{QUOTED}@[::1/db", f"mysql://ada:{QUOTED}@host/db", f"postgresql://ada:{QUOTED}@host/db?nonsense=1", ""],
)
def test_a_url_that_is_none_is_refused_without_its_password(url):
    """What cannot be read is refused, and neither the message nor what led to it tells the URL."""
    with pytest.raises(UnsupportedSetting) as refused:
        PostgresDb(url)
    assert QUOTED not in repr(refused.value)
    assert refused.value.__suppress_context__


def test_a_url_is_read():
    """The dialects that people know name the same place, and a schema may be named with it."""
    conninfo, schema = read_url("postgresql+psycopg://a:b%40c@h:1/d?schema=x&connect_timeout=3")
    read = conninfo_to_dict(conninfo)
    assert [read.pop(word) for word in ("user", "password", "host", "port", "dbname")] == ["a", "b@c", "h", "1", "d"]
    assert (schema, read.pop("connect_timeout"), sorted(read)) == ("x", "3", sorted(NETWORK.keys() - {"connect_timeout"}))
    store = PostgresDb(f"postgres://ada:{QUOTED}@host/db?schema=mine")
    assert (repr(store), store.db_schema) == ("PostgresDb('postgresql://ada@host/db?schema=mine')", "mine")
    assert AsyncPostgresDb is PostgresDb


@pytest.mark.parametrize("settings", [{"db_schema": "Statecore; DROP"}, {"lease": 0}, {"max_connections": 0}])
def test_a_setting_that_means_nothing_is_refused(settings):
    """Where it is written."""
    with pytest.raises(UnsupportedSetting):
        PostgresDb("postgresql://host/db", **settings)


def test_a_server_that_is_not_there_is_said_at_once(server):
    """Nobody waits for a server that was never seen, and its password stays unsaid; so it is where the password is wrong."""
    for url in (f"postgresql://ada:{QUOTED}@127.0.0.1:1/db", server.url().replace(QUOTED, "wrong"), server.url("nowhere")):
        with pytest.raises(StoreUnavailable) as refused:
            PostgresDb(url).load("run-1")
        assert not any(word in repr(refused.value) for word in (PASSWORD, QUOTED, "wrong"))
        assert "127.0.0.1" in str(refused.value)


def test_without_psycopg_the_command_is_named():
    """Whoever lacks the extra is told how to install it, whichever way the store is asked for; everything else works."""
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "import statecore; from statecore.errors import MissingExtra\n"
        "from statecore.cli.main import main\n"
        "try:\n    statecore.PostgresDb\nexcept MissingExtra as missing:\n    print(missing)\n"
        "assert main(['runs', '--db', 'postgresql://host/db']) == 1\n"
        "assert statecore.Workflow('w', steps=[statecore.Step('a', lambda s: 1)]).run().content == 1\n"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    hint = "pip install 'statecore[postgres]'"
    assert (hint in said.stdout, hint in said.stderr) == (True, True)


# -- whose -------------------------------------------------------------------------------------------------------------------------


def test_another_program_s_schema_is_left_alone(database, server):
    """A schema with other tables is refused, and nothing is added to it."""
    server.execute("CREATE SCHEMA statecore", "CREATE TABLE statecore.run (x INTEGER)", url=database)
    with pytest.raises(NotAStatecoreStore, match="run"):
        PostgresDb(database).load("run-1")
    assert server.execute("SELECT relname FROM pg_class WHERE relnamespace = 'statecore'::regnamespace", url=database) == [("run",)]


def test_what_is_wrong_with_a_schema_is_found_when_it_is_opened(db, database):
    """A newer release's schema, a trigger that is off or gone, and a missing table are refused by name."""
    db.runs(RunFilter())
    past = "SET session_replication_role TO replica"
    cases = {
        "UPDATE store SET version = version + 1": (StoreTooNew, "UPDATE store SET version = version - 1"),
        "ALTER TABLE event DISABLE TRIGGER event_follows": (StoreCorrupt, "ALTER TABLE event ENABLE TRIGGER event_follows"),
        "DROP INDEX pause_open": (StoreCorrupt, "CREATE UNIQUE INDEX pause_open ON pause (run, at, turn) WHERE closed IS NULL"),
        "ALTER TABLE session_value RENAME TO other": (StoreCorrupt, "ALTER TABLE other RENAME TO session_value"),
        "DELETE FROM store": (
            StoreCorrupt,
            "INSERT INTO store (one, uuid, created_us, version) VALUES (1, decode(repeat('00', 16), 'hex'), 1, 3)",
        ),
    }
    for harm, (error, remedy) in cases.items():
        within(database, past, harm)
        with pytest.raises(error):
            PostgresDb(database).runs(RunFilter())
        within(database, past, remedy)
    again = PostgresDb(database)
    assert again.runs(RunFilter()) == []
    again.close()


def test_moves_that_a_schema_does_not_know_are_learnt(db, database):
    """A release with more lifecycle rows than the schema has adds them, and no row twice."""
    db.runs(RunFilter())
    within(database, "SET session_replication_role TO replica", "DELETE FROM legal WHERE machine = 'run'")
    again = PostgresDb(database)
    started(again)
    again.close()
    with psycopg.connect(database) as connection:
        rows = connection.execute('SELECT machine, source, "trigger", dest FROM statecore.legal').fetchall()
    assert sorted(rows) == sorted(LEGAL)


REFUSED = {
    "UPDATE journal SET detail = 'x'": "never changed or deleted",
    "DELETE FROM journal": "never changed or deleted",
    "TRUNCATE journal": "never changed or deleted",
    "UPDATE decision SET word = 'reject'": "never changed or deleted",
    "DELETE FROM decision": "never changed or deleted",
    "INSERT INTO journal SELECT run, seq + 1, legal, at, turn, attempt, time, detail, value, hash FROM journal": "must follow the last",
    "INSERT INTO journal VALUES (1, 3, 0, 'a', '', 0, 0, '', NULL, '')": "journal_legal_fkey",
    "INSERT INTO journal SELECT 1, 3, id, '', '', 0, 0, '', NULL, '' FROM legal WHERE machine = 'run' AND source = 'paused'": "from where it is",
    "INSERT INTO decision (run, pause_id, word, time) VALUES (2, 'gate:confirmation:0', 'reject', 1)": "decision_pkey",
    "INSERT INTO pause (run, pause_id, kind, at, turn, attempt, step_name, detail, opened, on_timeout) "
    "SELECT run, 'again', kind, at, turn, attempt, step_name, detail, opened, on_timeout FROM pause": "pause_open",
    "UPDATE value SET text = text || ' '": "value_is_at_its_hash",
    "DELETE FROM value": "violates foreign key",
    "UPDATE pause SET decided = 1": "when its decision says so",
}


def test_a_database_of_format_2_refuses_what_may_never_happen(database):
    """Past the store, as the superuser: what was written stays, no row is out of turn, and no question is asked or decided twice."""
    db = PostgresDb2(database)
    started(db)
    asked(db, "run-2")
    db.decide(answer(question("run-2")))
    before = [everything(db, run_id) for run_id in ("run-1", "run-2")]
    for statement, why in REFUSED.items():
        with psycopg.connect(database, options="-c search_path=statecore") as connection, pytest.raises(psycopg.Error, match=why):
            connection.execute(statement.encode())
    assert [everything(db, run_id) for run_id in ("run-1", "run-2")] == before
    db.close()


# -- how -------------------------------------------------------------------------------------------------------------------------


def test_a_commit_is_durable_whatever_the_server_s_default_is(db, database, server, monkeypatch):
    """`synchronous_commit` is on in every connection, whatever the database says; where it cannot be, or the server is too old, it is not used."""
    server.execute(f"ALTER DATABASE {database.rpartition('/')[2]} SET synchronous_commit TO off")
    db.runs(RunFilter())
    with channel_of(db).lent() as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    monkeypatch.setattr(channel, "OLDEST", 990_000)
    with pytest.raises(StoreUnavailable, match="990000 is the oldest"):
        PostgresDb(database).runs(RunFilter())
    with pytest.raises(StoreUnavailable, match="keeps synchronous_commit at off, not on"):
        channel_of(db)._check_settings({"synchronous_commit": "off"}, {"synchronous_commit": "on"})


def test_the_time_is_the_server_s(db, monkeypatch):
    """The clock of a store does not depend on that of the machine, goes on without asking, and outlives the server."""
    with psycopg.connect(db._conninfo) as connection:
        [(now,)] = connection.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchall()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    workflow = Workflow("flow", steps=[Step("a", lambda s: 1, requires_confirmation=True)], db=db)
    run = workflow.run("x")
    created = db.load(run.run_id).identity.created
    assert 0 <= created - now < 60_000_000
    elsewhere = Workflow("flow", steps=[Step("a", lambda s: 1)])
    assert (elsewhere.on(db).host.clock, elsewhere.host.clock) == (db.clock, wall_clock)
    assert elsewhere.on(db).on(InMemoryDb()).host.clock == wall_clock
    clock = Clock()
    assert timed(elsewhere, clock).on(db).host.clock is clock  # a test's own time goes along
    first, known = db.clock(), db._time
    assert (db.clock() >= first, db._time) == (True, known)
    db.close()
    db._time = (known[0], known[1] - 10**12)
    assert db.clock() >= first + 10**9


def test_values_are_kept_that_postgres_has_no_room_for(db):
    """A text with a NUL, and one with the sign that stands for it, come back as they were, and are told apart."""
    texts = ["a\0b", "a\x100b", "\x10", "\0\x10\0"]
    for n, text in enumerate(texts):
        session = text.replace("\0", "")  # a name holds no NUL
        begin(db, identity(f"run-{n}", input=text, session_id=f"{n}{session}"))
        assert [record.identity.input for record in db.runs(RunFilter(session_id=f"{n}{session}"))] == [text], n
    assert len(db.runs(RunFilter())) == len(texts)
    with pytest.raises(UnstorableValue):
        begin(db, identity("long", session_id="".join(map(chr, range(0x4E00, 0x4E00 + 9000)))))
    with pytest.raises(OutsideFormat):
        begin(db, identity("late", created=2**63))


def test_connections_are_few_and_shared(database, monkeypatch):
    """Eight threads with two connections wait for one another; a connection that is not given back in time is named."""
    store = PostgresDb(database, max_connections=2, patience=1.0)
    ready, done = Barrier(8), []

    def act(n):
        ready.wait()
        started(store, f"run-{n}").commit(succeeded("first"))
        done.append(n)

    threads = [Thread(target=act, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(8))
    assert len(channel_of(store)._free) <= 2
    monkeypatch.setattr(channel, "AT_LEAST", 0.01)
    channel_of(store).patience = 0
    with channel_of(store).lent(), channel_of(store).lent(), pytest.raises(StoreUnavailable, match="in use"):
        store.load("run-1")
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.load("run-1")


def test_a_fork_s_child_does_not_use_its_parent_s_connections(db):
    """It is told to open its own, and may; the parent goes on undisturbed."""
    started(db)
    pid = os.fork()
    if pid == 0:  # pragma: no cover  # measured in the parent only
        try:
            db.load("run-1")
        except StoreForked:
            db.close()
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert db.load("run-1").seq == 2


@pytest.mark.spec("RUN-18")
def test_a_child_that_reopens_has_connections_of_its_own(db):
    """`reopen` in a child leaves the parent's connections to the parent; a closed store is of use again after it."""
    started(db)
    pid = os.fork()
    if pid == 0:  # pragma: no cover  # measured in the parent only
        db.reopen()
        os._exit(7 if db.load("run-1").seq == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert db.load("run-1").seq == 2
    db.close()
    db.reopen()
    assert db.load("run-1").seq == 2


def test_what_goes_wrong_has_a_name(db, database):
    """A row that somebody holds for long, a standby, a column of the wrong kind and a table that is gone are errors of the store."""
    started(db)
    channel_of(db).patience = 1.0
    with psycopg.connect(database, options="-c search_path=statecore") as other:
        other.execute("SELECT 1 FROM hot FOR UPDATE")
        with channel_of(db).lent() as connection:
            connection.execute("SET lock_timeout TO '50ms'")
        with pytest.raises(StoreUnavailable, match="locked by somebody else"):
            db.release("run-1", 1)
    with channel_of(db).lent() as connection:
        connection.execute("SET default_transaction_read_only TO on")
    with pytest.raises(StoreUnavailable, match="standby"):
        db.release("run-1", 1)
    db.close()
    again = PostgresDb(database)
    again.load("run-1")
    within(database, "ALTER TABLE hot ALTER COLUMN state DROP NOT NULL", "UPDATE hot SET state = NULL")
    with pytest.raises(StoreError):
        again.load("run-1")
    within(database, "DROP TABLE session_value")
    with pytest.raises(StoreCorrupt):
        again.load("run-1")
    assert again.clock() > TIME
    again.close()
