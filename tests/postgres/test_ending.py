"""The end of data in Postgres: the same commands, by a login with the role `statecore_keeper` (P27)."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from attrs import evolve
from psycopg.pq import TransactionStatus

from statecore import Step, Worker, Workflow
from statecore.db.postgres import PostgresDb
from statecore.errors import NotPermitted, RunPurged
from statecore.stores import postgres
from statecore.stores.ending import purging
from statecore.stores.postgres import scrubbing
from statecore.stores.postgres.health import verify
from statecore.stores.records import PauseFilter, RunFilter
from statecore.stores.sqlite.archived import verify as verify_archive
from statecore.testing.doubles import Clock, timed
from tests.ending.made import IBAN, LIVING, completed, filled, flow_of
from tests.postgres.deciders import ROLES as NAMES

ROLES = (Path(postgres.__file__).parent / "roles-3.sql").read_text(encoding="utf-8")


@pytest.fixture
def clock():
    """A clock that stands."""
    return Clock()


@pytest.fixture
def logins(server, database, db, clock):
    """A filled store, and what opens it as a login with a role."""
    filled(db, clock)
    server.execute(ROLES, url=database)
    opened, made = [], []

    def log_in(name, role):
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'not the server''s, ours' IN ROLE {role}", url=database)
        made.append(name)
        opened.append(PostgresDb(database.replace("ada:", f"{name}:", 1)))
        return opened[-1]

    yield log_in
    for store in opened:
        store.close()
    names = [*made, *NAMES]
    server.execute(*[f"DROP OWNED BY {name}" for name in names], *[f"DROP ROLE {name}" for name in names], url=database)


def ids(db):
    """The runs that a store lists."""
    return {each.identity.run_id for each in db.runs(RunFilter())}


def test_a_keeper_purges_and_nobody_else(logins, db, clock):
    """A keeper's login removes what has ended; a worker's and a decider's are refused, and nothing has changed."""
    late = clock() + 1
    for name, role in (("walt", "statecore_worker"), ("dora", "statecore_decider")):
        with pytest.raises(NotPermitted):
            logins(name, role).purge(late, late)
    assert len(ids(db)) == 8
    keeper = logins("kim", "statecore_keeper")
    done = keeper.purge(late, late, by="kim")
    assert (done.runs, done.unread) == (5, ())
    found = verify(db)
    assert (found.faults, found.purged, ids(db)) == ([], 5, set(LIVING))
    with pytest.raises(RunPurged):
        db.load("done")
    with pytest.raises(RunPurged):
        db.journal("wide")


def test_no_row_goes_without_a_tombstone(logins, database, clock):
    """Not even the owner deletes a row of a run that has no tombstone, and no tombstone is put for a run that goes on."""
    assert logins is not None
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET search_path = statecore")
        for table in ("event", "value", "pause", "hot", "run", "move"):
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
                connection.execute(f"DELETE FROM {table}".encode())  # noqa: S608  # from above
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only an ended run"):
            connection.execute(
                "INSERT INTO tombstone (run, run_id, workflow, identity, phase, number, head, created_us, ended_us, purged_us, seal) "
                "SELECT r.id, r.run_id, r.workflow, r.seal, h.phase, h.number, h.head, r.created_us, 1, 1, r.seal "
                "FROM run r JOIN hot h ON h.run = r.id WHERE r.run_id = 'paused'"
            )


def test_a_purge_runs_beside_workers_and_deciders(database, db, clock, monkeypatch):
    """Two workers and a decider go on beside a purge in small transactions; every run ends well or is purged, and the store is sound."""
    monkeypatch.setattr(purging, "ROWS", 9)
    flow = flow_of(db, clock)
    for n in range(12):
        flow.run(IBAN, run_id=f"old-{n}")
        flow.cancel_run(f"old-{n}")
        flow.run(IBAN, run_id=f"new-{n}")
    late = clock() + 1
    clock.advance(10)

    def decide():
        with_own = flow_of(PostgresDb(database), clock)
        for n in range(12):
            with_own.decide(f"new-{n}", "gate:confirmation:0", "confirm", by="ada")
        with_own.db.close()

    def work():
        with_own = flow_of(PostgresDb(database), clock)
        Worker(with_own, 1).work(until_idle=True)
        with_own.db.close()

    threads = [Thread(target=decide), Thread(target=work), Thread(target=work)]
    for each in threads:
        each.start()
    done = db.purge(late, late)
    for each in threads:
        each.join()
    work()
    assert done.runs == 12
    assert {each.state.run for each in db.runs(RunFilter(prefix="new-"))} == {"completed"}
    assert (verify(db).faults, ids(db)) == ([], {f"new-{n}" for n in range(12)})


def test_an_erasure_empties_rows_and_their_old_versions(db, database, clock):
    """After an erasure no row, and no version of a row that a later snapshot may see, holds the value; `verify` says by whom; the rest is told."""
    filled(db, clock)
    for run_id in ("done", "again", "cancelled", "failed", "wide"):
        done = db.erase(run_id, "dpo", clock(), reason="asked")
        assert (done.done, done.left) == (True, None)
        assert "replicas and backups" in (done.beyond or "")
    found = verify(db)
    assert (found.faults, len(found.remarks)) == ([], 5)
    assert {each.why.split(" at ")[0] for each in found.remarks} == {"erased: everything, ordered by dpo"}
    with psycopg.connect(database) as connection:
        for table in ("run", "event", "value", "pause", "hot", "session_value"):
            texts = connection.execute(f"SELECT t::text FROM statecore.{table} t".encode()).fetchall()  # noqa: S608  # from above
            held = [text for (text,) in texts if IBAN.encode().hex() in text or IBAN in text]
            living = {"run": 3, "event": 3, "value": 3, "pause": 3, "hot": 0, "session_value": 0}
            assert len(held) <= living[table], table


def test_a_transaction_that_sees_old_versions_is_named(db, database, clock):
    """While another transaction sees the rows as they were, the erasure is not done and says so; afterwards the same call does it."""
    completed(flow_of(db, clock), "one")
    with psycopg.connect(database) as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM statecore.run")
        done = db.erase("one", "dpo", clock(), wait=0.1)
        assert not done.done
        assert "still sees the old versions" in (done.left or "")
        reader.execute("ROLLBACK")
    assert db.erase("one", "dpo", clock(), wait=5).done


def test_a_page_in_use_is_named(db, database, clock, monkeypatch):
    """While VACUUM passes a page over because a session reads it, the erasure is not done, though none sees the old versions; afterwards it is."""
    completed(flow_of(db, clock), "one")
    once = scrubbing.vacuumed_once
    with psycopg.connect(database) as reader, reader.cursor("held") as held:

        def beside_a_reader(connection, schema):
            if reader.info.transaction_status is TransactionStatus.IDLE:
                held.execute("SELECT * FROM statecore.event")
                held.fetchone()
            return once(connection, schema)

        monkeypatch.setattr(scrubbing, "vacuumed_once", beside_a_reader)
        done = db.erase("one", "dpo", clock(), wait=0.1)
        assert not done.done
        assert "VACUUM has passed it over" in (done.left or "")
    monkeypatch.undo()
    assert db.erase("one", "dpo", clock(), wait=5).done


def test_no_entry_of_an_index_is_left(db, database, clock):
    """Of one erased run among many the indexes keep no entry: VACUUM, asked again, finds no dead item in the table of runs."""
    told: list[str | None] = []
    with psycopg.connect(database, autocommit=True) as owner:
        assert db.runs(RunFilter()) == []
        owner.execute("ALTER TABLE statecore.run SET (fillfactor = 10)")
        flow = timed(Workflow("many", [Step("a", lambda _: 1)], db=db), clock)
        for n in range(250):
            flow.run("x" * 200, run_id=f"r{n}", user_id=f"user {n}")
        assert db.erase("r100", "dpo", clock()).done
        owner.add_notice_handler(lambda each: told.append(each.message_detail or each.message_primary))
        owner.execute("VACUUM (VERBOSE, INDEX_CLEANUP ON) statecore.run")
    [pages] = re.findall(r"(\d+) remain, \d+ scanned", str(told[1]))
    assert int(pages) >= 100, told  # of fewer pages VACUUM cleans the indexes by itself
    assert re.findall(r"(\d+) dead item identifiers removed", str(told[1])) == ["0"]


def test_a_keeper_erases_and_its_owner_vacuums(logins, db, clock):
    """A keeper's login empties the rows; where it may not VACUUM it says so, and the owner's next erasure ends the order. A worker may do neither."""
    with pytest.raises(NotPermitted):
        logins("walt", "statecore_worker").erase("done", "walt", clock())
    done = logins("kim", "statecore_keeper").erase("done", "kim", clock())
    assert not done.done
    assert "may not VACUUM" in (done.left or "")
    assert db.load("done").identity.input == '{"$erased":""}'
    assert db.erase("done", "kim", clock()).done
    assert verify(db).faults == []


def test_a_root_and_an_archive_of_postgres(db, database, clock, tmp_path):
    """A keeper's root stays what it was after a purge and an erasure; an archive of a schema is verified without a server."""
    filled(db, clock)
    kept = db.anchor()
    assert (kept.leaves, db.anchor().added) == (13, 0)
    done = db.archive(["done", "wide", "paused"], tmp_path / "some.archive", clock())
    assert done.rows > 100
    db.erase("failed", "dpo", clock())
    db.purge(clock() + 1, clock())
    found = verify(db, anchored=kept)
    assert (found.faults, found.root, found.purged) == ([], kept.root, 5)
    wrong = evolve(kept, root="00" * 32)
    assert [fault.where for fault in verify(db, anchored=wrong).faults] == ["table leaf"]
    archived = verify_archive(tmp_path / "some.archive")
    assert (archived.faults, archived.runs) == ([], 3)
    with psycopg.connect(database, autocommit=True) as connection, pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        connection.execute("DELETE FROM statecore.leaf")


def test_a_count_stops_in_postgres(db, clock):
    """Counts are those of a listing."""
    filled(db, clock)
    assert str(db.count(RunFilter())) == "8"
    assert db.count(RunFilter(phases=("paused",))).number == 2
    assert db.count(PauseFilter(undecided_only=False), exact=True).number == 2
